"""A home's database goes to PostgreSQL and back: every row, the same journal, and numbers that go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from handrail.app import Handrail, running
from handrail.cycle.datasets import NewItem
from handrail.foundation.journal.verifying import Verified
from handrail.foundation.settings import Settings
from handrail.foundation.storage import Storage, open_storage
from handrail.foundation.storage.failures import AppendOnly
from handrail.foundation.storage.moving import MoveRefused, move
from tests.integration.cycle.breast_mass import cases
from tests.integration.lived_in import LEAD, Lived, live
from tools.postgres import Server

_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
}


@pytest.fixture
def databases(postgres_server: Server) -> Iterator[Callable[[str], str]]:
    """Make empty PostgreSQL databases."""
    made: list[str] = []

    def create(name: str) -> str:
        made.append(name)
        return postgres_server.create(name)

    yield create
    for name in made:
        postgres_server.drop(name)


def opened(home: Path, url: str | None = None) -> Any:
    """Run the home over a database."""
    return running(Settings.model_validate({"home": home, "demo": True, "database_url": url}), seed=7)


def lived(home: Path, url: str | None = None) -> tuple[Lived, Verified]:
    """Let things happen, and take away the newest item's number: what counts must not give it again."""
    with opened(home, url) as system:
        done = live(system, model=False)
        new = [NewItem(external_id="gone", data=cases()[1][200][0])]
        item = system.storage.write(lambda uow: system.datasets.put_items(uow, LEAD, done.scope, new))[0]
        system.storage.write(lambda uow: uow.add(text("DELETE FROM item WHERE id = :id"), id=item.id))
        system.prover.checkpoint()
        return done, system.prover.verify()


def content(url: str) -> dict[str, list[str]]:
    """Return every row of every table, in an order that both databases share."""
    storage = open_storage(url)
    try:
        return storage.read(lambda uow: {table: _rows(storage, uow, table) for table in _tables(storage, uow)})
    finally:
        storage.close()


def _tables(storage: Storage, uow: Any) -> list[str]:
    names = [row[0] for row in uow.run(text(_TABLES[storage.dialect])).all()]
    return [name for name in names if name != "alembic_version"]


def _rows(storage: Storage, uow: Any, table: str) -> list[str]:
    if storage.dialect == "sqlite":
        columns = [row[0] for row in uow.run(text(f"SELECT name FROM pragma_table_info('{table}')")).all()]
    else:
        found = text(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = :t"
        )
        columns = [row[0] for row in uow.run(found, t=table).all()]
    named = sorted(name for name in columns if name != "xid")
    rows = uow.run(text(f'SELECT {", ".join(f"{chr(34)}{name}{chr(34)}" for name in named)} FROM "{table}"')).all()
    return sorted(json.dumps([one.hex() if isinstance(one, bytes) else one for one in row]) for row in rows)


def goes_on(system: Handrail, done: Lived, before: Verified) -> None:
    """Check that a moved home is the same one, and let it live on."""
    after = system.prover.verify()
    assert (after.ok, after.problem) == (True, None)
    assert (after.root, after.entries, after.checkpoints) == (before.root, before.entries, before.checkpoints)
    storage = system.storage
    kept = storage.read(lambda uow: system.review.decisions(uow, done.scope))
    assert sorted(one.id for one in kept) == sorted(done.decisions)

    highest = int(storage.read(lambda uow: uow.run(text("SELECT max(seq) FROM item")).scalar()))
    last = int(storage.read(lambda uow: uow.run(text("SELECT max(seq) FROM journal_entry")).scalar()))
    new = [NewItem(external_id="later", data=cases()[1][201][0])]
    made = storage.write(lambda uow: system.datasets.add_items(uow, LEAD, done.scope, new))[0]
    assert made.seq > highest + 1  # the number of the item that is gone is not given again
    assert int(storage.read(lambda uow: uow.run(text("SELECT max(seq) FROM journal_entry")).scalar())) > last
    assert system.journal.integrate(storage) > 0
    grown = system.prover.verify()
    assert (grown.ok, grown.waiting) == (True, 0)
    assert grown.entries > before.entries
    for change in ("UPDATE journal_entry SET actor_name = 'x'", "DELETE FROM journal_leaf"):
        with pytest.raises(AppendOnly):
            storage.write(lambda uow, change=change: uow.run(text(change)))


def test_a_home_goes_to_postgresql_and_back(databases: Callable[[str], str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    done, before = lived(home)
    here = f"sqlite:///{home / 'handrail.db'}"
    there = databases("moved")
    said: list[str] = []
    moved = move(here, there, said.append)
    assert content(there) == content(here)
    assert moved["decision"] == len(done.decisions)
    assert moved["journal_entry"] == before.entries
    assert f"decision: {len(done.decisions)} rows" in said

    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert move(there, back, said.append) == moved
    assert content(back) == content(here)
    with opened(home, there) as system:
        goes_on(system, done, before)


def test_a_home_that_began_on_postgresql_goes_to_sqlite(databases: Callable[[str], str], tmp_path: Path) -> None:
    home, there = tmp_path / "home", databases("began")
    done, before = lived(home, there)
    here = f"sqlite:///{home / 'handrail.db'}"
    move(there, here, lambda _: None)
    assert content(here) == content(there)
    with opened(home) as system:
        goes_on(system, done, before)


def test_a_target_with_rows_or_tables_of_others_is_refused_and_left_as_it_is(
    databases: Callable[[str], str], tmp_path: Path
) -> None:
    lived(tmp_path / "home")
    here = f"sqlite:///{tmp_path / 'home' / 'handrail.db'}"
    there = databases("full")
    move(here, there, lambda _: None)
    held = content(there)
    with pytest.raises(MoveRefused, match="not empty"):
        move(here, there, lambda _: None)
    assert content(there) == held

    other = databases("others")
    storage = open_storage(other)
    storage.write(lambda uow: uow.add(text("CREATE TABLE theirs (a text)")))
    storage.close()
    with pytest.raises(MoveRefused, match="other tables: theirs"):
        move(here, other, lambda _: None)
    assert not any(content(other).values())


def test_what_cannot_be_moved_is_refused(databases: Callable[[str], str], tmp_path: Path) -> None:
    there = databases("nothing")
    with pytest.raises(MoveRefused, match="no database"):
        move(f"sqlite:///{tmp_path / 'none.db'}", there, lambda _: None)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(MoveRefused, match="same kind"):
        move(there, there, lambda _: None)
    with opened(tmp_path / "home") as system:
        live(system, model=False)
    with pytest.raises(MoveRefused, match="wait for their place"):
        move(f"sqlite:///{tmp_path / 'home' / 'handrail.db'}", there, lambda _: None)
    assert not any(content(there).values())


def test_a_copy_that_breaks_in_the_middle_leaves_nothing(databases: Callable[[str], str], tmp_path: Path) -> None:
    lived(tmp_path / "home")
    here, there = f"sqlite:///{tmp_path / 'home' / 'handrail.db'}", databases("broken")

    def interrupt(words: str) -> None:
        if words.startswith("journal_entry"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move(here, there, interrupt)
    assert not any(content(there).values())
    move(here, there, lambda _: None)
    assert content(there) == content(here)
