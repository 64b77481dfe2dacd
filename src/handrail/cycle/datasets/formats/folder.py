"""A folder of files that a format reads: an unpacked archive, seen as names."""

from __future__ import annotations

from pathlib import Path
from typing import IO


class Folder:
    """The files below a place; a name is a path with / relative to it."""

    def __init__(self, place: Path, names: list[str]) -> None:
        self.place = place
        self._names = names

    def names(self) -> list[str]:
        """Return the names of the files, sorted, without those that a system leaves behind."""
        return [one for one in self._names if not one.startswith("__MACOSX/") and not one.endswith(".DS_Store")]

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading."""
        return (self.place / name).open("rb")

    def text(self, name: str) -> str:
        """Return the text of a small file; bytes that are not UTF-8 become marks."""
        with self.open(name) as source:
            return source.read(8 << 20).decode("utf-8", "replace")

    def find(self, *endings: str) -> list[str]:
        """Return the names that end so, in small letters."""
        return [one for one in self.names() if one.lower().endswith(endings)]
