"""Values on the disk, asked for by a key: for formats that name a thing in one place and describe it in another.

24 bytes of memory a value, whatever its size; the file has no name and is gone when the spill is closed.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from hashlib import blake2b
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

import numpy as np


class Spill:
    """Add values under keys, then get them by key, in the order in which they were added."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._hashes = array("Q")
        self._places = array("Q")
        self._sizes = array("Q")
        self._order: Any = None
        self._sorted: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def add(self, key: str, value: Any) -> None:
        """Keep a JSON value under a key; equal keys are fine."""
        line = json.dumps([key, value], separators=(",", ":")).encode()
        self._hashes.append(_hash(key))
        self._places.append(self._file.seek(0, 2))
        self._sizes.append(len(line))
        self._file.write(line)
        self._order = None

    def get(self, key: str) -> list[Any]:
        """Return every value of a key."""
        if self._order is None:
            hashes = np.frombuffer(self._hashes, dtype=np.uint64)
            self._order = np.argsort(hashes, kind="stable")
            self._sorted = hashes[self._order]
        wanted = np.uint64(_hash(key))
        first = int(np.searchsorted(self._sorted, wanted, "left"))
        last = int(np.searchsorted(self._sorted, wanted, "right"))
        found = (self._at(int(place)) for place in self._order[first:last])
        return [value for name, value in found if name == key]

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return (self._at(place) for place in range(len(self)))

    def _at(self, place: int) -> tuple[str, Any]:
        self._file.seek(self._places[place])
        key, value = json.loads(self._file.read(self._sizes[place]))
        return key, value


def _hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
