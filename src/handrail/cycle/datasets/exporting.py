"""Gives items out as a file, page by page: no long read, little memory."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any, get_args

from handrail.cycle.datasets import store, writing
from handrail.cycle.datasets.foreign import LABEL_STUDIO, Foreign, parts_of
from handrail.cycle.datasets.formats.catalogue import FORMATS
from handrail.cycle.datasets.formats.label_studio.tasks import write_tasks
from handrail.cycle.datasets.formats.record import Answered, Record
from handrail.cycle.datasets.formats.target import Target
from handrail.cycle.datasets.model import ExportFormat, ExportFormatUnknown, ImportedAnswer, Item
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.schema import Schema
from handrail.cycle.datasets.values import time_text
from handrail.foundation.actors import Scope
from handrail.foundation.archives import zipped
from handrail.foundation.storage import Storage, UnitOfWork

_PAGE = 500
Labelled = tuple[Item, dict[str, Any]]


def lines(storage: Storage, projects: Projects, foreign_: Foreign, scope: Scope, format_: str) -> Iterator[bytes]:
    """Return the parts of the file; raises ExportFormatUnknown, FormatUnfit, ProjectUnknown before the first one."""
    if format_ not in get_args(ExportFormat):
        raise ExportFormatUnknown(
            f"There is no export as {format_[:20]!r}.", hint=f"Use one of: {', '.join(get_args(ExportFormat))}."
        )
    schema = storage.read(lambda uow: projects.schema(uow, scope))
    until = storage.read(lambda uow: store.last_seq(uow, scope))
    if format_ == "jsonl":
        return writing.json_lines(writing.nested(*one) for one in _labelled(storage, scope, schema, until))
    if format_ != "csv":
        return _foreign(storage, foreign_, scope, schema, until, format_)
    groups: set[str] = set()
    for item, _ in _labelled(storage, scope, schema, until, with_labels=False):
        groups |= item.group.keys()
    rows = (writing.in_cells(schema, writing.flat(*one)) for one in _labelled(storage, scope, schema, until))
    return writing.csv_lines(writing.columns_of(schema, groups), rows)


def _foreign(
    storage: Storage, foreign_: Foreign, scope: Scope, schema: Schema, until: int, format_: str
) -> Iterator[bytes]:
    """Write the file whole before giving a part of it: what the format cannot say is an error, not half a file."""
    records = _records(storage, scope, schema, until, format_)
    file = TemporaryFile()  # noqa: SIM115 - closed by parts_of
    try:
        if format_ == LABEL_STUDIO:
            config, _ = storage.read(lambda uow: foreign_.config(uow, scope))
            file.writelines(write_tasks(config, records))
        else:
            one, target = FORMATS[format_], Target.of(format_, schema.to_dict())
            if one.write_stream is not None:
                file.writelines(one.write_stream(records, target))
            elif one.write_folder is not None:
                file.writelines(zipped(one.write_folder(records, target)))
    except BaseException:
        file.close()
        raise
    return parts_of(file)


def _records(storage: Storage, scope: Scope, schema: Schema, until: int, format_: str) -> Iterator[Record]:
    after = 0
    while after < until:
        page, origins, answers = storage.read(
            lambda uow: _record_page(uow, scope, schema, after, format_)  # noqa: B023 - runs at once
        )
        for item, labels in page:
            if item.seq <= until:
                yield _record(item, labels, origins.get(item.seq), answers.get(item.seq, []))
        if not page:
            return
        after = page[-1][0].seq


def _record_page(
    uow: UnitOfWork, scope: Scope, schema: Schema, after: int, format_: str
) -> tuple[list[Labelled], dict[int, Any], dict[int, list[ImportedAnswer]]]:
    page = _page(uow, scope, schema, after, with_labels=True)
    last = page[-1][0].seq if page else after
    origins = store.origins_between(uow, scope, format_, after, last)
    return page, origins, store.imported_between(uow, scope, after, last)


def _record(item: Item, labels: dict[str, Any], origin: Any, answers: list[ImportedAnswer]) -> Record:
    return Record(
        line=0,
        external_id=item.external_id,
        data=item.data,
        labels=labels,
        answers=tuple(Answered(one.kind, one.who, one.values, one.score, one.at, one.counts) for one in answers),
        origin=origin,
        subject=item.subject,
        group=item.group,
        observed_at=None if item.observed_at is None else time_text(item.observed_at),
    )


def _labelled(
    storage: Storage, scope: Scope, schema: Schema, until: int, *, with_labels: bool = True
) -> Iterator[Labelled]:
    after = 0
    while after < until:
        page = storage.read(lambda uow: _page(uow, scope, schema, after, with_labels))  # noqa: B023 - runs at once
        yield from (one for one in page if one[0].seq <= until)
        if not page:
            return
        after = page[-1][0].seq


def _page(uow: UnitOfWork, scope: Scope, schema: Schema, after: int, with_labels: bool) -> list[Labelled]:
    items = store.page_of_items(uow, scope, after, _PAGE)
    found: list[Labelled] = [(item, {}) for item in items]
    if items and with_labels:
        for question in schema.item_questions:
            values = store.values_between(uow, scope, question.name, after, items[-1].seq)
            for item, labels in found:
                if item.seq in values:
                    labels[question.name] = values[item.seq]
    return found
