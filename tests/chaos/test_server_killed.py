"""kill -9 of a serving process under load, at random moments: what it acknowledged is there once, whole."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.verifying import verify
from handrail.foundation.storage import Storage, UnitOfWork, open_storage
from tests.chaos.deciding_home import DecidingHome, prepare
from tests.chaos.ward import Ward
from tests.leftovers import wait_for_leftovers
from tools.postgres import Server
from tools.serving import Running, serving

HANDRAIL = (str(Path(sys.executable).with_name("handrail")),)
KILLS = 3
WARM_S = 30
LATEST_KILL_S = 1.2
_COUNTED_S = 20

_DECISIONS = text(
    "SELECT d.idem_key, d.id, d.item_id, d.route, d.value, d.task_id, d.score, d.status FROM decision d"
    " JOIN item i ON i.id = d.item_id"
)
_TASKS = text("SELECT id, decision_id FROM task WHERE decision_id IS NOT NULL")
_ENTRIES = text(
    "SELECT e.objects, p.content FROM journal_entry e JOIN journal_payload p ON p.entry_id = e.id"
    " WHERE e.verb = 'review.decided'"
)
_COUNTS = {name: text(f"SELECT count(*) FROM {name}") for name in ("decision", "journal_entry", "journal_payload")}
_TALLIED = text("SELECT CAST(sum(n) AS bigint) FROM decision_tally")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DecidingHome:
    """Train, promote and certify once; each test kills the server of a copy."""
    folder = tmp_path_factory.mktemp("prepared") / "home"
    if request.param == "sqlite":
        return prepare(folder, None)
    running: Server = request.getfixturevalue("postgres_server")
    request.addfinalizer(lambda: running.drop("deciding"))  # noqa: PT021
    return prepare(folder, running.create("deciding"))


@pytest.fixture
def home(prepared: DecidingHome, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DecidingHome]:
    """Give a copy of the home with a database of its own."""
    if prepared.database_url is None:
        yield prepared.copy(tmp_path / "home", None)
        return
    running: Server = request.getfixturevalue("postgres_server")
    yield prepared.copy(tmp_path / "home", running.create("killed", template="deciding"))
    running.drop("killed")


@pytest.fixture
def environment(home: DecidingHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell the server where its database is."""
    if home.database_url is not None:
        monkeypatch.setenv("HANDRAIL_DATABASE_URL", home.database_url)


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
@pytest.mark.timeout(300)
def test_no_acknowledged_decision_is_lost_or_doubled(home: DecidingHome) -> None:
    ward = Ward(home.project_id, home.token)
    for _ in range(KILLS):
        with serving(HANDRAIL, home.folder, expect_clean_end=False) as running:
            _check(home, ward)
            asyncio.run(_ask_and_kill(ward, running))
        wait_for_leftovers(home.settings().database)
        assert not ward.wrong, ward.wrong[:5]
    with serving(HANDRAIL, home.folder) as running:
        _check(home, ward)
        asyncio.run(ward.ask_everything_again(running.url))
        assert not ward.wrong, ward.wrong[:5]
        assert set(ward.told) == set(ward.asked)
        _wait_until_counted(home, len(ward.asked))
    _check(home, ward, complete=True)
    routes = Counter(answer[2] for answer in ward.told.values())
    assert min(routes["auto"], routes["human"]) > 0, routes


async def _ask_and_kill(ward: Ward, running: Running) -> None:
    ward.warm = asyncio.Event()
    asking = asyncio.create_task(ward.ask_until_it_dies(running.url))
    await asyncio.wait_for(ward.warm.wait(), WARM_S)
    await asyncio.sleep(random.uniform(0, LATEST_KILL_S))
    running.process.kill()
    await asking


def _check(home: DecidingHome, ward: Ward, *, complete: bool = False) -> None:
    """Look into the database itself."""
    with closing(open_storage(home.settings().database)) as storage:
        keys = storage.read(lambda uow: _check_rows(uow, ward))
        found = verify(storage, Signer.of_home(home.folder / "keys").verifier)
        assert found.ok, found
        if complete:
            assert keys == set(ward.asked)
            assert found.entries + found.waiting == _count(storage, "journal_entry")


def _check_rows(uow: UnitOfWork, ward: Ward) -> set[str]:
    """Each decision once, with its item, its task, its entry and payload; none of these without a decision."""
    rows = uow.run(_DECISIONS).all()
    by_key = {row[0]: row for row in rows}
    by_id = {row[1]: row for row in rows}
    assert len(by_key) == len(by_id) == len(rows) == uow.run(_COUNTS["decision"]).scalar()
    for key, (decision_id, item_id, route, value, task_id, score, _) in ward.told.items():
        assert key in by_key, f"{key} was acknowledged and is lost"
        _, its_id, its_item, its_route, its_value, its_task, its_score, status = by_key[key]
        given = None if its_value is None else json.loads(its_value)
        assert (its_id, its_item, its_route, given, its_score) == (decision_id, item_id, route, value, score), key
        assert status == ("auto" if route == "auto" else "pending"), key
        assert route == "auto" or its_task == task_id is not None, key
    tasks = uow.run(_TASKS).all()
    assert sorted(tasks) == sorted((row[5], row[1]) for row in rows if row[5] is not None)
    entries = [json.loads(objects) | json.loads(content) for objects, content in uow.run(_ENTRIES).all()]
    assert sorted(entry["decision"] for entry in entries) == sorted(by_id)
    assert all((entry["item"], entry["route"]) == by_id[entry["decision"]][2:4] for entry in entries)
    assert uow.run(_COUNTS["journal_entry"]).scalar() == uow.run(_COUNTS["journal_payload"]).scalar()
    return set(by_key)


def _wait_until_counted(home: DecidingHome, expected: int) -> None:
    """The loop, killed as often, has counted each decision once when it has read all of them."""
    ends = time.monotonic() + _COUNTED_S
    with closing(open_storage(home.settings().database)) as storage:
        counted: Any = None
        while counted != expected and time.monotonic() < ends:
            time.sleep(0.1)
            counted = storage.read(lambda uow: uow.run(_TALLIED).scalar())
        time.sleep(1)  # two turns of the loop: it must not go on counting
        assert storage.read(lambda uow: uow.run(_TALLIED).scalar()) == expected


def _count(storage: Storage, name: str) -> int:
    return int(storage.read(lambda uow: uow.run(_COUNTS[name]).scalar()))
