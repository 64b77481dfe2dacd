"""One page of a list, by key and not by number: rows that arrive meanwhile are neither repeated nor skipped."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from handrail.foundation.errors import Invalid

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=500, description="How many entries at most.")]
After = Annotated[str | None, Query(max_length=512, description="The `next` of the page before.")]
WaitS = Annotated[float, Query(ge=0, le=55, description="How many seconds to wait for a change.")]


class Page(BaseModel, Generic[T]):
    """One page of a list; `next` is what to send as `after` for the following one, null at the end."""

    items: list[T] = Field(description="The entries.")
    next: str | None = Field(default=None, description="Send this as `after` for the next page; null at the end.")


class BadCursor(Invalid):
    """The `after` of a list is not one that this list gave."""

    code = "request.bad_cursor"


def cursor(*keys: Any) -> str:
    """Return the opaque text for the keys (JSON values) of the last entry of a page."""
    text = json.dumps(keys, separators=(",", ":"), allow_nan=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def keys(after: str, *kinds: type) -> list[Any]:
    """Return the keys in a cursor, each of its kind (str, int, float); raises BadCursor."""
    try:
        found = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except ValueError:
        found = None
    if (
        not isinstance(found, list)
        or len(found) != len(kinds)
        or any(type(key) is not kind for key, kind in zip(found, kinds, strict=True))
    ):
        raise BadCursor("The list cannot go on from here.", hint="Send the `next` of the page before, unchanged.")
    return found
