"""Batches of requests in JSON lines, decided group by group while more arrive; memory stays the same however many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from pydantic import ValidationError

from handrail.cycle.review.decisions.forms import DecideIn, DecisionOut
from handrail.cycle.review.model import Decision
from handrail.cycle.review.model import Request as Wanted
from handrail.cycle.review.service import Review
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.canonical import encode
from handrail.foundation.errors import HandrailError

LONGEST_LINE = 1 << 20
"""Bytes of one request; a longer one is an error for its line."""
GROUP = 500
"""Requests that are decided together at most: those that are there when the group before is done."""
SMALL = 1 << 20
"""Bytes of a batch that is read in whole: what a client that sends a thousand requests at a time sends."""
_WHOLE_GROUP = 1000
_PIECE = 100
_PIECES_AHEAD = 4
_PIECE_BYTES = 1 << 18
_GROUP_BYTES = 1 << 20


class Lines:
    """Cuts parts of a body into lines, None for one that is too long; blank ones are left out."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._left = bytearray()
        self._skipping = False

    def feed(self, part: bytes) -> list[bytes | None]:
        """Return the lines that are complete with this part."""
        first, *others = part.split(b"\n")
        self._grow(first)
        made: list[bytes | None] = []
        for other in others:
            made += self.end()
            self._grow(other)
        return made

    def end(self) -> list[bytes | None]:
        """Return the line that was not ended, if there is one."""
        line, skipped = bytes(self._left), self._skipping
        self._left.clear()
        self._skipping = False
        if skipped:
            return [None]
        return [line] if line.strip() else []

    def _grow(self, more: bytes) -> None:
        if self._skipping or len(self._left) + len(more) > self._longest:
            self._left.clear()
            self._skipping = True
        else:
            self._left += more


async def answers(review: Review, who: Actor, scope: Scope, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give the answers to a batch, group by group, one line of JSON for each of its lines, in order.

    An error that is the whole batch's (no policy, too large, too slow) is raised before the first group and is the
    last line afterwards; what was decided before stays decided.
    """
    ahead: asyncio.Queue[list[bytes | None] | HandrailError | None] = asyncio.Queue(_PIECES_AHEAD)
    reading = asyncio.create_task(_read(parts, ahead))
    number = 0
    try:
        while True:
            group, end = await _next_group(ahead)
            if group:
                told = await decide_lines(review, who, scope, group, number)
                number += len(group)
                yield "".join(line + "\n" for line in told).encode()
            if isinstance(end, HandrailError):
                raise end
            if end:
                return
    except HandrailError as error:
        if not number:
            raise
        yield (_error(error.code, f"After line {number}: {error.sentence}", error.hint) + "\n").encode()
    finally:
        reading.cancel()


async def answer_whole(review: Review, who: Actor, scope: Scope, body: bytes) -> bytes:
    """Return the answers to a batch that is here in whole; raises what `answers` raises before its first group."""
    lines = Lines()
    whole = lines.feed(body) + lines.end()
    told: list[str] = []
    for start in range(0, len(whole), _WHOLE_GROUP):
        told += await decide_lines(review, who, scope, whole[start : start + _WHOLE_GROUP], start)
    return "".join(line + "\n" for line in told).encode()


async def _read(parts: AsyncIterator[bytes], ahead: asyncio.Queue[list[bytes | None] | HandrailError | None]) -> None:
    """Read on while others decide, as far ahead as the queue is long."""
    lines, waiting, size = Lines(), list[bytes | None](), 0
    try:
        async for part in parts:
            for line in lines.feed(part):
                waiting.append(line)
                size += len(line or b"")
                if len(waiting) >= _PIECE or size >= _PIECE_BYTES:
                    await ahead.put(waiting)
                    waiting, size = [], 0
            if waiting and ahead.empty():
                await ahead.put(waiting)
                waiting, size = [], 0
        await ahead.put(waiting + lines.end())
        await ahead.put(None)
    except HandrailError as error:
        await ahead.put(waiting)
        await ahead.put(error)
    except Exception:
        await ahead.put(None)  # whoever sent it is gone
        raise


async def _next_group(
    ahead: asyncio.Queue[list[bytes | None] | HandrailError | None],
) -> tuple[list[bytes | None], HandrailError | bool]:
    """Return what waits to be decided, and whether that is the end."""
    group: list[bytes | None] = []
    size = 0
    while not group or (len(group) < GROUP and size < _GROUP_BYTES and not ahead.empty()):
        piece = await ahead.get()
        if piece is None:
            return group, True
        if isinstance(piece, HandrailError):
            return group, piece
        group += piece
        size += sum(len(line or b"") for line in piece)
    return group, False


async def decide_lines(
    review: Review, who: Actor, scope: Scope, lines: Sequence[bytes | None], before: int = 0
) -> list[str]:
    """Return one line of JSON for each line: the decision or why there is none. `before`: lines of earlier groups."""
    out = [""] * len(lines)
    wanted: list[Wanted] = []
    places: list[int] = []
    for place, line in enumerate(lines):
        at = f"Line {before + place + 1}"
        try:
            if line is None:
                out[place] = _error("request.too_large", f"{at} is longer than {LONGEST_LINE >> 20} MiB.")
                continue
            wanted.append(DecideIn.model_validate_json(line).wanted())
            places.append(place)
        except ValidationError as error:
            what = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            out[place] = _error("request.invalid", f"{at}: {what}")
        except HandrailError as refused:
            out[place] = _error(refused.code, f"{at}: {refused.sentence}", refused.hint)
    decided = await review.decide_many(who, scope, wanted)
    kept = await review.sealed_to(who, scope, [one for one in decided if isinstance(one, Decision)])
    for place, made in zip(places, decided, strict=True):
        if isinstance(made, HandrailError):
            out[place] = _error(made.code, f"Line {before + place + 1}: {made.sentence}", made.hint)
        else:
            out[place] = DecisionOut.of(made, kept).model_dump_json()
    return out


def _error(code: str, sentence: str, hint: str = "") -> str:
    return encode({"error": {"code": code, "detail": sentence, "hint": hint}})
