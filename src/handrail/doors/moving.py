"""Moves a home to another database: everything is copied, checked, and the owner is told what remains to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from handrail.cycle.train.model import Run
from handrail.cycle.train.runs import Runs
from handrail.foundation.clock import SystemClock
from handrail.foundation.errors import Broken, Conflict
from handrail.foundation.home import Home
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.proofs import Prover, Verified
from handrail.foundation.journal.tree import JournalDamaged
from handrail.foundation.journal.verifying import verify
from handrail.foundation.randomness import Randomness
from handrail.foundation.settings import Settings, load, masked
from handrail.foundation.storage import open_storage
from handrail.foundation.storage.moving import MoveRefused, move
from handrail.foundation.work.jobs import working_on


class DatabaseInUse(Conflict):
    """Servers or workers run on the database that is to be moved."""

    code = "storage.in_use"


class MovedDifferently(Broken):
    """The journal of the copy is not that of the original; keep the original."""

    code = "storage.moved_differently"


def move_home(settings: Settings, target_url: str, say: Callable[[str], None]) -> dict[str, int]:
    """Copy the database of a home, which is owned meanwhile, and return how many rows each table has.

    The journal is signed and checked before, and the copy must have the same root. Raises HomeInUse, DatabaseInUse,
    SettingsRefused for a target that the home could not use, JournalDamaged, MoveRefused, MoveFailed,
    MovedDifferently.
    """
    load(home=settings.home, database_url=target_url)
    if settings.uses_sqlite and not Path(settings.database.removeprefix("sqlite:///")).is_file():
        raise MoveRefused(f"There is no database in {settings.home}.", hint="Name the home with --home.")
    with Home(settings.home) as home:
        _refuse_in_use(settings.database)
        signer = Signer.of_home(home.keys)
        before, unfinished = _prepare(settings.database, signer)
        moved = move(settings.database, target_url, say)
        after = _verified(target_url, signer)
    if not after.ok or (after.root, after.entries) != (before.root, before.entries):
        problem = after.problem or "its root is another one"
        raise MovedDifferently(f"The copy is not what it was: {problem}.", hint="Keep the old database.")
    _tell(settings, target_url, after, unfinished, say)
    return moved


def _refuse_in_use(url: str) -> None:
    if found := working_on(url):
        raise DatabaseInUse(
            f"{len(found)} process(es) run jobs on {masked(url)}.", hint="Stop every server and worker, wait 30 s."
        )


def _prepare(url: str, signer: Signer) -> tuple[Verified, list[Run]]:
    """Give every entry its place, sign the tree, check it, and return that with the runs that have not ended."""
    storage = open_storage(url)
    try:
        clock, randomness = SystemClock(), Randomness()
        ids = Ids(clock, randomness)
        journal = Journal(clock, ids, randomness)
        prover = Prover(storage, journal, clock, signer)
        prover.checkpoint()
        before = prover.verify()
        if not before.ok:
            problem = f"The journal is damaged and is not moved: {before.problem}."
            raise JournalDamaged(problem, hint="Run handrail journal verify.")
        return before, storage.read(Runs(journal, clock, ids).unfinished)
    finally:
        storage.close()


def _verified(url: str, signer: Signer) -> Verified:
    storage = open_storage(url)
    try:
        return verify(storage, signer.verifier)
    finally:
        storage.close()


def _tell(
    settings: Settings, target_url: str, after: Verified, unfinished: list[Run], say: Callable[[str], None]
) -> None:
    say(f"The journal of the copy is the same: {after.entries:,} entries, root {after.root}.")
    if target_url == f"sqlite:///{settings.home / 'handrail.db'}":
        say(f"To use it: unset HANDRAIL_DATABASE_URL and serve {settings.home}.")
    else:
        named = f"{masked(target_url)} (with its password)"
        say(f"To use it: set HANDRAIL_DATABASE_URL to {named} and serve {settings.home}.")
    say(f"The old database stays as it was: {masked(settings.database)}. The files of the home belong to both.")
    for run in unfinished:
        say(f"Unfinished, begins anew there: {run.workflow} of {run.question} ({run.id}).")
