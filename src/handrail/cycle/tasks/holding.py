"""Whether a person may take or answer a task now. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handrail.cycle.tasks.model import (
    AlreadyAnswered,
    ClaimedByOther,
    SecondLook,
    SkillMissing,
    Task,
    TaskClosed,
)


def check_free(one: Task, person: str, now: datetime, skills: Sequence[str] | None) -> None:
    """Return when the person may have the task; `skills` None is every skill.

    Raises AlreadyAnswered, TaskClosed, SecondLook, SkillMissing, ClaimedByOther.
    """
    if one.status == "answered":
        raise AlreadyAnswered("This task has its answer.", hint="Take the next one.")
    if one.status in ("expired", "withdrawn") or (one.deadline is not None and one.deadline <= now):
        what = one.status if one.status in ("expired", "withdrawn") else "past its deadline"
        raise TaskClosed(f"This task is {what}.", hint="Take the next one.")
    if person in one.not_by:
        raise SecondLook("This task needs another person.", hint="Take the next one.")
    if skills is not None and one.skill not in skills:
        raise SkillMissing(f"This task needs the skill {one.skill}.", hint="Take the next one.", skill=one.skill)
    if one.claimed_by != person and one.is_held(now):
        raise ClaimedByOther("Somebody else holds this task.", hint="Take the next one.")
