"""What people do around an answer: drafts before it, another answer after it, comments beside it."""

from handrail.cycle.tasks.working.service import Working

__all__ = ["Working"]
