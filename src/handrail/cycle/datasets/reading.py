"""Cuts a file into rows with bounded memory: CSV, JSON Lines, one JSON list. Pure: takes chunks of bytes.

Every row comes out, either with what stands in it or with what is wrong with it, each with its line. Where the end of
a row cannot be found (a quote that never closes), reading stops with `Unread` rather than guess.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from handrail.cycle.datasets.model import BadRow, FileUnreadable

Format = Literal["csv", "jsonl", "json"]

MAX_LINE = 1 << 20
"""Bytes of one line, and of one row that goes over several lines."""

_BOM = b"\xef\xbb\xbf"
_ENDINGS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json"
}  # fmt: skip
_TOO_LONG = f"is longer than {MAX_LINE >> 20} MiB"
_MIDDLE = re.compile(rb'["\[\]{},]')
_IN_TEXT = re.compile(rb'["\\]')

# A limit of the csv module for the whole process, 128 KiB unless set; the line's own limit is the one that counts.
csv.field_size_limit(2 * MAX_LINE)


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it stands in the file: cells of a CSV row, or a JSON object."""

    line: int
    content: Any


@dataclass(frozen=True, slots=True)
class Unread:
    """From this line on the file was not read."""

    line: int
    reason: str


Record = RawRow | BadRow | Unread


def format_of(name: str, head: bytes) -> Format:
    """Return the format of a file by its name, else by how it begins; raises FileUnreadable for UTF-16 and nothing."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileUnreadable("The file is written in UTF-16.", hint="Save it as UTF-8.")
    begin = head.removeprefix(_BOM).lstrip()[:1]
    if not begin and len(head) < 4096:
        raise FileUnreadable("The file is empty.", hint="Nothing was written.")
    known = next((found for ending, found in _ENDINGS.items() if name.lower().endswith(ending)), None)
    if known is not None and known != "json":
        return known
    if begin == b"[":
        return "json"
    return "jsonl" if begin == b"{" or known == "json" else "csv"


def records(chunks: Iterable[bytes], format_: Format) -> Iterator[Record]:
    """Yield every row of a file; the first row of a CSV file is its header."""
    if format_ == "csv":
        return _csv_rows(chunks)
    return _json_lines(chunks) if format_ == "jsonl" else _json_list(chunks)


# Lines


@dataclass(slots=True)
class _Line:
    """One line without its end; `text` is None when it was too long to be held, then `quotes` counts its quotes."""

    number: int
    text: bytes | None
    quotes: int = 0


def _lines(chunks: Iterable[bytes]) -> Iterator[_Line]:
    number = 1
    rest = b""
    skipping = False
    quotes = 0
    for chunk in _without_bom(chunks):
        parts = (rest + chunk).split(b"\n")
        for part in parts[:-1]:
            yield _line(number, part, skipping, quotes)
            number, skipping, quotes = number + 1, False, 0
        rest = parts[-1]
        if skipping or len(rest) > MAX_LINE:
            skipping, quotes, rest = True, quotes + rest.count(b'"'), b""
    if rest or skipping:
        yield _line(number, rest, skipping, quotes)


def _line(number: int, part: bytes, skipping: bool, quotes: int) -> _Line:
    if skipping or len(part) > MAX_LINE:
        return _Line(number, None, quotes + part.count(b'"'))
    return _Line(number, part.removesuffix(b"\r"))


def _without_bom(chunks: Iterable[bytes]) -> Iterator[bytes]:
    head = b""
    begun = False
    for chunk in chunks:
        if begun:
            yield chunk
            continue
        head += chunk
        if len(head) >= len(_BOM):
            begun = True
            yield head.removeprefix(_BOM)
    if not begun and head:
        yield head


# CSV


class _Stop(Exception):
    """The end of a row cannot be found."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class _TooLong(Exception):
    """A line of its own is too long and was skipped."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass
class _CsvLines:
    """Gives the reader of a row the lines it asks for, and knows where the row began."""

    lines: Iterator[_Line]
    begun_at: int = 0
    size: int = 0
    pending: list[_Line] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        return self

    def new_row(self) -> None:
        """Say that the next line begins a row."""
        self.begun_at = self.size = 0

    def __next__(self) -> str:
        line = self.pending.pop() if self.pending else next(self.lines)
        inside = self.begun_at > 0
        if not inside:
            self.begun_at = line.number
        if line.text is None:
            if inside or line.quotes % 2:
                raise _Stop(self.begun_at, f"{_TOO_LONG}, and its quotes do not tell where the next row begins")
            raise _TooLong(line.number)
        self.size += len(line.text) + 1
        if self.size > MAX_LINE + 1:
            raise _Stop(self.begun_at, f"opens a quote that does not close within {MAX_LINE >> 20} MiB")
        # Bytes that are not UTF-8 stay as marks, so that the cells around them are still found.
        return line.text.decode("utf-8", "surrogateescape") + "\n"


def _csv_rows(chunks: Iterable[bytes]) -> Iterator[Record]:
    source = _CsvLines(_lines(chunks))
    first = next(source.lines, None)
    while first is not None and first.text is not None and not first.text.strip():
        first = next(source.lines, None)
    if first is None:
        return
    delimiter = _delimiter(first.text or b"")
    source.pending.append(first)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.new_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLong as error:
            yield BadRow(error.line, "", _TOO_LONG)
        except _Stop as error:
            yield Unread(error.line, error.reason)
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                yield Unread(source.begun_at, "opens a quote that never closes")
                return
            yield BadRow(source.begun_at, "", f"is no row of CSV: {error}")
        else:
            if cells:
                yield RawRow(source.begun_at, cells)


def _delimiter(header: bytes) -> str:
    """Return the sign that parts the header into most columns; quoted parts do not count."""
    bare = re.sub(rb'"[^"]*"', b"", header)
    return max(",;\t|", key=lambda sign: bare.count(sign.encode()))


# JSON


class _Twice(ValueError):
    """An object names a field twice."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)  # json.loads would make one anew for each row


def _parse(line: int, content: bytes) -> Record:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return BadRow(line, "", f"holds bytes that are not UTF-8, the first after {error.start} good ones")
    try:
        found = _DECODER.decode(text)
    except _Twice as error:
        return BadRow(line, shown(str(error)), "stands twice in the row")
    except RecursionError:
        return BadRow(line, "", "is nested too deeply")
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
        return BadRow(line, "", f"is not JSON: {reason}")
    if not isinstance(found, dict):
        return BadRow(line, "", "is not an object")
    return RawRow(line, found)


def _json_lines(chunks: Iterable[bytes]) -> Iterator[Record]:
    for line in _lines(chunks):
        if line.text is None:
            yield BadRow(line.number, "", _TOO_LONG)
        elif line.text.strip():
            yield _parse(line.number, line.text)


class _Splitter:
    """Finds the elements of one JSON list in chunks of bytes, holding no more than one of them."""

    def __init__(self) -> None:
        self.line = 1
        self.depth = 0
        self.in_text = False
        self.escaped = False
        self.ended = False
        self.elements = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._start = 0

    def feed(self, chunk: bytes) -> Iterator[Record]:
        """Yield the elements that end in this chunk; may stop with Unread."""
        at = 0
        if self.escaped and chunk:
            self.escaped = False
            at = self._take(chunk, 0, 1)
        while at < len(chunk):
            if self.ended:
                if chunk[at:].strip():
                    yield Unread(self.line + self._newlines(chunk, at), "stands behind the end of the list")
                return
            found = (_IN_TEXT if self.in_text else _MIDDLE).search(chunk, at)
            if found is None:
                self._take(chunk, at, len(chunk))
                return
            mark = found[0]
            if self.in_text:
                at = self._inside_text(chunk, at, found.end(), mark)
                continue
            closes = self.depth == 1 and mark in b",]"
            at = self._take(chunk, at, found.start() if closes or self.depth == 0 else found.end())
            if closes:
                yield from self._close(last=mark == b"]")
                at += 1
            elif self.depth == 0:
                if mark != b"[" or self._start:
                    yield Unread(self._start or self.line, "is not the beginning of a list")
                    return
                self._forget()
                self.depth, at = 1, at + 1
            elif mark == b'"':
                self.in_text = True
            elif mark != b",":
                # A bracket too many spoils its row, not the list.
                self.depth = self.depth + 1 if mark in b"[{" else max(1, self.depth - 1)

    def end(self) -> Iterator[Record]:
        """Yield what the end of the file leaves open."""
        if not self.ended:
            yield Unread(self._start or self.line, "has no end: the list is not closed")

    def _inside_text(self, chunk: bytes, at: int, end: int, mark: bytes) -> int:
        if mark == b'"':
            self.in_text = False
            return self._take(chunk, at, end)
        self.escaped = end >= len(chunk)
        return self._take(chunk, at, min(end + 1, len(chunk)))

    def _take(self, chunk: bytes, start: int, end: int) -> int:
        piece = chunk[start:end]
        if not self._start and (bare := piece.lstrip()):
            self._start = self.line + piece[: len(piece) - len(bare)].count(b"\n")
        self.line += piece.count(b"\n")
        self._size += len(piece)
        if self._size <= MAX_LINE:
            self._pieces.append(piece)
        elif self._pieces:
            self._pieces = []
        return end

    def _newlines(self, chunk: bytes, at: int) -> int:
        rest = chunk[at:]
        return rest[: len(rest) - len(rest.lstrip())].count(b"\n")

    def _close(self, *, last: bool) -> Iterator[Record]:
        whole = b"".join(self._pieces)
        line, size = self._start or self.line, self._size
        self._forget()
        self.ended = last
        if size > MAX_LINE:
            yield BadRow(line, "", _TOO_LONG)
        elif whole.strip():
            yield _parse(line, whole)
        elif not last or self.elements:
            yield BadRow(line, "", "is missing between two commas" if not last else "is missing behind a comma")
        self.elements += 1

    def _forget(self) -> None:
        self._pieces, self._size, self._start = [], 0, 0


def _json_list(chunks: Iterable[bytes]) -> Iterator[Record]:
    splitter = _Splitter()
    for chunk in _without_bom(chunks):
        for one in splitter.feed(chunk):
            yield one
            if isinstance(one, Unread):
                return
    yield from splitter.end()


def shown(text: str) -> str:
    """Return a text from outside as it may stand in a report: short, and nothing that cannot be printed."""
    cut = text[:80]
    return cut if cut.isprintable() else "".join(sign if sign.isprintable() else "�" for sign in cut)


def chunks_of(read: Callable[[int], bytes], size: int = 1 << 16) -> Iterator[bytes]:
    """Yield what `read` gives until it gives nothing."""
    while chunk := read(size):
        yield chunk
