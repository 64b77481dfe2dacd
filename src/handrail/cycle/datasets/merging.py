"""Merges one version into a branch, row by row; what two people said differently is told, not settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from handrail.cycle.datasets import delta, merge, parquet, store
from handrail.cycle.datasets.commit import TRIES, Commits, Draft, Moved, busy, check_message
from handrail.cycle.datasets.delta import Row
from handrail.cycle.datasets.history import History, Names
from handrail.cycle.datasets.merge import Clash
from handrail.cycle.datasets.model import MAIN, Commit, Label, MergeConflict, Merged, NothingToMerge
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.schema import Schema
from handrail.cycle.datasets.versions import Versions
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.storage import Storage, UnitOfWork

Prefer = Literal["ask", "ours", "theirs"]
Along = Callable[[UnitOfWork, Merged], None]


@dataclass(frozen=True)
class _Sides:
    """Where a merge begins: the two versions, those that they share last, the number of the version to make."""

    ours: str
    theirs: str
    shared: tuple[str, ...]
    number: int
    schema: Schema


class Merges:
    """Makes versions with two parents."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        ids: Ids,
        folder: Path,
        projects: Projects,
        versions: Versions,
        commits: Commits,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._ids = ids
        self._folder = folder
        self._projects = projects
        self._versions = versions
        self._commits = commits

    def make(
        self, actor: Actor, scope: Scope, theirs: str, into: str, message: str, prefer: Prefer, along: Along | None
    ) -> Merged:
        """Merge the version `theirs` into the branch `into`; see Datasets.merge."""
        check_message(message)
        with self._commits.turn:
            for _ in range(TRIES):
                if into == MAIN:
                    # What waits on main is main's side of the merge.
                    self._commits.make(actor, scope, f"Before merging {theirs[:100]}", MAIN)
                sides = self._storage.read(lambda uow: self._look(uow, scope, theirs, into))
                try:
                    return self._merge(actor, scope, sides, into, message, prefer, along)
                except Moved:
                    continue
        raise busy()

    def _look(self, uow: UnitOfWork, scope: Scope, theirs: str, into: str) -> _Sides:
        head = self._versions.head(uow, scope, into)
        other = self._versions.resolve(uow, scope, theirs)
        if head is None:
            raise NothingToMerge(f"The branch {into} has no version yet.", hint="Commit to it first.")
        commits = store.all_commits(uow, scope)
        shared = merge.last_shared({one.id: one.parents for one in commits.values()}, head, other)
        if not shared:
            raise NothingToMerge("The two versions have no version in common.")
        if shared == [other]:
            raise NothingToMerge(f"The branch {into} holds all of {theirs[:100]} already.")
        return _Sides(head, other, tuple(shared), commits[head].number + 1, self._projects.schema(uow, scope))

    def _merge(
        self,
        actor: Actor,
        scope: Scope,
        sides: _Sides,
        into: str,
        message: str,
        prefer: Prefer,
        along: Along | None,
    ) -> Merged:
        history = History(self._folder, scope)
        found = merge.three_way(
            (history.changed(base, sides.ours), history.changed(base, sides.theirs)) for base in sides.shared
        )
        rows = found.rows + (list(map(merge.as_theirs, found.clashes)) if prefer == "theirs" else [])
        clashes = found.clashes if prefer == "ask" else []
        touched = {row.item for row in rows} if into == MAIN else set[str]()
        names = history.named(sides.theirs, touched | {one.key[0] for one in clashes})
        conflicts = tuple(_conflict(one, names.get(one.key[0], ("", ""))) for one in clashes)
        missing = history.missing(sides.ours, sides.theirs)
        if missing.num_rows and into == MAIN:
            raise Moved  # main takes its items from the database, so an item that it lacks came in meanwhile

        def write(sink: IO[bytes]) -> list[str]:
            return parquet.write_item_table(sink, sides.schema, missing)

        draft = Draft(
            into,
            (sides.ours, sides.theirs),
            sides.number,
            sides.schema,
            rows,
            write if missing.num_rows else None,
        )
        done: list[Merged] = []

        def also(uow: UnitOfWork, made: Commit) -> None:
            if into == MAIN:
                self._take_over(uow, scope, made.number, rows, names)
            done[:] = [Merged(made, conflicts)]
            if along is not None:
                along(uow, done[0])

        self._commits.keep(actor, scope, message, draft, also)
        return done[0]

    def _take_over(self, uow: UnitOfWork, scope: Scope, number: int, rows: Sequence[Row], names: Names) -> None:
        """Make what was merged into main the labels that hold now; a label that came in meanwhile goes on waiting."""
        seqs = store.seqs_of(uow, scope, [names[row.item][0] for row in rows if row.item in names])
        called = store.names_of(uow, scope, sorted({row.actor for row in rows}))
        set_, gone = list[tuple[Label, int]](), list[tuple[str, int]]()
        for row in delta.sorted_rows(rows):
            item_id = names.get(row.item, ("", ""))[0]
            if item_id not in seqs:
                continue  # its person was erased; the digest is all that is left
            if row.new is None:
                gone.append((row.question, seqs[item_id]))
            else:
                set_.append((self._label(row, item_id, called), seqs[item_id]))
        store.take_over(uow, scope, set_, number)
        store.take_away(uow, scope, gone, number)

    def _label(self, row: Row, item_id: str, called: dict[str, str]) -> Label:
        kind, _, id_ = row.actor.partition(":")
        return Label(
            id=self._ids.new(),
            item_id=item_id,
            question=row.question,
            value=row.new,
            source=row.source,  # type: ignore[arg-type]  # written by check_label's words
            purpose=row.new_purpose,  # type: ignore[arg-type]
            probability=row.probability,
            task_id=None,
            actor_kind=kind,
            actor_id=id_,
            actor_name=called.get(row.actor, id_),
            reason=row.reason,
            created_at=self._clock.now(),
        )


def _conflict(one: Clash, name: tuple[str, str]) -> MergeConflict:
    return MergeConflict(
        item_id=name[0],
        external_id=name[1],
        question=one.key[1],
        base=one.base[0],
        ours=one.ours[0],
        theirs=one.theirs[0],
        theirs_purpose=one.theirs[1],
        ours_actor=one.ours_by.actor,
        theirs_actor=one.theirs_by.actor,
        ours_reason=one.ours_by.reason,
        theirs_reason=one.theirs_by.reason,
    )
