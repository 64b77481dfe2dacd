"""Somebody edits the database's file itself: `handrail journal verify` fails and names the entry."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from handrail.foundation.clock import SystemClock
from handrail.foundation.errors import HandrailError
from handrail.foundation.ids import Ids
from handrail.foundation.journal.verifying import Verified, verify
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, open_storage
from tests.integration.foundation.journal.log import Log

SIZE = 60
# So many that the journal is a good part of a file in which every other table is an empty page or more.
LONG = 600
EDITS = 200
HANDRAIL = str(Path(sys.executable).with_name("handrail"))
# All that is proved; when a checkpoint was signed is told by its signature's neighbours only.
_ROWS = {
    "entry": "seq, id, time, actor_kind, actor_id, actor_name, project_id, verb, objects, commitment, leaf",
    "payload": "entry_id, salt, content",
    "leaf": "idx, seq",
    "node": "level, idx, hash",
    "object": "kind, object_id, idx",
    "checkpoint": "size, note",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home with a signed journal that no process has open."""
    folder = tmp_path / "home"
    (folder / "keys").mkdir(parents=True, mode=0o700)
    storage = open_storage(f"sqlite:///{folder / 'handrail.db'}")
    _fill(storage, folder / "keys", SIZE)
    storage.close()
    return folder


def _fill(storage: Storage, keys: Path, entries: int) -> None:
    """Write entries and sign a checkpoint."""
    clock, randomness = SystemClock(), Randomness()
    log = Log(storage, clock, Ids(clock, randomness), randomness, keys)
    log.fill(entries)
    log.prover.checkpoint()


def _told(home: Path) -> tuple[int, dict[str, Any]]:
    """Return exit code and what the command says."""
    command = [HANDRAIL, "journal", "verify", "--home", str(home), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def _edit(home: Path, found: bytes, place: int) -> None:
    """Change one byte of the only place in the file where something stands."""
    file = home / "handrail.db"
    raw = bytearray(file.read_bytes())
    assert raw.count(found) == 1
    raw[raw.index(found) + place] ^= 1
    file.write_bytes(raw)


@pytest.mark.parametrize(
    ("found", "place"), [(b'{"decision":"t-17","other":"o-17"}', 15), (b'{"note":"","number":17}', 20)]
)
def test_one_byte_is_found_by_the_command_and_named(home: Path, found: bytes, place: int) -> None:
    code, said = _told(home)
    assert (code, said["ok"], said["entries"], said["checkpoints"]) == (0, True, SIZE, 1)
    _edit(home, found, place)
    code, said = _told(home)
    assert (code, said["ok"], said["index"]) == (1, False, 17)
    storage = open_storage(f"sqlite:///{home / 'handrail.db'}")
    ids = storage.read(lambda uow: uow.run(text("SELECT id FROM journal_entry ORDER BY seq")).all())
    storage.close()
    assert said["entry_id"] == ids[17][0]


def test_no_byte_anywhere_can_change_what_the_journal_says(home: Path, tmp_path: Path) -> None:
    """At random places of the whole file: damage is found, or everything that is proved reads as before."""
    storage = open_storage(f"sqlite:///{home / 'handrail.db'}")
    _fill(storage, home / "keys", LONG)
    storage.close()
    whole = (home / "handrail.db").read_bytes()
    before, sound = _read(whole, home, tmp_path)
    assert sound is not None
    assert sound.ok
    draw, found = random.Random(11), 0
    for _ in range(EDITS):
        raw = bytearray(whole)
        raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
        after, verified = _read(bytes(raw), home, tmp_path)
        if verified is None or not verified.ok:
            found += 1
        else:
            assert after == before
    assert found > EDITS / 10


def _read(raw: bytes, home: Path, tmp_path: Path) -> tuple[dict[str, Any], Verified | None]:
    """Return every proved row and the result of `verify`; None when the database itself refuses the file."""
    folder = tmp_path / "edited"
    folder.mkdir()
    (folder / "handrail.db").write_bytes(raw)
    try:
        storage = open_storage(f"sqlite:///{folder / 'handrail.db'}")
    except HandrailError:
        return {}, None
    else:
        try:
            verifier = Log(storage, SystemClock(), Ids(SystemClock(), Randomness()), Randomness(), home / "keys").prover
            verified = verify(storage, verifier.signer.verifier)
            if not verified.ok:
                return {}, verified
            rows = {
                table: storage.read(
                    lambda uow, columns=columns, table=table: uow.run(  # type: ignore[misc]
                        text(f"SELECT {columns} FROM journal_{table} ORDER BY {columns}")
                    ).all()
                )
                for table, columns in _ROWS.items()
            }
            return rows, verified
        except HandrailError:
            return {}, None
        finally:
            storage.close()
    finally:
        shutil.rmtree(folder)
