"""One piece of human work at a time: opened for a reason, claimed by a lease, answered once."""

from handrail.cycle.tasks.model import LEAD, Answer, Answered, Kind, LookTime, NewTask, Task, Verb
from handrail.cycle.tasks.service import Tasks

__all__ = ["LEAD", "Answer", "Answered", "Kind", "LookTime", "NewTask", "Task", "Tasks", "Verb"]
