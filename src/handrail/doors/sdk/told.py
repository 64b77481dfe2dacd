"""Server-sent events as clients read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EventTold:
    """One event of a project's stream; `id` is its place in the journal, to go on after."""

    id: int
    kind: str
    data: dict[str, Any]


def events_told(content: bytes) -> list[EventTold]:
    """Return the events in a piece of a stream, in order."""
    found: list[EventTold] = []
    for block in content.decode().split("\n\n"):
        parts = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if "data" in parts:
            found.append(EventTold(int(parts["id"]), parts["event"], json.loads(parts["data"])))
    return found
