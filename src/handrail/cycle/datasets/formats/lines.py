"""Cuts a text into lines with bounded memory. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

MAX_LINE = 1 << 20
"""Characters of one line."""


class NotText(Exception):
    """From this line on the text could not be read."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def text_lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Yield (line from 1, its text without the end); raises NotText for what is not UTF-8, or a line without end."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest, number = "", 0
    pieces = iter(chunks)
    ended = False
    while not ended:
        chunk = next(pieces, b"")
        ended = not chunk
        try:
            rest += decoder.decode(chunk, final=ended)
        except UnicodeDecodeError:
            raise NotText(number + 1, "holds bytes that are not UTF-8") from None
        parts = rest.split("\n")
        rest = parts.pop()
        for part in parts:
            number += 1
            yield number, part.removesuffix("\r")
        if len(rest) > MAX_LINE:
            raise NotText(number + 1, f"has a line longer than {MAX_LINE >> 20} MiB")
    if rest:
        yield number + 1, rest
