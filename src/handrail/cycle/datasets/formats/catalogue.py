"""Every format by name: how it is recognised, read and written."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handrail.cycle.datasets.formats import argilla, conll, croissant, doccano, prodigy, sagemaker, voc, yolo
from handrail.cycle.datasets.formats.folder import Folder
from handrail.cycle.datasets.formats.record import Record, Refused
from handrail.cycle.datasets.formats.target import Target
from handrail.cycle.datasets.reading import RawRow, Unread

Row = Record | RawRow | Refused | Unread
Files = Iterator[tuple[str, Iterable[bytes]]]


@dataclass(frozen=True)
class Format:
    """One format. Its kind: `stream` is a file read in chunks, `place` a file read by its place, `folder` an archive.

    `media_type` and `ending` are those of what goes out.
    """

    name: str
    title: str
    kind: str
    ending: str
    media_type: str
    read_stream: Callable[[Iterable[bytes], Target], Iterator[Row]] | None = None
    read_place: Callable[[Path, Target], Iterator[Row]] | None = None
    read_folder: Callable[[Folder, Target], Iterator[Row]] | None = None
    write_stream: Callable[[Iterable[Record], Target], Iterator[bytes]] | None = None
    write_folder: Callable[[Iterable[Record], Target], Files] | None = None


def _read_coco(chunks: Iterable[bytes], target: Target) -> Iterator[Row]:
    from handrail.cycle.datasets.formats.coco import read_coco

    return read_coco(chunks, target)


def _write_coco(records: Iterable[Record], target: Target) -> Iterator[bytes]:
    from handrail.cycle.datasets.formats.coco import write_coco

    return write_coco(records, target)


def _read_parquet(place: Path, target: Target) -> Iterator[Row]:
    from handrail.cycle.datasets.formats.tables import read_parquet

    return read_parquet(place, target)


def _write_parquet(records: Iterable[Record], target: Target) -> Iterator[bytes]:
    from handrail.cycle.datasets.formats.tables import write_parquet

    return write_parquet(records, target)


def _read_huggingface(folder: Folder, target: Target) -> Iterator[Row]:
    from handrail.cycle.datasets.formats.tables import read_huggingface

    return read_huggingface(folder, target)


def _write_huggingface(records: Iterable[Record], target: Target) -> Files:
    from handrail.cycle.datasets.formats.tables import write_huggingface

    return write_huggingface(records, target)


_COCO = ("images", "annotations", "info", "licenses", "categories")
_TASK = {"annotations", "predictions", "drafts", "is_labeled", "completions"}
_LINES, _ZIP = "application/x-ndjson", "application/zip"

FORMATS = {
    one.name: one
    for one in (
        Format("coco", "COCO", "stream", "json", "application/json", _read_coco, write_stream=_write_coco),
        Format(
            "conll", "CoNLL-2003", "stream", "conll", "text/plain; charset=utf-8", conll.read_conll,
            write_stream=conll.write_conll,
        ),
        Format(
            "doccano", "doccano", "stream", "jsonl", _LINES, doccano.read_doccano,
            write_stream=doccano.write_doccano,
        ),
        Format(
            "prodigy", "Prodigy", "stream", "jsonl", _LINES, prodigy.read_prodigy,
            write_stream=prodigy.write_prodigy,
        ),
        Format(
            "argilla", "Argilla", "stream", "json", "application/json", argilla.read_argilla,
            write_stream=argilla.write_argilla,
        ),
        Format(
            "sagemaker", "SageMaker augmented manifest", "stream", "manifest", _LINES, sagemaker.read_manifest,
            write_stream=sagemaker.write_manifest,
        ),
        Format(
            "parquet", "Parquet", "place", "parquet", "application/vnd.apache.parquet", read_place=_read_parquet,
            write_stream=_write_parquet,
        ),
        Format("yolo", "YOLO", "folder", "zip", _ZIP, read_folder=yolo.read_yolo, write_folder=yolo.write_yolo),
        Format("voc", "Pascal VOC", "folder", "zip", _ZIP, read_folder=voc.read_voc, write_folder=voc.write_voc),
        Format(
            "huggingface", "Hugging Face dataset folder", "folder", "zip", _ZIP, read_folder=_read_huggingface,
            write_folder=_write_huggingface,
        ),
        Format(
            "croissant", "Croissant", "folder", "zip", _ZIP, read_folder=croissant.read_croissant,
            write_folder=croissant.write_croissant,
        ),
    )
}  # fmt: skip
"""Name -> format, beside CSV, JSON and Label Studio, which an import reads in ways of their own."""


def recognise(head: bytes, own: Collection[str] = ()) -> str:
    """Return the format that a file begins like, or "" for rows whose keys are all `own`: names of the schema."""
    if head.startswith(b"PAR1"):
        return "parquet"
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    first = _first(text)
    if not isinstance(first, dict):
        bare = text.lstrip("{ \r\n\t")
        coco = text.startswith("{") and bare.startswith(
            ('"images"', '"annotations"', '"info"', '"licenses"', '"categories"')
        )
        return "coco" if coco else "conll" if text.startswith("-DOCSTART-") else ""
    keys = first.keys()
    if keys <= set(own):
        return ""
    if {"images", "annotations", "categories"} <= keys:
        return "coco"
    if isinstance(first.get("data"), dict) and keys & {
        "annotations",
        "predictions",
        "drafts",
        "is_labeled",
        "completions",
    }:
        return "label-studio"
    if "fields" in keys and keys & {"responses", "suggestions"}:
        return "argilla"
    if keys & {"source-ref", "source"} and any(key.endswith("-metadata") for key in keys):
        return "sagemaker"
    if "text" in keys and keys & {"_input_hash", "_task_hash", "answer"}:
        return "prodigy"
    return "doccano" if "text" in keys and (isinstance(first.get("label"), list) or "entities" in keys) else ""


def recognise_folder(names: Iterable[str]) -> str:
    """Return the name of the format that an archive's files look like, or ""."""
    listed = [one.lower() for one in names]
    if any(one.rpartition("/")[2] == "croissant.json" for one in listed):
        return "croissant"
    if any(one.endswith(".parquet") for one in listed):
        return "huggingface"
    if any(one.endswith(".xml") for one in listed):
        return "voc"
    return "yolo" if any("labels/" in one and one.endswith(".txt") for one in listed) else ""


def _first(text: str) -> Any:
    """Return the first value of a list or of lines, where the head holds it whole."""
    start = text[1:].lstrip() if text.startswith("[") else text
    try:
        return json.JSONDecoder().raw_decode(start)[0]
    except (ValueError, RecursionError):
        return None
