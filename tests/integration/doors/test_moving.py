"""`handrail store move`: the home is owned, the copy is checked, and what remains to do is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from handrail.app import running
from handrail.cycle.evaluate.jobs import RETRAIN
from handrail.doors.moving import DatabaseInUse, move_home
from handrail.foundation.home import Home, HomeInUse
from handrail.foundation.journal.tree import JournalDamaged
from handrail.foundation.settings import Settings, SettingsRefused
from handrail.foundation.storage import open_storage
from handrail.foundation.storage.moving import MoveRefused
from tests.integration.cycle.breast_mass import QUESTION
from tests.integration.lived_in import LEAD, Lived, live
from tools.postgres import Server


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


def settings(home: Path, url: str | None = None) -> Settings:
    """Return the settings of a demonstration home."""
    return Settings.model_validate({"home": home, "database_url": url, "demo": True})


@pytest.fixture
def lived(tmp_path: Path) -> tuple[Path, Lived, str]:
    """Make a home with decisions, entries that have no place yet, and a run that nobody has started."""
    home = tmp_path / "home"
    with running(settings(home), seed=7) as system:
        done = live(system, model=False)
        args = {"seed": 1, "note": "", "commit_id": None}
        run = system.storage.write(
            lambda uow: system.train.runs.ask(uow, LEAD, done.scope, workflow=RETRAIN, question=QUESTION, args=args)
        )
    return home, done, run.id


def test_a_home_is_owned_while_it_is_moved_and_goes_on_there(
    lived: tuple[Path, Lived, str], databases: Callable[[str], str]
) -> None:
    home, done, run_id = lived
    there = databases("owned")
    said: list[str] = []

    def hear(words: str) -> None:
        if not said:
            with pytest.raises(HomeInUse):
                Home(home).own()
        said.append(words)

    moved = move_home(settings(home), there, hear)
    assert moved["decision"] == len(done.decisions)
    assert any("set HANDRAIL_DATABASE_URL to postgresql://" in words for words in said)
    assert [words for words in said if run_id in words] == [
        f"Unfinished, begins anew there: retrain of {QUESTION} ({run_id})."
    ]
    with running(settings(home, there)) as system:
        assert system.prover.verify().ok
        assert system.jobs.wait(run_id, timeout_s=60).state == "done"
        run = system.storage.read(lambda uow: system.train.runs.get(uow, done.scope, run_id))
        assert run.state == "done"

    # And back, into the place where a home has its database when none is named.
    (home / "handrail.db").unlink()
    said = ["not asked again"]
    move_home(settings(home, there), f"sqlite:///{home / 'handrail.db'}", hear)
    assert any("unset HANDRAIL_DATABASE_URL" in words for words in said)
    with running(settings(home)) as system:
        assert system.prover.verify().ok


def test_a_database_that_others_work_on_is_not_moved(databases: Callable[[str], str], tmp_path: Path) -> None:
    there = databases("busy")
    home, target = tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'handrail.db'}"
    with running(settings(home, there)):
        pass
    with running(settings(tmp_path / "other", there)), pytest.raises(DatabaseInUse):
        move_home(settings(home, there), target, lambda _: None)
    assert move_home(settings(home, there), target, lambda _: None)["identity_role"] > 0


def test_a_damaged_journal_is_not_moved(lived: tuple[Path, Lived, str], databases: Callable[[str], str]) -> None:
    home, there = lived[0], databases("damaged")
    storage = open_storage(f"sqlite:///{home / 'handrail.db'}")
    storage.write(lambda uow: uow.add(text("DROP TRIGGER journal_entry_guard_update")))
    storage.write(lambda uow: uow.add(text("UPDATE journal_entry SET verb = 'x' WHERE seq = 3")))
    storage.close()
    with pytest.raises(JournalDamaged):
        move_home(settings(home), there, lambda _: None)


def test_a_target_that_the_home_could_not_use_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with running(settings(tmp_path / "home")):
        pass
    for target in (f"sqlite:///{tmp_path / 'elsewhere.db'}", "mysql://somewhere/db"):
        with pytest.raises(SettingsRefused):
            move_home(settings(tmp_path / "home"), target, lambda _: None)
    with pytest.raises(MoveRefused, match="no database"):
        move_home(settings(tmp_path / "nothing"), "postgresql://127.0.0.1:1/none", lambda _: None)
    assert not (tmp_path / "nothing").exists()
