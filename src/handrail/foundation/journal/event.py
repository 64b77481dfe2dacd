"""Facts that stages publish."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Event:
    """One fact. Fields named `*_id` stand in the provable entry; the rest goes to the erasable payload."""

    verb: ClassVar[str] = ""

    def split(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Return (object references without their `_id`, payload)."""
        object_names, payload_names = _names(type(self))  # type: ignore[arg-type]  # a dataclass's class is hashable, whatever its instances are
        values = vars(self)
        objects = {short: value for name, short in object_names if (value := values[name]) is not None}
        return objects, {name: values[name] for name in payload_names}


@cache
def _names(kind: type[Event]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    names = [field.name for field in fields(kind)]
    return (
        tuple((name, name.removesuffix("_id")) for name in names if name.endswith("_id")),
        tuple(name for name in names if not name.endswith("_id")),
    )
