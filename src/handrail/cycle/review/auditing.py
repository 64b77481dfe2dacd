"""What an audit's verdict does to the brake: confirmed first, replayed in decision order, acted on at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handrail.cycle.review import braking_groups, overdue, store
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.events import Audited, GroupBraked
from handrail.cycle.review.hearing import confirmed, replayed
from handrail.cycle.review.loss import loss_from
from handrail.cycle.review.model import AuditRow, Decision
from handrail.cycle.review.steering import Steering
from handrail.cycle.tasks import Answer, Task
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

_BRAKE = Actor.rule("brake")


def ring_replayed(before_open: BrakeState, ring: Sequence[AuditRow]) -> tuple[BrakeState, BrakeState, str | None]:
    """Return (the brake now, before the oldest open audit, the last decision that the latter holds)."""
    ring = braking_groups.counted(before_open, ring)
    now, kept, folded = replayed(before_open, ring)
    return now, kept, ring[folded - 1].decision_id if folded else None


class Auditing:
    """Counts audits for the certificate's brake, in the transaction of the verdict."""

    def __init__(self, journal: Journal, clock: Clock, steering: Steering) -> None:
        self._journal = journal
        self._clock = clock
        self._steering = steering

    def heard(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Decision, task: Task, answer: Answer
    ) -> bool | None:
        """Take what a person said; return whether the model was wrong, None when another person has to look first.

        When the brake trips, automation ends in this very transaction.
        """
        given = None if one.prediction is None else one.prediction["value"]
        found = None if one.certificate_id is None else store.get_certificate(uow, scope, one.certificate_id, lock=True)
        drawn = store.get_audit(uow, scope, one.id)
        if found is None or drawn is None or found[0].brake is None:
            return bool(answer.value != given)
        row = found[0]
        verdicts = (*drawn.verdicts, (actor.id, answer.value))
        second = bool(row.document.get("second_opinion", False))
        values = [value for _, value in verdicts]
        loss = loss_from(row.document.get("loss"))  # the certificate's own, whatever the policy says by now
        lost = confirmed(given, values, second_opinion=second, loss=loss)
        at = micros(self._clock.now())
        store.hear(uow, scope, one.id, verdicts=verdicts, wrong=lost, at=at)
        if lost is None:
            return None
        wrong = bool(answer.value != given)  # also where it costs nothing
        before, reached, after = self._move(uow, scope, row)
        event = Audited(
            decision_id=one.id,
            item_id=one.item_id,
            task_id=task.id,
            certificate_id=row.id,
            model_id=one.model_id,
            value=answer.value,
            wrong=wrong,
            loss=lost,
            probability=one.audit_probability,
            e_value=reached.e_value,
            level=reached.level,
        )
        self._journal.append(uow, actor, scope.project_id, event)
        if after.stopped != before.stopped:
            self._stop_groups(uow, scope, row, reached, after)
        elif after.level != before.level or after.expired:
            self._act(uow, scope, row, after)
        elif after.multipliers != before.multipliers:
            self._steering.moved(scope)  # the draws to come follow; one made on the terms before is as valid
        return wrong

    def _move(self, uow: UnitOfWork, scope: Scope, row: CertificateRow) -> tuple[BrakeState, BrakeState, BrakeState]:
        """Replay what is not folded yet, fold what is settled; return the brake before, as it was found, and after.

        It goes on after a stop of groups alone; else the last two are the same.
        """
        assert row.brake is not None
        before = BrakeState.from_dict(row.brake)
        kept = store.brake_before_open(uow, scope, row.id)
        base = before if kept is None else BrakeState.from_dict(kept)
        ring = self._measured(uow, scope, row.id, base)
        found, base, until = ring_replayed(base, ring)
        now = found
        if ring and braking_groups.stops_alone(row, now) and self._in_force(uow, scope, row):
            now, base, until = self._begun_again(uow, scope, row, now, ring[-1].decision_id)
        if until is not None:
            store.fold(uow, scope, row.id, until)
        if not now.braked and self._overdue(uow, scope, row.id):
            now = replace(now, warned=True)
        store.put_brake(uow, scope, row.id, now=now.to_dict(), before_open=base.to_dict())
        return before, found, now

    def _in_force(self, uow: UnitOfWork, scope: Scope, row: CertificateRow) -> bool:
        control, _ = self._steering.control(uow, scope, lock=True)
        return control.certificate_id == row.id and row.status == "certified"

    def _begun_again(
        self, uow: UnitOfWork, scope: Scope, row: CertificateRow, now: BrakeState, until: str
    ) -> tuple[BrakeState, BrakeState, str | None]:
        """Stop groups alone, and those that alone are left to stop then; return what `ring_replayed` does.

        Nobody decides meanwhile (`_in_force` holds the control row), so that no audit of theirs is drawn later.
        """
        after, drawn = store.last_drawn(uow, scope, row.id), store.from_beginning(uow, scope, row.id, until)
        while True:
            now, base, last = ring_replayed(braking_groups.begun_again(now, after), drawn)
            if not braking_groups.stops_alone(row, now):
                return now, base, last

    def _measured(self, uow: UnitOfWork, scope: Scope, certificate_id: str, state: BrakeState) -> list[AuditRow]:
        """Return the audits to replay, each with the sums over the decisions before it that were not audited."""
        made: list[AuditRow] = []
        after = store.last_folded(uow, scope, certificate_id)
        levels = {one.name: one.null for one in state.groups}
        for one in store.ring(uow, scope, certificate_id):
            if not one.measured:
                until = one.decision_id
                sums = store.idle(uow, scope, certificate_id, after=after, until=until, null=state.null, levels=levels)
                store.put_idle(uow, scope, until, sums)
                one = replace(one, draw=replace(one.draw, idle=sums), measured=True)
            made.append(one)
            after = one.decision_id
        return made

    def _overdue(self, uow: UnitOfWork, scope: Scope, certificate_id: str) -> bool:
        """Tell whether too many audits that are due have no verdict: leaving them out would blind the brake."""
        return overdue.too_many(*store.due(uow, scope, certificate_id, before=micros(self._clock.now())))

    def _stop_groups(
        self, uow: UnitOfWork, scope: Scope, row: CertificateRow, found: BrakeState, after: BrakeState
    ) -> None:
        """Let people decide on the groups that broke the certificate, from this commit on; the others go on."""
        before = () if row.groups is None else row.groups.stopped
        groups = [one.name for one in after.stopped if one.name not in before]
        why = f"audit {found.audits} took the e-value to {found.e_value:.2f}, and {', '.join(groups)} alone broke it"
        event = GroupBraked(
            certificate_id=row.id,
            model_id=row.model_id,
            groups=groups,
            after=after.stopped[-1].after,
            e_value=found.e_value,
            why=why,
        )
        self._journal.append(uow, _BRAKE, scope.project_id, event)
        if after.level == "braked" or after.expired:
            self._act(uow, scope, row, after)
            return
        control, planned = self._steering.control(uow, scope, lock=True)
        state = "stopped" if control.state == "stopped" else after.level
        planned = self._kept_plan(uow, scope, planned)
        self._steering.change(uow, _BRAKE, scope, state, why, planned_id=planned)  # moves the epoch in any case

    def _kept_plan(self, uow: UnitOfWork, scope: Scope, planned: str | None) -> str | None:
        """Return the open plan if a person asked for it; end any other, which would open again what was braked."""
        found = None if planned is None else store.get_certificate(uow, scope, planned)
        if planned is None or (found is not None and found[0].document["asked_by_person"]):
            return planned
        why = "braked: no person asked for it, and only a person opens automation again"
        self._steering.end_certificate(uow, _BRAKE, scope, planned, why)
        return None

    def _act(self, uow: UnitOfWork, scope: Scope, row: CertificateRow, after: BrakeState) -> None:
        """Let automation follow the brake; one that a person stopped stays stopped, and its certificate ends too."""
        control, planned = self._steering.control(uow, scope, lock=True)
        if control.certificate_id != row.id or row.status != "certified":
            return
        stopped = control.state == "stopped"
        if after.level == "braked":
            why = f"audit {after.audits} took the e-value to {after.e_value:.2f}"
            self._steering.end_certificate(uow, _BRAKE, scope, row.id, f"braked: {why}")
            planned = self._kept_plan(uow, scope, planned)
            self._steering.change(uow, _BRAKE, scope, "stopped" if stopped else "braked", why, planned_id=planned)
        elif after.expired:
            why = f"the brake watches over {after.lifetime} audits, and they are done"
            self._steering.end_certificate(uow, _BRAKE, scope, row.id, why)
            self._steering.change(uow, _BRAKE, scope, "stopped" if stopped else "shadow", why)
        elif not stopped:
            why = f"audit {after.audits} took the e-value to {after.e_value:.2f}"
            if after.level == "warned" and after.e_value < 0.5:
                why = overdue.WORDS
            self._steering.change(uow, _BRAKE, scope, after.level, why)
            return
        if planned is not None and not stopped:  # the next certificate was asked for before, and goes on
            self._steering.change(uow, _BRAKE, scope, "certifying", "a certificate was planned before")
