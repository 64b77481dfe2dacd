"""What the audits of a certificate show, read together for who watches it: leads and auditors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handrail.cycle.review import audit_figures as figures
from handrail.cycle.review import store
from handrail.cycle.review.audit_figures import AuditFigures
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.controlling import Controlling
from handrail.cycle.review.model import AuditRow
from handrail.cycle.review.steering import Steering
from handrail.foundation.actors import Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.storage import UnitOfWork


class Watching:
    """Reads what the audits of a project show."""

    def __init__(self, clock: Clock, steering: Steering, controlling: Controlling) -> None:
        self._clock = clock
        self._steering = steering
        self._controlling = controlling

    def figures(self, uow: UnitOfWork, scope: Scope) -> AuditFigures:
        """Return what the audits of the certificate in force show, or of the last one that had a brake.

        It tells how many control items there are, so it is for those who may know. Raises WrongState before the first
        policy.
        """
        now = micros(self._clock.now())
        policy = self._steering.policy(uow, scope)
        row = self._watched(uow, scope)
        audits = [] if row is None else store.from_beginning(uow, scope, row.id, until="~")  # beyond every id
        second = policy.second_opinion if row is None else bool(row.document.get("second_opinion", False))
        measured = self._controlling.measured(
            uow, scope, policy.question, second_opinion=second, delta=policy.brake_delta
        )
        state = None if row is None or row.brake is None else BrakeState.from_dict(row.brake)
        block, before = None, 0
        if row is not None and state is not None:
            before, n = figures.block_of(audits, now)
            block = self._block(uow, scope, row.id, state, audits, before, n)
        opened = store.controls(uow, scope, policy.question)
        return AuditFigures(
            certificate_id=None if row is None else row.id,
            number=None if row is None else row.number,
            counted=figures.counted(audits, now),
            error=None if block is None or state is None else figures.error(state, block, before, measured.mbar),
            brake=None if state is None else figures.distance(state),
            reviewers_said="" if row is None else row.document.get("reviewers", {}).get("said", ""),
            controls=measured,
            controls_opened=len(opened),
            controls_answered=sum(one.wrong is not None for one in opened),
        )

    def _watched(self, uow: UnitOfWork, scope: Scope) -> CertificateRow | None:
        """Return the certificate in force, else the last one that had a brake."""
        control, _ = self._steering.control(uow, scope)
        known = [one for one in store.certificates(uow, scope) if one.brake is not None]
        in_force = next((one for one in known if one.id == control.certificate_id), None)
        return in_force or (known[-1] if known else None)

    def _block(
        self,
        uow: UnitOfWork,
        scope: Scope,
        certificate_id: str,
        state: BrakeState,
        audits: Sequence[AuditRow],
        before: int,
        n: int,
    ) -> list[AuditRow]:
        """Return a block of audits, each with the sums over the decisions before it that were not audited."""
        made, levels = [], {one.name: one.null for one in state.groups}
        for place in range(before, before + n):
            one = audits[place]
            if not one.measured:
                after = audits[place - 1].decision_id if place else ""
                until = one.decision_id
                sums = store.idle(uow, scope, certificate_id, after=after, until=until, null=state.null, levels=levels)
                one = replace(one, draw=replace(one.draw, idle=sums), measured=True)
            made.append(one)
        return made
