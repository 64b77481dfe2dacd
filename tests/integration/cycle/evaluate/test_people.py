"""How people look, from what was really stored: seeds, blind-first answers, second looks. On both databases."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.cycle.datasets import NewLabel
from handrail.cycle.evaluate import People
from handrail.cycle.evaluate.oversight import seeds_to_tell
from handrail.cycle.evaluate.people import PeopleReport
from handrail.cycle.evaluate.team import LEAST_ITEMS
from handrail.cycle.review.model import WrongState
from handrail.cycle.tasks import Answered
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from tests.integration.cycle.breast_mass import PERSON, QUESTION
from tests.integration.cycle.review.test_seeding import seeded
from tests.integration.cycle.review.ward import ANNA, BEN, CARA, OTHER, Ward


def measured(ward: Ward, only: str | None = None) -> PeopleReport:
    people = People(ward.clinic.datasets, ward.tasks, ward.review)
    return ward.storage.read(lambda uow: people.people(uow, ward.scope, only=only))


async def test_seeds_tell_a_stamper_from_a_careful_person(ward: Ward, clock: FixedClock) -> None:
    """The stamper approves whatever is shown, the careful one says what is true; nobody else is told apart."""
    made = await seeded(ward, clock, number=160)
    wrong = [one for one in made if one.shown == "wrong"]
    assert len(wrong) >= 2 * seeds_to_tell(), "so that each of them gets enough"
    for number, one in enumerate(wrong):
        if number % 2:
            ward.answer(one.task_id, None, "approve", BEN)
        else:
            ward.answer(one.task_id, one.truth, "correct", ANNA)
    ward.answer(next(one for one in made if one.shown == "right").task_id, None, "approve", CARA)
    found = {one.about: one for one in measured(ward).people}
    assert (found[ANNA.id].told.verdict, found[BEN.id].told.verdict) == ("careful", "stamper")
    assert (found[CARA.id].told.verdict, found[CARA.id].told.more) == ("cannot tell", seeds_to_tell())
    assert found[CARA.id].accepted_wrong.interval is None
    assert found[CARA.id].accepted_wrong.said == "not enough yet: 0 of 20"
    caught = found[BEN.id].caught.interval
    assert caught is not None
    assert (caught.value, caught.high < 0.5) == (0.0, True)


async def blind_first(ward: Ward, case: int, own: Any, final: Any, who: Actor = ANNA) -> str:
    """Let a person say their own answer and then a final one; return the item."""
    made = await ward.decide(case)
    task_id = str(made.task_id)
    given = Answered(own, "label", shown_at=ward.clock.now())
    ward.storage.write(lambda uow: ward.tasks.first(uow, who, ward.scope, task_id, given))
    ward.answer(task_id, final, "label", who)
    return made.item_id


def outcome(ward: Ward, item: str, value: Any, who: Actor = PERSON) -> None:
    """Record what turned out to be true of an item."""
    new = NewLabel(item_id=item, question=QUESTION, value=value, source="import", purpose="holdout")
    ward.storage.write(lambda uow: ward.clinic.datasets.put_label(uow, who, ward.scope, new))


async def test_the_team_report_is_about_blind_first_answers_with_a_second_look(ward: Ward) -> None:
    ward.policy(blind_first=True)
    ward.champion()
    people = People(ward.clinic.datasets, ward.tasks, ward.review)

    def team() -> Any:
        return ward.storage.read(lambda uow: people.team(uow, ward.scope)).report

    for case in range(260, 260 + LEAST_ITEMS):
        truth = ward.clinic.truth
        item = await blind_first(ward, case, "benign", "malignant")
        assert team().n == case - 260, "without a second look nothing is known to be true"
        outcome(ward, item, truth[item])
    found = team()
    assert found.n == LEAST_ITEMS
    malignant = sum(
        ward.clinic.truth[one.item_id] == "malignant" for one in ward.decisions() if one.status == "decided"
    )
    assert (round(found.person.value * found.n), round(found.team.value * found.n)) == (
        malignant,
        LEAST_ITEMS - malignant,
    )
    wrong = sum(
        one.prediction is not None and one.prediction["value"] != ward.clinic.truth[one.item_id]
        for one in ward.decisions()
    )
    assert round(found.model.value * found.n) == wrong
    assert found.difference.low <= found.difference.value <= found.difference.high


async def test_ones_own_label_is_no_second_look(ward: Ward) -> None:
    ward.policy(blind_first=True)
    ward.champion()
    item = await blind_first(ward, 260, "benign", "benign")
    assert measured(ward).second_looks == 0
    outcome(ward, item, "malignant", ANNA)
    assert measured(ward).second_looks == 0, "who answered cannot be the second look"
    outcome(ward, item, "malignant", BEN)
    assert (measured(ward).second_looks, measured(ward).seeds) == (1, 0)


async def test_one_person_gets_their_own_looks_alone(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    for case, who in ((260, ANNA), (261, BEN), (262, BEN)):
        made = await ward.decide(case, group={"sex": "f"} if who is BEN else {})
        assert made.prediction is not None
        ward.answer(str(made.task_id), OTHER[made.prediction["value"]], "correct", who)
    everybody = measured(ward)
    assert everybody.everybody is not None
    assert [(one.name, one.looks) for one in everybody.people] == [(ANNA.name, 1), (BEN.name, 2)]
    assert [(one.about, one.looks) for one in everybody.groups] == [("sex: f", 2)]
    alone = measured(ward, ANNA.id)
    assert (alone.everybody, [one.about for one in alone.people], alone.groups) == (None, [ANNA.id], ())


async def test_without_a_policy_there_is_nothing_to_measure(ward: Ward) -> None:
    with pytest.raises(WrongState):
        measured(ward)
