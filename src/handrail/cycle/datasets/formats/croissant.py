"""Croissant 1.0: a dataset described in JSON-LD (croissant.json) beside its files, in and out.

What goes out is one file of JSON lines with its description. What is read: fields whose source is a column of a CSV,
TSV or JSON lines file of the same archive; transforms, joins and files elsewhere are refused by name.
Format: https://docs.mlcommons.org/croissant/docs/croissant-spec.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from handrail.cycle.datasets import reading
from handrail.cycle.datasets.formats.folder import Folder
from handrail.cycle.datasets.formats.record import Record, Refused, refused
from handrail.cycle.datasets.formats.target import Target
from handrail.cycle.datasets.model import BadRow, FileUnreadable
from handrail.cycle.datasets.reading import RawRow, Unread
from handrail.cycle.datasets.values import parse
from handrail.cycle.datasets.writing import json_lines

_FILE = "items.jsonl"
_TYPES = {
    "Text": "text", "Integer": "number", "Float": "number", "Number": "number", "Boolean": "boolean",
    "Date": "time", "DateTime": "time", "URL": "text", "ImageObject": "image", "AudioObject": "audio",
    "VideoObject": "video",
}  # fmt: skip
_WRITTEN = {"number": "sc:Float", "rating": "sc:Float", "boolean": "sc:Boolean", "time": "sc:DateTime"}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "recordSet": "cr:recordSet",
    "field": "cr:field",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "source": "cr:source",
    "extract": "cr:extract",
    "column": "cr:column",
    "fileObject": "cr:fileObject",
}
Row = RawRow | Refused | Unread


def schema_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the fields that the first record set of a description has, as JSON values of a schema."""
    made = []
    for one in _fields(document):
        types = one.get("dataType", "sc:Text")
        first = types[0] if isinstance(types, list) and types else types
        word = str(first).rpartition(":")[2].rpartition("/")[2]
        made.append({"name": _name(one), "type": _TYPES.get(word, "text"), "required": False})
    return made


def _fields(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    sets = document.get("recordSet") or []
    found = sets[0].get("field") if isinstance(sets, list) and sets and isinstance(sets[0], Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise FileUnreadable("croissant.json describes no record set with fields.", hint="Nothing was written.")
    return found


def _name(one: Mapping[str, Any]) -> str:
    return str(one.get("name") or str(one.get("@id", "")).rpartition("/")[2])


def read_croissant(folder: Folder, target: Target) -> Iterator[Row]:
    """Yield the rows of the first record set, flat as an import reads them; raises FileUnreadable."""
    names = [one for one in folder.names() if one.rpartition("/")[2] == "croissant.json"]
    if not names:
        raise FileUnreadable("The archive holds no croissant.json.", hint="Nothing was written.")
    try:
        document = json.loads(folder.text(names[0]))
    except ValueError:
        raise FileUnreadable("croissant.json is not JSON.", hint="Nothing was written.") from None
    if not isinstance(document, Mapping):
        raise FileUnreadable("croissant.json is not an object.", hint="Nothing was written.")
    file, columns = _source(document, folder, names[0].rpartition("croissant.json")[0])
    types = {one["name"]: one["type"] for one in [*target.fields, *target.questions]}
    with folder.open(file) as source:
        head = source.read(1 << 16)
        kind = reading.format_of(file, head)
        found = reading.records(_again(head, reading.chunks_of(source.read)), kind)
        header = next(found, None) if kind == "csv" else None
        for one in found:
            if isinstance(one, RawRow):
                yield _row(one, header.content if isinstance(header, RawRow) else None, columns, types)
            else:
                yield Refused((one,)) if isinstance(one, BadRow) else one


def _again(head: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _source(document: Mapping[str, Any], folder: Folder, beside: str) -> tuple[str, dict[str, str]]:
    """Return the one file that the fields come from, and its column -> name of the field."""
    places: dict[str, str] = {}
    for one in document.get("distribution") or []:
        if isinstance(one, Mapping):
            places[str(one.get("@id") or one.get("name"))] = beside + str(one.get("contentUrl", ""))
    files: set[str] = set()
    columns: dict[str, str] = {}
    for one in _fields(document):
        source = one.get("source")
        wanted = source.get("fileObject") if isinstance(source, Mapping) else None
        column = source.get("extract", {}).get("column") if isinstance(source, Mapping) else None
        file = places.get(str(wanted.get("@id") if isinstance(wanted, Mapping) else wanted), "")
        if not isinstance(column, str) or file not in folder.names() or source.get("transform"):  # type: ignore[union-attr]
            raise FileUnreadable(
                f"The field {_name(one)[:60]} of croissant.json is not a column of a file in this archive.",
                hint="Nothing was written. Only plain columns of files that come along are read.",
            )
        files.add(file)
        columns[column] = _name(one)
    if len(files) != 1:
        raise FileUnreadable("The fields of croissant.json come from several files.", hint="Nothing was written.")
    return files.pop(), columns


def _row(one: RawRow, header: Sequence[str] | None, columns: Mapping[str, str], types: Mapping[str, str]) -> Row:
    if header is None:
        return RawRow(one.line, {columns.get(key, key): value for key, value in one.content.items()})
    if len(one.content) != len(header):
        return refused(one.line, [("", f"has {len(one.content)} cells where the header has {len(header)}")])
    made: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for column, cell in zip(header, one.content, strict=True):
        name = columns.get(column)
        if name is None:
            continue
        type_ = types.get(name, "text")
        value, reason = (
            (json.loads(cell), "")
            if cell[:1] in ("[", "{") and type_ not in ("text", "category")
            else (parse(cell, "number" if type_ == "rating" else type_ if type_ in ("number", "boolean") else "text"))
        )
        if reason:
            problems.append((name, reason))
        elif value is not None:
            made[name] = value
    return refused(one.line, problems) if problems else RawRow(one.line, made)


def write_croissant(records: Iterable[Record], target: Target) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield (name, content) of items.jsonl and croissant.json; values of several parts stay JSON."""
    entries = [{"name": "external_id", "type": "text"}]
    entries += [dict(one) for one in [*target.fields, *target.questions] if not one.get("per_region")]
    seen, size = sha256(), [0]

    def parts() -> Iterator[bytes]:
        for part in json_lines({"external_id": one.external_id, **one.data, **one.labels} for one in records):
            seen.update(part)
            size[0] += len(part)
            yield part

    yield _FILE, parts()
    file = {"@type": "cr:FileObject", "@id": _FILE, "name": _FILE, "contentUrl": _FILE}
    file |= {"contentSize": f"{size[0]} B", "encodingFormat": "application/jsonlines", "sha256": seen.hexdigest()}
    fields = [_field(one) for one in entries]
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": "items",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "description": "Items with their labels, exported from Handrail.",
        "distribution": [file],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "items", "name": "items", "field": fields}],
    }
    yield "croissant.json", [json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"]


def _field(one: Mapping[str, Any]) -> dict[str, Any]:
    source = {"fileObject": {"@id": _FILE}, "extract": {"column": one["name"]}}
    return {
        "@type": "cr:Field",
        "@id": f"items/{one['name']}",
        "name": one["name"],
        "dataType": _WRITTEN.get(one["type"], "sc:Text"),
        "source": source,
    }
