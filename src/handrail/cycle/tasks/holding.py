"""What a new task is, and whether a person may take or answer one now. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handrail.cycle.tasks.model import (
    AlreadyAnswered,
    ClaimedByOther,
    NewTask,
    SecondLook,
    SkillMissing,
    Task,
    TaskClosed,
)


def opened(new: NewTask, *, task_id: str, project_id: str, at: datetime) -> Task:
    """Return the open task that a NewTask becomes."""
    return Task(
        id=task_id,
        project_id=project_id,
        kind=new.kind,
        status="open",
        question=new.question,
        item_id=new.item_id,
        decision_id=new.decision_id,
        subject_id=new.subject_id,
        payload=dict(new.payload),
        priority=new.priority,
        skill=new.skill,
        reason=new.reason,
        blind=new.blind,
        campaign_id=new.campaign_id,
        not_by=new.not_by,
        opened_at=at,
        deadline=new.deadline,
        claimed_by=None,
        claimed_until=None,
        blind_first=new.blind_first,
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
