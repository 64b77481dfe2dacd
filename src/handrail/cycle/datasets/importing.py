"""Takes a file in: every row is kept, known, or reported; never half of them in silence.

The file is read once. Good rows wait (waiting.py), already checked, salted and hashed, until it is clear whether
anything is to be written; so a file of any size needs little memory, and nothing is written before the
last row was looked at.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import IO, Any, get_args

from handrail.cycle.datasets import reading, rows, store
from handrail.cycle.datasets.events import LabelsImported
from handrail.cycle.datasets.items import Items
from handrail.cycle.datasets.labels import Labels
from handrail.cycle.datasets.model import (
    BadRow,
    FileUnreadable,
    ImportRefused,
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
_LISTED = 100_000
_SHOWN = 100


class ImportOptionInvalid(Invalid):
    """An option of an import is not one of those that there are."""

    code = "datasets.import_option_invalid"


@dataclass
class _Progress:
    """What is known of the file so far."""

    rows: int = 0
    bad: list[BadRow] = field(default_factory=list)
    bad_rows: int = 0
    complete: bool = True
    kept: int = 0
    known: int = 0
    labels: int = 0

    def refuse(self, problems: Sequence[BadRow]) -> None:
        """Count one row as bad, for these reasons."""
        self.bad_rows += 1
        self.bad.extend(problems[: max(0, _LISTED - len(self.bad))])

    def report(self) -> ImportReport:
        """Return the report, the rows in the order of the file."""
        return ImportReport(
            total=self.rows,
            kept=self.kept,
            known=self.known,
            bad_rows=self.bad_rows,
            bad=tuple(sorted(self.bad, key=lambda one: one.line)),
            labels=self.labels,
            complete=self.complete,
        )


class Imports:
    """Takes files in."""

    def __init__(self, storage: Storage, journal: Journal, projects: Projects, items: Items, labels: Labels) -> None:
        self._storage = storage
        self._journal = journal
        self._projects = projects
        self._items = items
        self._labels = labels

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
            job = _Job(self, actor, scope, shown_name, purpose, waiting, doubles)
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
    ) -> tuple[_Progress, array[int]]:
        """Put the good rows into `waiting`; return what is wrong with the others and a hash of each good one's name."""
        head = stream.read(1 << 16)
        kind: Format = reading.format_of(name, head) if format_ == "auto" else format_  # type: ignore[assignment]
        if not head.strip():
            raise FileUnreadable("The file is empty.", hint="Nothing was written.")
        found = reading.records(_again(head, stream), kind)
        interpret = rows.of_csv(schema, _header(found)) if kind == "csv" else rows.of_json(schema)
        progress = _Progress()
        hashes = array("Q")
        for one in found:
            if isinstance(one, Unread):
                progress.complete = False
                progress.refuse([BadRow(one.line, "", f"{one.reason}; from here on the file was not read")])
                break
            read = interpret(one) if isinstance(one, RawRow) else [one]
            if not isinstance(read, list):
                read = self._wait(scope, read, waiting, hashes)
            if read:
                progress.refuse(read)
        return progress, hashes

    def _wait(self, scope: Scope, read: rows.Read, waiting: WaitingRows, hashes: array[int]) -> list[BadRow]:
        try:
            row = self._items.row(scope, read.item)
        except ItemInvalid as error:
            return [BadRow(read.line, one["field"], one["reason"]) for one in error.facts["problems"]]
        waiting.append(WaitingRow(read.line, row, list(read.labels)))
        hashes.append(_hash(read.item.external_id))
        return []

    # Writing

    def put_batch(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, batch: Sequence[WaitingRow], purpose: Purpose, name: str
    ) -> _Progress:
        """Write a batch and return what became of it; rows that differ from what is there are not written."""
        done = _Progress()
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
            labels += [(self._label(actor, item_id, question, value, purpose), seq) for question, value in wanted]
        store.insert_labels(uow, scope, labels)
        done.kept, done.labels = len(added), len(labels)
        done.known = len(batch) - len(added) - done.bad_rows
        self._items.record(uow, actor, scope, f"import of {name}", added, done.known)
        if labels:
            event = LabelsImported(origin=name, purpose=purpose, labels=len(labels))
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

    def in_one_unit(self, work: Any) -> _Progress:
        """Run `work` in one transaction."""
        done: _Progress = self._storage.write(work)
        return done


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

    def batches(self) -> Iterator[list[WaitingRow]]:
        """Yield the waiting rows from the first one on, without those that stand in the file twice."""
        good = (one for place, one in enumerate(self.waiting) if place not in self.doubles)
        while batch := list(islice(good, _BATCH)):
            yield batch

    def put(self, uow: UnitOfWork, batch: Sequence[WaitingRow]) -> _Progress:
        """Write one batch."""
        return self.imports.put_batch(uow, self.actor, self.scope, batch, self.purpose, self.name)

    def write_what_is_good(self, progress: _Progress) -> None:
        """Write batch by batch, so that others get in between; a crash leaves whole batches, known the next time."""
        for batch in self.batches():
            _add(progress, self.imports.in_one_unit(lambda uow: self.put(uow, batch)))  # noqa: B023 - runs at once

    def write_all_or_nothing(self, progress: _Progress) -> None:
        """Write everything in one transaction; raises ImportRefused, with nothing written, when a row does not fit.

        Others wait meanwhile: the price of all or nothing. The unit reads the file of waiting rows, which is private
        to this import and stays as it is, so it may be run twice.
        """

        def unit(uow: UnitOfWork) -> _Progress:
            done = _Progress(rows=progress.rows)
            for batch in self.batches():
                _add(done, self.put(uow, batch))
            if done.bad_rows:
                done.kept = done.known = done.labels = 0
                raise refused(done)
            return done

        _add(progress, self.imports.in_one_unit(unit))


def refused(progress: _Progress) -> ImportRefused:
    """Return the error for a file of which nothing was written."""
    report = progress.report()
    first = "; ".join(f"line {one.line}: {one.field} {one.reason}".replace(":  ", ": ") for one in report.bad[:3])
    count = "One row" if report.bad_rows == 1 else f"{report.bad_rows:,} rows"
    return ImportRefused(
        f"{count} of {report.total:,} cannot be kept, so nothing was written. {first}.",
        report=report,
        hint="Mend the file, or import with on_error=keep to keep the good rows.",
        total=report.total,
        bad_rows=report.bad_rows,
        complete=report.complete,
        bad=[{"line": one.line, "field": one.field, "reason": one.reason} for one in report.bad[:_SHOWN]],
    )


def _add(progress: _Progress, done: _Progress) -> None:
    progress.kept += done.kept
    progress.known += done.known
    progress.labels += done.labels
    progress.bad_rows += done.bad_rows
    progress.bad.extend(done.bad[: max(0, _LISTED - len(progress.bad))])


def _check_options(format_: str, on_error: str, purpose: str) -> None:
    for word, given, allowed in (
        ("format", format_, ("auto", *get_args(Format))),
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


def _doubles(waiting: WaitingRows, hashes: array[int], progress: _Progress) -> frozenset[int]:
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
