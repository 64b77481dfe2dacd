"""All SQL of tasks."""

from handrail.cycle.tasks.store.counts import counts
from handrail.cycle.tasks.store.first import add_first, first_of, judged
from handrail.cycle.tasks.store.queue import claim, page, peek
from handrail.cycle.tasks.store.reviewed import reviewed
from handrail.cycle.tasks.store.rows import (
    add,
    add_answer,
    add_many,
    answer_of,
    answered_by,
    deadlines_over,
    get,
    held_by,
    lease,
    of_decision,
    set_status,
    take_back,
)
from handrail.cycle.tasks.store.tables import ANSWERED, EXPIRED, OPEN, STATUSES, WITHDRAWN, answer, task, task_count

__all__ = [
    "ANSWERED",
    "EXPIRED",
    "OPEN",
    "STATUSES",
    "WITHDRAWN",
    "add",
    "add_answer",
    "add_first",
    "add_many",
    "answer",
    "answer_of",
    "answered_by",
    "claim",
    "counts",
    "deadlines_over",
    "first_of",
    "get",
    "held_by",
    "judged",
    "lease",
    "of_decision",
    "page",
    "peek",
    "reviewed",
    "set_status",
    "take_back",
    "task",
    "task_count",
]
