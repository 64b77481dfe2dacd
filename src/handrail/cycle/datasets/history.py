"""Reads versions from files alone: checkout, diff, verify. The database is not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

import pyarrow as pa

from handrail.cycle.datasets import delta, parquet, snapshots, writing
from handrail.cycle.datasets.delta import Base, Difference, Key, Manifest, Part, Row, State
from handrail.cycle.datasets.files import Files
from handrail.cycle.datasets.model import Change, ExportFormatUnknown
from handrail.cycle.datasets.schema import Schema
from handrail.foundation.actors import Scope
from handrail.foundation.errors import Broken, Invalid

Read = TypeVar("Read", bound=Sized)
_NAMES = ("item", "digest", "external_id")

Names = dict[str, tuple[str, str]]
"""Digest -> (item, external id)."""
Find = Callable[[Sequence[int]], Names]


@dataclass(frozen=True)
class Version:
    """One commit as its files tell it."""

    id: str
    manifest: Manifest
    schema: Schema


@dataclass(frozen=True)
class Stand:
    """From which files a version is read: a base, None for the beginning, and the versions since, oldest first."""

    last: Version
    base: Base | None
    base_id: str
    since: list[Version]

    @property
    def parts(self) -> list[tuple[Part, str]]:
        """The item files in order, each with the version that names it."""
        found = [] if self.base is None else [(one, self.base_id) for one in self.base.items]
        return found + [(one.manifest.items, one.id) for one in self.since if one.manifest.items is not None]


class History:
    """The versions of one project. `find` returns the names of items by their seqs in the database, if there is one.

    With `wary` every file is hashed each time that it is read.
    """

    def __init__(self, folder: Path, scope: Scope, *, find: Find | None = None, wary: bool = False) -> None:
        self.files = Files(folder, scope, wary=wary)
        self._find = find

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
            one = self._next(commit_id, seen)
            found.append(one)
            commit_id = one.manifest.parents[0] if one.manifest.parents else None
        return found[::-1]

    def _next(self, commit_id: str, seen: set[str]) -> Version:
        """Return a version on the way to the first one, and note that it was met."""
        if commit_id in seen:
            place = self.files.manifest_place(commit_id)
            raise self.files.broken(place, "its parents do not lead to a first version", commit_id)
        seen.add(commit_id)
        return self._version(commit_id)

    def checkout(self, commit_id: str) -> pa.Table:
        """Return the version as one table, see snapshots.version_table; raises DatasetBroken."""
        stand = self.stand(commit_id)
        schema = stand.last.schema
        changed = any(one.manifest.labels is not None for one in stand.since)
        names = [*snapshots.SHOWN, *(one.name for one in schema.fields), *(["digest"] if changed else [])]
        items = self.items_of(stand, tuple(names))
        return snapshots.version_table(schema, items, self.snapshot(stand, items))

    def stand(self, commit_id: str) -> Stand:
        """Return from which files a version is read: the last base on the way to it, and the versions since."""
        since: list[Version] = []
        seen: set[str] = set()
        at: str | None = commit_id
        base = None
        while at is not None and (base := self.files.base(at)) is None:
            one = self._next(at, seen)
            since.append(one)
            at = one.manifest.parents[0] if one.manifest.parents else None
        last = since[0] if since else self._version(commit_id)
        return Stand(last, base, at or "", since[::-1])

    def items_of(self, stand: Stand, columns: tuple[str, ...] | None = None) -> pa.Table:
        """Return the items of a version, in the order in which they came in."""
        schema = stand.last.schema
        tables = [self._read_items(schema, part, by, columns) for part, by in stand.parts]
        return pa.concat_tables(tables) if tables else parquet.no_items(schema, columns)

    def snapshot(self, stand: Stand, items: pa.Table) -> pa.Table:
        """Return the labels of a version beside `items`, which need the column digest when labels changed since."""
        schema, before = stand.last.schema, None
        if stand.base is not None:
            part = stand.base.labels
            with self.files.opened("snapshots", part.file, stand.base_id) as source:
                try:
                    before = parquet.read_snapshot(source, snapshots.columns_of(schema))
                    if before.num_rows > items.num_rows:
                        raise parquet.NotWhatItSays("it holds more rows than its version has items")
                except parquet.NotWhatItSays as error:
                    place = self.files.place("snapshots", part.file)
                    raise self.files.broken(place, str(error), stand.base_id) from error
        changes = [table for one in reversed(stand.since) if (table := self._set(one)) is not None]
        digests = items.column("digest") if changes else items.column(0)
        return snapshots.snapshot(schema, digests, before, changes)

    def table_file(self, commit_id: str, table: pa.Table, format_: str) -> Iterator[bytes]:
        """Return the table of a version as the parts of a file; raises ExportFormatUnknown."""
        if format_ not in ("csv", "jsonl", "parquet"):
            raise ExportFormatUnknown(f"There is no checkout as {format_[:20]!r}.", hint="Use csv, jsonl or parquet.")
        if format_ == "parquet":
            sink = pa.BufferOutputStream()
            parquet.write_table(sink, table)
            return iter([sink.getvalue().to_pybytes()])
        schema = self._version(commit_id).schema
        columns = [one.name for one in schema.fields] + [one.name for one in schema.item_questions]
        names = [name for name in columns if name in schema.structured]
        rows = parquet.plain_rows(table, names)
        if format_ == "jsonl":
            return writing.json_lines(rows)
        return writing.csv_lines(table.column_names, (writing.in_cells(schema, row) for row in rows))

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
        fork, left, right = self._apart(a, b)
        gone, new = self._all_names(left), self._all_names(right)
        changes = [Change("item_removed", *gone[digest]) for digest in gone if digest not in new]
        changes += [Change("item_added", *new[digest]) for digest in new if digest not in gone]
        seqs: dict[str, int] = {}
        found = list(delta.differences(self._all_rows(left, seqs), self._all_rows(right, seqs)))
        names = gone | new
        names |= self._named({one.key[0] for one in found} - names.keys(), seqs, fork)
        labels = [_label_change(one, names.get(one.key[0], ("", ""))) for one in found]
        # Digests are salted, so their order is another in every home; external ids are the data's own.
        return changes + sorted(labels, key=lambda one: (one.external_id, one.question))

    def changed(self, a: str, b: str) -> dict[Key, Difference]:
        """Return the labels that differ from version `a` to version `b`."""
        _, left, right = self._apart(a, b)
        return {one.key: one for one in delta.differences(self._all_rows(left), self._all_rows(right))}

    def missing(self, ours: str, theirs: str) -> pa.Table:
        """Return the items of version `theirs` that `ours` does not hold, with all their columns."""
        _, left, right = self._apart(ours, theirs)
        held = self.digests(left)
        tables = [table for one in right if (table := self.items(one)) is not None]
        return parquet.without(right[-1].schema, tables, held)

    def named(self, commit_id: str | None, digests: set[str]) -> Names:
        """Return the names of those of the items that a version holds; erased ones have none left."""
        found: Names = {}
        if commit_id is None or not digests:
            return found
        stand = self.stand(commit_id)
        for part, by in reversed(stand.parts):
            if len(found) == len(digests):
                break
            found |= parquet.names_in(self._read_items(stand.last.schema, part, by, _NAMES), digests)
        return found

    def _named(self, digests: set[str], seqs: Mapping[str, int], commit_id: str | None) -> Names:
        """Return names as `named` does, from the database where it knows the items, which is many times faster."""
        found: Names = {}
        known = [seqs[one] for one in digests if one in seqs]
        if self._find is not None and known:
            found = {digest: name for digest, name in self._find(known).items() if digest in digests}
        return found | self.named(commit_id, digests - found.keys())

    def _all_names(self, versions: list[Version]) -> Names:
        tables = [table for one in versions if (table := self.items(one, _NAMES)) is not None]
        return {digest: name for table in tables for digest, name in parquet.names_in(table).items()}

    def _all_rows(self, versions: list[Version], seqs: dict[str, int] | None = None) -> Iterator[list[Row]]:
        return (self.rows(one, seqs) for one in versions)

    def _apart(self, a: str | None, b: str | None) -> tuple[str | None, list[Version], list[Version]]:
        """Return (the last version on the ways to both, the rest of the way to `a`, the rest of that to `b`).

        Both ways are gone back step by step until they meet, so that it costs what lies between, not the whole past.
        """
        ways: tuple[dict[str, Version], dict[str, Version]] = ({}, {})
        ahead = [a, b]
        seen: tuple[set[str], set[str]] = (set(), set())
        while ahead != [None, None]:
            for side in (0, 1):
                at = ahead[side]
                if at is None:
                    continue
                if at in ways[1 - side] or at == ahead[1 - side]:
                    return at, *(_before(way, at) for way in ways)  # type: ignore[return-value]  # two lists
                ways[side][at] = one = self._next(at, seen[side])
                ahead[side] = one.manifest.parents[0] if one.manifest.parents else None
        return None, *(_before(way, None) for way in ways)  # type: ignore[return-value]

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
            self._verify_base(one, known, state)

    def _verify_base(self, one: Version, digests: set[str], state: State) -> None:
        """Raise DatasetBroken when a version has a base that holds something else than the version."""
        base = self.files.base(one.id)
        if base is None:
            return
        stand = Stand(one, base, one.id, [])
        items = self.items_of(stand, ("digest",))
        held = parquet.digests_of(items)
        labels = self.snapshot(stand, items)
        wrong = len(held) != len(digests) or set(held) != digests or labels.num_rows != len(held)
        if wrong or snapshots.labels_of(labels, held) != {key: row.after for key, row in state.items()}:
            raise self.files.broken(self.files.base_place(one.id), "it holds something else than the version", one.id)

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
        return None if part is None else self._read_items(one.schema, part, one.id, columns)

    def _read_items(self, schema: Schema, part: Part, by: str, columns: tuple[str, ...] | None) -> pa.Table:
        with self.files.opened("items", part.file, by) as source:
            try:
                table = parquet.read_items(source, schema, columns)
            except parquet.NotWhatItSays as error:
                raise self.files.broken(self.files.place("items", part.file), str(error), by) from error
        self._count(by, "items", part, table.num_rows)
        return table

    def rows(self, one: Version, seqs: dict[str, int] | None = None) -> list[Row]:
        """Return the label changes of a version; what is known of the items' seqs is put into `seqs`."""
        return self._read_labels(one, lambda source: parquet.read_changes(source, seqs)) or []

    def _set(self, one: Version) -> pa.Table | None:
        """Return what the label changes of a version set, None when it changes none."""
        return self._read_labels(one, parquet.read_set)

    def _read_labels(self, one: Version, read: Callable[[IO[bytes]], Read]) -> Read | None:
        part = one.manifest.labels
        if part is None:
            return None
        with self.files.opened("labels", part.file, one.id) as source:
            try:
                found = read(source)
            except parquet.NotWhatItSays as error:
                raise self._broken_part(one, "labels", part, str(error)) from error
        self._count(one.id, "labels", part, len(found))
        return found

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

    def _count(self, by: str, kind: str, part: Part, rows: int) -> None:
        if rows != part.rows:
            place = self.files.manifest_place(by)
            raise self.files.broken(place, f"it counts {part.rows} {kind} and the file holds {rows}", by)

    def _broken_part(self, one: Version, kind: str, part: Part, why: str) -> Broken:
        place = self.files.place("items" if kind == "items" else "labels", part.file)
        return self.files.broken(place, why, one.id)


def _wrongs(known: set[str], digests: set[str], strangers: list[str]) -> Iterator[str]:
    if known & digests:
        yield "it adds an item that an earlier version has"
    if strangers:
        yield f"it labels the item {strangers[0][:12]}…, which no version has"


def _before(way: dict[str, Version], at: str | None) -> list[Version]:
    """Return the versions that were met on a way back before `at`, the oldest first."""
    found = list(way.values())
    return found[: list(way).index(at)][::-1] if at in way else found[::-1]


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
