"""Entries: in the transaction of their change, read back as they were told, erased without a gap."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from handrail.foundation.clock import FixedClock
from handrail.foundation.errors import HandrailError
from handrail.foundation.journal.entry import entry_bytes
from handrail.foundation.storage import UnitOfWork
from handrail.foundation.storage.failures import Duplicate
from tests.integration.foundation.journal.log import PERSON, Counted, Log


def test_an_entry_and_its_change_are_kept_together_or_not_at_all(log: Log) -> None:
    def unit(uow: UnitOfWork) -> str:
        log.journal.advance(uow, "a change", 5)
        return log.appending(1)(uow)

    def fails_later(uow: UnitOfWork) -> None:
        log.journal.advance(uow, "another change", 6)
        log.appending(2)(uow)
        raise LookupError

    def fails_in_the_database(uow: UnitOfWork) -> None:
        log.appending(3)(uow)
        uow.run(text("INSERT INTO journal_cursor (reader, idx) VALUES ('a change', 7)"))

    entry_id = log.storage.write(unit)
    with pytest.raises(LookupError):
        log.storage.write(fails_later)
    with pytest.raises(Duplicate):
        log.storage.write(fails_in_the_database)
    assert log.integrate() == 1
    assert [one.entry_id for one in log.read()] == [entry_id]
    assert log.storage.read(lambda uow: log.journal.cursor(uow, "a change")) == 5
    assert log.storage.read(lambda uow: log.journal.cursor(uow, "another change")) == -1
    assert log.execute("SELECT count(*) FROM journal_payload") == [(1,)], "no payload without an entry"


def test_what_was_told_is_read_back(log: Log, clock: FixedClock) -> None:
    told = Counted(decision_id="t-ä", other_id=None, number=-3, note='"\\ \u2028 日本 😀')
    clock.advance(seconds=0.000001)
    entry_id = log.storage.write(lambda uow: log.journal.append(uow, PERSON, "p", told))
    log.integrate()
    (found,) = log.read()
    assert (found.entry_id, found.index, found.verb, found.project_id) == (entry_id, 0, "test.counted", "p")
    assert (found.actor.kind, found.actor.id, found.actor.name) == (PERSON.kind, PERSON.id, PERSON.name)
    assert found.time == clock.now()
    assert found.objects == {"decision": "t-ä"}
    assert found.payload == {"number": -3, "note": told.note}
    assert not found.erased


def test_nothing_has_a_place_before_it_is_integrated(log: Log) -> None:
    log.fill(3)
    assert log.read() == []
    assert log.storage.read(log.journal.size) == 0
    assert log.storage.read(log.journal.unplaced) == 3
    assert log.integrate() == 3
    assert log.integrate() == 0
    assert log.storage.read(log.journal.size) == 3
    assert log.storage.read(log.journal.unplaced) == 0


def test_entries_are_found_by_project_and_by_what_they_name(log: Log) -> None:
    log.fill(40)
    log.integrate()

    def recent(project: str, before: int | None, limit: int) -> list[int]:
        found = log.storage.read(lambda uow: log.journal.recent(uow, project, before, limit))
        return [one.index for one in found]

    mine = [number for number in range(40) if number % 7 != 6 and number % 2]
    assert recent("project-1", None, 100) == mine[::-1]
    assert recent("project-1", mine[-3], 2) == [mine[-4], mine[-5]]
    assert recent("nobody's", None, 100) == []
    about = log.storage.read(lambda uow: log.journal.about(uow, "project-0", "decision", "t-8"))
    assert [one.payload["number"] for one in about] == [8]
    assert log.storage.read(lambda uow: log.journal.about(uow, "project-1", "decision", "t-8")) == []
    assert log.read(after=36, most=2)[0].index == 37


def test_erasing_a_payload_leaves_the_entry_and_its_proof(log: Log) -> None:
    ids = log.fill(20)
    before = log.prover.prove(ids[7])
    log.storage.write(lambda uow: uow.run(text("DELETE FROM journal_payload WHERE entry_id = :id"), id=ids[7]))
    found = log.read()[7]
    assert (found.erased, found.payload, found.objects["decision"]) == (True, {}, "t-7")
    assert log.prover.verify().ok
    after = log.prover.prove(ids[7])
    assert (after["payload"], after["salt"]) == (None, None)
    assert {name: after[name] for name in ("entry", "commitment", "path")} == {
        name: before[name] for name in ("entry", "commitment", "path")
    }
    told = before["salt"], before["payload"]
    assert sha256(bytes.fromhex(told[0]) + b'{"note":"","number":7}').hexdigest() == after["commitment"]


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_what_was_erased_is_not_in_the_file_any_more(log: Log, tmp_path: Path) -> None:
    secret = "the name of a person " * 200
    entry_id = log.storage.write(log.appending(1, note=secret))
    log.fill(5, first=2)
    place = tmp_path / "handrail.db"

    def there() -> bool:
        files = [place, *tmp_path.glob("handrail.db-*")]
        return any(secret[:40].encode() in file.read_bytes() for file in files)

    assert there()
    log.storage.write(lambda uow: uow.run(text("DELETE FROM journal_payload WHERE entry_id = :id"), id=entry_id))
    log.storage.close()
    assert not there()


def test_the_time_of_an_entry_does_not_decide_its_place(log: Log, clock: FixedClock) -> None:
    first = log.storage.write(log.appending(1))
    clock._now -= timedelta(hours=1)
    second = log.storage.write(log.appending(2))
    log.integrate()
    assert [one.entry_id for one in log.read()] == [first, second]


def test_an_entry_that_json_cannot_say_is_refused_and_nothing_is_kept(log: Log) -> None:
    for note in (float("nan"), object(), b"bytes"):
        event = Counted(decision_id="t", number=1, note=note)  # type: ignore[arg-type]
        with pytest.raises((ValueError, TypeError)):
            log.storage.write(lambda uow, event=event: log.journal.append(uow, PERSON, None, event))  # type: ignore[misc]
    with pytest.raises((HandrailError, UnicodeEncodeError)):
        log.storage.write(log.appending(1, note="\ud800"))
    assert log.storage.read(log.journal.unplaced) == 0


def test_the_stored_leaf_is_the_hash_of_the_entry(log: Log) -> None:
    log.fill(8)
    rows = log.execute(
        "SELECT id, time, actor_kind, actor_id, actor_name, project_id, verb, objects, commitment, leaf"
        " FROM journal_entry ORDER BY seq"
    )
    for entry_id, time, kind, actor_id, name, project, verb, objects, commitment, leaf in rows:
        told = entry_bytes(entry_id, time, (kind, actor_id, name), project, verb, objects, bytes(commitment))
        assert sha256(b"\x00" + told).digest() == bytes(leaf)
