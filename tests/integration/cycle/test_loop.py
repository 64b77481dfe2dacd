"""The circle closes: each fact starts the next stage exactly once, also when the loop is interrupted."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handrail.cycle.evaluate.jobs import PROMOTE, RETRAIN, Pipelines
from handrail.cycle.loop import READER, Loop
from handrail.cycle.review.model import Decision, WrongState
from handrail.foundation.clock import FixedClock
from handrail.foundation.work.jobs import Jobs
from tests.integration.cycle.breast_mass import MACHINE, PERSON, QUESTION, cases
from tests.integration.cycle.review.ward import Ward

DAY = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Circle:
    """A ward with its jobs and the loop that ties them."""

    def __init__(self, ward: Ward, clock: FixedClock, folder: Path) -> None:
        clinic, url = ward.clinic, ward.storage.url
        self.ward, self.clinic, self.storage, self.scope = ward, clinic, ward.storage, ward.scope
        self.jobs = Jobs(f"sqlite:///{folder / 'jobs.db'}" if url.startswith("sqlite") else url, clock=clock)
        self.jobs.configure()
        self.pipelines = Pipelines(self.jobs, clinic.storage, clinic.feedback, clinic.train, clinic.evaluate)
        self.pipelines.register()
        self.jobs.launch()
        self.loop = self.another_loop()

    def another_loop(self) -> Loop:
        return Loop(
            *(self.storage, self.clinic.journal, self.ward.clock),
            datasets=self.clinic.datasets,
            tasks=self.clinic.tasks,
            annotate=self.ward.annotate,
            review=self.ward.review,
            feedback=self.clinic.feedback,
            pipelines=self.pipelines,
            monitor=self.ward.monitor,
        )

    def close(self) -> None:
        self.clinic.compute.close()
        self.jobs.destroy(forget_functions=True)

    def settle(self) -> None:
        """Tick until nothing is left to react to and no run is under way."""
        end = time.monotonic() + 90
        while True:
            self.loop.tick()
            if self.loop.settled():
                return
            assert time.monotonic() < end, "the loop does not come to rest"
            time.sleep(0.05)

    def interrupted(self, monkeypatch: pytest.MonkeyPatch) -> bool:
        """React to what waits, lose the process before the place in the journal is kept; whether anything waited."""
        with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
            patched.setattr(self.loop, "_read_up_to", _dies)
            self.loop.tick()
            return False
        return True

    def runs(self, workflow: str) -> int:
        found = self.storage.read(lambda uow: self.clinic.train.runs.newest(uow, self.scope, 100))
        return sum(one.workflow == workflow for one in found)

    def tallies(self) -> dict[int, dict[str, int]]:
        return self.storage.read(lambda uow: self.ward.review.tallies(uow, self.scope))

    async def stream(self, day: int, count: int, *, start: int = 260, shift: float = 1.0) -> list[Decision]:
        """Decide `count` cases of a day, their areas measured `shift` times too large."""
        asked = []
        for place in range(count):
            found = cases()[1][start + place][0]
            data = {name: value * (shift if "area" in name else 1.0) for name, value in found.items()}
            at = DAY + timedelta(days=day)
            name = f"day-{day}-{place}"
            asked.append(self.ward.request(start + place, name, external_id=name, data=data, observed_at=at))
        made = await self.ward.review.decide_many(MACHINE, self.scope, asked)
        decided = [one for one in made if isinstance(one, Decision)]
        assert len(decided) == count
        for place, one in enumerate(decided):
            self.clinic.truth[one.item_id] = cases()[1][start + place][1]
        return decided


@pytest.fixture
def circle(ward: Ward, clock: FixedClock, tmp_path: Path) -> Iterator[Circle]:
    made = Circle(ward, clock, tmp_path)
    yield made
    made.close()


# Counting


async def test_the_counts_are_the_decisions_however_often_the_loop_is_interrupted(
    circle: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle.ward.automatic(audit_rate=0.5)
    for day in range(3):
        await circle.stream(day, 30 + day)
        assert circle.interrupted(monkeypatch)
        with monkeypatch.context() as patched:
            patched.setattr(circle.clinic.journal, "advance", _dies)
            with pytest.raises(KeyboardInterrupt):
                circle.loop.tick()
        circle.loop.tick()
        circle.loop.tick()
    circle.settle()
    found: dict[int, Counter[str]] = {}
    for one in circle.ward.entries("review.decided"):
        found.setdefault(one["day"], Counter())[one["route"]] += 1
    assert sum(sum(ways.values()) for ways in found.values()) == 93 == len(circle.ward.decisions())
    assert circle.tallies() == {day: dict(ways) for day, ways in found.items()}


def _dies(*_args: Any, **_more: Any) -> None:
    raise KeyboardInterrupt


async def test_what_another_loop_has_counted_is_not_counted_again(circle: Circle) -> None:
    """Another loop reads the same entries and is done first, as a server does that takes over."""
    circle.ward.automatic()
    circle.settle()
    await circle.stream(0, 30)
    other = circle.another_loop()
    circle.loop._reactions["review.decided"] = lambda _scope, _entry: (other.tick(), None)[1]
    circle.settle()
    assert circle.tallies()[20260105] == dict(Counter(one.route for one in circle.ward.decisions()))
    assert sum(circle.tallies()[20260105].values()) == 30


async def test_a_loop_counts_what_another_one_has_not(circle: Circle) -> None:
    """More arrives while another loop counts a first part."""
    circle.ward.automatic()
    circle.settle()
    await circle.stream(0, 20)
    first, second = circle.another_loop(), circle.another_loop()
    circle.clinic.journal.integrate(circle.storage)
    early = circle.storage.read(lambda uow: circle.clinic.journal.read_after(uow, _cursor(circle, uow), 500))
    await circle.stream(1, 15)
    circle.clinic.journal.integrate(circle.storage)
    all_ = circle.storage.read(lambda uow: circle.clinic.journal.read_after(uow, _cursor(circle, uow), 500))
    for loop, entries in ((first, early), (second, all_), (first, early)):
        circle.storage.write(lambda uow, loop=loop, entries=entries: loop._read_up_to(uow, entries))  # type: ignore[misc]
    assert {day: sum(ways.values()) for day, ways in circle.tallies().items()} == {20260105: 20, 20260106: 15}


def _cursor(circle: Circle, uow: Any) -> int:
    return circle.clinic.journal.cursor(uow, READER)


async def test_loops_that_count_at_the_same_time_count_once(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    ward = circle.ward
    ward.automatic()
    await circle.stream(0, 30)
    real = ward.review.count

    def slow(uow: Any, decided: Any) -> None:
        time.sleep(0.3)  # both are at it before either is done, unless one waits for the other
        real(uow, decided)

    monkeypatch.setattr(ward.review, "count", slow)
    await asyncio.gather(*(asyncio.to_thread(circle.another_loop().tick) for _ in range(3)))
    assert sum(circle.tallies()[20260105].values()) == 30


async def test_a_day_is_over_once(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    circle.ward.policy()
    for day in (0, 1, 1, 0, 2):  # a late decision about an earlier day ends no day
        number = len(circle.ward.decisions())
        await circle.ward.decide(300 + number, observed_at=DAY + timedelta(days=day))
        circle.interrupted(monkeypatch)
        circle.loop.tick()
    circle.settle()
    assert [one["day"] for one in circle.ward.entries("monitor.day_over")] == [20260105, 20260106]
    assert [one["day"] for one in circle.ward.entries("monitor.day_profiled")] == [20260105, 20260106]


# Verdict -> training -> signature -> promotion -> certificate


async def test_from_verdicts_to_the_next_certificate(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    ward = circle.ward
    ward.policy(retrain_after=20, certify_labels=60)
    first = ward.champion()
    ward.clinic.bring(120, 100)
    circle.settle()
    assert ward.entries("review.certificate_planned") == [], "a first model's certificate is asked for by people"
    await circle.stream(0, 20)
    for number, task in enumerate(ward.open_tasks("review")):
        assert task.item_id is not None
        if number == 19:
            circle.settle()
            assert circle.runs(RETRAIN) == 0, "nineteen are not twenty"
        ward.answer(task.id, ward.clinic.truth[task.item_id], "label")
    circle.interrupted(monkeypatch)
    circle.settle()
    circle.loop.tick()
    assert circle.runs(RETRAIN) == 1
    assert [one["verdicts"] for one in ward.entries("feedback.verdicts_committed")][-1] == 20

    (sign_off,) = ward.open_tasks("sign_off")
    ward.answer(sign_off.id, None, "sign")
    assert circle.interrupted(monkeypatch)
    assert circle.interrupted(monkeypatch)
    circle.settle()
    assert circle.runs(PROMOTE) == 1
    promoted = ward.entries("train.promoted")
    assert [one.get("replaced") for one in promoted] == [None, first.id]
    second = promoted[-1]["model"]
    control = ward.oversight().control
    assert (control.model_id, control.state) == (second, "certifying")
    assert [one["model"] for one in ward.entries("review.certificate_planned")] == [second]
    assert not circle.interrupted(monkeypatch), "nothing waits"


async def test_a_promotion_is_followed_once_when_the_loop_dies_behind_it(
    circle: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward = circle.ward
    ward.policy(certify_labels=60)
    circle.settle()
    for number in (0, 1):  # both before the loop reads: it hears of the first when the second is the champion
        model = ward.model(number)
        ward.storage.write(lambda uow, model=model: ward.clinic.train.set_champion(uow, PERSON, ward.scope, model.id))  # type: ignore[misc]
    assert circle.interrupted(monkeypatch)
    assert circle.interrupted(monkeypatch)
    circle.settle()
    assert ward.oversight().control.model_id == model.id
    assert [(one["model"], one["labels"]) for one in ward.entries("review.certificate_planned")] == [(model.id, 60)]
    assert ward.entries("review.certificate_ended") == []
    planned = ward.oversight().planned
    assert planned is not None
    assert (planned.status, planned.source) == ("planned", "stream")


async def test_the_last_label_lets_the_certificate_speak_once(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    ward = circle.ward
    ward.policy()
    ward.champion()
    ward.clinic.bring(120, 140)
    ward.review.plan_certificate(PERSON, ward.scope, labels=40, alpha=0.1)
    circle.settle()
    ward.label_drawn()
    circle.interrupted(monkeypatch)
    circle.settle()
    circle.loop.tick()
    assert ward.state() == "auto"
    assert len(ward.entries("review.certificate_issued")) == 1


# Day -> alarm -> campaign -> training


async def test_from_a_shifted_day_to_a_training_run(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    ward = circle.ward
    ward.automatic()
    await circle.stream(0, 60, start=260)
    await circle.stream(1, 45, start=320, shift=1.8)
    circle.interrupted(monkeypatch)
    circle.settle()
    assert ward.entries("monitor.alarm_raised") == [], "the day is not over yet"
    await circle.stream(2, 1, start=400)
    circle.interrupted(monkeypatch)
    circle.loop.tick()
    for _ in range(4):  # each interruption is behind another reaction: the profile, the alarm, the campaign
        circle.interrupted(monkeypatch)
        circle.loop.tick()
    circle.settle()

    (alarm,) = ward.entries("monitor.alarm_raised")
    assert (alarm["day"], "area" in alarm["sentence"]) == (20260106, True)
    (campaign,) = ward.storage.read(lambda uow: ward.annotate.campaigns(uow, ward.scope))
    assert (campaign.alarm_id, campaign.target, campaign.drawn, campaign.state) == (alarm["alarm"], 12, 12, "open")
    tasks = ward.open_tasks("label")
    assert len(tasks) == 12
    assert {task.campaign_id for task in tasks} == {campaign.id}
    days = {one.item_id: one.created_at for one in ward.decisions()}
    shifted = {one["item"] for one in ward.entries("review.decided") if one["day"] == 20260106}
    assert {task.item_id for task in tasks} <= shifted & set(days)

    assert ward.label_drawn() == 12
    assert len(ward.entries("annotate.campaign_closed")) == 1
    circle.interrupted(monkeypatch)
    circle.settle()
    assert circle.runs(RETRAIN) == 1
    assert [one["verdicts"] for one in ward.entries("feedback.verdicts_committed")][-1] >= 12
    assert len(ward.open_tasks("sign_off")) == 1
    assert len(ward.entries("monitor.alarm_raised")) == len(ward.entries("monitor.alarm_answered")) == 1


async def test_a_process_that_ends_between_a_campaign_and_its_draw_draws_later(
    circle: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward = circle.ward
    ward.automatic()
    await circle.stream(0, 45, shift=1.8)
    await circle.stream(1, 1, start=400)
    with monkeypatch.context() as patched:
        patched.setattr(ward.annotate, "draw", _dies)
        with pytest.raises(KeyboardInterrupt):
            circle.settle()
    assert len(ward.entries("annotate.campaign_opened")) == 1
    assert ward.open_tasks("label") == []
    circle.settle()
    assert len(ward.entries("annotate.campaign_opened")) == 1
    assert len(ward.open_tasks("label")) == 12


async def test_a_campaign_takes_no_item_that_somebody_was_asked_about_before(circle: Circle) -> None:
    ward = circle.ward
    ward.automatic()
    made = await circle.stream(0, 30, shift=1.8)
    items = [one.item_id for one in made]
    ward.annotate.draw(PERSON, ward.scope, question=QUESTION, n=24, purpose="holdout", reason="a test", among=items)
    await circle.stream(1, 1, start=400)
    circle.settle()
    (campaign,) = ward.storage.read(lambda uow: ward.annotate.campaigns(uow, ward.scope))
    assert (campaign.target, campaign.drawn) == (6, 6)


# What fails


async def test_a_reaction_that_a_rule_forbids_holds_nothing_up(
    circle: Circle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ward = circle.ward
    ward.champion()  # promoted before the first policy: there is nothing to use it for yet
    circle.settle()
    ward.policy(certify_labels=60)
    monkeypatch.setattr(ward.review, "plan_certificate_once", _forbidden)
    ward.promote(ward.model(1))
    with caplog.at_level(logging.WARNING, "handrail.loop"):
        circle.settle()
    assert "review.wrong_state" in caplog.text
    await ward.decide(260)
    circle.settle()
    assert sum(circle.tallies()[20260101].values()) == 1


def _forbidden(*_args: Any, **_more: Any) -> None:
    raise WrongState("A certificate is being prepared already.")


async def test_the_loops_thread_outlives_a_failure(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    ward = circle.ward
    ward.policy()
    await ward.decide(260)
    failures: list[int] = []
    real = circle.clinic.journal.integrate

    def fails_twice(storage: Any) -> int:
        if len(failures) < 2:
            failures.append(1)
            raise OSError("the disk is away")
        return real(storage)

    monkeypatch.setattr(circle.clinic.journal, "integrate", fails_twice)
    monkeypatch.setattr("handrail.cycle.loop._TICK_S", 0.02)
    thread = threading.Thread(target=circle.loop.run)
    thread.start()
    try:
        end = time.monotonic() + 20
        while not circle.tallies():
            assert time.monotonic() < end
            await asyncio.sleep(0.02)
    finally:
        circle.loop.stop()
        thread.join(10)
    assert len(failures) == 2
    assert not thread.is_alive()


async def test_what_expires_is_written_by_the_loop(circle: Circle, clock: FixedClock) -> None:
    ward = circle.ward
    ward.policy()
    made = await ward.decide(260, deadline_s=30.0, on_deadline="deny")
    circle.settle()
    assert ward.decision(made.id).status == "pending"
    clock.advance(seconds=31)
    circle.settle()
    assert (ward.decision(made.id).status, ward.decision(made.id).by_kind) == ("expired", "deadline")
