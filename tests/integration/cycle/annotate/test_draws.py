"""Draws with their probability, what happens to a drawn item, campaigns; on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from handrail.cycle.annotate import Campaign, Draw
from handrail.cycle.annotate.model import (
    CampaignClosedAlready,
    CampaignNotFound,
    DrawBusy,
    DrawInvalid,
    SampleIncomplete,
    TooFewItems,
    pool_digest,
)
from handrail.cycle.datasets import NewLabel
from handrail.cycle.datasets.schema import QuestionUnknown
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import Storage
from tests.integration.cycle.tasks.desk import ANNA, BEN, CARA, QUESTION, RULE, Desk, person


@pytest.fixture
def desk(storage: Storage, clock: FixedClock, tmp_path: Path) -> Desk:
    return Desk(storage, clock, tmp_path / "datasets")


def _draw(desk: Desk, n: int, **more: Any) -> list[Draw]:
    given: dict[str, Any] = {"question": QUESTION, "purpose": "train", "reason": "to begin"} | more
    return desk.annotate.draw(RULE, desk.scope, n=n, **given)


def _campaign(desk: Desk, target: int, **more: Any) -> Campaign:
    given: dict[str, Any] = {"reason": "drift", "question": QUESTION, "target": target} | more
    return desk.storage.write(lambda uow: desk.annotate.open_campaign(uow, RULE, desk.scope, **given))


def _campaign_now(desk: Desk, campaign_id: str) -> Campaign:
    return desk.storage.read(lambda uow: desk.annotate.campaign(uow, desk.scope, campaign_id))


def _events(desk: Desk, verb: str) -> list[Any]:
    desk.journal.integrate(desk.storage)
    recent = desk.storage.read(lambda uow: desk.journal.recent(uow, desk.scope.project_id, None, 500))
    return [one for one in reversed(recent) if one.verb == verb]


def test_a_draw_logs_its_chance_its_pool_and_opens_blind_tasks(desk: Desk) -> None:
    items = desk.bring(10)
    made = _draw(desk, 4)
    assert [one.position for one in made] == [0, 1, 2, 3]
    assert len({one.item_id for one in made} & set(items)) == 4
    assert {one.probability for one in made} == {0.4}
    (lot,) = desk.storage.read(lambda uow: desk.annotate.lots(uow, desk.scope, QUESTION))
    assert (lot.number, lot.drawn, lot.among, lot.seed) == (1, 4, 10, "7")
    assert lot.pool == pool_digest(items)
    assert desk.storage.read(lambda uow: desk.annotate.draws(uow, desk.scope, lot.id)) == made
    for one in made:
        task = desk.task(one.task_id)
        assert (task.kind, task.blind, task.item_id, task.payload) == ("label", True, one.item_id, {})
    (event,) = _events(desk, "annotate.drawn")
    assert event.objects["lot"] == lot.id
    assert event.payload["items"] == [one.item_id for one in made]
    assert event.payload["tasks"] == [one.task_id for one in made]
    assert desk.counts() == {"label": {"open": 4}} == desk.counted_again()


def test_the_same_seed_draws_the_same_items_in_the_order_of_arrival(
    storage: Storage, clock: FixedClock, tmp_path: Path
) -> None:
    def names(name: str, seed: int) -> list[int]:
        desk = Desk(storage, clock, tmp_path / name, name=name, seed=seed)
        places = {item: place for place, item in enumerate(desk.bring(30))}
        return [places[one.item_id] for one in _draw(desk, 6)]

    first = names("one", 3)
    assert names("two", 3) == first
    assert names("three", 4) != first


def test_an_item_is_drawn_once_and_never_when_it_has_a_label(desk: Desk) -> None:
    items = desk.bring(9)
    given = NewLabel(item_id=items[0], question=QUESTION, value="a", source="import", purpose="train")
    desk.storage.write(lambda uow: desk.datasets.put_label(uow, RULE, desk.scope, given))
    first, second = _draw(desk, 4), _draw(desk, 2)
    assert {one.probability for one in first} == {4 / 8}
    assert {one.probability for one in second} == {2 / 4}
    assert max(Counter(one.item_id for one in first + second).values()) == 1
    assert items[0] not in {one.item_id for one in first + second}
    with pytest.raises(TooFewItems) as refused:
        _draw(desk, 3)
    assert refused.value.facts["waiting"] == 2
    assert len(_draw(desk, 3, question="grade")) == 3  # another question has a pool of its own


def test_a_draw_among_some_has_their_chance(desk: Desk) -> None:
    items = desk.bring(10)
    made = _draw(desk, 2, among=[*items[:5], "not-an-item"])
    assert {one.probability for one in made} == {2 / 5}
    assert {one.item_id for one in made} <= set(items[:5])


def test_two_draws_at_once_each_log_the_chance_they_had(desk: Desk) -> None:
    desk.bring(60)
    start, made, refused = threading.Barrier(6), [], []

    def work(_: int) -> None:
        start.wait()
        try:
            made.append(_draw(desk, 5))
        except DrawBusy as error:
            refused.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) + len(refused) == 6
    assert len(made) >= 2
    drawn = [one.item_id for lot in made for one in lot]
    assert len(drawn) == len(set(drawn))
    lots = desk.storage.read(lambda uow: desk.annotate.lots(uow, desk.scope, QUESTION))
    assert [lot.number for lot in lots] == list(range(1, len(made) + 1))
    assert [lot.among for lot in lots] == [60 - 5 * place for place in range(len(made))]
    assert {one.probability for one in made[0]} <= {5 / lot.among for lot in lots}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"n": 0}, DrawInvalid),
        ({"n": 100_001}, DrawInvalid),
        ({"n": 1, "question": "none"}, QuestionUnknown),
        ({"n": 1, "campaign_id": "none"}, CampaignNotFound),
    ],
)
def test_a_draw_that_breaks_a_rule_draws_nothing(desk: Desk, given: dict[str, Any], error: type[Exception]) -> None:
    desk.bring(3)
    with pytest.raises(error):
        _draw(desk, **given)
    assert desk.counts() == {}
    assert len(_draw(desk, 3)) == 3


def test_an_answer_becomes_the_label_with_the_chance_of_its_draw(desk: Desk) -> None:
    desk.bring(4)
    (one,) = _draw(desk, 1, purpose="holdout")
    desk.answer(ANNA, one.task_id, "b", reason="clear")
    (label,) = desk.storage.read(lambda uow: desk.datasets.labels(uow, desk.scope, question=QUESTION))
    assert (label.item_id, label.value, label.source, label.purpose) == (one.item_id, "b", "draw", "holdout")
    assert (label.probability, label.task_id, label.actor_id) == (0.25, one.task_id, "anna")


def test_a_label_task_that_nobody_drew_is_no_draw(desk: Desk) -> None:
    (item,) = desk.bring(1)
    task = desk.open(kind="label", item_id=item)
    desk.answer(ANNA, task.id, "a")
    (label,) = desk.storage.read(lambda uow: desk.datasets.labels(uow, desk.scope, question=QUESTION))
    assert (label.source, label.purpose, label.probability) == ("review", "feedback", None)


def test_who_cannot_say_passes_on_to_another_then_to_a_lead_and_nothing_is_dropped(desk: Desk) -> None:
    desk.bring(2)
    (one,) = _draw(desk, 1, purpose="certify")
    desk.answer(ANNA, one.task_id, None, "abstain")
    assert desk.claim(ANNA) == []
    (second,) = desk.claim(BEN)
    assert (second.item_id, second.blind, second.not_by, second.skill) == (one.item_id, True, ("anna",), "")
    desk.answer(BEN, second.id, None, "abstain")
    assert desk.claim(CARA) == []
    (third,) = desk.claim(CARA, skills=("", "lead"))
    assert (third.skill, third.not_by) == ("lead", ("anna", "ben"))
    (lot,) = desk.storage.read(lambda uow: desk.annotate.lots(uow, desk.scope, QUESTION))
    (drawn,) = desk.storage.read(lambda uow: desk.annotate.draws(uow, desk.scope, lot.id))
    assert (drawn.id, drawn.state, drawn.task_id) == (one.id, "passed_on", third.id)
    assert [event.payload["to"] for event in _events(desk, "annotate.passed_on")] == ["another person", "a lead"]
    desk.answer(CARA, third.id, "a")
    (label,) = desk.storage.read(lambda uow: desk.datasets.labels(uow, desk.scope, question=QUESTION))
    assert (label.purpose, label.probability, label.task_id) == ("certify", 0.5, third.id)
    assert desk.counts() == {"label": {"answered": 3}} == desk.counted_again()


def test_an_escalation_goes_to_a_lead_at_once(desk: Desk) -> None:
    desk.bring(1)
    (one,) = _draw(desk, 1)
    desk.answer(ANNA, one.task_id, None, "escalate", reason="needs a specialist")
    assert desk.claim(BEN) == []
    (again,) = desk.claim(BEN, skills=("lead",))
    desk.answer(BEN, again.id, None, "abstain")
    (last,) = desk.claim(CARA, skills=("lead",))
    assert last.not_by == ("anna", "ben")


def test_a_sample_to_certify_has_every_drawn_item_and_what_was_answered_for_its_draw(
    desk: Desk, clock: FixedClock
) -> None:
    heard: list[tuple[str, Any]] = []
    desk.annotate.on_certify_label = lambda uow, actor, scope, item, value: heard.append((item, value))
    desk.bring(6)
    old = _draw(desk, 1, purpose="certify")
    desk.answer(ANNA, old[0].task_id, "b")
    clock.advance(seconds=1)
    began = clock.now()
    made = _draw(desk, 3, purpose="certify")
    _draw(desk, 1, purpose="train")

    def sample(**more: Any) -> Any:
        return desk.storage.read(lambda uow: desk.annotate.certification_sample(uow, desk.scope, QUESTION, **more))

    for one in made[:2]:
        desk.answer(ANNA, one.task_id, "a")
    desk.answer(ANNA, made[2].task_id, None, "abstain")
    with pytest.raises(SampleIncomplete) as refused:
        sample(since=began)
    assert refused.value.facts["missing"] == 1
    (again,) = [one for one in desk.claim(BEN, 5) if one.not_by]
    desk.answer(BEN, again.id, "b")
    later = NewLabel(item_id=made[0].item_id, question=QUESTION, value="b", source="review", purpose="feedback")
    desk.storage.write(lambda uow: desk.datasets.put_label(uow, RULE, desk.scope, later))
    assert sample(since=began) == [
        (made[0].item_id, "a", 3 / 5),
        (made[1].item_id, "a", 3 / 5),
        (made[2].item_id, "b", 3 / 5),
    ]
    assert sample()[0] == (old[0].item_id, "b", 1 / 6)
    assert heard == [(old[0].item_id, "b"), *[(one.item_id, value) for one, value in zip(made, "aab", strict=True)]]


def test_a_campaign_ends_with_its_last_answer(desk: Desk) -> None:
    desk.bring(5)
    campaign = _campaign(desk, 3, alarm_id="alarm-1")
    first = _draw(desk, 2, purpose="feedback", campaign_id=campaign.id)
    with pytest.raises(DrawInvalid) as refused:
        _draw(desk, 2, purpose="feedback", campaign_id=campaign.id)
    assert refused.value.hint == "Draw at most 1."
    last = _draw(desk, 1, purpose="feedback", campaign_id=campaign.id)
    desk.answer(ANNA, first[0].task_id)
    desk.answer(ANNA, first[1].task_id, None, "abstain")
    (again,) = [one for one in desk.claim(BEN, 5) if one.not_by]
    assert _campaign_now(desk, campaign.id).answered == 1
    desk.answer(BEN, again.id)
    assert _campaign_now(desk, campaign.id).state == "open"
    desk.answer(BEN, last[0].task_id)
    done = _campaign_now(desk, campaign.id)
    assert (done.state, done.drawn, done.answered, done.closed_at) == ("done", 3, 3, desk.clock.now())
    (event,) = _events(desk, "annotate.campaign_closed")
    assert (event.objects["alarm"], event.payload["answered"]) == ("alarm-1", 3)
    with pytest.raises(CampaignClosedAlready):
        _draw(desk, 1, purpose="feedback", campaign_id=campaign.id)
    assert len(desk.storage.read(lambda uow: desk.annotate.campaigns(uow, desk.scope))) == 1


def test_a_campaign_answered_by_many_at_once_counts_each_once(desk: Desk) -> None:
    desk.bring(12)
    campaign = _campaign(desk, 12)
    made = _draw(desk, 12, purpose="feedback", campaign_id=campaign.id)

    def work(number: int) -> None:
        for one in made[number::4]:
            desk.answer(person(f"p-{number}"), one.task_id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = _campaign_now(desk, campaign.id)
    assert (done.state, done.answered) == ("done", 12)
    assert len(_events(desk, "annotate.campaign_closed")) == 1


@pytest.mark.parametrize("given", [{"target": 0}, {"target": 10**7}, {"target": 1, "question": "none"}])
def test_a_campaign_that_breaks_a_rule_is_not_opened(desk: Desk, given: dict[str, Any]) -> None:
    with pytest.raises((DrawInvalid, QuestionUnknown)):
        _campaign(desk, **given)
    assert desk.storage.read(lambda uow: desk.annotate.campaigns(uow, desk.scope)) == []


def test_a_campaign_asks_its_own_question(desk: Desk) -> None:
    desk.bring(2)
    campaign = _campaign(desk, 2)
    with pytest.raises(DrawInvalid):
        _draw(desk, 1, question="grade", campaign_id=campaign.id)
