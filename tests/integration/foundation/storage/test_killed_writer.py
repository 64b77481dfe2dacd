"""kill -9 of a writing process: what it said is kept is there; every unit is whole or not there."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from handrail.foundation.storage import UnitOfWork, open_storage
from tests.integration.foundation.storage import killed_writer
from tests.integration.foundation.storage.ledger import AMOUNT, LINES, NAMES, opened

ROUNDS = 4
LEAST = 60  # acknowledged units before the kill


def test_acknowledged_units_survive_whole(storage_url: str) -> None:
    storage = open_storage(storage_url)
    storage.write(opened("sum"))
    storage.close()
    said: set[str] = set()
    for turn in range(ROUNDS):
        said |= _write_and_kill(storage_url, turn * 1_000_000, LEAST + 37 * turn)
        with closing(open_storage(storage_url)) as storage:
            # One state: a server goes on with what a dead client had sent, so the next look may see one unit more.
            found, lines, total = storage.read(_everything)
            there = found - {"sum"}
            assert said <= there
            assert lines == dict.fromkeys(there, 2)
            assert total == len(there)
            if storage.dialect == "sqlite":
                assert storage.read(lambda uow: uow.run(text("PRAGMA integrity_check")).all()) == [("ok",)]
    assert len(said) >= ROUNDS * LEAST


def _everything(uow: UnitOfWork) -> tuple[set[str], dict[str, int], int]:
    return (
        {name for (name,) in uow.run(NAMES).all()},
        dict(uow.run(LINES).all()),
        uow.run(AMOUNT, of="sum").scalar(),
    )


def _write_and_kill(url: str, first: int, after: int) -> set[str]:
    """Return what the process said before it was killed in the middle of its work."""
    command = [sys.executable, str(Path(killed_writer.__file__)), url, str(first)]
    heard = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            heard.append(line)
            if len(heard) == after:
                process.kill()
    assert process.returncode == -9
    return {line.strip() for line in heard if line.endswith("\n")}
