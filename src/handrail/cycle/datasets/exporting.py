"""Gives items out as a file, page by page: no long read, little memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handrail.cycle.datasets import store, writing
from handrail.cycle.datasets.model import ExportFormatUnknown, Item
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.schema import Schema
from handrail.foundation.actors import Scope
from handrail.foundation.storage import Storage, UnitOfWork

_PAGE = 500
Labelled = tuple[Item, dict[str, Any]]


def lines(storage: Storage, projects: Projects, scope: Scope, format_: str) -> Iterator[bytes]:
    """Return the parts of the file; raises ExportFormatUnknown, ProjectUnknown before the first one."""
    if format_ not in ("csv", "jsonl"):
        raise ExportFormatUnknown(f"There is no export as {format_[:20]!r}.", hint="Use csv or jsonl.")
    schema = storage.read(lambda uow: projects.schema(uow, scope))
    until = storage.read(lambda uow: store.last_seq(uow, scope))
    if format_ == "jsonl":
        return writing.json_lines(writing.nested(*one) for one in _labelled(storage, scope, schema, until))
    groups: set[str] = set()
    for item, _ in _labelled(storage, scope, schema, until, with_labels=False):
        groups |= item.group.keys()
    rows = (writing.flat(*one) for one in _labelled(storage, scope, schema, until))
    return writing.csv_lines(writing.columns_of(schema, groups), rows)


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
        for question in schema.questions:
            values = store.values_between(uow, scope, question.name, after, items[-1].seq)
            for item, labels in found:
                if item.seq in values:
                    labels[question.name] = values[item.seq]
    return found
