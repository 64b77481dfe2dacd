"""The same task again, for somebody else. Pure."""

from __future__ import annotations

from typing import Any

from handrail.cycle.tasks.model import NewTask, Task


def again(task: Task, **more: Any) -> NewTask:
    """Return the task as a new one, without a deadline unless `more` names one; `more` replaces its other parts too."""
    return NewTask(
        **{
            "kind": task.kind,
            "question": task.question,
            "item_id": task.item_id,
            "decision_id": task.decision_id,
            "payload": task.payload,
            "priority": task.worth,
            "skill": task.skill,
            "reason": task.reason,
            "blind": task.blind,
            "blind_first": task.blind_first,
            "not_by": task.not_by,
            **more,
        }
    )
