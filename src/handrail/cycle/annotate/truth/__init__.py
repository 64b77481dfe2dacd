"""Truth from people: posteriors from overlapping answers, reliability of reviewers, agreement, what to ask next."""

from handrail.cycle.annotate.truth.aggregate import Truth, truth
from handrail.cycle.annotate.truth.agreement import Agreement, alpha, class_alphas, cohen_kappa, fleiss_kappa
from handrail.cycle.annotate.truth.answers import Answers, TruthInvalid, read_answers
from handrail.cycle.annotate.truth.confounding import Refusal
from handrail.cycle.annotate.truth.reliability import Reliability

__all__ = [
    "Agreement",
    "Answers",
    "Refusal",
    "Reliability",
    "Truth",
    "TruthInvalid",
    "alpha",
    "class_alphas",
    "cohen_kappa",
    "fleiss_kappa",
    "read_answers",
    "truth",
]
