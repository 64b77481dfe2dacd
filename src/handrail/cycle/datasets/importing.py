"""Takes a file in: every row is kept, known, or reported; never half of them in silence.

The file is read once. Good rows wait (waiting.py), already checked, salted and hashed, until it is clear whether
anything is to be written; so a file of any size needs little memory, and nothing is written before the
last row was looked at.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast, get_args

from handrail.cycle.datasets import foreign, reading, rows, store
from handrail.cycle.datasets.events import LabelsImported
from handrail.cycle.datasets.foreign import Foreign
from handrail.cycle.datasets.formats.record import Record, Refused, Said
from handrail.cycle.datasets.incoming import Progress, add, refused
from handrail.cycle.datasets.items import Items
from handrail.cycle.datasets.labels import Labels
from handrail.cycle.datasets.model import (
    BadRow,
    FileUnreadable,
    ImportFormat,
    ImportReport,
    Label,
    NewLabel,
    OnError,
    Purpose,
)
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.reading import Format, RawRow, Unread
from handrail.cycle.datasets.schema import ItemInvalid, Schema
from handrail.cycle.datasets.waiting import WaitingRow, WaitingRows
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.errors import Invalid
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage, UnitOfWork

_BATCH = 1_000


class ImportOptionInvalid(Invalid):
    """An option of an import is not one of those that there are."""

    code = "datasets.import_option_invalid"


class Imports:
    """Takes files in."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        projects: Projects,
        items: Items,
        labels: Labels,
        foreign_: Foreign,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._projects = projects
        self._items = items
        self._labels = labels
        self._foreign = foreign_

    def take(
        self,
        actor: Actor,
        scope: Scope,
        source: Path | str | IO[bytes],
        *,
        format_: str,
        on_error: OnError,
        purpose: Purpose,
        name: str,
    ) -> ImportReport:
        """Import one file; see Datasets.import_file."""
        _check_options(format_, on_error, purpose)
        schema = self._projects_schema(scope)
        with _opened(source) as (stream, own_name), WaitingRows() as waiting:
            shown_name = reading.shown(Path(name or own_name).name or "upload")
            progress, hashes = self._read(scope, schema, stream, format_, shown_name, waiting)
            doubles = _doubles(waiting, hashes, progress)
            progress.rows = len(hashes) + progress.bad_rows - len(doubles)
            if progress.rows == 0:
                raise FileUnreadable("The file has no rows.", hint="Nothing was written.")
            job = _Job(self, actor, scope, shown_name, purpose, waiting, doubles, progress.format)
            if on_error == "keep":
                job.write_what_is_good(progress)
            else:
                if progress.bad_rows or not progress.complete:
                    raise refused(progress)
                job.write_all_or_nothing(progress)
        return progress.report()

    def _projects_schema(self, scope: Scope) -> Schema:
        return self._storage.read(lambda uow: self._projects.schema(uow, scope))

    def _read(
        self, scope: Scope, schema: Schema, stream: IO[bytes], format_: str, name: str, waiting: WaitingRows
    ) -> tuple[Progress, array[int]]:
        """Put the good rows into `waiting`; return what is wrong with the others and a hash of each good one's name."""
        head = stream.read(1 << 16)
        if not head.strip():
            raise FileUnreadable("The file is empty.", hint="Nothing was written.")
        strange = foreign.kind_of(format_, head, schema)
        sorting = _Sorting(self, scope, waiting)
        if strange:
            config, _ = self._storage.read(lambda uow: self._foreign.config(uow, scope))
            with foreign.opened(strange, _again(head, stream), schema, config) as (sorting.progress.format, entries):
                sorting.sort(entries, rows.of_json(schema), schema)
        else:
            kind = reading.format_of(name, head) if format_ == "auto" else cast("Format", format_)
            found = reading.records(_again(head, stream), kind)
            sorting.sort(found, rows.of_csv(schema, _header(found)) if kind == "csv" else rows.of_json(schema), schema)
        return sorting.progress, sorting.hashes

    def wait(
        self, scope: Scope, read: rows.Read, said: Said | None, waiting: WaitingRows, hashes: array[int]
    ) -> list[BadRow]:
        """Put a good row into `waiting`; return what is wrong with it after all."""
        try:
            row = self._items.row(scope, read.item)
        except ItemInvalid as error:
            return [BadRow(read.line, one["field"], one["reason"]) for one in error.facts["problems"]]
        waiting.append(WaitingRow(read.line, row, list(read.labels), said))
        hashes.append(_hash(read.item.external_id))
        return []

    # Writing

    def put_batch(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, batch: Sequence[WaitingRow], job: _Job
    ) -> Progress:
        """Write a batch and return what became of it; rows that differ from what is there are not written."""
        done = Progress()
        put = self._items.put_rows(uow, scope, [one.row for one in batch])
        differ = set(put.differ)
        added: list[str] = []
        labels: list[tuple[Label, int]] = []
        for place, (one, (item_id, seq)) in enumerate(zip(batch, put.found, strict=True)):
            new = item_id == one.row["id"]
            if place in differ:
                done.refuse([BadRow(one.line, "external_id", "is known already, with other content")])
                continue
            wanted, bad = (one.labels, []) if new else self._news(uow, scope, item_id, one)
            if bad:
                done.refuse(bad)
                continue
            if new:
                added.append(item_id)
            labels += [(self._label(actor, item_id, question, value, job.purpose), seq) for question, value in wanted]
            if one.said is not None:
                done.answers += self._foreign.keep(uow, scope, job.format, item_id, seq, one.said, new=new)
        store.insert_labels(uow, scope, labels)
        done.kept, done.labels = len(added), len(labels)
        done.known = len(batch) - len(added) - done.bad_rows
        self._items.record(uow, actor, scope, f"import of {job.name}", added, done.known)
        if labels:
            event = LabelsImported(origin=job.name, purpose=job.purpose, labels=len(labels))
            self._journal.append(uow, actor, scope.project_id, event)
        return done

    def _news(
        self, uow: UnitOfWork, scope: Scope, item_id: str, one: WaitingRow
    ) -> tuple[list[tuple[str, Any]], list[BadRow]]:
        """Return the labels of a row that a known item does not have, and those that contradict the ones it has."""
        wanted: list[tuple[str, Any]] = []
        bad: list[BadRow] = []
        for question, value in one.labels:
            label = store.current_label(uow, scope, item_id, question)
            if label is None:
                wanted.append((question, value))
            elif label.value != value:
                bad.append(
                    BadRow(one.line, question, "is answered already, with another value; a person must change it")
                )
        return wanted, bad

    def _label(self, actor: Actor, item_id: str, question: str, value: Any, purpose: Purpose) -> Label:
        return self._labels.made(actor, NewLabel(item_id, question, value, "import", purpose), value)

    def in_one_unit(self, work: Any) -> Progress:
        """Run `work` in one transaction."""
        done: Progress = self._storage.write(work)
        return done


@dataclass
class _Sorting:
    """Tells the good rows of a file from the bad ones."""

    imports: Imports
    scope: Scope
    waiting: WaitingRows
    progress: Progress = field(default_factory=Progress)
    hashes: array[int] = field(default_factory=lambda: array("Q"))

    def sort(self, found: Iterable[Any], interpret: rows.Interpret, schema: Schema) -> None:
        """Put the good rows aside, count the others; stop where the rest cannot be read."""
        for one in found:
            if isinstance(one, Unread):
                self.progress.complete = False
                self.progress.refuse([BadRow(one.line, "", f"{one.reason}; from here on the file was not read")])
                return
            bad = self._bad(one, interpret, schema)
            if bad:
                self.progress.refuse(bad)

    def _bad(self, one: Any, interpret: rows.Interpret, schema: Schema) -> list[BadRow]:
        if isinstance(one, Refused):
            return list(one.problems)
        if isinstance(one, BadRow):
            return [one]
        read = interpret(RawRow(one.line, one.content) if isinstance(one, Record) else one)
        wrong = foreign.check_answers(schema, one.line, one.answers) if isinstance(one, Record) else []
        if isinstance(read, list) or wrong:
            return [*(read if isinstance(read, list) else []), *wrong]
        return self.imports.wait(self.scope, read, foreign.said_of(one), self.waiting, self.hashes)


@dataclass(frozen=True)
class _Job:
    """One file on its way into the database."""

    imports: Imports
    actor: Actor
    scope: Scope
    name: str
    purpose: Purpose
    waiting: WaitingRows
    doubles: frozenset[int]
    format: str

    def batches(self) -> Iterator[list[WaitingRow]]:
        """Yield the waiting rows from the first one on, without those that stand in the file twice."""
        good = (one for place, one in enumerate(self.waiting) if place not in self.doubles)
        while batch := list(islice(good, _BATCH)):
            yield batch

    def put(self, uow: UnitOfWork, batch: Sequence[WaitingRow]) -> Progress:
        """Write one batch."""
        return self.imports.put_batch(uow, self.actor, self.scope, batch, self)

    def write_what_is_good(self, progress: Progress) -> None:
        """Write batch by batch, so that others get in between; a crash leaves whole batches, known the next time."""
        for batch in self.batches():
            add(progress, self.imports.in_one_unit(lambda uow: self.put(uow, batch)))  # noqa: B023 - runs at once

    def write_all_or_nothing(self, progress: Progress) -> None:
        """Write everything in one transaction; raises ImportRefused, with nothing written, when a row does not fit.

        Others wait meanwhile: the price of all or nothing. The unit reads the file of waiting rows, which is private
        to this import and stays as it is, so it may be run twice.
        """

        def unit(uow: UnitOfWork) -> Progress:
            done = Progress(rows=progress.rows)
            for batch in self.batches():
                add(done, self.put(uow, batch))
            if done.bad_rows:
                done.kept = done.known = done.labels = done.answers = 0
                raise refused(done)
            return done

        add(progress, self.imports.in_one_unit(unit))


def _check_options(format_: str, on_error: str, purpose: str) -> None:
    for word, given, allowed in (
        ("format", format_, get_args(ImportFormat)),
        ("on_error", on_error, get_args(OnError)),
        # Labels that certify come from a draw inside Handrail, with a logged probability.
        ("purpose", purpose, ("train", "holdout")),
    ):
        if given not in allowed:
            raise ImportOptionInvalid(f"{word} must be one of: {', '.join(allowed)}.", hint="Nothing was written.")


def _header(found: Iterator[reading.Record]) -> list[str]:
    first = next(found, None)
    if isinstance(first, RawRow):
        header: list[str] = first.content
        return header
    if first is None:
        raise FileUnreadable("The file is empty.", hint="Nothing was written.")
    raise FileUnreadable(f"The first line, which names the columns, {first.reason}.", hint="Nothing was written.")


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


def _doubles(waiting: WaitingRows, hashes: array[int], progress: Progress) -> frozenset[int]:
    """Refuse the rows whose external id stands in an earlier one; return their places. 8 bytes of memory a row."""
    import numpy as np

    found, counts = np.unique(np.frombuffer(hashes, dtype=np.uint64), return_counts=True)
    suspects = set(found[counts > 1].tolist())
    if not suspects:
        return frozenset()
    first: dict[str, int] = {}
    doubles: set[int] = set()
    for place, one in enumerate(waiting):
        name = one.row["external_id"]
        if _hash(name) not in suspects:
            continue
        if name in first:
            doubles.add(place)
            progress.refuse([BadRow(one.line, "external_id", f"stands in line {first[name]} already")])
        else:
            first[name] = one.line
    return frozenset(doubles)


@contextmanager
def _opened(source: Path | str | IO[bytes]) -> Iterator[tuple[IO[bytes], str]]:
    if not isinstance(source, Path | str):
        yield source, str(getattr(source, "name", ""))
        return
    place = Path(source)
    try:
        stream = place.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is not valid"
        raise FileUnreadable(f"The file {place.name[:100]} cannot be opened: {reason}.") from None
    with stream:
        yield stream, place.name


def _again(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    yield head
    yield from reading.chunks_of(stream.read)
