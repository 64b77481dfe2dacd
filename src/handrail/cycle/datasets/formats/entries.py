"""Cuts JSON into entries with bounded memory: a list, lines, one object, or the lists inside one object. Pure.

Python's own decoder reads one entry at a time from a window of the text. Where an entry is no JSON, its end cannot be
known and reading stops there, with the line.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MAX_ENTRY = 64 << 20
"""Characters of one entry."""
_FEW = 1 << 16
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry and the line on which it begins; `section` is the key of the list it stands in, "" at the top."""

    line: int
    content: Any
    section: str = ""


class Stopped(Exception):
    """From this line on the text could not be read; the message goes on from the word `file`."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


class _Window:
    """The part of a text that is being looked at."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._read = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode
        self.text = ""
        self.at = 0
        self.line = 1
        self.ended = False

    def more(self, wanted: int = 1) -> bool:
        """Take in at least `wanted` further characters; false at the end of the text."""
        self.text = self.text[self.at :]
        self.at = 0
        parts, size = [self.text], 0
        while size < wanted and not self.ended:
            chunk = next(self._chunks, b"")
            self.ended = not chunk
            try:
                part = self._decode.decode(chunk, final=self.ended)
            except UnicodeDecodeError:
                raise Stopped(self.line, "holds bytes that are not UTF-8") from None
            parts.append(part)
            size += len(part)
        self.text = "".join(parts)
        return size > 0

    def peek(self) -> str:
        """Return the next sign that is no space, "" at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in _SPACE:
                self.line += self.text[self.at] == "\n"
                self.at += 1
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def skip(self, sign: str) -> bool:
        """Go over a sign where it is next."""
        if self.peek() != sign:
            return False
        self.at += 1
        return True

    def value(self) -> tuple[int, Any]:
        """Return the next value and its line; raises Stopped."""
        self.peek()
        while True:
            try:
                found, end = self._read(self.text, self.at)
            except ValueError as error:
                wrong, place = error, self.text.count("\n", self.at, getattr(error, "pos", self.at))
            except RecursionError:
                raise Stopped(self.line, "is nested too deeply") from None
            else:
                # A number may go on in the next chunk.
                if end < len(self.text) or isinstance(found, dict | list | str) or self.ended:
                    return self._passed(end), found
                wrong, place = ValueError("unfinished"), 0
            size = len(self.text) - self.at
            if size > MAX_ENTRY:
                raise Stopped(self.line, f"has an entry longer than {MAX_ENTRY >> 20} MiB, or one that never ends")
            if not self.more(max(_FEW, size)):
                reason = wrong.msg if isinstance(wrong, json.JSONDecodeError) else str(wrong)
                raise Stopped(self.line + place, f"is not JSON: {reason}") from None

    def _passed(self, end: int) -> int:
        line = self.line
        self.line += self.text.count("\n", self.at, end)
        self.at = end
        return line


def entries(chunks: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the entries of a JSON list, of lines of JSON, or the one object that a text is; raises Stopped."""
    window = _Window(chunks)
    if window.skip("["):
        yield from _elements(window, "")
        if window.peek():
            raise Stopped(window.line, "goes on behind the end of its list")
        return
    while window.peek():
        line, content = window.value()
        yield Entry(line, content)


def sections(chunks: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the elements of each list inside one object with its key, other values as they are; raises Stopped."""
    window = _Window(chunks)
    if not window.skip("{"):
        raise Stopped(window.line, "is not one JSON object")
    if window.skip("}"):
        return
    while True:
        line, key = window.value()
        if not isinstance(key, str) or not window.skip(":"):
            raise Stopped(line, "is not JSON: a key and a colon are expected")
        if window.skip("["):
            yield from _elements(window, key)
        else:
            line, content = window.value()
            yield Entry(line, content, key)
        if window.skip("}"):
            break
        if not window.skip(","):
            raise Stopped(window.line, "is not JSON: a comma is expected between two keys")
    if window.peek():
        raise Stopped(window.line, "goes on behind the end of its object")


def _elements(window: _Window, section: str) -> Iterator[Entry]:
    if window.skip("]"):
        return
    while True:
        line, content = window.value()
        yield Entry(line, content, section)
        if window.skip("]"):
            return
        if not window.skip(","):
            reason = "has a list that is not closed" if not window.peek() else "lacks a comma between two entries"
            raise Stopped(window.line, reason)
