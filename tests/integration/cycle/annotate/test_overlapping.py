"""Several people are asked about an item until their answers settle it, or a lead does; on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handrail.cycle.annotate import Draw
from handrail.cycle.annotate.model import OverlapInvalid, OverlapRule
from handrail.cycle.annotate.overlapping import TRUTH, is_overlap
from handrail.cycle.annotate.store import overlap
from handrail.cycle.datasets import Label
from handrail.cycle.datasets.schema import QuestionUnknown
from handrail.cycle.tasks import LEAD
from handrail.cycle.tasks.model import SecondLook
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, CARA, QUESTION, RULE, Desk, person

DORA = person("dora")
ONE = OverlapRule(error=0.2, least=2, most=3, random_share=0.0)


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> Desk:
    made = Desk(storage, clock, tmp_path / "datasets")
    made.tasks.on_answer("adjudicate", made.annotate.on_adjudicated)
    return made


def _set(desk: Desk, rule: OverlapRule | None = ONE, question: str = QUESTION) -> None:
    desk.storage.write(lambda uow: desk.annotate.overlapping.set_rule(uow, RULE, desk.scope, question, rule))


def _draw(desk: Desk, n: int = 1, purpose: Any = "train") -> list[Draw]:
    return desk.annotate.draw(RULE, desk.scope, question=QUESTION, n=n, purpose=purpose, reason="to begin")


def _label(desk: Desk, item_id: str) -> Label | None:
    return desk.storage.read(lambda uow: desk.datasets.label(uow, desk.scope, item_id, QUESTION))


def _now(desk: Desk, one: Draw) -> Draw:
    drawn = desk.storage.read(lambda uow: desk.annotate.draws(uow, desk.scope, one.lot_id))
    return next(each for each in drawn if each.id == one.id)


def _events(desk: Desk, verb: str) -> list[Any]:
    desk.journal.integrate(desk.storage)
    recent = desk.storage.read(lambda uow: desk.journal.recent(uow, desk.scope.project_id, None, 500))
    return [one for one in reversed(recent) if one.verb == verb]


def test_without_a_rule_one_answer_is_the_label(desk: Desk) -> None:
    desk.bring(1)
    (one,) = _draw(desk)
    desk.answer(ANNA, one.task_id, "b")
    found = _label(desk, one.item_id)
    assert found is not None
    assert (found.value, found.actor_id) == ("b", "anna")


def test_two_who_agree_settle_an_item_and_nobody_is_asked_twice(desk: Desk) -> None:
    desk.bring(1)
    _set(desk)
    (one,) = _draw(desk)
    desk.answer(ANNA, one.task_id, "b")
    assert _label(desk, one.item_id) is None
    second = desk.task(_now(desk, one).task_id)
    assert second.id != one.task_id
    assert (second.kind, second.blind, second.not_by, second.payload) == ("label", True, ("anna",), {})
    with pytest.raises(SecondLook):
        desk.answer(ANNA, second.id, "b")
    desk.answer(BEN, second.id, "b")
    found = _label(desk, one.item_id)
    assert found is not None
    assert (found.value, found.source, found.probability) == ("b", "draw", 1.0)
    assert (found.actor_kind, found.actor_id) == ("rule", TRUTH.id)
    assert found.reason.startswith("2 people's answers, 8")
    assert _now(desk, one).state == "labelled"
    (event,) = _events(desk, "annotate.truth_accepted")
    assert event.payload["answers"] == 2
    assert event.payload["posterior"]["b"] == pytest.approx(0.845, abs=0.01)
    assert event.payload["model_answers"] == 0
    assert len(_events(desk, "annotate.asked_again")) == 1


def test_who_do_not_agree_send_an_item_to_a_lead_who_has_not_answered(desk: Desk) -> None:
    desk.bring(1)
    _set(desk, OverlapRule(error=0.05, least=2, most=3, random_share=0.0))
    (one,) = _draw(desk, purpose="certify")
    heard: list[Any] = []
    desk.annotate.on_certify_label = lambda uow, actor, scope, item, value: heard.append(value)
    for who, value in ((ANNA, "a"), (BEN, "b"), (CARA, "b")):
        assert _label(desk, one.item_id) is None
        desk.answer(who, _now(desk, one).task_id, value)
    task = desk.task(_now(desk, one).task_id)
    assert (task.kind, task.skill, set(task.not_by)) == ("adjudicate", LEAD, {"anna", "ben", "cara"})
    assert is_overlap(task)
    assert [each["value"] for each in task.payload["answers"]] == ["a", "b", "b"]
    assert "anna" not in str(task.payload)
    desk.answer(DORA, task.id, None, "escalate")
    another = desk.task(_now(desk, one).task_id)
    assert (another.kind, "dora" in another.not_by) == ("adjudicate", True)
    assert heard == []
    desk.answer(person("emil"), another.id, "a")
    found = _label(desk, one.item_id)
    assert found is not None
    assert (found.value, found.actor_id, heard) == ("a", "emil", ["a"])
    (event,) = _events(desk, "annotate.disagreed")
    assert (event.payload["answers"], event.payload["why"]) == (3, "most_answers")


def test_who_cannot_say_is_no_answer_and_does_not_climb_because_others_answered(desk: Desk) -> None:
    desk.bring(1)
    _set(desk)
    (one,) = _draw(desk)
    desk.answer(ANNA, one.task_id, "b")
    desk.answer(BEN, _now(desk, one).task_id, None, "abstain")
    task = desk.task(_now(desk, one).task_id)
    assert (task.skill, task.not_by) == ("", ("anna", "ben"))
    desk.answer(CARA, task.id, "b")
    assert _label(desk, one.item_id) is not None
    given = desk.storage.read(lambda uow: overlap.answers_of_item(uow, desk.scope, QUESTION, one.item_id))
    assert [each.actor_id for each in given] == ["anna", "cara"]


def test_a_random_share_gets_the_most_answers_whatever_they_say(desk: Desk) -> None:
    desk.bring(1)
    _set(desk, OverlapRule(error=0.4, least=2, most=3, random_share=1.0))
    (one,) = _draw(desk)
    for who in (ANNA, BEN):
        desk.answer(who, _now(desk, one).task_id, "a")
    assert _label(desk, one.item_id) is None
    desk.answer(CARA, _now(desk, one).task_id, "a")
    assert _label(desk, one.item_id) is not None
    share = OverlapRule(random_share=0.15)
    many = [share.asks_all("p", "q", str(number)) for number in range(4000)]
    assert 0.12 < sum(many) / 4000 < 0.18


def test_rules_are_checked_and_journalled_once(desk: Desk) -> None:
    _set(desk)
    _set(desk)
    assert desk.storage.read(lambda uow: desk.annotate.overlapping.rule(uow, desk.scope, QUESTION)) == ONE
    (event,) = _events(desk, "annotate.overlap_set")
    assert event.payload["document"]["most"] == 3
    _set(desk, None)
    assert desk.storage.read(lambda uow: desk.annotate.overlapping.rule(uow, desk.scope, QUESTION)) is None
    with pytest.raises(OverlapInvalid, match="choices"):
        _set(desk, ONE, "grade")
    with pytest.raises(QuestionUnknown):
        _set(desk, ONE, "none")
    for wrong in ({"least": 3, "most": 2}, {"error": 0.0}, {"most": 10}, {"random_share": 2.0}, {"price": 1.0}):
        with pytest.raises(OverlapInvalid):
            OverlapRule(**wrong)


def test_the_model_learns_who_answers_anything_and_the_report_says_so(desk: Desk) -> None:
    _set(desk, OverlapRule(error=0.001, least=3, most=3, random_share=1.0))
    assert desk.annotate.overlapping.report(desk.scope, QUESTION) == (None, {})
    rng = np.random.default_rng(0)
    people = [person(name) for name in ("anna", "ben", "cara", "dora", "emil")]
    items = desk.bring(150)

    def answered(uow: Any) -> None:
        for number, item in enumerate(items):
            right = "ab"[int(rng.integers(2))]
            for code in rng.permutation(5)[:3]:
                good = code > 0 and rng.random() < 0.9
                value = right if good else ("a" if code == 0 else "ab"["ba".index(right)])
                who = people[int(code)]
                one = overlap.OverlapAnswer(item, who.id, who.name, value, f"t-{number}")
                overlap.add_answer(uow, desk.scope, QUESTION, one, 0)

    desk.storage.write(answered)
    assert desk.annotate.overlapping.refit(desk.scope, QUESTION)
    assert not desk.annotate.overlapping.refit(desk.scope, QUESTION)
    _, document = desk.storage.read(lambda uow: overlap.get_model(uow, desk.scope, QUESTION)) or (0, {})
    matrix = np.array(document["people"]["anna"])
    assert matrix[0, 0] > 0.9
    assert matrix[1, 0] > 0.8
    assert np.array(document["people"]["ben"])[1, 1] > 0.8
    found, names = desk.annotate.overlapping.report(desk.scope, QUESTION)
    assert found is not None
    assert (found.items, found.answers, names["ben"]) == (150, 450, "Ben")
    assert found.refusal is None
    assert {one.reviewer: one.tier for one in found.people}["anna"] == "below"
    assert found.agreement.value is not None
    assert 0.1 < found.agreement.value < 0.8
    assert set(found.of_class) == {"a", "b"}
