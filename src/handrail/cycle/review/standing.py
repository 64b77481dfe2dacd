"""What decide() needs to know of a project, loaded once per epoch and then kept in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handrail.cycle.datasets import Datasets, Schema
from handrail.cycle.review import store
from handrail.cycle.review.audit_draw import AuditPlan, group_of
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.condition import Condition
from handrail.cycle.review.model import Control, Given, WrongState
from handrail.cycle.review.policy import Policy, Rule
from handrail.cycle.review.predicting import MicroBatch
from handrail.cycle.review.routing import CONDITION_VARIABLES, Drawing, Standing
from handrail.cycle.review.steering import policy_of
from handrail.cycle.train import ModelVersion, Predictor, Train
from handrail.foundation.actors import Scope
from handrail.foundation.errors import Broken
from handrail.foundation.storage import Storage, UnitOfWork


@dataclass(frozen=True)
class Snapshot:
    """One project as of one epoch; every decision checks in its own transaction that the epoch still holds."""

    control: Control
    planned: CertificateRow | None
    certificate: CertificateRow | None
    policy: Policy
    rules: tuple[tuple[Rule, Condition], ...]
    variables: frozenset[str]
    schema: Schema
    model: ModelVersion | None
    predict: MicroBatch | None
    standing: Standing
    audit_terms: Callable[[float, Any, Mapping[str, str]], Draw]

    @property
    def scope(self) -> Scope:
        """The project of this snapshot."""
        return Scope(self.control.project_id)


def _no_audit(score: float, value: Any, group: Mapping[str, str]) -> Draw:
    del score, value, group
    raise Broken("An audit was to be drawn without a plan.", hint="Report this: a certificate is in force without one.")


class Standings:
    """Keeps one snapshot per project."""

    def __init__(self, storage: Storage, datasets: Datasets, train: Train) -> None:
        self._storage = storage
        self._datasets = datasets
        self._train = train
        self._kept: dict[str, Snapshot] = {}
        self._loading: dict[str, asyncio.Lock] = {}

    async def get(self, scope: Scope) -> Snapshot:
        """Return the snapshot of a project, loaded when needed."""
        kept = self._kept.get(scope.project_id)
        if kept is not None:
            return kept
        async with self._loading.setdefault(scope.project_id, asyncio.Lock()):
            kept = self._kept.get(scope.project_id)
            if kept is None:
                kept = await asyncio.get_running_loop().run_in_executor(None, self.load, scope)
                self._kept[scope.project_id] = kept
        return kept

    def forget(self, scope: Scope) -> None:
        """Load again at the next call; the epoch has moved."""
        self._kept.pop(scope.project_id, None)

    def load(self, scope: Scope) -> Snapshot:
        """Read a project's standing and make its model ready; takes seconds the first time a model is loaded."""
        read = self._storage.read(lambda uow: self._read(uow, scope))
        control, planned, certificate, policy, schema, model, drawing = read
        predictor = None if model is None else self._train.predictor(model)
        rules = tuple((rule, Condition.compile(rule.when, CONDITION_VARIABLES)) for rule in policy.rules)
        return Snapshot(
            control=control,
            planned=planned,
            certificate=certificate,
            policy=policy,
            rules=rules,
            variables=frozenset().union(*(condition.variables for _, condition in rules)) if rules else frozenset(),
            schema=schema,
            model=model,
            predict=None if predictor is None else MicroBatch(_given_by(predictor)),
            standing=Standing(
                state=control.state,
                threshold=None if certificate is None else certificate.threshold,
                certificate_open=planned is not None
                and planned.source == "stream"
                and planned.labels_drawn < planned.labels_planned,
                certify_share=policy.certify_share,
                certify_region=None if planned is None else planned.document.get("region"),
                groups=None if certificate is None else certificate.groups,
                drawing=drawing,
            ),
            audit_terms=_audit_terms(certificate, control),
        )

    def _read(
        self, uow: UnitOfWork, scope: Scope
    ) -> tuple[
        Control,
        CertificateRow | None,
        CertificateRow | None,
        Policy,
        Schema,
        ModelVersion | None,
        dict[str, Drawing] | None,
    ]:
        found = store.get_control(uow, scope)
        if found is None:
            raise WrongState("The project has no policy yet.", hint="Activate a policy, then decide.")
        control, planned_id = found
        planned = None if planned_id is None else store.get_certificate(uow, scope, planned_id)
        certificate = (
            None if control.certificate_id is None else store.get_certificate(uow, scope, control.certificate_id)
        )
        return (
            control,
            None if planned is None else planned[0],
            None if certificate is None else certificate[0],
            policy_of(uow, scope, control.policy_id),
            self._datasets.schema(uow, scope),
            None if control.model_id is None else self._train.model(uow, scope, control.model_id),
            None if planned is None else _drawing(planned[0], store.drawn_by_group(uow, scope, planned[0].id)),
        )


def _drawing(planned: CertificateRow, drawn: Mapping[str, int]) -> dict[str, Drawing] | None:
    """Return how a plan draws from each of its groups, None where it draws from all items together."""
    parts = planned.document.get("groups")
    if parts is None:
        return None
    return {
        one["group"]: Drawing(one["region"], drawn.get(one["group"], 0) < one["labels"])
        for one in parts
        if one["status"] == "planned"
    }


def _given_by(predictor: Predictor) -> Callable[[Sequence[Mapping[str, Any]]], list[Given]]:
    def predict(rows: Sequence[Mapping[str, Any]]) -> list[Given]:
        return [
            Given(value=one.value, score=one.score, scores=one.scores, top=tuple(one.top))
            for one in predictor.predict(rows)
        ]

    return predict


def _audit_terms(
    certificate: CertificateRow | None, control: Control
) -> Callable[[float, Any, Mapping[str, str]], Draw]:
    document = None if certificate is None else certificate.document.get("audit_plan")
    if certificate is None or document is None or certificate.brake is None:
        return _no_audit
    state = BrakeState.from_dict(certificate.brake)
    plan = AuditPlan.from_dict(document).following(state.multipliers, warned=control.state == "warned")
    levels = frozenset() if certificate.groups is None else certificate.groups.names

    def terms(score: float, value: Any, group: Mapping[str, str]) -> Draw:
        return plan.draw(score, group_of(plan, levels, value, group))

    return terms
