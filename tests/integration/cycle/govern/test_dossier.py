"""The dossier of one decision on both databases: what was written then, with proofs that a stranger can check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from handrail.cycle.govern import Dossier
from handrail.cycle.review.model import DecisionNotFound
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import FixedClock
from handrail.foundation.journal import checkpoint, merkle
from handrail.foundation.journal.entry import entry_bytes
from tests.integration.cycle.breast_mass import MACHINE, PERSON, cases
from tests.integration.cycle.review.ward import ANNA, BEN, CARA, UNSURE, Ward
from tests.integration.cycle.review.ward_client import client, ok, refused


def dossier(ward: Ward, decision_id: str) -> Dossier:
    return ward.govern.dossier(ward.scope, decision_id)


def check_proof(proof: dict[str, Any], verifier: str) -> bool:
    """Check an entry as a stranger would: from the proof and the public key alone."""
    entry_id, time, kind, actor_id, name, project_id, verb, objects = proof["entry"]
    commitment = bytes.fromhex(proof["commitment"])
    said = sha256(bytes.fromhex(proof["salt"]) + encode(proof["payload"]).encode()).digest()
    leaf = merkle.leaf_hash(
        entry_bytes(entry_id, time, (kind, actor_id, name), project_id, verb, encode(objects), commitment)
    )
    signed = checkpoint.read(proof["checkpoint"], verifier)
    path = [bytes.fromhex(step) for step in proof["path"]]
    placed = merkle.verify_inclusion(leaf, proof["index"], signed.size, path, signed.root)
    return said == commitment and placed and signed.size == proof["size"]


def verbs(found: Dossier) -> list[str]:
    return [str(one["entry"][6]) for one in found.entries]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


async def test_the_dossier_of_an_automatic_decision(ward: Ward) -> None:
    row = ward.automatic(audit_rate=1.0)
    made = await ward.decide(260)
    found = dossier(ward, made.id)
    assert found.decision["status"] == "auto"
    assert found.decision["by"] == f"policy:{made.policy_id}"
    assert found.decision["audit_probability"] == made.audit_probability
    assert found.reasons == made.reasons
    assert found.prediction == made.prediction
    assert found.item == {"id": made.item_id, "name": "case-0260", "fields": cases()[1][260][0]}
    assert found.model is not None
    assert (found.model["id"], found.model["digest"]) == (row.model_id, row.model_digest)
    assert found.policy["version"] == 1
    assert found.policy["document"]["audit_rate"] == 1.0
    assert found.certificate is not None
    assert (found.certificate["id"], found.certificate["threshold"]) == (row.id, row.threshold)
    assert verbs(found) == ["review.decided"]


async def test_a_reversed_decision_shows_who_checked_it_and_what_the_model_had_said(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    made = await ward.decide(260)
    (task,) = ward.open_tasks("audit")
    assert made.prediction is not None
    other = "benign" if made.prediction["value"] == "malignant" else "malignant"
    ward.answer(task.id, other, "label", BEN, "a spiculated edge")
    found = dossier(ward, made.id)
    assert (found.decision["status"], found.decision["value"], found.decision["by"]) == (
        "reversed",
        other,
        f"person:{BEN.id}",
    )
    assert found.prediction == made.prediction
    (work,) = found.work
    assert (work["kind"], work["blind"], work["answer"]["by"]["name"]) == ("audit", True, BEN.name)
    assert work["answer"]["reason"] == "a spiculated edge"
    assert verbs(found) == ["review.decided", "tasks.answered", "review.audited", "review.reversed"]


async def test_the_dossier_says_who_acted_on_a_decision_and_what_became_of_that(ward: Ward) -> None:
    ward.automatic()
    made = await ward.decide(260, action_hash="sha256:letter", irreversible=True, risk_class="letter", cost=4.0)
    assert dossier(ward, made.id).execution is None
    consume, back = ward.review.consuming.consume, ward.review.reversing
    receipt = ward.storage.write(
        lambda uow: consume(uow, MACHINE, ward.scope, made.id, caller="letter 1", action_hash="sha256:letter")
    )
    ward.storage.write(
        lambda uow: back.reverse(uow, CARA, ward.scope, made.id, reason="pathology", value=None, acknowledge_s=60.0)
    )
    found = dossier(ward, made.id)
    assert found.execution is not None
    reversal = found.execution["reversal"]
    assert (found.execution["caller"], found.execution["consumed_by"]) == ("letter 1", MACHINE.id)
    assert (found.execution["action_hash"], found.execution["consumed_at"]) == (
        "sha256:letter",
        receipt.consumed_at.isoformat(),
    )
    assert (reversal["reason"], reversal["reversed_by"], reversal["acknowledged_at"]) == ("pathology", CARA.id, None)
    told = found.decision
    assert (told["irreversible"], told["risk_class"], told["cost"], told["eyes"]) == (True, "letter", 4.0, 1)
    ward.storage.write(lambda uow: back.acknowledge(uow, MACHINE, ward.scope, made.id, "a second letter"))
    known = dossier(ward, made.id).execution
    assert known is not None
    assert known["reversal"]["note"] == "a second letter"
    assert known["reversal"]["acknowledged_by"] == MACHINE.id


async def test_the_dossier_of_a_reviewed_decision_tells_every_answer(ward: Ward, clock: FixedClock) -> None:
    ward.automatic()
    made = await ward.decide(UNSURE[0])
    ward.answer(str(made.task_id), None, "escalate", ANNA, "not sure")
    clock.advance(seconds=300)
    ward.answer(str(ward.decision(made.id).task_id), "benign", "label", BEN, "a cyst")
    found = dossier(ward, made.id)
    assert (found.decision["status"], found.decision["value"], found.decision["by"]) == (
        "decided",
        "benign",
        f"person:{BEN.id}",
    )
    assert found.certificate is None, "no certificate stood behind a person's decision"
    assert [(one["answer"]["verb"], one["answer"]["by"]["name"], one["answer"]["reason"]) for one in found.work] == [
        ("escalate", ANNA.name, "not sure"),
        ("label", BEN.name, "a cyst"),
    ]
    assert verbs(found) == [
        "review.decided",
        "tasks.answered",
        "review.verdict_given",
        "tasks.answered",
        "review.verdict_given",
    ]


async def test_the_dossier_of_an_expired_decision_names_the_deadline_and_no_person(
    ward: Ward, clock: FixedClock
) -> None:
    ward.policy()
    made = await ward.decide(260, deadline_s=60.0, on_deadline="deny")
    clock.advance(seconds=61)
    ward.expire()
    found = dossier(ward, made.id)
    assert (found.decision["status"], found.decision["value"]) == ("expired", None)
    assert found.decision["by"] == f"deadline:{made.task_id}"
    assert (found.model, found.certificate) == (None, None)
    assert [(one["status"], one["answer"]) for one in found.work] == [("expired", None)]
    assert verbs(found) == ["review.decided", "tasks.expired", "review.deadline_passed"]
    actors = {one["entry"][2] for one in found.entries}
    assert actors == {"machine", "rule"}


async def test_every_entry_can_be_proved_by_a_stranger_and_a_changed_one_cannot(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    made = await ward.decide(260)
    ward.answer(ward.open_tasks("audit")[0].id, "benign", "label")
    for case in range(261, 273):
        await ward.decide(case)
    found = dossier(ward, made.id)
    verifier = ward.prover.signer.verifier
    assert len(found.entries) >= 3
    for one in found.entries:
        sent = json.loads(json.dumps(one))
        assert check_proof(sent, verifier), one["entry"]
        assert not check_proof({**sent, "payload": {**sent["payload"], "value": "other"}}, verifier)
        assert not check_proof({**sent, "entry": [*sent["entry"][:3], "somebody", *sent["entry"][4:]]}, verifier)
        assert not check_proof({**sent, "index": sent["index"] + 1}, verifier)
    with pytest.raises(checkpoint.CheckpointInvalid):
        check_proof(
            {**found.entries[0], "checkpoint": found.entries[0]["checkpoint"].replace("\n", "1\n", 2)}, verifier
        )


async def test_what_was_told_then_is_told_after_everything_has_changed(ward: Ward) -> None:
    row = ward.automatic()
    made = await ward.decide(260)
    before = dossier(ward, made.id)
    ward.policy(alpha=0.01, audit_rate=0.9)
    ward.promote(ward.model(1))
    after = dossier(ward, made.id)
    assert (after.reasons, after.prediction, after.policy, after.model, after.decision) == (
        before.reasons,
        before.prediction,
        before.policy,
        before.model,
        before.decision,
    )
    assert after.certificate is not None
    assert (after.certificate["id"], after.certificate["status"]) == (row.id, "ended")
    assert after.certificate["ended_why"] == "another model was promoted"


async def test_a_dossier_shows_one_item_and_nobody_elses(ward: Ward) -> None:
    ward.automatic(audit_rate=1.0)
    made = [await ward.decide(case, subject=f"patient-{case}") for case in range(260, 266)]
    found = dossier(ward, made[2].id)
    told = set(texts(found.to_dict()))
    assert made[2].item_id in told
    others = {one.item_id for one in made} | {one.id for one in made} | set(ward.labels())
    assert told.isdisjoint(others - {made[2].item_id, made[2].id})
    assert not any("patient-" in one and "patient-262" not in one for one in told)
    assert not any(one.startswith("case-") and one != "case-0262" for one in told)


async def test_the_same_item_decided_twice_has_two_dossiers(ward: Ward) -> None:
    ward.policy()
    first, second = await ward.decide(260, "one"), await ward.decide(260, "two")
    ward.answer(str(first.task_id), "benign", "label")
    assert len(dossier(ward, second.id).work) == 1
    assert dossier(ward, second.id).work[0]["answer"] is None
    assert verbs(dossier(ward, second.id)) == ["review.decided"]


async def test_an_unknown_decision_and_one_of_another_project(ward: Ward) -> None:
    ward.policy()
    made = await ward.decide(260)
    schema = ward.storage.read(lambda uow: ward.clinic.datasets.schema(uow, ward.scope))
    other = ward.storage.write(lambda uow: ward.clinic.datasets.create_project(uow, PERSON, "other", schema))
    for scope, decision_id in (
        (ward.scope, "00000000-0000-7000-8000-000000000000"),
        (ward.scope, "x" * 5000),
        (ward.scope, ""),
        (Scope(other.id), made.id),
    ):
        with pytest.raises(DecisionNotFound):
            ward.govern.dossier(scope, decision_id)


async def test_the_route_gives_the_same_to_who_may_see_it(ward: Ward) -> None:
    ward.policy()
    made = await ward.decide(260)
    async with client(ward) as owner, client(ward, "reader") as reader:
        told = ok(await reader.get(f"/decisions/{made.id}/dossier"))
        assert told["decision"]["id"] == made.id
        assert all(check_proof(one, ward.prover.signer.verifier) for one in told["entries"])
        refused(await owner.get("/decisions/none/dossier"), 404, "review.decision_not_found")
