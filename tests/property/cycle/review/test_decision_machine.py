"""Callers decide, people answer, stop and start, models change, time passes: all must agree with a small model."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from handrail.cycle.review import brake, braking_groups, store
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.groups import Group
from handrail.cycle.review.model import Decision, KeyReused, NotAPerson, SamePerson, WrongState
from handrail.cycle.tasks.model import AlreadyAnswered, TaskClosed
from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import HandrailError
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import open_storage
from tests.integration.cycle.breast_mass import MACHINE, PERSON, Clinic, cases
from tests.integration.cycle.review.ward import ANNA, BEN, OTHER, UNSURE, Ward

START = datetime(2026, 1, 1, tzinfo=UTC)
POOL, LABELS = 200, 25
PEOPLE = {"anna": ANNA, "ben": BEN}
WHO = st.sampled_from(sorted(PEOPLE))
CASES = st.sampled_from([*UNSURE[:2], *range(460, 468)])
GROUPS = (Group("site=north"), Group("site=south"))
SITES = st.sampled_from(["north", "south", "west", None])
KEYS = st.sampled_from([f"k{number}" for number in range(12)])


@cache
def prepared() -> tuple[Path, dict[str, str], tuple[str, str], str]:
    """Make a home with a certified model and a second one that waits, once, and return what is in it."""
    home = Path(tempfile.mkdtemp())
    clock, randomness = FixedClock(START), Randomness(seed=3)
    storage = open_storage(f"sqlite:///{home / 'handrail.db'}")
    ids = Ids(clock, randomness)
    clinic = Clinic.open(storage, clock, ids, randomness, home)
    ward = Ward(clinic, clock, ids, randomness, home)
    row = ward.automatic(audit_rate=1.0, brake_lifetime=100, groups=GROUPS)
    second = ward.model(1)
    clinic.bring(260, POOL)
    storage.close()
    clinic.compute.close()
    return home, dict(clinic.truth), (row.model_id, second.id), row.id


@dataclass
class Known:
    """What the model remembers of a decision."""

    id: str
    asked: tuple[int, int | None, str | None]
    route: str
    status: str
    value: Any
    by: str
    score: float
    predicted: str
    deadline: datetime | None
    certificate: str | None
    answered: bool = False
    wrong: bool = False


class DecisionMachine(RuleBasedStateMachine):
    decisions = Bundle("decisions")

    @initialize()
    def begin(self) -> None:
        template, truth, self.models, certificate = prepared()
        self.home = Path(tempfile.mkdtemp()) / "home"
        shutil.copytree(template, self.home)
        self.clock, randomness = FixedClock(START + timedelta(hours=1)), Randomness(seed=5)
        self.storage = open_storage(f"sqlite:///{self.home / 'handrail.db'}")
        ids = Ids(self.clock, randomness)
        self.clinic = Clinic.open(self.storage, self.clock, ids, randomness, self.home)
        self.clinic.truth.update(truth)
        self.ward = Ward(self.clinic, self.clock, ids, randomness, self.home)
        self.runner = asyncio.Runner()
        self.known: dict[str, Known] = {}
        self.keys: dict[str, str] = {}
        self.state, self.stopped_by, self.model = "auto", "", 0
        self.certificates = {certificate: self._row(certificate)}
        self.brakes = {certificate: self._begun(certificate)}
        self.current: str | None = certificate
        self.ended: set[str] = set()
        self.stopped: dict[str, dict[str, str]] = {}
        self.drawn = 0

    def teardown(self) -> None:
        if hasattr(self, "storage"):
            self.runner.close()
            self.storage.close()
            self.clinic.compute.close()
            shutil.rmtree(self.home.parent)

    # The model

    def _row(self, certificate_id: str) -> CertificateRow:
        rows = self.storage.read(lambda uow: self.ward.review.certificates(uow, self.ward.scope))
        return next(one for one in rows if one.id == certificate_id)

    def _begun(self, certificate_id: str) -> brake.BrakeState:
        row = self.certificates[certificate_id]
        levels = row.document["group_levels"]
        return brake.start(alpha=row.alpha, delta=0.05, lifetime=100, reviewer_error=0.0, group_levels=levels)

    def _held(self, site: str | None) -> bool:
        """Return whether the brake holds the site's group, or some group where the site is not said."""
        stopped = self.stopped.get(self.current or "", {})
        return bool(stopped) and (site is None or f"site={site}" in stopped)

    def _try(self, refusal: type[HandrailError] | None, call: Any) -> Any:
        if refusal is None:
            return call()
        with pytest.raises(refusal):
            call()
        return None

    def _end(self, state: str) -> None:
        if self.current is not None:
            self.ended.add(self.current)
        if self.state != "stopped":
            self.state = state

    # What happens

    @rule(target=decisions, case=CASES, key=KEYS, deadline=st.sampled_from([None, None, 60, 600]), site=SITES)
    def decide(self, case: int, key: str, deadline: int | None, site: str | None) -> str:
        terms: dict[str, Any] = {"deadline_s": deadline, "on_deadline": "hold" if deadline is None else "deny"}
        if site is not None:  # an item keeps its group, so each site has a case of its own
            terms |= {"external_id": f"case-{case:04}-{site}", "group": {"site": site}}
        request = self.ward.request(case, key, **terms)
        known = self.known.get(self.keys.get(key, ""))
        refusal = KeyReused if known is not None and known.asked != (case, deadline, site) else None
        made: Decision | None = self._try(
            refusal, lambda: self.runner.run(self.ward.review.decide(MACHINE, self.ward.scope, request))
        )
        if made is None or known is not None:
            assert made is None or (known is not None and made.id == known.id)
            return self.keys[key]
        model = self.storage.read(lambda uow: self.clinic.train.model(uow, self.ward.scope, self.models[self.model]))
        (said,) = self.clinic.train.predictor(model).predict([cases()[1][case][0]])
        row = None if self.current is None or self.current in self.ended else self.certificates[self.current]
        threshold = None if row is None else row.threshold
        running = self.state in ("auto", "warned")
        held = running and self._held(site)
        automatic = running and not held and threshold is not None and said.score >= threshold
        self.clinic.truth[made.item_id] = cases()[1][case][1]
        self.keys[key] = made.id
        self.known[made.id] = Known(
            id=made.id,
            asked=(case, deadline, site),
            route="auto" if automatic else "human",
            status="auto" if automatic else "pending",
            value=said.value if automatic else None,
            by="brake" if self.state == "braked" or held else "policy",
            score=said.score,
            predicted=str(said.value),
            deadline=None if deadline is None or automatic else self.clock.now() + timedelta(seconds=deadline),
            certificate=self.current if automatic else None,
        )
        return made.id

    @rule(decision=decisions, who=WHO, right=st.booleans())
    def answer(self, decision: str, who: str, right: bool) -> None:
        one = self.known[decision]
        task = self.ward.task(self.ward.decision(decision).task_id)
        value = one.predicted if right else OTHER[one.predicted]
        refusal: type[HandrailError] | None = None
        if one.status == "expired" or (not one.answered and one.deadline and one.deadline <= self.clock.now()):
            refusal = TaskClosed
        elif one.answered:
            given = self.storage.read(lambda uow: self.ward.tasks.answer_of(uow, self.ward.scope, task.id))
            assert given is not None
            again = (given.actor_id, given.verb, given.value) == (PEOPLE[who].id, "label", value)
            refusal = None if again else AlreadyAnswered
        self._try(refusal, lambda: self.ward.answer(task.id, value, "label", PEOPLE[who]))
        if refusal is not None or one.answered:
            return
        one.answered = True
        if one.route == "human":
            one.status, one.value, one.by = "decided", value, "person"
            return
        if not right:
            one.status, one.value, one.by = "reversed", value, "person"
        self._audit(one, wrong=not right)

    def _audit(self, one: Known, *, wrong: bool) -> None:
        assert one.certificate is not None
        one.wrong = wrong
        after = self._replayed(one.certificate, self._begun(one.certificate))
        if one.certificate == self.current and one.certificate not in self.ended:
            after = self._stop_groups(one.certificate, after)
        changed = after.level != self.brakes[one.certificate].level
        self.brakes[one.certificate] = after
        if one.certificate != self.current or one.certificate in self.ended:
            return
        if after.level == "braked":
            self._end("braked")
        elif changed and self.state != "stopped":
            self.state = after.level

    def _stop_groups(self, certificate_id: str, after: brake.BrakeState) -> brake.BrakeState:
        """Stop the groups that alone broke the certificate; the brake begins again for the rest."""
        while after.braked and after.only_groups:
            last = [one.id for one in self.known.values() if one.certificate == certificate_id][-1]
            self.stopped.setdefault(certificate_id, {}).update(dict.fromkeys(after.only_groups, last))
            after = self._replayed(certificate_id, braking_groups.begun_again(after, last))
        return after

    def _replayed(self, certificate_id: str, begun: brake.BrakeState) -> brake.BrakeState:
        """Return the brake from its beginning over all draws so far, in decision order; open ones count as right.

        Those drawn before a group stopped say nothing about all that goes on.
        """
        drawn = [one for one in self.known.values() if one.certificate == certificate_id]
        stopped = self.stopped.get(certificate_id, {})
        state = begun
        if stopped and not begun.stopped:  # as it was when the last of them stopped
            kept = self.brakes[certificate_id].stopped
            left = tuple(one for one in begun.groups if one.name not in stopped)
            state = replace(begun, groups=left, stopped=kept)
        assert {one.name: one.after for one in state.stopped} == stopped
        for one in drawn:
            terms = self.storage.read(lambda uow: store.get_audit(uow, self.ward.scope, one.id))  # noqa: B023
            assert terms is not None, "every automatic decision is drawn here"
            whole = all(one.id > last for last in stopped.values())
            state = brake.update(state, one.wrong, replace(terms.draw, whole=whole))
        return state

    @precondition(lambda self: self.state in ("auto", "warned"))
    @rule(number=st.integers(1, 12), who=WHO, site=SITES)
    def a_bad_morning(self, number: int, who: str, site: str | None) -> None:
        """Many automatic answers are checked, and each was wrong."""
        for _ in range(number):
            made = self.decide(460, f"morning {len(self.keys)}", None, site)
            self.answer(made, who, right=False)

    @rule(seconds=st.sampled_from([10, 70, 700]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule()
    def expire(self) -> None:
        self.ward.expire()
        for one in self.known.values():
            if one.status == "pending" and one.deadline is not None and one.deadline <= self.clock.now():
                one.status, one.by = "expired", "deadline"

    @rule(who=WHO)
    def stop(self, who: str) -> None:
        self.storage.write(lambda uow: self.ward.review.stop(uow, PEOPLE[who], self.ward.scope, "stop"))
        if self.state != "stopped":
            self.state, self.stopped_by = "stopped", who

    @rule(who=st.sampled_from(["anna", "ben", "service"]))
    def restart(self, who: str) -> None:
        actor = PEOPLE.get(who, MACHINE)
        refusal: type[HandrailError] | None = None
        if who == "service":
            refusal = NotAPerson
        elif self.state != "stopped":
            refusal = WrongState
        elif who == self.stopped_by:
            refusal = SamePerson
        self._try(
            refusal,
            lambda: self.storage.write(lambda uow: self.ward.review.restart(uow, actor, self.ward.scope, "go on")),
        )
        if refusal is None:
            level = None if self.current is None else self.brakes[self.current].level
            self.state = level if level is not None and self.current not in self.ended else "shadow"
            if level == "braked":
                self.state = "braked"

    @precondition(lambda self: self.state == "stopped")
    @rule()
    def another_person_restarts(self) -> None:
        self.restart("ben" if self.stopped_by == "anna" else "anna")

    @rule()
    def promote(self) -> None:
        self.model = 1 - self.model
        model = self.storage.read(lambda uow: self.clinic.train.model(uow, self.ward.scope, self.models[self.model]))
        self.ward.promote(model)
        self._end("shadow")
        self.current = None

    @precondition(lambda self: self.drawn + LABELS <= POOL)
    @rule(labels_wrong=st.sampled_from([0, 0, 0, 20]))
    def certify(self, labels_wrong: int) -> None:
        planned = self.ward.review.plan_certificate(PERSON, self.ward.scope, labels=LABELS, alpha=0.2)
        self.drawn += LABELS
        self.ward.label_drawn(wrong=labels_wrong)
        row = self.ward.review.complete_certificate(PERSON, self.ward.scope, planned.id)
        assert row.status in ("certified", "refused")
        if row.status == "refused":
            if self.state in ("shadow", "braked"):
                self.state = "shadow"
            return
        assert not labels_wrong, "twenty wrong of twenty-five never certify an error of a fifth"
        self._end("auto")
        self.current = row.id
        self.certificates[row.id] = row
        self.brakes[row.id] = self._begun(row.id)

    # What must always hold

    @invariant()
    def every_decision_is_what_the_model_has(self) -> None:
        for one in getattr(self, "known", {}).values():
            found = self.ward.decision(one.id)
            assert (found.route, found.status, found.value, found.by_kind, found.certificate_id) == (
                one.route,
                one.status,
                one.value,
                one.by,
                one.certificate,
            )

    @invariant()
    def automation_is_where_the_model_has_it(self) -> None:
        if not hasattr(self, "known"):
            return
        now = self.ward.oversight()
        assert (now.control.state, now.control.certificate_id) == (self.state, self.current)
        assert now.control.model_id == self.models[self.model]
        for certificate_id, state in self.brakes.items():
            row = self._row(certificate_id)
            assert row.brake == state.to_dict()
            assert {one.name: one.after for one in state.stopped} == self.stopped.get(certificate_id, {})
            assert row.status == ("ended" if certificate_id in self.ended else "certified")

    @invariant()
    def every_decision_has_the_task_it_needs(self) -> None:
        if hasattr(self, "known"):
            waiting = {task.decision_id for task in self.ward.open_tasks("review", "audit")}
            assert waiting == {
                one.id for one in self.known.values() if not one.answered and one.status in ("auto", "pending")
            }


DecisionMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=30)
TestDecisions = DecisionMachine.TestCase
