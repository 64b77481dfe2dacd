"""Parquet files and Hugging Face dataset folders: rows of typed columns, in and out, a row group at a time.

Values of several parts stand as JSON text; in a Hugging Face folder a choice is a ClassLabel, and lists of names are
lists. Formats: https://parquet.apache.org, https://huggingface.co/docs/hub/datasets-manual-configuration.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from handrail.cycle.datasets.formats.folder import Folder
from handrail.cycle.datasets.formats.record import Record, Refused, refused
from handrail.cycle.datasets.formats.target import Entry, Target
from handrail.cycle.datasets.model import FileUnreadable
from handrail.cycle.datasets.reading import RawRow
from handrail.cycle.datasets.rows import ID_WORDS
from handrail.cycle.datasets.schema import GROUP_PREFIX

_ROWS = 1_000
_PLAIN = frozenset(
    {"text", "category", "time", "choice", "date", "html", "image", "dicom", "audio", "video", "document"}
)
_NUMBERS = frozenset({"number", "rating"})
_LISTS = {"multi_choice": pa.list_(pa.string()), "taxonomy": pa.list_(pa.list_(pa.string()))}
_LISTS["ranking"] = _LISTS["taxonomy"]
_MEDIA = frozenset({"image", "dicom", "audio", "video", "document"})
Row = RawRow | Refused


class _Bad(ValueError):
    """A value that cannot be taken; the message goes on from the name of its column."""


# In


def read_parquet(place: Path, target: Target) -> Iterator[Row]:
    """Yield the rows of a Parquet file, flat as an import reads them; raises FileUnreadable."""
    yield from _rows(place, target, {}, first=1, prefix="")


def read_huggingface(folder: Folder, target: Target) -> Iterator[Row]:
    """Yield the rows of every Parquet file of a folder; rows without an id are named by split and number."""
    shards = folder.find(".parquet")
    if not shards:
        raise FileUnreadable("The archive holds no Parquet files.", hint="Nothing was written.")
    names = _class_names(folder)
    counts: dict[str, int] = {}
    for shard in shards:
        split = PurePosixPath(shard).name.partition("-")[0].removesuffix(".parquet")
        for row in _rows(folder.place / shard, target, names, counts.get(split, 0) + 1, split):
            counts[split] = counts.get(split, 0) + 1
            yield row


def _class_names(folder: Folder) -> dict[str, list[str]]:
    """Return column -> names of its classes, as the card of the dataset says them."""
    for name in folder.find("readme.md"):
        _, mark, rest = folder.text(name).partition("---\n")
        try:
            head = yaml.safe_load(rest.partition("\n---")[0]) if mark else None
        except yaml.YAMLError:
            continue
        infos = head.get("dataset_info") if isinstance(head, Mapping) else None
        for info in infos if isinstance(infos, list) else [infos]:
            if isinstance(info, Mapping) and isinstance(info.get("features"), list):
                found = {one["name"]: _names(one.get("dtype")) for one in info["features"] if "name" in one}
                return {column: names for column, names in found.items() if names}
    return {}


def _names(kind: Any) -> list[str]:
    names = kind.get("class_label", {}).get("names") if isinstance(kind, Mapping) else None
    if isinstance(names, Mapping):
        return [str(names[key]) for key in sorted(names, key=int)]
    return [str(one) for one in names] if isinstance(names, list) else []


def _rows(place: Path, target: Target, named: Mapping[str, Sequence[str]], first: int, prefix: str) -> Iterator[Row]:
    try:
        file = pq.ParquetFile(place)
    except (pa.ArrowException, OSError) as error:
        raise FileUnreadable(f"The file {place.name[:80]} is no Parquet file: {str(error)[:120]}.") from None
    with closing(file):
        named = dict(_own_names(file.schema_arrow)) | dict(named)
        types = _types(target, file.schema_arrow.names, place.name)
        number = first
        for batch in file.iter_batches(_ROWS):
            for row in batch.to_pylist():
                yield _row(row, types, named, number, prefix)
                number += 1


def _own_names(schema: pa.Schema) -> Iterator[tuple[str, list[str]]]:
    """Yield column -> names of its classes, as the Hugging Face library leaves them in the file."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return
    for column, one in features.items():
        if isinstance(one, Mapping) and one.get("_type") == "ClassLabel" and isinstance(one.get("names"), list):
            yield column, one["names"]


def _types(target: Target, columns: Sequence[str], name: str) -> dict[str, str]:
    types = {one["name"]: one["type"] for one in [*target.fields, *target.questions]}
    own = {*ID_WORDS, "subject", "observed_at"}
    strange = [one for one in columns if one not in types and one not in own and not one.startswith(GROUP_PREFIX)]
    if strange:
        raise FileUnreadable(
            f"The columns of {name[:80]} do not fit the schema: {', '.join(strange[:8])} is no field and no question.",
            hint="Nothing was written.",
        )
    return types


def _row(
    row: dict[str, Any], types: Mapping[str, str], named: Mapping[str, Sequence[str]], line: int, prefix: str
) -> Row:
    made: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for column, value in row.items():
        if value is None:
            continue
        try:
            made[column] = _value(value, types.get(column, "text"), named.get(column, ()))
        except _Bad as error:
            problems.append((column, str(error)))
    if prefix and not any(word in made for word in ID_WORDS if word not in types):
        made["external_id"] = f"{prefix}-{line}"
    return refused(line, problems) if problems else RawRow(line, made)


def _value(value: Any, type_: str, names: Sequence[str]) -> Any:
    if names and isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value < len(names):
            raise _Bad(f"has the class {value}, which has no name")
        return names[value]
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        raise _Bad("holds bytes")
    if type_ in _MEDIA and isinstance(value, Mapping):
        if value.get("bytes"):
            raise _Bad("holds the file itself; keep the files apart and name their place")
        return value.get("path")
    structured = type_ not in _PLAIN and type_ not in _NUMBERS and type_ != "boolean"
    if structured and isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            raise _Bad("is not JSON") from None
    return value


# Out


def write_parquet(records: Iterable[Record], target: Target) -> Iterator[bytes]:
    """Yield a Parquet file of the records."""
    with TemporaryFile() as file:
        _write(file, records, _columns(target, classes=False), {})
        yield from _parts(file)


def write_huggingface(records: Iterable[Record], target: Target) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield (name, content) of a dataset folder: one Parquet file and the card that names its features."""
    columns = _columns(target, classes=True)
    with TemporaryFile() as file:
        features = {name: feature for name, (_, feature, _) in columns.items()}
        info = {"info": {"features": {name: _feature(one) for name, one in features.items()}}}
        count = _write(file, records, columns, {b"huggingface": json.dumps(info).encode()})
        size = file.tell()
        yield "data/train-00000-of-00001.parquet", _parts(file)
    listed = [{"name": name, "dtype": one} for name, one in features.items()]
    head = {
        "dataset_info": {"features": listed, "splits": [{"name": "train", "num_examples": count, "num_bytes": size}]},
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*"}]}],
    }
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    yield "README.md", [f"---\n{text}---\n\n{count:,} items with their labels, exported from Handrail.\n".encode()]


Column = tuple[pa.DataType, Any, tuple[str, ...]]
"""Type in the file, feature in the card, names of the classes."""


def _columns(target: Target, *, classes: bool) -> dict[str, Column]:
    text: Column = (pa.string(), "string", ())
    columns: dict[str, Column] = {"external_id": text, "subject": text, "observed_at": text}
    for one in [*target.fields, *target.questions]:
        if not one.get("per_region"):
            columns[one["name"]] = _column(one, classes=classes)
    return columns


def _column(one: Entry, *, classes: bool) -> Column:
    kind, choices = one["type"], tuple(one.get("choices", ()))
    if kind == "choice" and choices and classes:
        return pa.int64(), {"class_label": {"names": {str(at): name for at, name in enumerate(choices)}}}, choices
    if kind in _NUMBERS:
        return pa.float64(), "float64", ()
    if kind == "boolean":
        return pa.bool_(), "bool", ()
    if kind in _LISTS and classes:
        inner: Any = {"sequence": "string"}
        return _LISTS[kind], inner if kind == "multi_choice" else {"sequence": inner}, ()
    return pa.string(), "string", ()


def _feature(one: Any) -> dict[str, Any]:
    """Return a feature as the Hugging Face library writes it into a file."""
    if isinstance(one, str):
        return {"dtype": one, "_type": "Value"}
    if "class_label" in one:
        return {"names": list(one["class_label"]["names"].values()), "_type": "ClassLabel"}
    inner = one["sequence"]
    return {"feature": _feature(inner), "_type": "Sequence"}


def _write(
    file: IO[bytes],
    records: Iterable[Record],
    columns: Mapping[str, Column],
    metadata: dict[bytes, bytes],
) -> int:
    layout = pa.schema([(name, type_) for name, (type_, _, _) in columns.items()], metadata=metadata)
    count, source = 0, iter(records)
    with pq.ParquetWriter(file, layout, compression="zstd") as writer:
        while batch := list(islice(source, _ROWS)):
            count += len(batch)
            rows = [_flat(one, columns) for one in batch]
            writer.write_table(pa.Table.from_pylist(rows, schema=layout))
    return count


def _flat(record: Record, columns: Mapping[str, Column]) -> dict[str, Any]:
    row: dict[str, Any] = {"external_id": record.external_id, "subject": record.subject}
    row |= {"observed_at": record.observed_at, **record.data, **record.labels}
    return {name: _cell(row.get(name), *columns[name]) for name in columns}


def _cell(value: Any, type_: pa.DataType, _: Any, names: Sequence[str]) -> Any:
    if value is None:
        return None
    if names:
        return names.index(value)
    if type_ == pa.string() and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return value


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while part := file.read(1 << 18):
        yield part
