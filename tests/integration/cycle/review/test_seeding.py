"""Seeds: they look like any other review task, and nothing else in the product ever sees one. On both databases."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.cycle.review import store
from handrail.cycle.review.policy import Policy, PolicyInvalid
from handrail.cycle.review.seeds import LEAST_KNOWN
from handrail.cycle.review.store.seeds import SeedRow
from handrail.cycle.tasks import Answered, Task
from handrail.cycle.tasks.competence import GateClosed
from handrail.cycle.tasks.model import SecondLook
from handrail.cycle.tasks.routes import TaskDetailOut, TaskOut
from handrail.cycle.tasks.staffing import QueueRules
from handrail.foundation.clock import FixedClock
from tests.integration.cycle.breast_mass import PERSON, QUESTION
from tests.integration.cycle.review.ward import BEN, OTHER, Ward
from tests.integration.cycle.review.ward_client import client, ok


async def seeded(ward: Ward, clock: FixedClock, number: int = 30, **policy: Any) -> list[SeedRow]:
    """Decide until seeds were drawn, let their times come, and return them."""
    ward.policy(**{"seed_share": 0.2, **policy})
    ward.champion()
    ward.clinic.label(ward.clinic.bring(120, LEAST_KNOWN), "holdout")
    for case in range(260, 260 + number):
        await ward.decide(case)
    clock.advance(seconds=3601)
    planted(ward)
    found = []
    for task in ward.open_tasks("review"):
        one = ward.storage.read(lambda uow: store.seed_of_task(uow, ward.scope, task.id))  # noqa: B023
        found += [] if one is None else [one]
    assert len(found) >= 3
    return found


def planted(ward: Ward) -> int:
    now = ward.clock.now()
    return ward.storage.write(lambda uow: ward.review.seeding.plant_due(uow, now))


async def test_a_seed_looks_like_any_other_task(ward: Ward, clock: FixedClock) -> None:
    made = await seeded(ward, clock)
    tasks = {one.id: one for one in ward.open_tasks("review")}
    seeds = {one.task_id for one in made}
    async with client(ward, "ben") as ben:
        listed = {one["id"]: one for one in ok(await ben.get("/tasks"))["items"]}
        held = {one: ok(await ben.post(f"/tasks/{one}/claim")) for one in tasks}
    assert set(TaskOut.model_fields) == set(next(iter(listed.values())))
    assert set(TaskDetailOut.model_fields) < set(next(iter(held.values())))

    def looks(task_id: str) -> list[Any]:
        shown, detail = listed[task_id], held[task_id]
        told = {name: shown[name] for name in ("kind", "question", "reason", "deadline", "status")}
        return [told, detail["kind"], detail["blind"], detail["payload"], set(detail["prediction"]), detail["reason"]]

    assert {listed[one]["priority"] for one in seeds} <= {listed[one]["priority"] for one in set(tasks) - seeds}
    assert all(looks(one) == looks(next(iter(set(tasks) - seeds))) for one in tasks)
    opened = {one.opened_at for one in tasks.values() if one.id not in seeds}
    for one in made:
        assert held[one.task_id]["prediction"]["value"] == one.shown_value
        assert (one.shown_value == one.truth) == (one.shown == "right")
        assert tasks[one.task_id].opened_at not in opened
    assert {one.shown for one in made} == {"wrong", "right"} or len(made) < 6


async def test_the_journal_reveals_a_seed_when_it_is_answered(ward: Ward, clock: FixedClock) -> None:
    one = (await seeded(ward, clock))[0]
    assert ward.entries("tasks.opened") == []
    assert ward.entries("review.seed_answered") == []
    given = Answered(one.truth, "label", shown_at=clock.now())
    clock.advance(seconds=12)
    ward.storage.write(lambda uow: ward.tasks.answer(uow, BEN, ward.scope, one.task_id, given))
    (told,) = ward.entries("review.seed_answered")
    assert (told["task"], told["truth"], told["shown_value"]) == (one.task_id, one.truth, one.shown_value)
    assert told["outcome"] == ("caught" if one.shown == "wrong" else "let_stand")
    (kept,) = ward.storage.read(lambda uow: store.answered_seeds(uow, ward.scope))
    assert (kept.person_id, kept.seconds, kept.outcome) == (BEN.id, 12.0, told["outcome"])


async def test_nobody_gets_a_seed_of_a_case_that_they_labelled(ward: Ward, clock: FixedClock) -> None:
    one = (await seeded(ward, clock))[0]
    assert PERSON.id in ward.task(one.task_id).not_by
    with pytest.raises(SecondLook):
        ward.answer(one.task_id, "benign", "label", PERSON)


def figures(ward: Ward) -> dict[str, Any]:
    """Return everything that a decision or a label could change."""

    def unit(uow: Any) -> dict[str, Any]:
        days = {int(one.created_at.strftime("%Y%m%d")) for one in ward.review.decisions(uow, ward.scope, limit=1000)}
        return {
            "labels": ward.clinic.datasets.labels(uow, ward.scope, question=QUESTION),
            "counts": ward.clinic.datasets.counts(uow, ward.scope),
            "waiting for training": ward.clinic.datasets.labels_waiting(uow, ward.scope),
            "tallies": ward.review.tallies(uow, ward.scope),
            "of the days": {day: ward.review.decided_on(uow, ward.scope, day) for day in days},
            "routes": {day: ward.review.routes_on(uow, ward.scope, day) for day in days},
            "automatic": ward.review.automatic_answers(uow, ward.scope),
            "audits": ward.review.audit_estimate(uow, ward.scope),
            "certificates": ward.review.certificates(uow, ward.scope),
            "decisions": ward.review.decisions(uow, ward.scope, limit=1000),
        }

    return ward.storage.read(unit)


async def test_no_figure_label_commit_or_profile_sees_a_seed(ward: Ward, clock: FixedClock) -> None:
    """Training, feedback and evaluation read labels and commits; the monitor and the tallies read decisions."""
    made = await seeded(ward, clock)
    ward.clinic.commit()
    before = figures(ward)
    for number, one in enumerate(made):
        verb = ("correct", "approve", "reject", "abstain")[number % 4]
        value = OTHER[one.shown_value] if verb == "correct" else None
        ward.answer(one.task_id, value, verb, BEN)
    assert len(ward.entries("review.seed_answered")) == len(made)
    after = figures(ward)
    for name, was in before.items():
        assert after[name] == was, name
    assert ward.clinic.datasets.commit(PERSON, ward.scope, "nothing new") is None
    assert ward.entries("review.verdict_given") == []


async def test_a_seed_past_its_deadline_has_no_consequence(ward: Ward, clock: FixedClock) -> None:
    ward.policy(seed_share=0.2)
    ward.champion()
    ward.clinic.label(ward.clinic.bring(120, LEAST_KNOWN), "holdout")
    for case in range(260, 290):
        await ward.decide(case, deadline_s=100_000.0, on_deadline="deny")
    clock.advance(seconds=3601)
    opened = planted(ward)
    assert opened >= 3
    before = figures(ward)
    tasks: list[Task] = ward.open_tasks("review")
    assert all(one.deadline is not None for one in tasks), "a seed has a deadline where real tasks have one"
    later = max(one.deadline for one in tasks if one.deadline is not None)
    first = min(one.deadline for one in tasks if one.deadline is not None)
    clock.advance(seconds=(later - clock.now()).total_seconds() + 1)
    assert first < later
    ward.expire()
    assert len(ward.entries("review.deadline_passed")) == 30, "of the decisions alone"
    decided = {one.id for one in before["decisions"]}
    assert {one.id for one in ward.decisions()} == decided


async def test_seeds_wait_for_known_truth_and_end_with_the_policy(ward: Ward, clock: FixedClock) -> None:
    ward.policy(seed_share=0.2)
    ward.champion()
    for case in range(260, 290):
        await ward.decide(case)
    clock.advance(seconds=3601)
    assert planted(ward) == 0
    ward.clinic.label(ward.clinic.bring(120, LEAST_KNOWN), "holdout")
    assert planted(ward) == 0, "they wait an hour"
    clock.advance(seconds=3601)
    assert planted(ward) >= 3
    for case in range(290, 330):
        await ward.decide(case)
    ward.policy()
    clock.advance(seconds=3601)
    assert planted(ward) == 0
    ward.policy(seed_share=0.2)
    clock.advance(seconds=3601)
    assert planted(ward) == 0, "those that were drawn before are forgotten"


async def test_a_seed_of_a_blind_first_queue_is_blind_first(ward: Ward, clock: FixedClock) -> None:
    one = (await seeded(ward, clock, blind_first=True))[0]
    given = Answered(one.truth, "label")
    task = ward.storage.write(lambda uow: ward.tasks.first(uow, BEN, ward.scope, one.task_id, given))
    assert task.prediction is not None
    ward.answer(one.task_id, one.shown_value, "label", BEN)
    (kept,) = ward.storage.read(lambda uow: store.answered_seeds(uow, ward.scope))
    assert (kept.own, kept.value) == (one.truth, one.shown_value)
    assert kept.outcome == ("missed" if one.shown == "wrong" else "let_stand")


async def test_without_a_share_nothing_is_drawn(ward: Ward, clock: FixedClock) -> None:
    ward.policy()
    ward.champion()
    ward.clinic.label(ward.clinic.bring(120, LEAST_KNOWN), "holdout")
    for case in range(260, 290):
        await ward.decide(case)
    clock.advance(seconds=3601)
    assert ward.storage.write(lambda uow: store.seeds_due(uow, 1 << 60)) == []
    with pytest.raises(PolicyInvalid):
        Policy.from_dict({"question": QUESTION, "seed_share": 0.5})


async def test_a_seed_climbs_like_the_task_that_it_imitates(ward: Ward, clock: FixedClock) -> None:
    """Also when what it imitates has climbed before it is opened: it begins where every review task begins."""
    rules = QueueRules(climb_minutes=30, chain=("senior",))
    ward.storage.write(lambda uow: ward.tasks.staffing.set_rules(uow, PERSON, ward.scope, rules))

    def climb() -> None:
        now = clock.now()
        ward.storage.write(lambda uow: ward.tasks.staffing.climb_due(uow, now))

    ward.policy(seed_share=0.2)
    ward.champion()
    ward.clinic.label(ward.clinic.bring(120, LEAST_KNOWN), "holdout")
    for case in range(260, 290):
        await ward.decide(case)
    clock.advance(seconds=3601)
    climb()
    planted(ward)
    before = {one.id: one for one in ward.open_tasks("review")}
    seeds = [one for one in before.values() if one.decision_id is None]
    assert len(seeds) >= 3
    assert {one.skill for one in seeds} == {""}
    assert {one.skill for one in before.values() if one.decision_id is not None} == {"senior"}
    clock.advance(seconds=1800)
    climb()
    assert {ward.task(one.id).skill for one in seeds} == {"senior"}
    named = {task for one in ward.entries("tasks.climbed") for task in one["task_ids"]}
    assert named == set(before) - {one.id for one in seeds}, "no entry tells a seed"


async def test_answers_to_seeds_count_for_who_goes_on_answering(ward: Ward, clock: FixedClock) -> None:
    """Without being opened as a test of anybody; what is passed on or rejected counts for nothing."""
    made = await seeded(ward, clock, 60)
    asked = {"competence": {"least_agreement": 0.9, "least_answers": 5, "of": ["review"]}}
    rules = QueueRules.from_dict(asked)
    ward.storage.write(lambda uow: ward.tasks.staffing.set_rules(uow, PERSON, ward.scope, rules))
    assert len(made) >= 7
    for one, verb in zip(made, ("abstain", "reject", *["label"] * 5), strict=False):
        assert ward.entries("tasks.gate_closed") == []
        ward.answer(one.task_id, OTHER[one.truth] if verb == "label" else None, verb, BEN)
    (told,) = ward.entries("tasks.gate_closed")
    assert (told["right"], told["n"]) == (0, 5)
    with pytest.raises(GateClosed):
        ward.storage.write(lambda uow: ward.tasks.claim(uow, BEN, ward.scope))
