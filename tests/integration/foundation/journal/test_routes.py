"""The journal over HTTP: checkpoints, proofs that a stranger can check, the check of everything, the export."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from handrail.foundation.actors import Actor
from handrail.foundation.canonical import encode
from handrail.foundation.clock import FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Event, Journal
from handrail.foundation.journal import routes as journal_routes
from handrail.foundation.journal.checkpoint import Signer, read
from handrail.foundation.journal.entry import entry_bytes
from handrail.foundation.journal.merkle import leaf_hash, verify_consistency, verify_inclusion
from handrail.foundation.journal.proofs import Prover
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage
from tests.served import Served

MACHINE = Actor("machine", "m-1", "Gerät 1")


class Noted(Event):
    """Something was noted."""

    verb = "test.noted"

    def __init__(self, thing_id: str, words: str) -> None:
        self.said = ({"thing": thing_id}, {"words": words})

    def split(self) -> tuple[dict[str, str], dict[str, Any]]:
        return self.said


@pytest.fixture
def journal(clock: FixedClock, ids: Ids, randomness: Randomness) -> Journal:
    return Journal(clock, ids, randomness)


@pytest.fixture
def served(storage: Storage, journal: Journal, clock: FixedClock, tmp_path: Path) -> Served:
    (tmp_path / "keys").mkdir()
    prover = Prover(storage, journal, clock, Signer.of_home(tmp_path / "keys"))
    return Served(storage, clock, tmp_path, routes=[journal_routes.routes(prover)])


def note(storage: Storage, journal: Journal, count: int) -> list[str]:
    """Write entries and return their ids."""

    def unit(uow: Any) -> list[str]:
        return [journal.append(uow, MACHINE, "p1", Noted(f"t-{place}", f"wörds {place}")) for place in range(count)]

    return storage.write(unit)


def leaf_of(told: dict[str, Any]) -> bytes:
    """Return the leaf hash that an entry must have by what it says."""
    entry_id, time, kind, actor_id, name, project, verb, objects = told["entry"]
    commitment = bytes.fromhex(told["commitment"])
    if told["payload"] is not None:
        assert sha256(bytes.fromhex(told["salt"]) + encode(told["payload"]).encode()).digest() == commitment
    return leaf_hash(entry_bytes(entry_id, time, (kind, actor_id, name), project, verb, encode(objects), commitment))


async def _ok(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> Any:
    answer = await client.request(method, f"/api/v1/journal{path}", **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_entry_is_proved_under_a_checkpoint_that_the_key_signed(
    served: Served, storage: Storage, journal: Journal
) -> None:
    ids = note(storage, journal, 37)
    async with served.machine("auditor") as client:
        verifier = (await _ok(client, "GET", "/key"))["verifier"]
        for entry_id in (ids[0], ids[17], ids[-1]):
            told = await _ok(client, "GET", f"/entries/{entry_id}/proof")
            signed = read(told["checkpoint"], verifier)
            assert told["verifier"] == verifier
            assert told["entry"][0] == entry_id
            assert signed.size == told["size"]
            path = [bytes.fromhex(step) for step in told["path"]]
            assert verify_inclusion(leaf_of(told), told["index"], signed.size, path, signed.root)
        unknown = await client.get("/api/v1/journal/entries/none/proof")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "journal.entry_not_found")


async def test_a_later_tree_is_shown_to_begin_with_an_earlier_one(
    served: Served, storage: Storage, journal: Journal
) -> None:
    async with served.machine("auditor") as client:
        made = []
        for count in (3, 40):
            note(storage, journal, count)
            made.append(await _ok(client, "POST", "/checkpoint"))
        old, new = made
        assert await _ok(client, "POST", "/checkpoint") == new
        assert new["size"] == old["size"] + 40
        for one in made:
            assert read(one["note"], one["verifier"]).root.hex() == one["root"]
        told = await _ok(client, "GET", "/consistency", params={"old": old["size"], "new": new["size"]})
        proof = [bytes.fromhex(step) for step in told["path"]]
        roots = [bytes.fromhex(one["root"]) for one in made]
        assert proof
        assert verify_consistency(old["size"], new["size"], *roots, proof)
        for sizes in ({"old": 0, "new": 1}, {"old": 2, "new": 1}, {"old": 1, "new": new["size"] + 1}):
            refused = await client.get("/api/v1/journal/consistency", params=sizes)
            assert (refused.status_code, refused.json()["code"]) == (422, "journal.no_such_tree")


async def test_verify_says_what_is_there_and_names_what_was_changed(
    served: Served, storage: Storage, journal: Journal
) -> None:
    ids = note(storage, journal, 25)
    async with served.machine("auditor") as client:
        signed = await _ok(client, "POST", "/checkpoint")
        sound = await _ok(client, "POST", "/verify")
        expected = {"ok": True, "entries": signed["size"], "root": signed["root"], "checkpoints": 1}
        assert sound == {**expected, "problem": None, "entry_id": None, "index": None}
        unguard = {
            "sqlite": "DROP TRIGGER journal_entry_guard_update",
            "postgresql": "DROP TRIGGER journal_entry_guard ON journal_entry",
        }
        storage.write(lambda uow: uow.add(text(unguard[storage.dialect])))
        change = text("UPDATE journal_entry SET actor_name = 'Nobody' WHERE id = :entry")
        storage.write(lambda uow: uow.add(change, entry=ids[11]))
        found = await _ok(client, "POST", "/verify")
    assert (found["ok"], found["entry_id"]) == (False, ids[11])
    assert "not those that were written" in found["problem"]


async def test_the_export_is_the_whole_tree_in_order_with_what_was_erased_left_blank(
    served: Served, storage: Storage, journal: Journal
) -> None:
    ids = note(storage, journal, 1203)
    storage.write(lambda uow: uow.add(text("DELETE FROM journal_payload WHERE entry_id = :entry"), entry=ids[600]))
    async with served.machine("auditor") as client:
        answer = await client.get("/api/v1/journal/export")
        signed = await _ok(client, "POST", "/checkpoint")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.content.splitlines()]
    assert [one["index"] for one in lines] == list(range(len(lines)))
    assert [one["entry"][0] for one in lines if one["entry"][6] == "test.noted"] == ids
    assert all(leaf_of(one).hex() == one["leaf"] for one in lines)
    erased = [one for one in lines if one["payload"] is None]
    assert [(one["entry"][0], one["salt"]) for one in erased] == [(ids[600], None)]
    # The auditor's own sign-in may have added entries; what was exported is the beginning of what is signed now.
    assert len(lines) <= signed["size"] <= len(lines) + 2


async def test_the_journal_of_the_home_is_not_for_those_of_one_project(served: Served) -> None:
    calls = [("POST", "/checkpoint"), ("GET", "/key"), ("POST", "/verify"), ("GET", "/export")]
    for role, projects in (("reviewer", None), ("machine", None), ("data_scientist", None)):
        async with served.machine(role, projects) as client:
            answers = {
                path: (await client.request(method, f"/api/v1/journal{path}")).status_code for method, path in calls
            }
        expected = 200 if role == "data_scientist" else 403
        assert answers == {"/checkpoint": 403, "/key": expected, "/verify": 403, "/export": 403}, role
