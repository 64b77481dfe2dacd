"""Batches in JSON lines: cut into lines, read ahead within bounds, answered in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.review.decisions.lines import GROUP, Lines, answers
from handrail.cycle.review.model import Decision, Request
from handrail.cycle.review.service import Review
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.errors import Busy, HandrailError
from handrail.foundation.http import Backlog

WHO, SCOPE = Actor.rule("test"), Scope("p")


@given(st.binary(max_size=60).map(lambda made: made.replace(b"\x00", b"\n")), st.integers(1, 9), st.integers(1, 7))
def test_lines_are_those_of_the_whole_body_however_it_arrives(body: bytes, width: int, longest: int) -> None:
    lines = Lines(longest)
    got: list[bytes | None] = []
    for start in range(0, len(body), width):
        got += lines.feed(body[start : start + width])
    got += lines.end()
    wanted = [
        None if len(line) > longest else line for line in body.split(b"\n") if len(line) > longest or line.strip()
    ]
    assert got == wanted


class Slow:
    """A review that refuses each request, and remembers how many came together and what was read by then."""

    def __init__(self, error: HandrailError | None = None, after: int = 0) -> None:
        self.groups: list[int] = []
        self.error, self.after = error, after

    async def decide_many(self, _who: Actor, _scope: Scope, wanted: Sequence[Request]) -> list[HandrailError]:
        if self.error is not None and len(self.groups) >= self.after:
            raise self.error
        self.groups.append(len(wanted))
        await asyncio.sleep(0.002)
        return [Busy(one.idempotency_key) for one in wanted]

    async def sealed_to(self, _who: Actor, _scope: Scope, _found: Sequence[Decision]) -> frozenset[str]:
        return frozenset()


def line(number: int) -> bytes:
    return b'{"external_id":"a","data":{},"idempotency_key":"k%d"}\n' % number


async def run(review: Slow, parts: AsyncIterator[bytes]) -> list[str]:
    made = answers(cast("Review", review), WHO, SCOPE, parts)
    return b"".join([one async for one in made]).decode().splitlines()


async def test_answers_come_in_order_and_reading_stays_within_bounds() -> None:
    review, read, ahead = Slow(), 0, 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal read, ahead
        for number in range(20_000):
            read += 1
            ahead = max(ahead, read - sum(review.groups))
            yield line(number)

    told = await run(review, parts())
    assert [f"k{number}" in one for number, one in enumerate(told)] == [True] * 20_000
    assert max(review.groups) <= GROUP + 100
    assert ahead < 5 * GROUP, "what arrives faster than it is decided is not read"


async def test_an_answer_comes_before_the_next_line_is_sent() -> None:
    told: asyncio.Queue[None] = asyncio.Queue()

    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield line(number)
            await asyncio.wait_for(told.get(), 5)

    seen = []
    async for one in answers(cast("Review", Slow()), WHO, SCOPE, parts()):
        seen.append(one)
        told.put_nowait(None)
    assert len(seen) == 3


async def test_an_error_of_the_whole_batch_is_raised_at_first_and_a_last_line_later() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield line(0)
        await asyncio.sleep(0.05)
        yield line(1)

    with pytest.raises(Busy):
        await run(Slow(Busy("no policy")), parts())
    told = await run(Slow(Busy("no policy"), after=1), parts())
    assert len(told) == 2
    assert "After line 1: no policy" in told[1]


async def test_a_body_that_is_cut_off_keeps_what_was_decided() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield line(0) + line(1)
        await asyncio.sleep(0.05)
        raise Busy("too slow")

    told = await run(Slow(), parts())
    assert len(told) == 3
    assert "too slow" in told[2]


async def test_a_backlog_gives_everything_in_order_and_keeps_nothing() -> None:
    backlog, got = Backlog(), bytearray()
    made = b"".join(b"%d," % number for number in range(50_000))

    async def read() -> None:
        async for part in backlog.parts():
            got.extend(part)

    reading = asyncio.create_task(read())
    for start in range(0, len(made), 7001):
        backlog.add(made[start : start + 7001])
        if start % 3 == 0:
            await asyncio.sleep(0)
    backlog.end()
    await reading
    assert bytes(got) == made
