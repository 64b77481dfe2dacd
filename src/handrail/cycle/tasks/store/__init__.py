"""All SQL of tasks."""

from handrail.cycle.tasks.store.climbing import Unclaimed, climb, unclaimed, unclaimed_number
from handrail.cycle.tasks.store.counts import counts
from handrail.cycle.tasks.store.first import add_first, first_of, judged
from handrail.cycle.tasks.store.judging import (
    add_known,
    admit,
    close_gate,
    closed_gates,
    gate_of,
    known_people,
    tally,
)
from handrail.cycle.tasks.store.looking import looks
from handrail.cycle.tasks.store.outlook import answered, arrived, due, oldest_open, people
from handrail.cycle.tasks.store.queue import claim, page, peek
from handrail.cycle.tasks.store.raising import raise_due
from handrail.cycle.tasks.store.reviewed import reviewed
from handrail.cycle.tasks.store.rows import (
    add,
    add_answer,
    add_many,
    answer_of,
    answered_by,
    deadlines_over,
    first_held,
    get,
    give_back,
    held_by,
    lease,
    of_decision,
    set_status,
    take_back,
)
from handrail.cycle.tasks.store.staffing import (
    answered_number,
    climbing_projects,
    get_rules,
    held_number,
    hold_person,
    nth_latest_answer,
    put_rules,
)
from handrail.cycle.tasks.store.tables import ANSWERED, EXPIRED, OPEN, STATUSES, WITHDRAWN, answer, task, task_count

__all__ = [
    "ANSWERED",
    "EXPIRED",
    "OPEN",
    "STATUSES",
    "WITHDRAWN",
    "Unclaimed",
    "add",
    "add_answer",
    "add_first",
    "add_known",
    "add_many",
    "admit",
    "answer",
    "answer_of",
    "answered",
    "answered_by",
    "answered_number",
    "arrived",
    "claim",
    "climb",
    "climbing_projects",
    "close_gate",
    "closed_gates",
    "counts",
    "deadlines_over",
    "due",
    "first_held",
    "first_of",
    "gate_of",
    "get",
    "get_rules",
    "give_back",
    "held_by",
    "held_number",
    "hold_person",
    "judged",
    "known_people",
    "lease",
    "looks",
    "nth_latest_answer",
    "of_decision",
    "oldest_open",
    "page",
    "peek",
    "people",
    "put_rules",
    "raise_due",
    "reviewed",
    "set_status",
    "take_back",
    "tally",
    "task",
    "task_count",
    "unclaimed",
    "unclaimed_number",
]
