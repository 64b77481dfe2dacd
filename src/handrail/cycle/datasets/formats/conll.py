"""CoNLL-2003: a token a line with its tag in the last column, a blank line between sentences; tags are BIO or BIOES.

Tokens are joined by one space; the columns between stay beside the item and go out again while the text has the same
tokens. Format: https://www.clips.uantwerpen.be/conll2003/ner/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any

from handrail.cycle.datasets.formats.lines import NotText, text_lines
from handrail.cycle.datasets.formats.record import Found, Record, refused
from handrail.cycle.datasets.formats.target import Target, unsaid
from handrail.cycle.datasets.reading import Unread

_TAG = re.compile(r"O|([BIES])-(\S+)")
_TOKEN = re.compile(r"\S+")


def read_conll(chunks: Iterable[bytes], target: Target) -> Iterator[Found]:
    """Yield one record a sentence; a line without a tag refuses its sentence."""
    field, question = target.field("text"), target.question("span")["name"]
    rows: list[tuple[int, list[str]]] = []
    number = 0
    try:
        for line, text in text_lines(chunks):
            parts = text.split()
            if parts and parts[0] != "-DOCSTART-":
                rows.append((line, parts))
            elif rows:
                number += 1
                yield _sentence(rows, number, field, question)
                rows = []
    except NotText as error:
        yield Unread(error.line, error.reason)
        return
    if rows:
        yield _sentence(rows, number + 1, field, question)


def _sentence(rows: Sequence[tuple[int, list[str]]], number: int, field: str, question: str) -> Found:
    problems: list[tuple[str, str]] = []
    spans: list[dict[str, Any]] = []
    at, open_ = 0, ""
    for line, parts in rows:
        found = _TAG.fullmatch(parts[-1]) if len(parts) > 1 else None
        if found is None:
            problems.append(("", f"line {line} is not a token, its columns and a tag such as O or B-PER"))
            continue
        place, label = found[1] or "", found[2] or ""
        end = at + len(parts[0])
        if label and place in "IE" and open_ == label:
            spans[-1]["end"] = end
        elif label:
            # An I that follows nothing begins a span, as the first form of the format (IOB1) has it.
            spans.append({"id": str(len(spans) + 1), "labels": [label], "start": at, "end": end})
        open_ = label if place in ("B", "I") else ""
        at = end + 1
    if problems:
        return refused(rows[0][0], problems)
    text = " ".join(parts[0] for _, parts in rows)
    name = f"sentence-{number}-{sha256(text.encode()).hexdigest()[:8]}"
    columns = [parts[1:-1] for _, parts in rows]
    return Record(
        rows[0][0], name, {field: text}, {question: spans}, origin={"columns": columns} if any(columns) else None
    )


def write_conll(records: Iterable[Record], target: Target) -> Iterator[bytes]:
    """Yield the sentences with BIO tags; a span that begins or ends in a token cuts it; raises Unsaid for overlaps."""
    field, question = target.field("text"), target.question("span")["name"]
    for record in records:
        text = str(record.data.get(field, ""))
        spans = sorted(record.labels.get(question, ()), key=lambda one: (one["start"], one["end"]))
        tokens = list(_tags(record, text, spans, question))
        columns = (record.origin or {}).get("columns")
        if not isinstance(columns, list) or len(columns) != len(tokens):
            columns = [[] for _ in tokens]
        lines = (" ".join([token, *middle, tag]) for (token, tag), middle in zip(tokens, columns, strict=True))
        if tokens:
            yield ("\n".join(lines) + "\n\n").encode()


def _tags(record: Record, text: str, spans: Sequence[dict[str, Any]], question: str) -> Iterator[tuple[str, str]]:
    for before, after in pairwise(spans):
        if after["start"] < before["end"]:
            raise unsaid("conll", record.external_id, question, "has spans that overlap")
    if wrong := next((one for one in spans if len(one["labels"]) != 1 or re.search(r"\s", one["labels"][0])), None):
        why = "has a span with not one label, or with a space in it"
        raise unsaid("conll", record.external_id, f"{question} ({wrong['id']})", why)
    borders = {0, len(text)} | {one["start"] for one in spans} | {one["end"] for one in spans}
    marks = sorted(borders)
    for start, end in pairwise(marks):
        span = next((one for one in spans if one["start"] <= start < one["end"]), None)
        first = True
        for token in _TOKEN.finditer(text, start, end):
            tag = "O" if span is None else f"{'B' if first else 'I'}-{span['labels'][0]}"
            first = False
            yield token[0], tag
