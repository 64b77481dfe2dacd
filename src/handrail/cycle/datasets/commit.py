"""Makes versions: the files first, then one transaction that makes them count.

A process that is killed in between leaves files that nobody names; the same call again writes the same files under
the same names and gives the same id.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from handrail.cycle.datasets import delta, parquet, store
from handrail.cycle.datasets.delta import Manifest, Part, Row
from handrail.cycle.datasets.events import CommitMade
from handrail.cycle.datasets.history import History
from handrail.cycle.datasets.model import EDIT, MAIN, Commit, CommitBusy, Item, LabelInvalid
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.schema import Schema
from handrail.cycle.datasets.store import Standing
from handrail.cycle.datasets.values import read_text
from handrail.cycle.datasets.versions import Versions
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage, UnitOfWork

_BATCH = 10_000
TRIES = 5
_MAX_MESSAGE = 2_000

Salted = tuple[Item, bytes | None]


class Moved(Exception):
    """What was to be committed changed meanwhile; collect again. Never leaves this stage."""


@dataclass(frozen=True)
class Draft:
    """A version that is to be made: on `branch`, where it must still find parents[0] at the end.

    `write_items` writes the items that it adds to an open file and returns their digests; None where it adds none.
    `seqs` are the seqs of changed items in the database, by digest, as far as they are known.
    """

    branch: str
    parents: tuple[str, ...]
    number: int
    schema: Schema
    rows: list[Row]
    write_items: Callable[[IO[bytes]], list[str]] | None = None
    seqs: Mapping[str, int] = field(default_factory=dict)


Also = Callable[[UnitOfWork, Commit], None]
"""What else is written in the unit that makes a version count."""


@dataclass(frozen=True)
class _Collected:
    """What a commit is to hold. `until` bounds the items by seq; `marked` are the labels that it takes up."""

    draft: Draft
    until: int
    marked: list[Standing]


class Commits:
    """Makes the versions of every project. `turn` is held while one is made."""

    def __init__(
        self, storage: Storage, journal: Journal, clock: Clock, folder: Path, projects: Projects, versions: Versions
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._folder = folder
        self._projects = projects
        self._versions = versions
        self.turn = threading.RLock()

    def make(self, actor: Actor, scope: Scope, message: str, branch: str) -> Commit | None:
        """Commit what is new since the branch's last commit; see Datasets.commit."""
        check_message(message)
        with self.turn:
            for _ in range(TRIES):
                collected = self._collect(scope, branch)
                if collected is None:
                    return None
                try:
                    return self.keep(actor, scope, message, collected.draft, self._marks(scope, collected))
                except Moved:
                    continue
        raise busy()

    # What is new

    def _collect(self, scope: Scope, branch: str) -> _Collected | None:
        found = self._storage.read(lambda uow: self._look(uow, scope, branch))
        head, number, schema, until, standings = found
        if branch == MAIN:
            rows = [_row(one, one.old, one.old_purpose) for one in standings]
            known: frozenset[str] = frozenset()
        else:
            rows, known = self._lacking(scope, head, standings)
        rows = [row for row in rows if row.before != row.after]
        has_items = until > 0 if branch == MAIN else any(True for _ in self._new_items(scope, branch, until, known))
        if not rows and not has_items:
            if standings and branch == MAIN:
                # Labels that were changed and changed back: nothing to commit, nothing waits any more.
                self._storage.write(lambda uow: store.mark_labels(uow, scope, standings, number - 1))
            return None

        def write(sink: IO[bytes]) -> list[str]:
            return parquet.write_items(sink, schema, self._new_items(scope, branch, until, known))

        parents = () if head is None else (head,)
        seqs = {one.digest: one.item_seq for one in standings}
        draft = Draft(branch, parents, number, schema, rows, write if has_items else None, seqs)
        return _Collected(draft, until, standings)

    def _lacking(self, scope: Scope, head: str | None, standings: list[Standing]) -> tuple[list[Row], frozenset[str]]:
        """Return what another branch than main lacks, and the digests of the items that it holds.

        What was edited on the branch stays as it was edited there: merging brings the two together, not a commit.
        """
        history = History(self._folder, scope)
        chain = history.chain(head)
        state = history.state(chain)
        rows = []
        for one in standings:
            held = state.get((one.digest, one.question))
            if held is None or held.source != EDIT:
                rows.append(_row(one, *((None, None) if held is None else held.after)))
        return rows, frozenset(history.digests(chain))

    def _look(self, uow: UnitOfWork, scope: Scope, branch: str) -> tuple[str | None, int, Schema, int, list[Standing]]:
        head = self._versions.head(uow, scope, branch)
        parent = None if head is None else store.get_commit(uow, scope, head)
        number = 1 if parent is None else parent.number + 1
        schema = self._projects.schema(uow, scope)
        if branch == MAIN:
            return head, number, schema, store.last_waiting_seq(uow, scope), store.waiting_labels(uow, scope)
        return head, number, schema, store.last_seq(uow, scope), store.every_label(uow, scope)

    def _new_items(self, scope: Scope, branch: str, until: int, known: frozenset[str]) -> Iterator[Sequence[Salted]]:
        """Yield the items that the branch does not hold, in batches of bounded size; each is a short read."""
        after = 0
        while after < until:
            if branch == MAIN:
                batch = self._storage.read(lambda uow: store.waiting_items(uow, scope, after, until, _BATCH))  # noqa: B023
            else:
                batch = self._storage.read(lambda uow: store.salted_items(uow, scope, after, _BATCH))  # noqa: B023
            if not batch:
                return
            after = batch[-1][0].seq
            new = [pair for pair in batch if pair[0].seq <= until and pair[0].digest not in known]
            if new:
                yield new

    # Files, then the transaction

    def keep(self, actor: Actor, scope: Scope, message: str, draft: Draft, also: Also) -> Commit:
        """Write the files of a version, then make it count and move its branch; raises Moved."""
        files = History(self._folder, scope).files
        files.prepare()
        items, digests = None, list[str]()
        if draft.write_items is not None:
            name, digests = files.keep("items", draft.write_items)
            items = Part(name, len(digests))
        labels = None
        rows = delta.sorted_rows(draft.rows)
        if rows:
            name, _ = files.keep("labels", lambda sink: parquet.write_changes(sink, rows, draft.seqs))
            labels = Part(name, len(rows))
        commit_id = delta.commit_id(draft.parents, draft.schema.digest, digests, rows)
        files.keep_manifest(commit_id, Manifest(draft.parents, draft.schema.to_dict(), items, labels))
        made = Commit(
            id=commit_id,
            parents=draft.parents,
            number=draft.number,
            message=message,
            branch=draft.branch,
            items=len(digests),
            labels=len(rows),
            created_at=self._clock.now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
        )
        self._storage.write(lambda uow: self._record(uow, actor, scope, made, also))
        return made

    def _record(self, uow: UnitOfWork, actor: Actor, scope: Scope, made: Commit, also: Also) -> None:
        before = made.parents[0] if made.parents else None
        if not store.move_branch(uow, scope, made.branch, before or "", made.id):
            raise Moved
        store.insert_commit(uow, scope, made)
        also(uow, made)
        event = CommitMade(
            commit_id=made.id,
            parent_id=before,
            merged_id=made.parents[1] if len(made.parents) > 1 else None,
            branch=made.branch,
            message=made.message,
            items=made.items,
            labels=made.labels,
        )
        self._journal.append(uow, actor, scope.project_id, event)

    def _marks(self, scope: Scope, collected: _Collected) -> Also:
        def also(uow: UnitOfWork, made: Commit) -> None:
            if made.branch != MAIN:
                return
            # An item that was committed to the database late, between its neighbours, would be marked and not kept.
            if made.items and store.mark_items(uow, scope, collected.until) != made.items:
                raise Moved
            store.mark_labels(uow, scope, collected.marked, made.number)

        return also


def check_message(message: str) -> None:
    """Raise LabelInvalid for a message that is no text or too long."""
    if read_text(message)[1] or len(message) > _MAX_MESSAGE:
        raise LabelInvalid(f"The message must be a text of up to {_MAX_MESSAGE:,} characters.")


def busy() -> CommitBusy:
    """Return the error for a version that could not be made because others kept changing the dataset."""
    return CommitBusy("The dataset keeps changing while it is committed.", hint="Try again in a moment.")


def _row(one: Standing, old: object, old_purpose: str | None) -> Row:
    return Row(
        item=one.digest,
        question=one.question,
        old=old,
        new=one.value,
        old_purpose=old_purpose,
        new_purpose=one.purpose,
        source=one.source,
        probability=one.probability,
        actor=f"{one.actor_kind}:{one.actor_id}",
        reason=one.reason,
    )
