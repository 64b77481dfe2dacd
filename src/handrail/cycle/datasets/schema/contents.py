"""Reads the values of fields that are more than a number, a text or a time. Pure.

Media are references, never bytes: what a reference names is fetched or shown elsewhere, under the rules there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from handrail.cycle.datasets.schema.parts import list_at, object_at, told
from handrail.cycle.datasets.schema.problems import Problems
from handrail.cycle.datasets.values import MAX_CATEGORY, kind_of, read_category, read_text

MEDIA = ("image", "dicom", "audio", "video", "document")
"""Field types whose value is a reference to a file."""
STRUCTURED = frozenset({"time_series", "conversation", "trace", "json"})
"""Field types that are kept as JSON in the cells and columns of files."""

MOST_DEPTH = 64
"""How deep JSON may be nested."""
_LONGEST_REFERENCE = 4096
_BLOB = re.compile(r"blob:[0-9a-f]{64}")
_ADDRESS = re.compile(r"(https?|s3|gs)://[^\s/?#]+\S*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def read_content(type_: str, value: Any, place: str, bad: Problems) -> Any:
    """Return the value of a field of one of the types here as it is kept, or None after telling what is wrong."""
    return media(value, place, bad) if type_ in MEDIA else _CONTENTS[type_](value, place, bad)


def media(value: Any, place: str, bad: Problems) -> str | None:
    """Return a reference to a file: an address (http, https, s3, gs), blob:SHA-256, or a path without `..`."""
    kept, reason = read_text(value)
    found: str | None = told(kept, reason or _reference_problem(kept), place, bad)
    return found


def _reference_problem(text: str) -> str:
    if not text:
        return "is empty"
    if len(text) > _LONGEST_REFERENCE:
        return f"is longer than {_LONGEST_REFERENCE:,} characters"
    if text != text.strip() or not text.isprintable():
        return "holds blanks at its ends or signs that cannot be printed"
    if text.startswith("blob:"):
        return "" if _BLOB.fullmatch(text) else "must be blob: and 64 hex digits"
    if _ADDRESS.fullmatch(text):
        return ""
    if _SCHEME.match(text) or text.startswith(("//", "\\")):
        return "is no reference to a file: use an http(s), s3 or gs address, blob:SHA-256, or a path"
    if "\\" in text or ".." in text.split("/"):
        return "is a path with a backslash or with .."
    return ""


def _html(value: Any, place: str, bad: Problems) -> str | None:
    kept, reason = read_text(value)
    found: str | None = told(kept, reason, place, bad)
    return found


def _time_series(value: Any, place: str, bad: Problems) -> Any:
    """Return {"columns": {name: [numbers]}} with columns of one length, or a reference to a file of them."""
    if isinstance(value, str):
        return media(value, place, bad)
    held = object_at(value, place, bad, ("columns",), ())
    columns = None if held is None else object_at(held["columns"], f"{place}.columns", bad)
    if columns is None:
        return None
    kept: dict[str, list[Any]] = {}
    for name, numbers in columns.items():
        at = f"{place}.columns.{str(name)[:80]}"
        reason = read_category(name)[1]
        if reason:
            bad.add(at, f"has a name that {reason}")
        elif not isinstance(numbers, list | tuple):
            bad.add(at, f"must be a list of numbers, not {kind_of(numbers)}")
        else:
            kept[name] = _numbers(numbers, at, bad)
    if not columns:
        bad.add(f"{place}.columns", "must hold at least one column")
    if len({len(one) for one in kept.values()}) > 1:
        bad.add(f"{place}.columns", "are not of one length")
    return {"columns": kept}


def _numbers(given: list[Any] | tuple[Any, ...], place: str, bad: Problems) -> list[Any]:
    if {type(one) for one in given} <= {float, int}:
        for at, one in enumerate(given):
            reason = _number_problem(one)
            if reason:
                bad.add(f"{place}[{at}]", reason)
        return list(given)
    for at, one in enumerate(given):
        if type(one) not in (int, float):
            bad.add(f"{place}[{at}]", f"must be a number, not {kind_of(one)}")
    return []


def _conversation(value: Any, place: str, bad: Problems) -> Any:
    """Return a list of turns, each with a role and a text, and whatever JSON stands beside them."""
    given = list_at(value, place, bad)
    if given is None:
        return None
    if not given:
        bad.add(place, "has no turn")
    kept = []
    for at, one in enumerate(given):
        where = f"{place}[{at}]"
        turn = object_at(one, where, bad, ("role", "text"))
        if turn is None:
            continue
        told(*read_category(turn["role"]), f"{where}.role", bad)
        told(*read_text(turn["text"]), f"{where}.text", bad)
        kept.append(json_at(turn, where, bad))
    return kept


def _trace(value: Any, place: str, bad: Problems) -> Any:
    if not isinstance(value, list | tuple | Mapping):
        bad.add(place, f"must be a list or an object, not {kind_of(value)}")
        return None
    return json_at(value, place, bad)


def json_at(value: Any, place: str, bad: Problems, depth: int = 0) -> Any:
    """Return any JSON value as every file and database can keep it: no NaN, no NUL, texts as keys, not too deep."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return told(*read_text(value), place, bad)
    if type(value) in (int, float):
        return told(value, _number_problem(value), place, bad)
    if depth >= MOST_DEPTH:
        bad.add(place[:200], f"is nested deeper than {MOST_DEPTH} levels")
        return None
    if isinstance(value, list | tuple):
        return [json_at(one, f"{place}[{at}]", bad, depth + 1) for at, one in enumerate(value)]
    if isinstance(value, Mapping):
        kept = {}
        for name, one in value.items():
            reason = read_text(name)[1] or ("is too long" if len(name) > MAX_CATEGORY else "")
            if reason:
                bad.add(place, f"has a key that {reason}")
            else:
                kept[name] = json_at(one, f"{place}.{name[:80]}", bad, depth + 1)
        return kept
    bad.add(place, f"must be JSON, not {kind_of(value)}")
    return None


def _number_problem(value: float) -> str:
    if isinstance(value, int):
        return "" if abs(value) < 1 << 63 else "is a whole number too large to be kept"
    return "" if math.isfinite(value) else "is NaN" if math.isnan(value) else "is infinite"


_CONTENTS: dict[str, Callable[[Any, str, Problems], Any]] = {
    "html": _html,
    "time_series": _time_series,
    "conversation": _conversation,
    "trace": _trace,
    "json": json_at,
}
