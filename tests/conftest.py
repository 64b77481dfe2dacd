"""What every test may ask for: a clock that stands still, identifiers, seeded randomness, both databases."""

from __future__ import annotations

import shutil
import signal
import types
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from sqlalchemy import create_engine

from handrail.foundation.clock import FixedClock
from handrail.foundation.ids import Ids
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, metadata, open_storage
from tools.postgres import Server, server

# Examples are the same on every machine; `pytest --hypothesis-profile=explore` looks for new ones.
set_hypothesis_home_dir(".cache/hypothesis")
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, max_examples=50, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile("same")


def _end(_number: int, _frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


def pytest_configure() -> None:
    """Let SIGTERM end a run as Ctrl-C does, so that fixtures stop what they started."""
    signal.signal(signal.SIGTERM, _end)


@pytest.fixture
def clock() -> FixedClock:
    """Stand at noon UTC of a Thursday until a test moves it."""
    return FixedClock(datetime(2026, 1, 1, 12, tzinfo=UTC))


@pytest.fixture
def randomness() -> Randomness:
    """Draw the same numbers in every run."""
    return Randomness(seed=7)


@pytest.fixture
def ids(clock: FixedClock, randomness: Randomness) -> Ids:
    """Give identifiers of the test's own time."""
    return Ids(clock, randomness)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Run one PostgreSQL server for the whole test run."""
    with server(durable=False) as running:
        yield running


def _create_tables(url: str) -> None:
    """Create the tables of the tests' own modules (`info={"test": True}`); every other one must come from opening."""
    tables = [table for table in metadata.tables.values() if table.info.get("test")]
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    metadata.create_all(engine, tables=tables)
    engine.dispose()


class _Prepared:
    """Databases with tables but no rows, made once for each set of tables and copied for each test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, frozenset[str]], str] = {}
        self._count = 0

    def name(self) -> str:
        """Return a database name that is not in use."""
        self._count += 1
        return f"test_{self._count}"

    def sqlite(self, place: Path) -> str:
        """Put a database at `place` and return its URL."""
        template = self._template("sqlite", lambda name: f"sqlite:///{self._folder / name}")
        shutil.copyfile(template.removeprefix("sqlite:///"), place)
        return f"sqlite:///{place}"

    def postgresql(self, running: Server) -> tuple[str, str]:
        """Make a database on the server and return its name and URL."""
        template = self._template("postgresql", running.create)
        name = self.name()
        return name, running.create(name, template=template.partition("?")[0].rpartition("/")[2])

    def _template(self, kind: str, create: Callable[[str], str]) -> str:
        key = (kind, frozenset(metadata.tables))
        if key not in self._made:
            url = create(self.name())
            open_storage(url).close()
            _create_tables(url)
            self._made[key] = url
        return self._made[key]


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> _Prepared:
    return _Prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(params=["sqlite", "postgresql"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path, _prepared: _Prepared) -> Iterator[str]:
    """Name a new database with all tables, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield _prepared.sqlite(tmp_path / "handrail.db")
        return
    running: Server = request.getfixturevalue("postgres_server")
    name, url = _prepared.postgresql(running)
    yield url
    running.drop(name)


@pytest.fixture
def storage(storage_url: str) -> Iterator[Storage]:
    """Open a new database with all tables, once on SQLite and once on PostgreSQL."""
    opened = open_storage(storage_url)
    yield opened
    opened.close()
