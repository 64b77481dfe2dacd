"""Decides what a model may answer alone, gets the look of a person for the rest, and stops when the promise breaks."""

from handrail.cycle.review.model import Decision, Given, Request
from handrail.cycle.review.policy import Policy, Rule
from handrail.cycle.review.service import Review

__all__ = ["Decision", "Given", "Policy", "Request", "Review", "Rule"]
