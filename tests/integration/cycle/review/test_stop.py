"""The stop switch, the restart by another person, and changes of question and model, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handrail.cycle.datasets import Field, Question, Schema
from handrail.cycle.review.model import NotAPerson, SamePerson, WrongState
from handrail.cycle.review.policy import Policy, PolicyInvalid
from handrail.cycle.train.model import NewModel
from handrail.foundation.actors import Actor, Scope
from tests.integration.cycle.breast_mass import MACHINE, QUESTION
from tests.integration.cycle.review.ward import ANNA, BEN, PERSON, Ward


def stop(ward: Ward, who: Actor = ANNA) -> None:
    ward.storage.write(lambda uow: ward.review.stop(uow, who, ward.scope, "strange images"))


def restart(ward: Ward, who: Actor = BEN) -> None:
    ward.storage.write(lambda uow: ward.review.restart(uow, who, ward.scope, "the scanner is mended"))


async def test_after_a_stop_every_item_goes_to_a_person(ward: Ward) -> None:
    ward.automatic()
    assert (await ward.decide(260)).route == "auto"
    stop(ward)
    made = await asyncio.gather(*(ward.decide(case) for case in range(261, 281)))
    assert {(one.route, one.reasons) for one in made} == {("human", ("automation is stopped",))}
    restart(ward)
    assert ward.state() == "auto"
    assert (await ward.decide(290)).route == "auto"
    changes = [(one["old"], one["new"], one["why"]) for one in ward.entries("review.state_changed")]
    assert changes[-2:] == [("auto", "stopped", "strange images"), ("stopped", "auto", "the scanner is mended")]


async def test_no_automatic_decision_follows_a_stop_with_many_callers(ward: Ward) -> None:
    ward.automatic()
    over = asyncio.Event()

    async def caller(name: int) -> None:
        number = 0
        while not over.is_set():
            await ward.decide(260 + number % 13, f"{name}-{number}")
            number += 1

    callers = [asyncio.create_task(caller(name)) for name in range(6)]
    await asyncio.sleep(0.1)
    await asyncio.to_thread(stop, ward)
    await asyncio.sleep(0.2)
    over.set()
    await asyncio.gather(*callers)
    ward.clinic.journal.integrate(ward.storage)
    order = ward.storage.read(lambda uow: ward.clinic.journal.read_after(uow, -1, 1_000_000))
    end = next(one.index for one in order if one.verb == "review.state_changed" and one.payload["new"] == "stopped")
    routes = [(one.index > end, one.payload["route"]) for one in order if one.verb == "review.decided"]
    assert set(routes) == {(False, "auto"), (True, "human")}


async def test_another_person_must_start_it_again(ward: Ward) -> None:
    ward.automatic()
    for who in (MACHINE, Actor.rule("brake")):
        with pytest.raises(NotAPerson):
            stop(ward, who)
    with pytest.raises(WrongState):
        restart(ward)
    stop(ward)
    with pytest.raises(NotAPerson):
        restart(ward, MACHINE)
    with pytest.raises(SamePerson):
        restart(ward, ANNA)
    assert ward.state() == "stopped"


async def test_nothing_that_happens_meanwhile_makes_somebody_else_the_one_who_stopped(ward: Ward) -> None:
    ward.automatic()
    stop(ward)
    since = ward.oversight().control.since
    ward.clinic.bring(300, 60)
    ward.review.plan_certificate(MACHINE, ward.scope, labels=40, alpha=0.1)
    ward.policy(alpha=0.04)
    ward.promote(ward.model(1))
    stop(ward, BEN)
    control = ward.oversight().control
    assert (control.state, control.changed_by, control.since, control.note) == (
        "stopped",
        ANNA.name,
        since,
        "strange images",
    )
    with pytest.raises(SamePerson):
        restart(ward, ANNA)


async def test_a_model_promoted_while_stopped_does_not_decide_after_the_restart(ward: Ward) -> None:
    ward.automatic()
    stop(ward)
    ward.promote(ward.model(1))
    restart(ward)
    assert ward.state() == "shadow"
    assert (await ward.decide(260)).route == "human"


async def test_a_certificate_issued_while_stopped_holds_after_the_restart(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    stop(ward)
    row = ward.certified()
    assert (row.status, ward.state()) == ("certified", "stopped")
    assert (await ward.decide(260)).route == "human"
    restart(ward)
    assert (await ward.decide(261)).certificate_id == row.id


# Policies and models


def test_a_policy_that_does_not_fit_changes_nothing(ward: Ward) -> None:
    ward.policy()
    before = ward.oversight().control
    for policy in (
        Policy(question="none"),
        Policy.from_dict({"question": QUESTION, "rules": [{"name": "a", "when": "item.", "then": "human"}]}),
        Policy.from_dict({"question": QUESTION, "rules": [{"name": "a", "when": "secret == 1", "then": "human"}]}),
    ):
        with pytest.raises(PolicyInvalid) as caught:
            ward.review.activate_policy(PERSON, ward.scope, policy)
        assert caught.value.facts["problems"]
    assert ward.oversight().control == before
    assert len(ward.entries("review.policy_activated")) == 1


async def test_each_decision_names_the_policy_that_it_was_made_under(ward: Ward) -> None:
    first = ward.policy()
    made = await ward.decide(260)
    second = ward.policy(alpha=0.04)
    later = await ward.decide(261)
    assert (made.policy_id, later.policy_id) == (first, second)
    versions = [
        ward.storage.read(lambda uow, one=one: ward.review.policy(uow, ward.scope, one)) for one in (first, second)
    ]  # type: ignore[misc]
    assert [(version, document["alpha"]) for version, document in versions] == [(1, 0.05), (2, 0.04)]


async def test_a_model_signed_before_the_first_policy_is_used_with_it(ward: Ward) -> None:
    model = ward.champion()
    assert ward.storage.read(lambda uow: ward.review.oversight(uow, ward.scope)) is None
    ward.policy()
    made = await ward.decide(260)
    assert made.model_id == model.id


class Two:
    """A project with two questions, the first of which has a certified model."""

    def __init__(self, ward: Ward) -> None:
        self.ward = ward
        old = ward.storage.read(lambda uow: ward.clinic.datasets.schema(uow, ward.scope))
        questions = (*old.questions, Question(name="stage", type="choice", choices=("malignant", "benign", "later")))
        schema = Schema(tuple(Field(name=one.name, type="number") for one in old.fields), questions)
        project = ward.storage.write(lambda uow: ward.clinic.datasets.create_project(uow, PERSON, "two", schema))
        ward.scope = ward.clinic.scope = Scope(project.id)


@pytest.fixture
def two(ward: Ward) -> Ward:
    return Two(ward).ward


def stage_model(ward: Ward) -> Any:
    """Keep the shared second model as one that answers the other question."""
    model = ward.model(1)
    names = NewModel.__dataclass_fields__
    made = NewModel(**{**{name: getattr(model, name) for name in names}, "question": "stage"})
    return ward.storage.write(lambda uow: ward.clinic.train._keep(uow, PERSON, ward.scope, made))


async def test_a_model_of_another_question_is_not_taken_into_use(two: Ward) -> None:
    row = two.automatic()
    two.promote(stage_model(two))
    now = two.oversight()
    assert now.certificate is not None
    assert (now.certificate.id, now.certificate.status, now.control.model_id) == (row.id, "certified", row.model_id)
    made = await two.decide(260)
    assert (made.route, made.question, made.model_id) == ("auto", QUESTION, row.model_id)


async def test_a_policy_with_another_question_takes_that_questions_model(two: Ward) -> None:
    row = two.automatic()
    two.review.activate_policy(PERSON, two.scope, Policy(question="stage"))
    made = await two.decide(260)
    assert (made.route, made.question, made.model_id, made.prediction) == ("human", "stage", None, None)
    assert two.storage.read(lambda uow: two.review.certificates(uow, two.scope))[0].status == "ended"
    other = stage_model(two)
    two.promote(other)
    assert (await two.decide(261)).model_id == other.id
    two.policy()
    back = await two.decide(262)
    assert (back.model_id, back.route) == (row.model_id, "human")


async def test_hearing_of_an_old_promotion_again_changes_nothing(ward: Ward) -> None:
    ward.policy()
    first = ward.champion()
    ward.promote(ward.model(1))
    row = ward.certified(alpha=0.2)
    ward.storage.write(lambda uow: ward.review.promoted(uow, PERSON, ward.scope, first.id))
    now = ward.oversight()
    assert now.certificate is not None
    assert (now.certificate.id, now.certificate.status) == (row.id, "certified")
