"""What a new task is, with its first place in the queue, and when a blind-first one may be answered. Pure."""

from __future__ import annotations

from datetime import datetime

from handrail.cycle.tasks.model import AlreadyAnswered, Answered, FirstAnswer, FirstAnswerNeeded, NewTask, Task
from handrail.cycle.tasks.urgency import BLIND_WORTH, priority


def opened(new: NewTask, *, task_id: str, project_id: str, at: datetime) -> Task:
    """Return the open task that a NewTask becomes."""
    worth = BLIND_WORTH if new.blind else new.priority
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
        priority=priority(worth, at, None if new.blind else new.deadline, at),
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
        worth=worth,
    )


def check_first(one: Task, given: Answered, own: FirstAnswer | None) -> None:
    """Raise FirstAnswerNeeded for a final answer to a blind-first task without the person's own answer before it.

    Who cannot say may pass the task on without one: then the model's answer is not shown either. To be asked before
    anything compares the answer with the model's, or the refusal would tell what the model said.
    """
    if one.blind_first and own is None and given.verb not in ("abstain", "escalate"):
        if one.status == "answered":
            raise AlreadyAnswered("This task has its answer.", hint="Take the next one.")
        raise FirstAnswerNeeded(
            "This queue asks for your own answer first.", hint="Send it to /first; then the model's answer is shown."
        )
