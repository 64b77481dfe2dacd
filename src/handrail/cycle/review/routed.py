"""What a routed request becomes: its task and its decision. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.model import Decision, Given, Request
from handrail.cycle.review.routing import Routed
from handrail.cycle.review.standing import Snapshot
from handrail.cycle.review.terms import ends, meant
from handrail.cycle.tasks import NewTask
from handrail.cycle.tasks.model import BLIND_REASON
from handrail.cycle.tasks.urgency import MOST_COST, worth_of_look


@dataclass(frozen=True)
class Ready:
    """Everything about one decision that is fixed before its transaction."""

    decision_id: str
    request: Request
    item: dict[str, Any]
    digest: str
    prediction: Given | None
    said: dict[str, Any] | None
    routed: Routed
    task: NewTask | None
    seed: tuple[str, datetime] | None
    """The id of a seed that was drawn beside the task, and when it is opened."""
    draw: Draw | None
    control: tuple[str, datetime] | None = None
    """The id of a control item that was drawn beside the audit, and when it is opened."""


def task_of(
    snapshot: Snapshot,
    request: Request,
    decision_id: str,
    said: dict[str, Any] | None,
    routed: Routed,
    now: datetime,
) -> NewTask | None:
    """Return the task that a person gets about the decision, None where nobody looks. `said`: the model's answer."""
    if routed.route == "blocked" or (routed.route == "auto" and not routed.audited):
        return None
    blind = routed.route == "auto" or routed.certifying
    first = snapshot.policy.blind_first and not blind and said is not None  # the place must not tell the score
    own = ends(request, now) if routed.route == "human" else None
    crowded = None if routed.deadline_s is None else now + timedelta(seconds=routed.deadline_s)
    return NewTask(
        kind="audit" if routed.route == "auto" else "review",
        question=snapshot.policy.question,
        decision_id=decision_id,
        payload={} if blind or said is None else {"prediction": said},
        priority=worth_of_look(cost_of(request), None if said is None or first else said["score"]),
        reason=BLIND_REASON if blind else routed.reasons[0],
        blind=blind,
        deadline=min((one for one in (own, crowded) if one is not None), default=None),
        blind_first=first,
    )


def decision_of(snapshot: Snapshot, ready: Ready, item: str, task_id: str | None, now: datetime) -> Decision:
    """Return the decision that a routed request becomes, about an item and with the task that was opened for it."""
    routed, prediction, request = ready.routed, ready.prediction, ready.request
    automatic = routed.route == "auto"
    certificate = snapshot.certificate if automatic else (snapshot.planned if routed.certifying else None)
    return Decision(
        id=ready.decision_id,
        project_id=snapshot.control.project_id,
        item_id=item,
        question=snapshot.policy.question,
        status={"auto": "auto", "human": "pending", "blocked": "blocked"}[routed.route],  # type: ignore[arg-type]
        route=routed.route,
        value=prediction.value if automatic and prediction is not None else None,
        by_kind=routed.by.partition(":")[0],
        by_id=routed.by.partition(":")[2] or snapshot.control.policy_id,
        score=None if prediction is None else prediction.score,
        prediction=ready.said,
        reasons=routed.reasons,
        certificate_id=None if certificate is None else certificate.id,
        policy_id=snapshot.control.policy_id,
        model_id=None if request.prediction is not None else snapshot.control.model_id,
        commit_id=None if snapshot.model is None else snapshot.model.commit_id,
        audit_probability=routed.audit_probability,
        audited=routed.audited,
        task_id=task_id,
        created_at=now,
        decided_at=now if routed.route != "human" else None,
        expires_at=None if ready.task is None else ready.task.deadline,
        on_deadline=meant(request) if routed.deadline_s is None else "deny",
        default=request.default,
        irreversible=request.irreversible,
        risk_class=request.risk_class,
        cost=request.cost,
        action_hash=request.action_hash,
        eyes=max(snapshot.policy.eyes, routed.eyes, request.eyes) if routed.route == "human" else 1,
        sealed=routed.route == "human" and ready.task is not None and (ready.task.blind or ready.task.blind_first),
    )


def cost_of(request: Request) -> float:
    """Return how much dearer than an ordinary error one is, as the queue takes it; 1 where nobody said."""
    return 1.0 if request.cost is None else min(request.cost, MOST_COST)
