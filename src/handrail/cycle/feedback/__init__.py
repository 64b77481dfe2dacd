"""What people decided goes back into the dataset."""

from handrail.cycle.feedback.service import Feedback

__all__ = ["Feedback"]
