"""Changes the state of automation: policies, promotions, stop and restart, the brake's effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from handrail.cycle.datasets import Datasets, Question
from handrail.cycle.review import store
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.check_condition import validate_condition
from handrail.cycle.review.events import CertificateEnded, PolicyActivated, StateChanged
from handrail.cycle.review.loosening import compare
from handrail.cycle.review.loss import loss_problems
from handrail.cycle.review.model import Control, NotAPerson, SamePerson, State, WrongState
from handrail.cycle.review.policy import Policy, PolicyLooser, refuse_policy
from handrail.cycle.review.routing import CONDITION_VARIABLES
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.errors import Broken, Invalid
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage, UnitOfWork


def policy_of(uow: UnitOfWork, scope: Scope, policy_id: str) -> Policy:
    """Return a policy that is or was in force; policies stay, so Broken is raised where it is gone."""
    found = store.get_policy(uow, scope, policy_id)
    if found is None:
        raise Broken("A policy that was in force is not in the database.")
    return Policy.from_dict(found[1])


class Steering:
    """Every change of a project's control row goes through here, and each is journalled."""

    def __init__(self, storage: Storage, journal: Journal, clock: Clock, ids: Ids, datasets: Datasets) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._datasets = datasets
        self.moved: Callable[[Scope], None] = lambda scope: None

    # Policy

    def check_policy(self, scope: Scope, policy: Policy) -> None:
        """Raise PolicyInvalid when the policy does not fit the schema or a condition is not safe to evaluate.

        Conditions are compiled in a process of their own: a hostile one may crash the compiler.
        """
        schema = self._storage.read(lambda uow: self._datasets.schema(uow, scope))
        problems: list[str] = []
        if policy.question not in {question.name for question in schema.item_questions}:
            problems.append(f"question: the schema has no question {policy.question!r}")
        else:
            asked = schema.question(policy.question)
            problems += _wrong_defaults(asked, policy.deadline_defaults)
            problems += loss_problems(policy.loss, asked.classes, policy.alpha)
            if policy.seed_share and not asked.classes:
                problems.append("seed_share: seeds need a question with choices, to show another one")
        for rule in policy.rules:
            wrong = validate_condition(rule.when, CONDITION_VARIABLES)
            if wrong:
                problems.append(f"rule {rule.name}: {wrong}")
        refuse_policy(problems)

    def activate(self, uow: UnitOfWork, actor: Actor, scope: Scope, policy: Policy, *, loosens: bool = False) -> str:
        """Put a checked policy into force and return its id; a looser one never touches a certificate in force.

        Another loss ends it, and a plan: alpha is written into a certificate, what it counts would be another thing.
        Raises PolicyLooser when it lowers a safeguard of the policy in force and `loosens` does not say so.
        """
        now = self._clock.now()
        policy_id = self._ids.new()
        found = store.get_control(uow, scope, lock="exclusive")
        looser = () if found is None else self._lowered(uow, scope, found[0], policy)
        if looser and not loosens:
            raise PolicyLooser(
                f"The policy lowers {len(looser)} safeguard{'s' if len(looser) > 1 else ''}: {'; '.join(looser[:5])}.",
                hint="Nothing was changed. Try it on recorded decisions first; if it is meant, say that it loosens.",
                looser=list(looser),
            )
        version = store.insert_policy(
            uow, scope, policy_id=policy_id, document=policy.to_dict(), at=micros(now), by=actor.id
        )
        if found is None:
            made = Control(scope.project_id, "shadow", 1, policy_id, None, None, now, actor.name, "")
            store.put_control(uow, scope, made, None)
        else:
            control, planned = found
            store.put_control(uow, scope, replace(control, epoch=control.epoch + 1, policy_id=policy_id), planned)
        event = PolicyActivated(policy_id=policy_id, version=version, document=policy.to_dict(), loosens=list(looser))
        self._journal.append(uow, actor, scope.project_id, event)
        if found is not None and policy_of(uow, scope, found[0].policy_id).loss != policy.loss:
            self._end_all(uow, actor, scope, "the policy counts errors by another loss")
        self.moved(scope)
        return policy_id

    def _end_all(self, uow: UnitOfWork, actor: Actor, scope: Scope, why: str) -> None:
        """End the certificate in force and an open plan: what they promise is no longer what the policy means."""
        control, planned = self.control(uow, scope, lock=True)
        for certificate_id in {control.certificate_id, planned} - {None}:
            self.end_certificate(uow, actor, scope, str(certificate_id), why)
        # What stopped or braked automation, or a group of it, still holds: the ended certificate stays named.
        state: State = control.state if control.state in ("stopped", "braked") else "shadow"
        self.change(uow, actor, scope, state, why, planned_id=None)

    def _lowered(self, uow: UnitOfWork, scope: Scope, control: Control, policy: Policy) -> tuple[str, ...]:
        return compare(policy_of(uow, scope, control.policy_id), policy).looser

    # State

    def control(self, uow: UnitOfWork, scope: Scope, *, lock: bool = False) -> tuple[Control, str | None]:
        """Return (control row, planned certificate); raises WrongState before the first policy."""
        found = store.get_control(uow, scope, lock="exclusive" if lock else "")
        if found is None:
            raise WrongState("The project has no policy yet.", hint="Activate a policy first.")
        return found

    def policy(self, uow: UnitOfWork, scope: Scope) -> Policy:
        """Return the policy in force; raises WrongState before the first one."""
        control, _ = self.control(uow, scope)
        return policy_of(uow, scope, control.policy_id)

    def change(self, uow: UnitOfWork, actor: Actor, scope: Scope, state: State, why: str, **parts: Any) -> Control:
        """Set the state and `parts` (model_id, certificate_id, planned_id) and move the epoch.

        Who changed the state, when and why stays as it is while the state does: whoever stopped automation is still
        the one who stopped it after somebody planned a certificate.
        """
        control, planned = self.control(uow, scope, lock=True)
        planned = parts.pop("planned_id", planned)
        if control.state != state:
            parts |= {"since": self._clock.now(), "changed_by": actor.name, "note": why}
        made = replace(control, state=state, epoch=control.epoch + 1, **parts)
        store.put_control(uow, scope, made, planned)
        if control.state != state:
            event = StateChanged(
                certificate_id=made.certificate_id, model_id=made.model_id, old=control.state, new=state, why=why
            )
            self._journal.append(uow, actor, scope.project_id, event)
        self.moved(scope)
        return made

    def use(self, uow: UnitOfWork, actor: Actor, scope: Scope, model_id: str | None, why: str) -> None:
        """Take a champion into use, or none: the old certificate spoke about another model and dies with it."""
        control, planned = self.control(uow, scope, lock=True)
        if control.model_id == model_id:
            return
        for certificate_id in {control.certificate_id, planned} - {None}:
            self.end_certificate(uow, actor, scope, str(certificate_id), why)
        state: State = "stopped" if control.state == "stopped" else "shadow"
        self.change(uow, actor, scope, state, why, model_id=model_id, certificate_id=None, planned_id=None)

    def end_certificate(self, uow: UnitOfWork, actor: Actor, scope: Scope, certificate_id: str, why: str) -> None:
        """End a certificate that is in force or planned; one that has ended keeps its own reason."""
        found = store.get_certificate(uow, scope, certificate_id, lock=True)
        if found is None or found[0].status not in ("planned", "certified"):
            return
        store.end_certificate(uow, scope, certificate_id, at=micros(self._clock.now()), why=why)
        self._journal.append(uow, actor, scope.project_id, CertificateEnded(certificate_id=certificate_id, why=why))

    def stop(self, uow: UnitOfWork, actor: Actor, scope: Scope, why: str) -> Control:
        """Stop automation: from this commit on every item goes to a person."""
        if not actor.is_human:
            raise NotAPerson("Only a person stops automation here.", hint="Sign in; a token never counts as a person.")
        return self.change(uow, actor, scope, "stopped", why)

    def restart(self, uow: UnitOfWork, actor: Actor, scope: Scope, why: str) -> Control:
        """Start again after a stop, by another person; without a certificate in force people go on deciding."""
        control, planned = self.control(uow, scope, lock=True)
        if not actor.is_human:
            raise NotAPerson("Only a person starts automation again.", hint="Sign in; a token is never a person.")
        if control.state != "stopped":
            raise WrongState(f"Automation is {control.state}, not stopped.")
        if control.changed_by == actor.name:
            raise SamePerson("Another person must start it again.", hint="Ask a colleague with the right to do so.")
        state: State = "shadow" if planned is None else "certifying"
        if control.certificate_id is not None:
            found = store.get_certificate(uow, scope, control.certificate_id)
            level = None if found is None or found[0].brake is None else BrakeState.from_dict(found[0].brake).level
            if level is not None and found is not None and found[0].status == "certified":
                state = level
            elif level == "braked" and planned is None:
                state = "braked"
        return self.change(uow, actor, scope, state, why)


def _wrong_defaults(question: Question, values: Sequence[Any]) -> list[str]:
    problems = []
    for place, value in enumerate(values):
        try:
            question.check(value)
        except Invalid as wrong:
            problems.append(f"deadline_defaults[{place}]: {wrong.sentence}")
    return problems
