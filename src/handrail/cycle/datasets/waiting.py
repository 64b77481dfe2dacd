"""Rows that wait until their whole file has been read: in memory while they are few, then in a private file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self

from handrail.cycle.datasets.formats.record import Answered, Said
from handrail.foundation.canonical import encode

_MEMORY = 6 << 20
"""Bytes in memory, about; writing a row out and reading it again costs a fifth of its import."""
_EACH = 1_200
"""Bytes of a row beside the text of its data, about."""


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A good row as it waits: the row of its item, its labels as (question, value), what another tool said beside."""

    line: int
    row: dict[str, Any]
    labels: list[tuple[str, Any]]
    said: Said | None = None

    def to_line(self) -> bytes:
        """Return it as one line."""
        row = self.row | {"salt": self.row["salt"].hex()}
        said = None if self.said is None else [[vars_of(one) for one in self.said.answers], self.said.origin]
        return encode([self.line, row, self.labels, said]).encode() + b"\n"

    @classmethod
    def from_line(cls, text: bytes) -> WaitingRow:
        """Return what a line holds."""
        line, row, labels, said = json.loads(text)
        beside = None if said is None else Said([Answered(**one) for one in said[0]], said[1])
        return cls(line, row | {"salt": bytes.fromhex(row["salt"])}, [(name, value) for name, value in labels], beside)


def vars_of(one: Answered) -> dict[str, Any]:
    """Return an answer as JSON values."""
    return {part.name: getattr(one, part.name) for part in fields(one)}


class WaitingRows:
    """The rows in their order; read as often as wanted once all are there."""

    def __init__(self, memory: int = _MEMORY) -> None:
        self._left = memory
        self._rows: list[WaitingRow] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, one: WaitingRow) -> None:
        """Add one."""
        if self._file is None:
            self._rows.append(one)
            self._left -= _EACH + len(one.row["data"]) + (0 if one.said is None else 2 * len(one.said.origin or ""))
            if self._left < 0:
                self._file = TemporaryFile()  # noqa: SIM115 - closed with the rows
                self._file.writelines(row.to_line() for row in self._rows)
                self._rows.clear()
        else:
            self._file.write(one.to_line())

    def __iter__(self) -> Iterator[WaitingRow]:
        """Yield the rows from the first one on."""
        if self._file is None:
            yield from self._rows
        else:
            self._file.seek(0)
            yield from map(WaitingRow.from_line, self._file)
