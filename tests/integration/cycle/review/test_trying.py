"""Trying a policy on recorded decisions: it counts what would have been, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handrail.cycle.review.model import Given
from handrail.cycle.review.policy import Policy, PolicyInvalid, PolicyLooser
from handrail.cycle.review.trying import Trial
from tests.integration.cycle.breast_mass import QUESTION
from tests.integration.cycle.review.test_brake import audits, check, stream
from tests.integration.cycle.review.ward import ANNA, OTHER, PERSON, UNSURE, Ward
from tests.integration.cycle.review.ward_client import client, ok, refused

LARGE = {"name": "large", "when": "item['mean area'] > 800.0", "then": "human"}
HUGE = {"name": "huge", "when": "item['mean area'] > 1500.0", "then": "block"}


def tried(ward: Ward, since: Any = None, limit: int = 10_000, **document: Any) -> Trial:
    policy = Policy.from_dict({"question": QUESTION, "audit_rate": 0.3, **document})
    return ward.review.try_policy(ward.scope, policy, since=since, limit=limit)


async def test_the_policy_in_force_replays_as_it_was(ward: Ward) -> None:
    ward.automatic(audit_rate=0.3, rules=())
    made = await stream(ward, 200)
    trial = tried(ward)
    assert trial.in_force is not None
    went = {way: sum(one.route == way for one in made) for way in ("auto", "human")}
    assert trial.window.recorded == went
    for replayed in (trial.candidate, trial.in_force):
        assert (replayed.total.automatic, replayed.total.people) == (went["auto"], went["human"])
        assert set(replayed.moves) == {("auto", "auto"), ("human", "human")}
        assert replayed.total.audits == pytest.approx(sum(one.audit_probability for one in made if one.route == "auto"))
    assert (trial.compared.looser, trial.compared.tighter) == ((), ())


async def test_rules_send_recorded_items_elsewhere_and_nothing_is_changed(ward: Ward) -> None:
    ward.automatic(audit_rate=0.3)
    made = await stream(ward, 200)
    before = (ward.oversight(), ward.decisions(), len(ward.open_tasks()))
    trial = tried(ward, rules=[HUGE, LARGE], audit_rate=0.6)
    area = [ward.request(260 + place).data["mean area"] for place in range(200)]
    huge, large = sum(one > 1500 for one in area), sum(800 < one <= 1500 for one in area)
    assert min(huge, large) > 0
    assert dict(trial.candidate.total.rules) == {"huge": huge, "large": large}
    assert trial.candidate.total.blocked == huge
    assert trial.candidate.total.automatic == sum(
        one.route == "auto" and size <= 800 for one, size in zip(made, area, strict=True)
    )
    assert any("audit_rate" in one for one in trial.compared.tighter)
    assert any("automatic share goes" in one for one in trial.compared.tighter)
    assert any("keeps it" in one for one in trial.unknown)
    assert (ward.oversight(), ward.decisions(), len(ward.open_tasks())) == before


async def test_a_rule_taken_away_is_judged_by_the_verdicts_on_what_it_caught(ward: Ward) -> None:
    ward.automatic(audit_rate=0.3, rules=tuple(Policy.from_dict({"question": QUESTION, "rules": [LARGE]}).rules))
    made = await stream(ward, 200)
    large = {one.id for one in made if "rule large" in one.reasons[0]}
    waiting = [task for task in ward.open_tasks("review") if task.decision_id in large]
    assert len(waiting) > 10
    for number, task in enumerate(waiting[-10:]):  # those on which the model is surest
        said = ward.decision(str(task.decision_id)).prediction
        assert said is not None
        ward.answer(task.id, OTHER[said["value"]] if number < 2 else said["value"], "label")
    trial = tried(ward)
    errors, caught = trial.candidate.errors, sum("rule large" in one.reasons[0] for one in made)
    assert errors.share is None
    assert "no audit" in errors.unknown
    for task in audits(ward):
        check(ward, task, wrong=False)
    trial = tried(ward)
    errors = trial.candidate.errors
    assert errors.share is not None
    assert errors.verdicts + errors.open >= caught - len(UNSURE)
    assert errors.verdicts <= 10
    assert errors.share.low <= errors.share.value <= errors.share.high
    assert errors.share.value > 0
    assert any("rule large: is gone" in one for one in trial.compared.looser)
    assert any("automatic share goes" in one for one in trial.compared.looser)


async def test_a_wrong_audit_counts_with_its_logged_probability(ward: Ward) -> None:
    ward.automatic(audit_rate=0.3)
    await stream(ward, 60)
    drawn = audits(ward)
    check(ward, drawn[0], wrong=True)
    for task in drawn[1:]:
        check(ward, task, wrong=False)
    errors = tried(ward).candidate.errors
    estimate = ward.storage.read(lambda uow: ward.review.audit_estimate(uow, ward.scope))
    assert estimate is not None
    assert errors.share is not None
    assert (errors.audits, errors.open) == (len(drawn), 0)
    assert (errors.share.value, errors.share.n) == (pytest.approx(estimate.value), estimate.n)


async def test_a_callers_own_prediction_and_a_stop_stay_with_people(ward: Ward) -> None:
    ward.automatic()
    await ward.decide(260, prediction=Given("benign", 1.0))
    ward.storage.write(lambda uow: ward.review.stop(uow, ANNA, ward.scope, "strange"))
    await ward.decide(261)
    trial = tried(ward)
    assert (trial.candidate.total.automatic, trial.candidate.total.people) == (0, 2)
    assert (
        tried(ward, rules=[{"name": "r", "when": "state == 'stopped'", "then": "block"}]).candidate.total.blocked == 1
    )


async def test_before_a_certificate_nothing_could_have_been_automatic(ward: Ward) -> None:
    ward.policy()
    ward.champion()
    await ward.decide(260)
    trial = tried(ward)
    assert trial.candidate.total.people == 1
    assert "No certificate has been issued" in trial.unknown[0]


async def test_the_window_bounds_what_is_read(ward: Ward) -> None:
    ward.automatic()
    await stream(ward, 20)
    trial = tried(ward, limit=7)
    assert (trial.window.decisions, trial.window.more, trial.candidate.total.decisions) == (7, True, 7)
    assert not tried(ward, limit=20).window.more
    assert tried(ward, since=ward.clock.now() + timedelta(days=1)).window.decisions == 0


async def test_pages_and_projects_are_kept_apart(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.automatic()
    await stream(ward, 30)
    whole = tried(ward)
    monkeypatch.setattr("handrail.cycle.review.trying._PAGE", 7)
    assert tried(ward) == whole
    other = replace(ward.scope, project_id="0197f000-0000-7000-8000-000000000000")
    trial = ward.review._trying.run(other, Policy(question=QUESTION), None, since=None, limit=100)
    assert trial.window.decisions == 0


async def test_a_policy_that_does_not_fit_is_refused(ward: Ward) -> None:
    ward.policy()
    with pytest.raises(PolicyInvalid):
        tried(ward, rules=[{"name": "a", "when": "secret == 1", "then": "human"}])


# Activating


def test_a_looser_policy_is_acknowledged_and_the_journal_lists_what_it_lowers(ward: Ward) -> None:
    ward.policy()
    with pytest.raises(PolicyLooser) as caught:
        ward.policy(alpha=0.1)
    assert caught.value.facts["looser"] == ["alpha: the highest error that a certificate allows goes from 0.05 to 0.1"]
    assert ward.oversight().policy_version == 1
    ward.review.activate_policy(PERSON, ward.scope, Policy(question=QUESTION, alpha=0.1), loosens=True)
    ward.policy(alpha=0.02, audit_rate=0.2)
    assert [one["loosens"] for one in ward.entries("review.policy_activated")] == [
        [],
        list(caught.value.facts["looser"]),
        [],
    ]


async def test_the_doors(ward: Ward) -> None:
    ward.automatic(rules=tuple(Policy.from_dict({"question": QUESTION, "rules": [LARGE]}).rules))
    await stream(ward, 40)
    body = {"policy": {"question": QUESTION}, "look_cost": 2.0, "error_cost": 100.0}
    async with client(ward) as service, client(ward, "reader") as reader:
        assert (await reader.post("/policy/dry-run", json=body)).status_code == 403
        told = ok(await service.post("/policy/dry-run", json=body))
        assert told["decisions"] == 40
        assert told["policy"]["total"]["automatic"] > told["in_force"]["total"]["automatic"] > 0
        assert told["policy"]["cost"]["look_cost"] == pytest.approx(2 * told["policy"]["total"]["tasks"])
        assert told["policy"]["cost"]["error_cost"] is None
        assert told["policy"]["errors"]["share"] is None
        assert told["look_seconds"] is None
        refused(await service.put("/policy", json=body["policy"]), 409, "review.policy_looser")
        assert ok(await service.put("/policy", params={"loosens": "true"}, json=body["policy"]))["version"] == 2
        for bad in ({"limit": 0}, {"limit": 100_001}, {"since": "2026-01-01T10:00:00"}, {"look_cost": -1}, {"x": 1}):
            assert (await service.post("/policy/dry-run", json={**body, **bad})).status_code == 422
