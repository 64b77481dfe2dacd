"""Reads versions from files alone: checkout, diff, verify. The database is not asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from handrail.cycle.datasets import delta, parquet, writing
from handrail.cycle.datasets.delta import Difference, Key, Manifest, Part, Row, State
from handrail.cycle.datasets.files import Files
from handrail.cycle.datasets.model import Change, ExportFormatUnknown
from handrail.cycle.datasets.schema import Schema
from handrail.foundation.actors import Scope
from handrail.foundation.errors import Broken, Invalid

_NAMES = ("item", "digest", "external_id")

Names = dict[str, tuple[str, str]]
"""Digest -> (item, external id)."""


@dataclass(frozen=True)
class Version:
    """One commit as its files tell it."""

    id: str
    manifest: Manifest
    schema: Schema


class History:
    """The versions of one project."""

    def __init__(self, folder: Path, scope: Scope) -> None:
        self.files = Files(folder, scope)

    def has(self, commit_id: str) -> bool:
        """Return whether the files know this commit."""
        return self.files.has_commit(commit_id)

    def chain(self, commit_id: str | None) -> list[Version]:
        """Return the versions from the first one to this one, each a change of the one before; raises DatasetBroken.

        The way leads by first parents: a merge is a change of the branch that it was made on.
        """
        found: list[Version] = []
        seen: set[str] = set()
        while commit_id is not None:
            one = self._version(commit_id)
            parents = one.manifest.parents
            if commit_id in seen:
                place = self.files.manifest_place(commit_id)
                raise self.files.broken(place, "its parents do not lead to a first version", commit_id)
            seen.add(commit_id)
            found.append(one)
            commit_id = parents[0] if parents else None
        return found[::-1]

    def checkout(self, commit_id: str) -> pa.Table:
        """Return the version as one table, see parquet.version_table; raises DatasetBroken."""
        chain = self.chain(commit_id)
        items = [table for one in chain if (table := self.items(one)) is not None]
        return parquet.version_table(chain[-1].schema, items, self.state(chain))

    def checkout_file(self, commit_id: str, format_: str) -> Iterator[bytes]:
        """Return the version as the parts of a file; raises ExportFormatUnknown, DatasetBroken."""
        if format_ not in ("csv", "jsonl", "parquet"):
            raise ExportFormatUnknown(f"There is no checkout as {format_[:20]!r}.", hint="Use csv, jsonl or parquet.")
        table = self.checkout(commit_id)
        if format_ == "parquet":
            sink = pa.BufferOutputStream()
            parquet.write_table(sink, table)
            return iter([sink.getvalue().to_pybytes()])
        rows = parquet.plain_rows(table)
        return writing.json_lines(rows) if format_ == "jsonl" else writing.csv_lines(table.column_names, rows)

    def state(self, chain: list[Version]) -> State:
        """Return the labels of the last version of a chain."""
        state: State = {}
        for one in chain:
            self._apply(state, one)
        return state

    def digests(self, chain: list[Version]) -> set[str]:
        """Return the digests of all items of a chain."""
        found: set[str] = set()
        for one in chain:
            table = self.items(one, ("digest",))
            found.update([] if table is None else parquet.digests_of(table))
        return found

    def diff(self, a: str | None, b: str | None) -> list[Change]:
        """Return what differs from version `a` to version `b`, None being the version before the first.

        Items in the order in which they came in, then labels by external id and question.
        """
        shared, left, right = self._apart(a, b)
        gone, new = self._all_names(left), self._all_names(right)
        changes = [Change("item_removed", *gone[digest]) for digest in gone if digest not in new]
        changes += [Change("item_added", *new[digest]) for digest in new if digest not in gone]
        found = list(delta.differences(map(self.rows, left), map(self.rows, right)))
        wanted = {one.key[0] for one in found} - gone.keys() - new.keys()
        names = gone | new | self.named(shared, wanted)
        labels = [_label_change(one, names.get(one.key[0], ("", ""))) for one in found]
        # Digests are salted, so their order is another in every home; external ids are the data's own.
        return changes + sorted(labels, key=lambda one: (one.external_id, one.question))

    def changed(self, a: str, b: str) -> dict[Key, Difference]:
        """Return the labels that differ from version `a` to version `b`."""
        _, left, right = self._apart(a, b)
        return {one.key: one for one in delta.differences(map(self.rows, left), map(self.rows, right))}

    def missing(self, ours: str, theirs: str) -> pa.Table:
        """Return the items of version `theirs` that `ours` does not hold, with all their columns."""
        _, left, right = self._apart(ours, theirs)
        held = self.digests(left)
        tables = [table for one in right if (table := self.items(one)) is not None]
        return parquet.without(right[-1].schema, tables, held)

    def named(self, chain: list[Version], digests: set[str]) -> Names:
        """Return the names of those of the items that a version of the chain adds; erased ones have none left."""
        found: Names = {}
        for one in chain:
            if len(found) == len(digests):
                break
            if (table := self.items(one, _NAMES)) is not None:
                found |= parquet.names_in(table, digests)
        return found

    def _all_names(self, versions: list[Version]) -> Names:
        tables = [table for one in versions if (table := self.items(one, _NAMES)) is not None]
        return {digest: name for table in tables for digest, name in parquet.names_in(table).items()}

    def _apart(self, a: str | None, b: str | None) -> tuple[list[Version], list[Version], list[Version]]:
        """Return (the versions that the ways to both share, the rest of the way to `a`, the rest of that to `b`)."""
        left, right = self.chain(a), self.chain(b)
        shared = 0
        while shared < min(len(left), len(right)) and left[shared].id == right[shared].id:
            shared += 1
        return left[:shared], left[shared:], right[shared:]

    def verify(self, commit_id: str) -> None:
        """Compute the id of a version and of every one before it from the files; raises DatasetBroken with the file."""
        ahead, done = [commit_id], set[str]()
        while ahead:
            chain = self.chain(ahead.pop())
            self._verify_chain(chain, done)
            done.update(one.id for one in chain)
            ahead += [parent for one in chain for parent in one.manifest.parents[1:] if parent not in done]

    def _verify_chain(self, chain: list[Version], done: set[str]) -> None:
        state: State = {}
        known: set[str] = set()
        for one in chain:
            place = self.files.manifest_place(one.id)
            digests = self._checked_items(one)
            rows = self._apply(state, one)
            wrong = [row.item for row in rows if row.item not in known and row.item not in digests]
            for why in _wrongs(known, digests, wrong):
                raise self.files.broken(place, why, one.id)
            known |= digests
            if one.id in done:
                continue
            made = delta.commit_id(one.manifest.parents, one.schema.digest, digests, rows)
            if made != one.id:
                raise self.files.broken(place, "what it says does not make up the id of the commit", one.id)

    # One version

    def _version(self, commit_id: str) -> Version:
        manifest = self.files.manifest(commit_id)
        try:
            schema = Schema.from_dict(manifest.schema)
        except Invalid:
            place = self.files.manifest_place(commit_id)
            raise self.files.broken(place, "its schema is not one", commit_id) from None
        return Version(commit_id, manifest, schema)

    def items(self, one: Version, columns: tuple[str, ...] | None = None) -> pa.Table | None:
        """Return the items that a version adds, or None when it adds none."""
        part = one.manifest.items
        if part is None:
            return None
        with self.files.opened("items", part.file, one.id) as source:
            try:
                table = parquet.read_items(source, one.schema, columns)
            except parquet.NotWhatItSays as error:
                raise self._broken_part(one, "items", part, str(error)) from error
        self._count(one, "items", part, table.num_rows)
        return table

    def rows(self, one: Version) -> list[Row]:
        """Return the label changes of a version."""
        part = one.manifest.labels
        if part is None:
            return []
        with self.files.opened("labels", part.file, one.id) as source:
            try:
                rows = parquet.read_changes(source)
            except parquet.NotWhatItSays as error:
                raise self._broken_part(one, "labels", part, str(error)) from error
        self._count(one, "labels", part, len(rows))
        return rows

    def _apply(self, state: State, one: Version) -> list[Row]:
        rows = self.rows(one)
        try:
            delta.apply(state, rows)
        except delta.DoesNotFit as error:
            part = one.manifest.labels
            assert part is not None
            raise self._broken_part(one, "labels", part, str(error)) from error
        return rows

    def _checked_items(self, one: Version) -> set[str]:
        table = self.items(one)
        if table is None:
            return set()
        part = one.manifest.items
        assert part is not None
        try:
            return set(parquet.check_items(table, one.schema))
        except parquet.NotWhatItSays as error:
            raise self._broken_part(one, "items", part, str(error)) from error

    def _count(self, one: Version, kind: str, part: Part, rows: int) -> None:
        if rows != part.rows:
            place = self.files.manifest_place(one.id)
            raise self.files.broken(place, f"it counts {part.rows} {kind} and the file holds {rows}", one.id)

    def _broken_part(self, one: Version, kind: str, part: Part, why: str) -> Broken:
        place = self.files.place("items" if kind == "items" else "labels", part.file)
        return self.files.broken(place, why, one.id)


def _wrongs(known: set[str], digests: set[str], strangers: list[str]) -> Iterator[str]:
    if known & digests:
        yield "it adds an item that an earlier version has"
    if strangers:
        yield f"it labels the item {strangers[0][:12]}…, which no version has"


def _label_change(one: delta.Difference, name: tuple[str, str]) -> Change:
    return Change(
        "label",
        *name,
        question=one.key[1],
        old=one.old[0],
        new=one.new[0],
        old_purpose=one.old[1],
        new_purpose=one.new[1],
        actor=one.by.actor,
        reason=one.by.reason,
    )
