"""Answers to cases of known truth are counted whatever the task is for, and who is too often wrong gets no more."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from handrail.cycle.datasets import NewLabel
from handrail.cycle.tasks import Task
from handrail.cycle.tasks.competence import GateClosed, OwnAdmission
from handrail.cycle.tasks.model import LEAD
from handrail.cycle.tasks.staffing import QueueRules
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, CARA, QUESTION, RULE, Desk

ASKED = {"least_agreement": 0.8, "least_answers": 5}
DAY = 86_400


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> Desk:
    return Desk(storage, clock, tmp_path / "datasets")


def ask(desk: Desk, **more: Any) -> None:
    made = QueueRules.from_dict({"competence": {**ASKED, **more}})
    desk.storage.write(lambda uow: desk.tasks.staffing.set_rules(uow, CARA, desk.scope, made))


def known(desk: Desk, number: int, *, kind: str = "review", by: Actor = RULE, **label: Any) -> list[Task]:
    """Open tasks about items whose answer is "a" on record."""
    tasks = []
    for item in desk.bring(number, f"{kind}-{desk.clock.now():%d%H%M%S}-{by.id}-{label.get('source')}"):
        new = NewLabel(
            **{"item_id": item, "question": QUESTION, "value": "a", "source": "import", "purpose": "train", **label}
        )
        desk.storage.write(lambda uow, new=new: desk.datasets.put_label(uow, by, desk.scope, new))
        tasks.append(desk.open(kind=kind, item_id=item, blind=kind == "label"))
    return tasks


def err(desk: Desk, who: Actor, number: int = 5, **more: Any) -> None:
    """Let a person answer so many known cases wrongly."""
    for one in known(desk, number, **more):
        desk.answer(who, one.id, "b")


def entries(desk: Desk, verb: str) -> list[dict[str, Any]]:
    desk.journal.integrate(desk.storage)
    found = desk.storage.read(lambda uow: desk.journal.read_after(uow, -1, 1000))
    return [dict(one.payload or {}) for one in found if one.verb == verb]


def admit(desk: Desk, lead: Actor, who: Actor) -> None:
    desk.storage.write(lambda uow: desk.tasks.staffing.judging.admit(uow, lead, desk.scope, who.id, "spoke with them"))


def test_who_is_too_often_wrong_gets_no_more_until_a_lead_admits_them(desk: Desk, clock: FixedClock) -> None:
    ask(desk)
    held = desk.open(priority=99)
    desk.claim(ANNA)
    tasks = known(desk, 5)
    for one in tasks[:4]:
        desk.answer(ANNA, one.id, "b")
    desk.claim(ANNA)  # four answers are judged by nobody
    desk.answer(ANNA, tasks[4].id, "b")
    assert entries(desk, "tasks.gate_closed") == [
        {"right": 0, "n": 5, "low": 0.0, "high": pytest.approx(0.5218, abs=1e-4), "least_agreement": 0.8}
    ]
    free = desk.open()
    for take in (
        lambda: desk.claim(ANNA),
        lambda: desk.claim(ANNA, kinds=("review",)),
        lambda: desk.storage.write(lambda uow: desk.tasks.claim_one(uow, ANNA, desk.scope, free.id)),
        lambda: desk.answer(ANNA, free.id),
    ):
        with pytest.raises(GateClosed, match=r"0 of 5 .* this project asks for 80%") as caught:
            take()
    assert caught.value.facts["n"] == 5
    desk.answer(ANNA, held.id)  # what one holds one may always answer
    assert [one.id for one in desk.claim(BEN)] == [free.id], "nobody else is kept out"
    (shown,) = desk.storage.read(lambda uow: desk.tasks.staffing.outlook(uow, desk.scope)).closed
    assert (shown.person_id, shown.name, shown.tally.n) == ("anna", "Anna", 5)
    clock.advance(seconds=60 * DAY)
    with pytest.raises(GateClosed):
        desk.claim(ANNA)  # time alone does not open it
    with pytest.raises(OwnAdmission):
        admit(desk, ANNA, ANNA)
    admit(desk, CARA, ANNA)
    assert entries(desk, "tasks.admitted") == [{"closed": True, "right": 0, "n": 5, "reason": "spoke with them"}]
    desk.open()
    assert len(desk.claim(ANNA)) == 1


def test_after_an_admission_the_count_begins_anew(desk: Desk, clock: FixedClock) -> None:
    ask(desk)
    err(desk, ANNA, 5)
    clock.advance(seconds=10)
    admit(desk, CARA, ANNA)
    clock.advance(seconds=10)
    err(desk, ANNA, 4)
    desk.open()
    assert len(desk.claim(ANNA)) == 1
    clock.advance(seconds=10)
    err(desk, ANNA, 1)
    with pytest.raises(GateClosed):
        desk.claim(ANNA)
    assert [one["n"] for one in entries(desk, "tasks.gate_closed")] == [5, 5]


def test_right_answers_keep_the_gate_open(desk: Desk) -> None:
    ask(desk)
    for number, one in enumerate(known(desk, 12)):
        desk.answer(ANNA, one.id, "b" if number % 3 == 0 else "a")
    desk.open()
    assert len(desk.claim(ANNA)) == 1, "8 of 12: 80 in 100 is not ruled out"


@pytest.mark.parametrize(
    ("more", "judged"),
    [
        ({"source": "draw", "purpose": "holdout"}, True),
        ({"source": "audit", "purpose": "feedback"}, True),
        ({"source": "review", "purpose": "certify"}, True),
        ({"source": "review", "purpose": "feedback"}, False),  # given with the model's answer in sight
        ({"by": ANNA}, False),  # their own label is no truth about them
        ({"kind": "label"}, True),
        ({"kind": "appeal"}, False),
    ],
)
def test_what_is_known_truth(desk: Desk, more: dict[str, Any], judged: bool) -> None:
    ask(desk)
    tasks = known(desk, 5, **more)
    for one in tasks:
        desk.answer(ANNA, one.id, "b", "reverse" if one.kind == "appeal" else "label")
    assert len(entries(desk, "tasks.gate_closed")) == int(judged)


def test_only_the_kinds_that_the_project_names_count(desk: Desk) -> None:
    ask(desk, of=["label"])
    err(desk, ANNA)
    assert entries(desk, "tasks.gate_closed") == []
    err(desk, ANNA, kind="label")
    assert [one["n"] for one in entries(desk, "tasks.gate_closed")] == [5]


def test_rules_that_are_new_look_at_what_was_answered_before(desk: Desk, clock: FixedClock) -> None:
    err(desk, ANNA)
    clock.advance(seconds=31 * DAY)
    err(desk, BEN)
    assert entries(desk, "tasks.gate_closed") == []
    ask(desk)
    desk.open()
    with pytest.raises(GateClosed):
        desk.claim(BEN)
    assert len(desk.claim(ANNA)) == 1, "answers of more than 30 days ago count no more"
    desk.storage.write(lambda uow: desk.tasks.staffing.set_rules(uow, CARA, desk.scope, QueueRules()))
    desk.open()
    assert len(desk.claim(BEN)) == 1, "a project that asks nothing keeps nobody out"


def test_a_project_may_let_nobody_work_before_a_lead_admits_them(desk: Desk) -> None:
    ask(desk, admit_first=True)
    for _ in range(2):
        desk.open()
    with pytest.raises(GateClosed, match="lets nobody work unasked under 5"):
        desk.claim(ANNA)
    admit(desk, CARA, ANNA)
    assert len(desk.claim(ANNA)) == 1


def test_signatures_are_not_kept_from_anybody(desk: Desk) -> None:
    ask(desk)
    err(desk, ANNA)
    sign = desk.open(kind="sign_off", skill=LEAD, subject_id="model")
    assert [one.id for one in desk.claim(ANNA, kinds=("sign_off",), skills=("", LEAD))] == [sign.id]
    desk.storage.write(lambda uow: desk.tasks.claim_one(uow, ANNA, desk.scope, sign.id))


def test_answers_at_the_same_time_close_it_once(desk: Desk) -> None:
    ask(desk)
    tasks = known(desk, 8)
    start = threading.Barrier(8)

    def work(task_id: str) -> None:
        start.wait()
        desk.answer(ANNA, task_id, "b")

    desk.claim(ANNA, 5)
    for one in tasks[5:]:
        desk.storage.write(lambda uow, one=one: desk.tasks.claim_one(uow, ANNA, desk.scope, one.id))
    threads = [threading.Thread(target=work, args=(one.id,)) for one in tasks]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(entries(desk, "tasks.gate_closed")) == 1
