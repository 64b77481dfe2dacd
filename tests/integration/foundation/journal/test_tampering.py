"""Somebody who owns the database and has taken the guards away changes one byte anywhere: `verify` finds it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from handrail.foundation.journal import merkle
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.entry import entry_bytes
from handrail.foundation.journal.verifying import Verified
from tests.integration.foundation.journal.log import Log

SIZE, EARLY, WAITING = 70, 40, 3  # a checkpoint of 40, one of 70, and three entries without a place
PLACES = (0, 15, 16, 39, 40, 69)  # first, last, and both sides of subtrees and checkpoints

TEXTS = ("id", "actor_kind", "actor_id", "actor_name", "verb", "objects")
BYTES = ("commitment", "leaf")


@pytest.fixture
def full(log: Log) -> Log:
    """Return a sound journal without guards."""
    log.fill(EARLY)
    log.prover.checkpoint()
    log.fill(SIZE - EARLY, first=EARLY)
    log.prover.checkpoint()
    log.fill(WAITING, first=SIZE)
    log.disarm()
    found = log.prover.verify()
    assert (found.ok, found.entries, found.checkpoints, found.waiting) == (True, SIZE, 2, WAITING)
    return log


def _changed(value: Any) -> Any:
    """Return a value of which one byte is another."""
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, str):
        middle = len(value) // 2
        return value[:middle] + chr(ord(value[middle]) ^ 1) + value[middle + 1 :]
    raw = bytearray(value)
    raw[len(raw) // 2] ^= 0x10
    return bytes(raw)


def _tamper(log: Log, table: str, column: str, where: str, keys: dict[str, Any]) -> tuple[Verified, Callable[[], None]]:
    """Change one value; return what `verify` finds and a way to put the old value back."""
    ((old,),) = log.execute(f"SELECT {column} FROM journal_{table} WHERE {where}", **keys)
    old = bytes(old) if isinstance(old, memoryview) else old
    new = "x" if old is None else _changed(old)
    statement = f"UPDATE journal_{table} SET {column} = :value WHERE {where}"
    log.execute(statement, value=new, **keys)

    def put_back() -> None:
        moved = {name: new if name == column else value for name, value in keys.items()}
        log.execute(statement, value=old, **moved)

    return log.prover.verify(), put_back


def _ids(log: Log) -> list[str]:
    return [row[0] for row in log.execute("SELECT id FROM journal_entry ORDER BY seq")]


def test_every_column_of_an_entry(full: Log) -> None:
    ids = _ids(full)
    for column in (*TEXTS, *BYTES, "time", "project_id"):
        for place in PLACES:
            found, put_back = _tamper(full, "entry", column, "id = :id", {"id": ids[place]})
            named = _changed(ids[place]) if column == "id" else ids[place]
            assert (found.ok, found.index, found.entry_id) == (False, place, named), (column, place, found)
            assert found.entries == place, "the tree is sound up to there"
            put_back()
    assert full.prover.verify().ok


def test_entries_that_have_no_place_yet(full: Log) -> None:
    ids = _ids(full)
    for column in (*TEXTS, *BYTES, "time"):
        found, put_back = _tamper(full, "entry", column, "id = :id", {"id": ids[SIZE + 1]})
        named = _changed(ids[SIZE + 1]) if column == "id" else ids[SIZE + 1]
        assert (found.ok, found.index, found.entry_id) == (False, None, named), (column, found)
        put_back()
    assert full.prover.verify().ok


def test_payload_and_salt(full: Log) -> None:
    ids = _ids(full)
    for column in ("content", "salt"):
        for place in (*PLACES, SIZE + 1):
            found, put_back = _tamper(full, "payload", column, "entry_id = :id", {"id": ids[place]})
            index = place if place < SIZE else None
            assert (found.ok, found.index, found.entry_id) == (False, index, ids[place]), (column, place, found)
            put_back()
    assert full.prover.verify().ok


def test_a_payload_under_another_name_is_not_taken_for_an_erased_one(full: Log) -> None:
    ids = _ids(full)
    for place in (*PLACES, SIZE + 1):
        found, put_back = _tamper(full, "payload", "entry_id", "entry_id = :entry_id", {"entry_id": ids[place]})
        index = place if place < SIZE else None
        assert (found.ok, found.index, found.entry_id) == (False, index, ids[place]), (place, found)
        put_back()
    full.execute("DELETE FROM journal_payload WHERE entry_id = :id", id=ids[3])
    assert full.prover.verify().ok, "an erased one is gone"


def test_two_payloads_that_change_places(full: Log) -> None:
    ids = _ids(full)
    for one, other in ((ids[3], "aside"), (ids[50], ids[3]), ("aside", ids[50])):
        full.execute("UPDATE journal_payload SET entry_id = :other WHERE entry_id = :one", one=one, other=other)
    found = full.prover.verify()
    assert (found.ok, found.index, found.entry_id) == (False, 3, ids[3])


def test_every_subtree(full: Log) -> None:
    nodes = full.execute("SELECT level, idx FROM journal_node")
    assert sorted(map(tuple, nodes)) == [(4, 0), (4, 1), (4, 2), (4, 3), (5, 0), (5, 1), (6, 0)]
    for level, index in nodes:
        keys = {"level": level, "idx": index}
        for column in ("hash", "level", "idx"):
            taken = column != "hash" and {**keys, column: keys[column] ^ 1} in [
                {"level": one, "idx": two} for one, two in nodes
            ]
            if taken:
                continue  # the key of another row
            found, put_back = _tamper(full, "node", column, "level = :level AND idx = :idx", keys)
            assert not found.ok, (level, index, column)
            assert found.index is not None
            assert "subtree" in str(found.problem)
            put_back()
        (old,) = full.execute("SELECT hash FROM journal_node WHERE level = :level AND idx = :idx", **keys)[0]
        full.execute("DELETE FROM journal_node WHERE level = :level AND idx = :idx", **keys)
        found = full.prover.verify()
        assert (found.ok, found.index) == (False, index << level)
        full.execute("INSERT INTO journal_node VALUES (:level, :idx, :hash)", hash=bytes(old), **keys)
    full.execute("INSERT INTO journal_node VALUES (4, 9, :hash)", hash=bytes(32))
    assert not full.prover.verify().ok
    full.execute("DELETE FROM journal_node WHERE idx = 9")
    assert full.prover.verify().ok


def test_every_byte_of_a_checkpoint(full: Log) -> None:
    (note,) = full.execute("SELECT note FROM journal_checkpoint WHERE size = :size", size=EARLY)[0]
    ids = _ids(full)
    for place in range(0, len(note), 5):
        changed = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        full.execute("UPDATE journal_checkpoint SET note = :note WHERE size = :size", note=changed, size=EARLY)
        found = full.prover.verify()
        assert (found.ok, found.index, found.entry_id) == (False, EARLY - 1, ids[EARLY - 1]), (place, found)
    full.execute("UPDATE journal_checkpoint SET note = :note WHERE size = :size", note=note, size=EARLY)
    assert full.prover.verify().ok
    found, put_back = _tamper(full, "checkpoint", "size", "size = :size", {"size": EARLY})
    assert (found.ok, found.index) == (False, EARLY)
    put_back()
    assert full.prover.verify().ok


def test_places(full: Log) -> None:
    seqs = [row[0] for row in full.execute("SELECT seq FROM journal_leaf ORDER BY idx")]
    swapped = ((3, -1), (50, seqs[3]), (3, seqs[50]))
    for index, seq in swapped:
        full.execute("UPDATE journal_leaf SET seq = :seq WHERE idx = :idx", seq=seq, idx=index)
    found = full.prover.verify()
    assert not found.ok
    assert found.index is not None
    assert found.index <= 50
    for index, seq in ((3, -1), (50, seqs[50]), (3, seqs[3])):
        full.execute("UPDATE journal_leaf SET seq = :seq WHERE idx = :idx", seq=seq, idx=index)
    assert full.prover.verify().ok
    full.execute("UPDATE journal_leaf SET seq = 1000 WHERE idx = 20")
    found = full.prover.verify()
    assert (found.ok, found.index, found.problem) == (False, 20, "the entry is missing")
    full.execute("UPDATE journal_leaf SET seq = :seq WHERE idx = 20", seq=seqs[20])
    full.execute("DELETE FROM journal_leaf WHERE idx = 20")
    found = full.prover.verify()
    assert (found.ok, found.index, found.entry_id) == (False, 20, _ids(full)[20])


def test_a_removed_entry(full: Log) -> None:
    ids = _ids(full)
    full.execute("DELETE FROM journal_entry WHERE id = :id", id=ids[33])
    found = full.prover.verify()
    assert (found.ok, found.index, found.entry_id) == (False, 33, ids[33]), "its payload still says its name"
    full.execute("DELETE FROM journal_payload WHERE entry_id = :id", id=ids[33])
    found = full.prover.verify()
    assert (found.ok, found.index, found.entry_id) == (False, 33, None)


def test_the_list_by_which_entries_are_found(full: Log) -> None:
    """A dossier is made from it: a row that is changed, left out or added changes what a dossier says."""
    ids = _ids(full)
    for place in PLACES:
        keys = {"kind": "decision", "object_id": f"t-{place}", "idx": place}
        where = "kind = :kind AND object_id = :object_id AND idx = :idx"
        for column in ("kind", "object_id", "idx"):
            found, put_back = _tamper(full, "object", column, where, keys)
            assert (found.ok, found.index, found.entry_id) == (False, place, ids[place]), (column, place, found)
            put_back()
        full.execute(f"DELETE FROM journal_object WHERE {where}", **keys)
        found = full.prover.verify()
        assert (found.ok, found.index, found.entry_id) == (False, place, ids[place])
        full.execute("INSERT INTO journal_object (kind, object_id, idx) VALUES (:kind, :object_id, :idx)", **keys)
    assert full.prover.verify().ok
    full.execute("INSERT INTO journal_object (kind, object_id, idx) VALUES ('decision', 'of somebody else', 33)")
    found = full.prover.verify()
    assert (found.ok, found.index, found.entry_id) == (False, 33, ids[33])


def _cut(log: Log, size: int) -> None:
    """Remove every trace of the entries from `size` on, but for what was signed."""
    seq = log.execute("SELECT seq FROM journal_leaf WHERE idx = :size", size=size)[0][0]
    log.execute(
        "DELETE FROM journal_payload WHERE entry_id IN (SELECT id FROM journal_entry WHERE seq >= :seq)", seq=seq
    )
    log.execute("DELETE FROM journal_entry WHERE seq >= :seq", seq=seq)
    log.execute("DELETE FROM journal_leaf WHERE idx >= :size", size=size)
    log.execute("DELETE FROM journal_object WHERE idx >= :size", size=size)
    for level in range(4, 8):
        log.execute("DELETE FROM journal_node WHERE level = :level AND idx >= :most", level=level, most=size >> level)


@pytest.mark.parametrize("size", [EARLY, 64, SIZE - 1])
def test_a_tail_that_was_cut_off_is_known_from_the_checkpoint(full: Log, size: int) -> None:
    _cut(full, size)
    found = full.prover.verify()
    assert (found.ok, found.index, found.entries) == (False, size, size)
    assert f"a checkpoint of {SIZE} entries was signed, {size} are there" in str(found.problem)


def test_a_cut_tail_that_grew_again_is_not_the_one_that_was_signed(full: Log) -> None:
    _cut(full, SIZE - 2)
    full.fill(5, first=200)
    full.integrate()
    found = full.prover.verify()
    assert (found.ok, found.index) == (False, SIZE - 1)
    assert "signed" in str(found.problem)


def _tree(log: Log) -> dict[tuple[int, int], bytes]:
    """Return every complete subtree over the leaves as they stand in the entries."""
    rows = log.execute("SELECT e.leaf FROM journal_leaf l JOIN journal_entry e ON e.seq = l.seq ORDER BY l.idx")
    known = {(0, index): bytes(leaf) for index, (leaf,) in enumerate(rows)}
    grown = merkle.grown(0, list(known.values()), lambda level, index: known[level, index])
    return known | {(level, index): value for level, index, value in grown}


def _rewrite(log: Log, place: int) -> str:
    """Tell an entry anew, with the right leaf and the right subtrees: everything but the signatures."""
    row = log.execute(
        "SELECT e.id, e.time, e.actor_kind, e.actor_id, e.actor_name, e.project_id, e.verb, e.objects, p.salt"
        " FROM journal_leaf l JOIN journal_entry e ON e.seq = l.seq JOIN journal_payload p ON p.entry_id = e.id"
        " WHERE l.idx = :place",
        place=place,
    )[0]
    entry_id, time, kind, actor_id, name, project, verb, objects, salt = row
    content = '{"note":"never happened","number":0}'
    commitment = sha256(bytes(salt) + content.encode()).digest()
    leaf = merkle.leaf_hash(entry_bytes(entry_id, time, (kind, actor_id, name), project, verb, objects, commitment))
    log.execute("UPDATE journal_payload SET content = :content WHERE entry_id = :id", content=content, id=entry_id)
    log.execute(
        "UPDATE journal_entry SET commitment = :commitment, leaf = :leaf WHERE id = :id",
        commitment=commitment,
        leaf=leaf,
        id=entry_id,
    )
    for (level, index), value in _tree(log).items():
        log.execute(
            "UPDATE journal_node SET hash = :hash WHERE level = :level AND idx = :idx",
            hash=value,
            level=level,
            idx=index,
        )
    return str(entry_id)


def test_an_entry_told_anew_with_the_whole_tree_contradicts_what_was_signed(full: Log) -> None:
    _rewrite(full, 20)
    found = full.prover.verify()
    assert (found.ok, found.index, found.entry_id) == (False, EARLY - 1, _ids(full)[EARLY - 1])
    assert "signed" in str(found.problem)


def test_who_has_no_key_cannot_sign_the_tree_anew(full: Log, tmp_path: Any) -> None:
    _rewrite(full, 20)
    (tmp_path / "other").mkdir()
    other = Signer.of_home(tmp_path / "other")
    known = _tree(full)
    for size in (EARLY, SIZE):
        root = merkle.root(size, lambda level, index: known[level, index])
        note = other.sign(size, root)
        full.execute("UPDATE journal_checkpoint SET note = :note WHERE size = :size", note=note, size=size)
    found = full.prover.verify()
    assert (found.ok, found.index) == (False, EARLY - 1)
    assert "not signed by the known key" in str(found.problem)


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)  # PostgreSQL's columns take their own type only
def test_a_value_of_another_kind_is_damage_and_no_crash(full: Log) -> None:
    ids = _ids(full)
    for column, value in (("time", "noon"), ("commitment", "text"), ("actor_name", b"\xff"), ("objects", 5)):
        old = full.execute(f"SELECT {column} FROM journal_entry WHERE id = :id", id=ids[30])[0][0]
        full.execute(f"UPDATE journal_entry SET {column} = :value WHERE id = :id", value=value, id=ids[30])
        found = full.prover.verify()
        assert (found.ok, found.index) == (False, 30), (column, found)
        full.execute(f"UPDATE journal_entry SET {column} = :value WHERE id = :id", value=old, id=ids[30])
    full.execute("UPDATE journal_payload SET content = CAST(x'ff41' AS TEXT) WHERE entry_id = :id", id=ids[30])
    found = full.prover.verify()
    assert (found.ok, found.index, found.entry_id) == (False, 30, ids[30])
