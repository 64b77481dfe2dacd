"""From a decision back to people and forward again, and recalls of a person's week; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handrail.cycle.datasets import NewLabel
from handrail.cycle.datasets.provenance import NothingToRecall, Span, SpanInvalid
from handrail.cycle.govern.lineage import Lineage
from handrail.cycle.govern.recalling import Recalling
from handrail.cycle.tasks import Answered
from handrail.foundation.actors import Actor
from tests.integration.cycle.breast_mass import PERSON, QUESTION
from tests.integration.cycle.review.ward import ANNA, BEN, CARA, Ward


@pytest.fixture
def recalling(ward: Ward) -> Recalling:
    lineage = Lineage(ward.clinic.datasets, ward.clinic.train, ward.review)
    return Recalling(ward.storage, ward.clinic.datasets, ward.tasks, ward.annotate, lineage)


def _actor(one: Actor) -> str:
    return f"{one.kind}:{one.id}"


def _label(ward: Ward, who: Actor, item_id: str, value: str, purpose: str = "train") -> None:
    new = NewLabel(item_id, QUESTION, value, "review", purpose)  # type: ignore[arg-type]
    ward.storage.write(lambda uow: ward.clinic.datasets.put_label(uow, who, ward.scope, new))


def _values(ward: Ward, ids: list[str]) -> list[object]:
    def read(uow):  # type: ignore[no-untyped-def]
        found = [ward.clinic.datasets.label(uow, ward.scope, one, QUESTION) for one in ids]
        return [None if one is None else one.value for one in found]

    return ward.storage.read(read)


async def test_a_decision_leads_to_people_and_people_to_decisions(ward: Ward, recalling: Recalling) -> None:
    ward.automatic()
    made = await ward.decide(260)
    assert made.model_id is not None
    lineage = recalling.lineage
    found = ward.storage.read(lambda uow: lineage.of_decision(uow, ward.scope, made.id))
    assert found.model is not None
    assert found.commit is not None
    assert (found.model.id, found.commit.id) == (made.model_id, found.model.commit_id)
    (given,) = found.given
    assert (given.actor, given.question, given.purpose, given.labels) == (_actor(PERSON), QUESTION, "train", 60)
    forward = ward.storage.read(lambda uow: lineage.of_span(uow, ward.scope, Span(_actor(PERSON))))
    (reached,) = forward.models
    assert (reached.model.id, reached.labels, reached.decisions["auto"]) == (made.model_id, 60, 1)
    assert (forward.elsewhere, forward.end_commit) == ((), None)
    nobody = ward.storage.read(lambda uow: lineage.of_span(uow, ward.scope, Span("person:p-nobody")))
    assert (nobody.models, nobody.first_commit) == ((), None)


def test_a_recall_brings_back_what_was_before_and_tells_what_rested_on_it(ward: Ward, recalling: Recalling) -> None:
    datasets = ward.clinic.datasets
    ids = ward.clinic.bring(0, 4)
    _label(ward, BEN, ids[0], "benign")
    _label(ward, ANNA, ids[3], "benign")
    first = ward.clinic.commit()
    begin = ward.clock.now()
    ward.clock.advance(seconds=3600)
    _label(ward, ANNA, ids[0], "malignant")
    _label(ward, ANNA, ids[1], "malignant")
    _label(ward, ANNA, ids[2], "malignant")
    _label(ward, BEN, ids[2], "benign")
    second = ward.clinic.commit()
    span = Span(_actor(ANNA), begin + timedelta(seconds=1), ward.clock.now() + timedelta(days=7))
    effect = recalling.preview(PERSON, ward.scope, span, "tired that week")
    assert (effect.recall.labels, effect.recall.restored, effect.recall.emptied) == (3, 1, 1)
    assert _values(ward, ids) == ["malignant", "malignant", "benign", "benign"]
    done = recalling.recall(PERSON, ward.scope, span, "tired that week")
    assert (done.recall.labels, done.recall.restored, done.recall.emptied) == (3, 1, 1)
    assert _values(ward, ids) == ["benign", None, "benign", "benign"]
    counts = ward.storage.read(lambda uow: datasets.counts(uow, ward.scope))
    assert counts.labels[QUESTION] == 3
    waiting = ward.storage.read(lambda uow: datasets.unlabelled_ids(uow, ward.scope, question=QUESTION))
    assert ids[1] in waiting
    # The next version tells it, and all of them still verify.
    third = ward.clinic.commit()
    changes = {one.item_id: one for one in datasets.diff(ward.scope, second, third)}
    assert (changes[ids[0]].new, changes[ids[0]].actor) == ("benign", _actor(BEN))
    gone = changes[ids[1]]
    assert (gone.old, gone.new, gone.actor, gone.reason) == ("malignant", None, _actor(PERSON), "tired that week")
    assert len(changes) == 2
    for one in (first, second, third):
        datasets.verify(ward.scope, one)
    # Versions made before keep what they held, and say whose it was.
    held = ward.storage.read(lambda uow: recalling.lineage.of_version(uow, ward.scope, second)).given
    assert {one.actor: one.labels for one in held} == {_actor(ANNA): 3, _actor(BEN): 1}
    now = ward.storage.read(lambda uow: recalling.lineage.of_version(uow, ward.scope, third)).given
    assert {one.actor: one.labels for one in now} == {_actor(ANNA): 1, _actor(BEN): 2}
    reached = ward.storage.read(lambda uow: recalling.lineage.of_span(uow, ward.scope, span))
    assert (reached.first_commit, reached.end_commit) == (2, 3)
    # Nothing is recalled twice, and what others say afterwards is the label again.
    with pytest.raises(NothingToRecall):
        recalling.recall(PERSON, ward.scope, span, "again")
    _label(ward, BEN, ids[1], "benign")
    ward.clinic.commit()
    datasets.verify(ward.scope, "main")
    (kept,) = ward.storage.read(lambda uow: datasets.recalls.all(uow, ward.scope))
    assert kept == done.recall


def test_others_look_again_and_the_person_does_not(ward: Ward, recalling: Recalling) -> None:
    (item,) = ward.clinic.bring(0, 1)
    _label(ward, ANNA, item, "malignant")
    done = recalling.recall(PERSON, ward.scope, Span(_actor(ANNA)), "not trained yet")
    (campaign_id,) = done.campaigns
    assert ward.storage.write(lambda uow: ward.tasks.claim(uow, ANNA, ward.scope)) == []
    (task,) = ward.storage.write(lambda uow: ward.tasks.claim(uow, CARA, ward.scope))
    assert (task.campaign_id, task.item_id, task.blind) == (campaign_id, item, True)
    given = Answered("benign", "label")
    ward.storage.write(lambda uow: ward.tasks.answer(uow, CARA, ward.scope, task.id, given))
    assert _values(ward, [item]) == ["benign"]
    campaign = ward.storage.read(lambda uow: ward.annotate.campaign(uow, ward.scope, campaign_id))
    assert campaign.state == "done"


def test_a_span_that_cannot_be_understood_is_refused(ward: Ward) -> None:
    now = ward.clock.now()
    for wrong in (
        lambda: Span("anna"),
        lambda: Span("king:anna"),
        lambda: Span("person:anna", now, now),
        lambda: Span("person:anna", now.replace(tzinfo=None)),
    ):
        with pytest.raises(SpanInvalid):
            wrong()
