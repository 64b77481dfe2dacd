"""Rows as lines of CSV and JSON Lines files. Pure.

A spreadsheet runs a cell that begins like a formula; such cells of CSV begin with an apostrophe here, which shows
them as they are. JSON Lines is exact and comes back through an import as it went out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from handrail.cycle.datasets.model import Item
from handrail.cycle.datasets.schema import GROUP_PREFIX, Schema
from handrail.cycle.datasets.values import time_text
from handrail.foundation.canonical import encode

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: Any) -> str:
    """Return one cell of CSV, quoted where it must be, neutral where a spreadsheet would run it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict | list):
        value = encode(value)
    text = str(value)
    if text.startswith(_FORMULA):
        text = "'" + text
    if any(sign in text for sign in ',;"\r\n\t|') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield the header and the rows of a CSV file; a row that lacks a column has an empty cell there."""
    yield (",".join(cell(name) for name in columns) + "\r\n").encode()
    for row in rows:
        yield (",".join(cell(row.get(name)) for name in columns) + "\r\n").encode()


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield each row as one line of JSON."""
    for row in rows:
        yield _ENCODER.encode(row).encode() + b"\n"


def nested(item: Item, labels: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as an import reads it, in the form that keeps everything apart."""
    row: dict[str, Any] = {"external_id": item.external_id, "data": dict(item.data)}
    if item.subject is not None:
        row["subject"] = item.subject
    if item.group:
        row["group"] = dict(item.group)
    if item.observed_at is not None:
        row["observed_at"] = time_text(item.observed_at)
    if labels:
        row["labels"] = dict(labels)
    return row


def in_cells(schema: Schema, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose texts are told from JSON: where a cell holds JSON, a text stands in quotation marks."""
    for name in schema.structured & row.keys():
        if isinstance(row[name], str) and name not in schema.references:
            row[name] = encode(row[name])
    return row


def flat(item: Item, labels: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as one row of a table."""
    return {
        "external_id": item.external_id,
        "subject": item.subject,
        "observed_at": None if item.observed_at is None else time_text(item.observed_at),
        **{GROUP_PREFIX + name: value for name, value in item.group.items()},
        **item.data,
        **labels,
    }


def columns_of(schema: Schema, groups: Iterable[str]) -> list[str]:
    """Return the columns of a table of items."""
    return [
        "external_id",
        "subject",
        "observed_at",
        *(GROUP_PREFIX + name for name in sorted(groups)),
        *(field.name for field in schema.fields),
        *(question.name for question in schema.item_questions),
    ]
