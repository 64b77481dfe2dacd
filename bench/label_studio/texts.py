"""The texts, answers and sizes that both get."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

CHOICES = ("positive", "neutral", "negative")
_WORDS, _LENGTH, _SEED = 30, 40, 7


@dataclass(frozen=True)
class Sizes:
    """How many texts are taken in and given out, how many answers are timed, how many texts ours alone gives out."""

    texts: int
    answers: int
    clients: int
    large: int


FULL, QUICK = Sizes(10_000, 100, 8, 100_000), Sizes(1_500, 40, 4, 20_000)


@dataclass(frozen=True)
class Text:
    """One text with its name and a recorded answer."""

    doc: str
    text: str
    answer: str


def texts(count: int, prefix: str = "doc") -> list[Text]:
    """Return texts of 40 random words of a vocabulary of 30, the same each time."""
    draw = random.Random(_SEED)
    words = ["".join(draw.choices(string.ascii_lowercase, k=draw.randint(3, 9))) for _ in range(_WORDS)]
    return [
        Text(f"{prefix}-{number}", " ".join(draw.choices(words, k=_LENGTH)), draw.choice(CHOICES))
        for number in range(count)
    ]
