"""Reads one value strictly: what is kept, or why it cannot be. Pure.

What is kept survives the way into a file and back unchanged: numbers are floats, times are UTC to the microsecond.
"""

from __future__ import annotations

import json
import math
import numbers
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

Reading = tuple[Any, str]
"""(what is kept, ""), or (None, why it cannot be)."""

MAX_TEXT = 500_000
"""Characters of one text value."""
MAX_CATEGORY = 256
"""Characters of one category or choice."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_TEXTS = frozenset(
    {"text", "category", "choice", "time", "date", "html", "image", "dicom", "audio", "video", "document"}
)
_NOT_NUMBERS = frozenset({"nan", "inf", "infinity", "na", "n/a", "null", "none"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field; the reason goes on from the field's name as a sentence does."""

    field: str
    reason: str


def read_number(value: Any, low: float | None = None, high: float | None = None) -> Reading:
    """Return a finite number as a float; a whole number that a float cannot hold exactly is refused."""
    if type(value) is not float:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            return None, f"must be a number, not {kind_of(value)}"
        try:
            exact = float(value)
        except OverflowError:
            return None, "is too large for a number"
        if isinstance(value, int) and exact != value:
            return None, "is a whole number too large to be kept exactly; make the field a category if it is a name"
        value = exact
    if not math.isfinite(value):
        return None, "is NaN" if math.isnan(value) else "is infinite"
    if low is not None and value < low:
        return None, f"is below {low:g}"
    if high is not None and value > high:
        return None, f"is above {high:g}"
    return value, ""


def read_text(value: Any) -> Reading:
    """Return a text that every database and file can keep: no NUL, no half characters, not too long."""
    if not isinstance(value, str):
        return None, f"must be a text, not {kind_of(value)}"
    if len(value) > MAX_TEXT:
        return None, f"is longer than {MAX_TEXT:,} characters"
    if "\x00" in value:
        return None, "holds the character NUL"
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return None, "holds half of a character (a lone surrogate)"
    return str(value), ""


def read_category(value: Any, allowed: Sequence[str] = ()) -> Reading:
    """Return a short text, one of `allowed` when that is not empty."""
    kept, reason = read_text(value)
    if reason:
        return None, reason
    if not kept:
        return None, "is empty"
    if len(kept) > MAX_CATEGORY:
        return None, f"is longer than {MAX_CATEGORY} characters"
    if allowed and kept not in allowed:
        shown = ", ".join(allowed[:8]) + (", …" if len(allowed) > 8 else "")
        return None, f"is {kept[:40]!r}, which is none of: {shown}"
    return kept, ""


def read_flag(value: Any) -> Reading:
    """Return true or false."""
    if isinstance(value, bool):
        return value, ""
    return None, f"must be true or false, not {kind_of(value)}"


def read_moment(value: Any) -> tuple[datetime | None, str]:
    """Return a moment as aware UTC, from an ISO 8601 text or an aware datetime."""
    if isinstance(value, str):
        if len(value) > 64:
            return None, "is not a time"
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None, "is not a time; write it as 2026-01-31T12:00:00Z"
    elif not isinstance(value, datetime):
        return None, f"must be a time, not {kind_of(value)}"
    if value.tzinfo is None:
        return None, "has no time zone; write it as 2026-01-31T12:00:00Z"
    try:
        return value.astimezone(UTC), ""
    except (OverflowError, ValueError):
        return None, "is out of range"


def time_text(moment: datetime) -> str:
    """Return how a moment is written: UTC with microseconds, always of the same length."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read_time(value: Any) -> Reading:
    """Return a moment as text in UTC."""
    moment, reason = read_moment(value)
    return (None, reason) if moment is None else (time_text(moment), "")


def parse(text: str, type_: str) -> Reading:
    """Return what a cell of a CSV file means for a type; an empty cell is missing (None)."""
    if text == "" or type_ in _TEXTS or (type_ == "time_series" and not text.lstrip().startswith("{")):
        return text or None, ""
    if type_ not in ("number", "rating", "boolean"):
        return parse_json(text)
    stripped = text.strip()
    if type_ == "boolean":
        word = stripped.lower()
        return (
            (word == "true", "") if word in ("true", "false") else (None, f"must be true or false, not {text[:40]!r}")
        )
    if _NUMBER.fullmatch(stripped):
        return float(stripped), ""
    if stripped.lower() in _NOT_NUMBERS:
        return None, f"is {stripped[:10]}; leave it empty when it is missing"
    return None, f"must be a number, not {text[:40]!r}"


def parse_json(text: str) -> Reading:
    """Return what a text of JSON says; an object that names a key twice is refused."""
    try:
        return _DECODER.decode(text), ""
    except RecursionError:
        return None, "is nested too deeply"
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        return None, f"is not JSON: {reason}"


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return made


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_no_number)


def kind_of(value: Any) -> str:
    """Return the kind of a value in the words of JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, list | tuple):
        return "a list"
    return "an object" if isinstance(value, dict) else f"a {type(value).__name__}"
