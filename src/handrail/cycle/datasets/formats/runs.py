"""Run lengths of masks as COCO's compressed text, and back. Pure.

Each count is written as its difference to the one two before it, 5 bits a character (the format of pycocotools).
"""

from __future__ import annotations

from collections.abc import Sequence


class MaskInvalid(ValueError):
    """Run lengths that are no mask of the size they claim; the message goes on from the word `mask`."""


def pack(counts: Sequence[int]) -> str:
    """Return COCO's compressed text of plain counts."""
    signs: list[str] = []
    for place, count in enumerate(counts):
        left = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            bits = left & 0x1F
            left >>= 5
            more = left != (-1 if bits & 0x10 else 0)
            signs.append(chr((bits | 0x20 if more else bits) + 48))
    return "".join(signs)


def unpack(text: str) -> list[int]:
    """Return the plain counts of COCO's compressed text; raises MaskInvalid."""
    counts: list[int] = []
    value = shift = 0
    for sign in text:
        bits = ord(sign) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise MaskInvalid("has a sign that stands in no compressed run")
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise MaskInvalid("ends within a run")
    return counts
