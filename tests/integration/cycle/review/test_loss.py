"""A policy with a loss on both databases: certified by bets, audited with partial losses, braked, made again, ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handrail.cycle.review import brake, planning_losses, store
from handrail.cycle.review.brake import BrakeState
from handrail.cycle.review.certificates import CertificateInvalid, Grounds
from handrail.cycle.review.certificates.row import CertificateRow
from handrail.cycle.review.loss import CostTable, digest_of, document_of
from handrail.cycle.review.model import AuditRow, Decision
from handrail.cycle.review.policy import PolicyInvalid, PolicyLooser
from handrail.cycle.tasks import Task
from tests.integration.cycle.breast_mass import PERSON
from tests.integration.cycle.review.ward import ANNA, BEN, CARA, OTHER, Ward

MISSED, FALSE_ALARM = 1.0, 0.25
COSTS = CostTable({"malignant": {"benign": MISSED}, "benign": {"malignant": FALSE_ALARM}})
COST_OF_SAYING = {"benign": MISSED, "malignant": FALSE_ALARM}
"""What it costs that the model said this where the other answer is right."""


def automatic(ward: Ward, **more: Any) -> CertificateRow:
    ward.policy(loss=COSTS, **more)
    ward.champion()
    found = ward.certified(labels=80)
    assert found.status == "certified", found.document
    return found


def certificate(ward: Ward, certificate_id: str) -> CertificateRow:
    found = ward.storage.read(lambda uow: store.get_certificate(uow, ward.scope, certificate_id))
    assert found is not None
    return found[0]


async def stream(ward: Ward, count: int) -> list[Decision]:
    return list(await asyncio.gather(*(ward.decide(260 + place % 200, f"{place}") for place in range(count))))


def audits(ward: Ward) -> list[Task]:
    return sorted(ward.open_tasks("audit"), key=lambda task: str(task.decision_id))


def said_by_model(ward: Ward, task: Task) -> str:
    one = ward.decision(str(task.decision_id))
    assert one.prediction is not None
    return str(one.prediction["value"])


def audit(ward: Ward, decision_id: str) -> AuditRow:
    found = ward.storage.read(lambda uow: store.get_audit(uow, ward.scope, decision_id))
    assert found is not None
    return found


async def test_a_mean_loss_is_certified_and_the_certificate_names_it(ward: Ward) -> None:
    row = automatic(ward)
    said = row.document
    assert (said["mode"], said["loss"], said["loss_digest"]) == ("betting", document_of(COSTS), digest_of(COSTS))
    assert (said["labels"], said["upper"], said["region"], said["needed"]) == (80, None, None, 0)
    items = ward.storage.read(lambda uow: store.drawn_items(uow, ward.scope, row.id))
    assert {one.probability for one in items} == {80 / 140}
    lost = [COSTS.of(one.predicted, one.value) for one in items]
    assert said["mean_loss"] == pytest.approx(sum(lost) / 80)
    assert said["errors"] == sum(one > 0 for one in lost)
    (planned,) = ward.entries("review.certificate_planned")
    assert (planned["mode"], planned["loss"], planned["loss_digest"]) == ("betting", said["loss"], said["loss_digest"])
    assert planned["design_hash"] == said["design_hash"]
    made = await ward.decide(260)
    assert (made.route, made.certificate_id) == ("auto", row.id)
    terms = ward.govern.dossier(ward.scope, made.id).certificate
    assert terms is not None
    assert (terms["mode"], terms["loss"], terms["loss_digest"]) == ("betting", said["loss"], said["loss_digest"])


async def test_it_is_made_again_from_the_journal_bit_for_bit(ward: Ward) -> None:
    row = automatic(ward)
    (planned,) = ward.entries("review.certificate_planned")
    (issued,) = ward.entries("review.certificate_issued")
    grounds = Grounds.from_bytes(ward.clinic.blobs.get(planned["grounds"]))
    items = ward.storage.read(lambda uow: store.drawn_items(uow, ward.scope, row.id))
    again = planning_losses.answered({**planned, "region": None}, grounds, items)
    assert {name: issued["document"][name] for name in again} == again
    assert set(grounds.training_errors) <= {0.0, FALSE_ALARM, MISSED}
    redesigned = planning_losses.planned(COSTS, 80, row.alpha, row.delta, grounds, row.document["seed"])
    assert redesigned["design"] == planned["design"]


def test_labels_that_cost_too_much_are_refused_with_what_is_needed(ward: Ward) -> None:
    ward.policy(loss=COSTS)
    ward.champion()
    ward.clinic.bring(120, 140)
    few = ward.review.plan_certificate(PERSON, ward.scope, labels=10, alpha=0.1)
    assert (few.status, few.labels_drawn) == ("refused", 0)
    least = few.document["needed"] + 10
    planned = ward.review.plan_certificate(PERSON, ward.scope, labels=80, alpha=0.1)
    assert planned.document["design"]["least"] == least
    ward.label_drawn(wrong=60)
    refused = ward.review.complete_certificate(PERSON, ward.scope, planned.id)
    assert (refused.status, refused.threshold, ward.state()) == ("refused", None, "shadow")
    needed = refused.document["needed"]
    assert needed is None or needed >= least
    assert refused.document["needed_fresh"]
    with pytest.raises(CertificateInvalid, match="not for a share to automate"):
        ward.review.plan_certificate(PERSON, ward.scope, automate=0.5)


async def test_an_audit_counts_what_the_mistake_costs(ward: Ward) -> None:
    row = automatic(ward, audit_rate=1.0)
    await stream(ward, 30)
    tasks = audits(ward)
    wrong = [next(task for task in tasks if said_by_model(ward, task) == said) for said in ("benign", "malignant")]
    for task in tasks:
        said = said_by_model(ward, task)
        ward.answer(task.id, OTHER[said] if task in wrong else said, "label")
    lost = {one["decision"]: (one["wrong"], one["loss"]) for one in ward.entries("review.audited")}
    for task in wrong:
        cost = COST_OF_SAYING[said_by_model(ward, task)]
        assert lost[task.decision_id] == (True, cost)
        assert audit(ward, str(task.decision_id)).wrong == cost
        assert ward.decision(str(task.decision_id)).status == "reversed"
    assert sum(x for _, x in lost.values()) == MISSED + FALSE_ALARM
    kept = [audit(ward, one) for one in sorted(lost)]
    begun = brake.start(alpha=row.alpha, delta=0.05, lifetime=4000, reviewer_error=0.0)
    assert (
        brake.replay(begun, [(one.wrong or 0.0, one.draw) for one in kept]).to_dict() == certificate(ward, row.id).brake
    )
    found = ward.storage.read(lambda uow: ward.review.audit_estimate(uow, ward.scope))
    assert found is not None
    assert (found.n, found.method) == (len(kept), "betting")
    weights = [1 / one.draw.probability for one in kept]
    mean = sum((one.wrong or 0.0) * weight for one, weight in zip(kept, weights, strict=True)) / sum(weights)
    assert found.value == pytest.approx(mean)
    assert found.low <= mean <= found.high


async def test_a_second_person_confirms_a_loss_before_it_counts(ward: Ward) -> None:
    row = automatic(ward, audit_rate=1.0, second_opinion=True)
    made = await ward.decide(260)
    (task,) = audits(ward)
    said = said_by_model(ward, task)
    ward.answer(task.id, OTHER[said], "label", ANNA)
    assert audit(ward, made.id).wrong is None
    ward.answer(audits(ward)[0].id, said, "label", BEN)
    assert ward.entries("review.audited") == []
    ward.answer(audits(ward)[0].id, OTHER[said], "label", CARA)
    (told,) = ward.entries("review.audited")
    assert (told["wrong"], told["loss"]) == (True, COST_OF_SAYING[said])
    state = BrakeState.from_dict(certificate(ward, row.id).brake or {})
    assert (state.audits, state.wrong) == (1, 1)


async def test_dear_mistakes_brake_and_cheap_ones_of_the_same_number_do_not(ward: Ward) -> None:
    row = automatic(ward, audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 150)
    tasks = audits(ward)
    cheap = [task for task in tasks if said_by_model(ward, task) == "malignant"]
    dear = [task for task in tasks if said_by_model(ward, task) == "benign"]
    state = BrakeState.from_dict(row.brake or {})
    draws = [audit(ward, str(task.decision_id)).draw for task in cheap[:20]]
    whole = brake.replay(state, [(1.0, draw) for draw in draws])
    for task in cheap[:20]:
        ward.answer(task.id, OTHER["malignant"], "label")
    now = BrakeState.from_dict(certificate(ward, row.id).brake or {})
    assert whole.braked, "counted as whole errors they would have braked"
    assert not now.braked
    for task in dear:
        if ward.state() == "braked":
            break
        ward.answer(task.id, OTHER["benign"], "label")
    assert ward.state() == "braked"
    assert certificate(ward, row.id).status == "ended"
    assert (await ward.decide(400, "after")).route == "human"


async def test_another_loss_ends_the_certificate_and_a_plan(ward: Ward) -> None:
    row = automatic(ward)
    dearer = CostTable({"malignant": {"benign": MISSED}, "benign": {"malignant": 0.5}})
    ward.policy(loss=COSTS, audit_rate=0.2)
    assert (ward.state(), certificate(ward, row.id).status) == ("auto", "certified"), "the rest may change"
    ward.clinic.bring(460, 90)
    open_plan = ward.review.plan_certificate(PERSON, ward.scope, labels=40, alpha=0.1)
    ward.policy(loss=dearer, audit_rate=0.2)
    ended = certificate(ward, row.id)
    assert (ward.state(), ended.status) == ("shadow", "ended")
    assert ended.ended_why == "the policy counts errors by another loss"
    assert certificate(ward, open_plan.id).status == "ended"
    assert (await ward.decide(261)).route == "human"
    found = ward.storage.read(lambda uow: ward.review.audit_estimate(uow, ward.scope))
    assert found is None, "no audit speaks about this loss"


async def test_a_cost_that_falls_must_be_meant_and_dropping_the_loss_ends_it_too(ward: Ward) -> None:
    row = automatic(ward)
    cheaper = CostTable({"malignant": {"benign": MISSED}, "benign": {"malignant": 0.1}})
    with pytest.raises(PolicyLooser, match=r"costs less, 0\.1 and not 0\.25"):
        ward.policy(loss=cheaper)
    assert certificate(ward, row.id).status == "certified"
    ward.policy()
    assert certificate(ward, row.id).status == "ended"
    with pytest.raises(PolicyLooser):
        ward.policy(loss=COSTS)
    with pytest.raises(PolicyInvalid, match="no answer 'unheard of'"):
        ward.policy(loss=CostTable({"malignant": {"unheard of": 0.5}}), loosens=True)


async def test_a_stop_and_a_brake_outlive_a_change_of_the_loss(ward: Ward) -> None:
    row = automatic(ward, audit_rate=1.0, brake_lifetime=100)
    await stream(ward, 60)
    for task in audits(ward):
        if ward.state() == "braked":
            break
        ward.answer(task.id, OTHER[said_by_model(ward, task)], "label")
    assert ward.state() == "braked"
    ward.policy(audit_rate=1.0, brake_lifetime=100)
    assert ward.state() == "braked"
    assert ward.oversight().control.certificate_id == row.id


async def test_a_trial_shows_the_mean_loss_where_people_answered(ward: Ward) -> None:
    automatic(ward, audit_rate=1.0)
    await stream(ward, 40)
    tasks = audits(ward)
    wrong = next(task for task in tasks if said_by_model(ward, task) == "malignant")
    for task in tasks:
        said = said_by_model(ward, task)
        ward.answer(task.id, OTHER[said] if task is wrong else said, "label")
    policy = ward.oversight().policy
    tried = ward.review.try_policy(ward.scope, policy)
    errors = tried.candidate.errors
    assert errors.share is not None
    assert errors.mean_loss is not None
    assert errors.mean_loss.value == pytest.approx(FALSE_ALARM * errors.share.value)
    assert errors.mean_loss.low <= errors.mean_loss.value <= errors.mean_loss.high
    plain = ward.review.try_policy(ward.scope, type(policy)(question=policy.question))
    assert plain.candidate.errors.mean_loss is None
    assert plain.in_force is not None
    assert plain.in_force.errors.mean_loss == errors.mean_loss
    assert any("under another loss" in one for one in plain.unknown)
