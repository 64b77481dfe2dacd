"""Drafts are their author's alone, and comments wait for one's own look, on whatever route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handrail.app import running
from handrail.foundation.settings import Settings
from tests.attack.cycle.review.onlookers import ANSWER, ROLES, Onlookers, tells

OTHERS = tuple(one for one in ROLES if one != "ben")


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Onlookers]:
    with running(Settings(home=tmp_path / "home", demo=True)) as system:
        made = Onlookers(system)
        await made.open()
        yield made


async def test_no_route_tells_somebody_elses_draft(ward: Onlookers) -> None:
    ids = await ward.decide()
    path = f"{ward.place}/tasks/{ids['task_id']}/draft"
    async with ward.client("ben") as ben, ward.client("owner") as owner:
        (await ben.put(path, json={"value": ANSWER, "reason": ANSWER})).raise_for_status()
        assert tells(await ben.get(path)), "or the test could not fail"
        assert (await owner.get(path)).json() is None
        assert (await owner.put(path, json={"value": "x"})).json()["code"] == "tasks.not_a_person"
    for who in OTHERS:
        assert await ward.seen_by(who, ids) == [], who
    async with ward.client("cara") as cara:
        assert (await cara.delete(path)).status_code == 204
    async with ward.client("ben") as ben:
        assert tells(await ben.get(path)), "nobody deletes another's draft"


async def test_no_route_tells_a_comment_before_ones_own_look(ward: Onlookers) -> None:
    ids = await ward.decide()
    task, item = f"{ward.place}/tasks/{ids['task_id']}", f"{ward.place}/items/{ids['item_id']}"
    async with ward.client("ben") as ben:
        (await ben.post(f"{task}/comments", json={"text": f"looks like {ANSWER}"})).raise_for_status()
        assert tells(await ben.get(f"{item}/comments")), "or the test could not fail"
    for who in OTHERS:
        assert await ward.seen_by(who, ids) == [], who
    async with ward.client("anna") as anna:
        (await anna.post(f"{task}/first", json={"value": "horse"})).raise_for_status()
        assert tells(await anna.get(f"{task}/comments")), "now it is shown"
        assert (await anna.get(f"{task}/comments")).json()["withheld"] is False
