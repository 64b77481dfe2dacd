"""Nobody sees the model's answer of a blind-first task before their own answer is stored, on whatever route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handrail.app import running
from handrail.foundation.settings import Settings
from tests.attack.cycle.review.onlookers import ANSWER, ROLES, Onlookers, tells

EVERYBODY = tuple(ROLES)


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Onlookers]:
    with running(Settings(home=tmp_path / "home", demo=True)) as system:
        made = Onlookers(system)
        await made.open()
        yield made


async def test_no_route_tells_the_answer_before_ones_own(ward: Onlookers) -> None:
    ids = await ward.decide()
    task = f"{ward.place}/tasks/{ids['task_id']}"
    for who in EVERYBODY:
        assert await ward.seen_by(who, ids) == [], who
    async with ward.client("anna") as anna:
        for path, body in ((f"{ward.place}/tasks/claim", {"n": 1}), (f"{task}/claim", None), (f"{task}/renew", None)):
            got = (await anna.post(path, json=body)).raise_for_status()
            assert not tells(got), path
            held = got.json()["items"][0] if "items" in got.json() else got.json()
            assert (held["first_needed"], held["prediction"], held["payload"]) == (True, None, {})
        first = (await anna.post(f"{task}/first", json={"value": "horse"})).raise_for_status()
        assert tells(first), "now it is shown"
        assert (first.json()["first_needed"], first.json()["own_answer"]) == (False, "horse")
        assert first.json()["prediction"]["value"] == ANSWER
        assert "GET " + "/api/v1/projects/{project}/decisions/{decision_id}" in await ward.seen_by("anna", ids)
    for who in ("ben", "cara", "dora"):
        assert await ward.seen_by(who, ids) == [], f"{who} has said nothing yet"


async def test_who_takes_over_says_their_own_first(ward: Onlookers) -> None:
    ids = await ward.decide()
    task = f"{ward.place}/tasks/{ids['task_id']}"
    async with ward.client("anna") as anna, ward.client("cara") as cara:
        (await anna.post(f"{task}/first", json={"value": "horse"})).raise_for_status()
        (await anna.post(f"{task}/release")).raise_for_status()
        taken = (await cara.post(f"{task}/claim")).raise_for_status()
        assert not tells(taken)
        assert taken.json()["own_answer"] is None
        refused = await cara.post(f"{task}/answer", json={"verb": "label", "value": "horse"})
        assert (refused.status_code, refused.json()["code"]) == (409, "tasks.first_answer_needed")


async def test_a_refusal_does_not_tell_what_the_model_said(ward: Onlookers) -> None:
    """Or guesses at `approve` would find it out."""
    ids = await ward.decide()
    task = f"{ward.place}/tasks/{ids['task_id']}"
    async with ward.client("anna") as anna:
        refusals = {
            (answer.status_code, answer.text.replace(answer.json().get("instance", "-"), ""))
            for guess in (ANSWER, "horse", None)
            for verb in ("approve", "correct", "override", "label", "reject")
            for answer in [await anna.post(f"{task}/answer", json={"verb": verb, "value": guess})]
            if verb != "reject" or guess is None
        }
    assert {status for status, _ in refusals} == {409}
    assert len(refusals) == 1, refusals


async def test_a_reviewer_learns_nothing_of_decisions_that_others_check(ward: Onlookers) -> None:
    """Neither the model's answer nor which task is about a decision, whether or not anybody checks it."""
    ids = await ward.decide(1)
    ward.system.journal.integrate(ward.system.storage)
    async with ward.client("ben") as ben, ward.client("owner") as owner:
        assert (await ben.get(f"{ward.place}/decisions")).json()["items"] == []
        one = (await ben.get(f"{ward.place}/decisions/{ids['decision_id']}")).json()
        assert one["sealed"]
        names = ("value", "score", "prediction", "certificate_id", "audit_probability", "task_id")
        assert {one[name] for name in names} == {None}
        for path in ("labels", "diff"):
            answer = await ben.get(f"{ward.place}/{path}", params={"question": "finding", "b": "main"})
            assert answer.status_code == 403, path
        events = (await ben.get(f"{ward.place}/loop")).json()["events"]
        assert events
        assert all(event["payload"] == {} and event["objects"] == {} for event in events)
        assert any(event["payload"] for event in (await owner.get(f"{ward.place}/loop")).json()["events"])


async def test_a_reviewer_sees_their_own_figures_alone(ward: Onlookers) -> None:
    for number, who in ((1, "anna"), (2, "ben")):
        ids = await ward.decide(number)
        async with ward.client(who) as person:
            task = f"{ward.place}/tasks/{ids['task_id']}"
            (await person.post(f"{task}/first", json={"value": "horse"})).raise_for_status()
            (await person.post(f"{task}/answer", json={"verb": "label", "value": "horse"})).raise_for_status()
    seen = {}
    for who in EVERYBODY:
        async with ward.client(who) as person:
            told = (await person.get(f"{ward.place}/oversight/people")).raise_for_status().json()
            seen[who] = ([one["name"] for one in told["people"]], told["everybody"] is not None)
            team = await person.get(f"{ward.place}/oversight/team")
            assert team.status_code == (403 if ROLES[who] == "reviewer" else 200)
    everybody = (["anna", "ben"], True)
    assert seen == {"anna": (["anna"], False), "ben": (["ben"], False), "cara": everybody, "dora": everybody}
