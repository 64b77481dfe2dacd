"""What a new task is: its worth, and with it its first place in the queue. Pure."""

from __future__ import annotations

from datetime import datetime

from handrail.cycle.tasks.model import NewTask, Task
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
