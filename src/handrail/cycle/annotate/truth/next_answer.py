"""Which item deserves one more answer, from whom, and when to stop asking.

The value of asking is the error that an answer is expected to take away. The stop rule is about what is worth asking:
only a random sample of stopped items that was checked again may say how wrong they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from handrail.cycle.annotate.truth.answers import Floats, TruthInvalid

Stop = Literal["sure", "not_worth_it", "most_answers"]
_TIE_BREAK = 0.001
_KNOWN_BONUS = 0.02


@dataclass(frozen=True)
class StopRule:
    """When an item has answers enough.

    `least`: answers before the rule is asked. `error`: stop when the posterior's chance of being wrong is at most this.
    `most`: answers after which nobody is asked any more and the item goes to an expert. `price`: least error taken away
    by an answer that makes it worth asking; 0 asks as long as the others allow.
    """

    error: float = 0.05
    least: int = 2
    most: int = 9
    price: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.error < 1.0 or not 0.0 <= self.price < 1.0 or not 1 <= self.least <= self.most:
            raise TruthInvalid(
                "A stop rule has an error between 0 and 1, a price from 0 and 1 <= least <= most answers.",
                error=self.error,
                price=self.price,
                least=self.least,
                most=self.most,
            )

    def stops(self, posterior: Floats, answers: int, theta: Floats) -> Stop | None:
        """Return why no further answer to an item is asked for, None to ask one; `theta`: the panel's mean matrix."""
        if answers < self.least:
            return None
        if 1.0 - float(posterior.max()) <= self.error:
            return "sure"
        if answers >= self.most:
            return "most_answers"
        if self.price and float(value_of_asking(posterior[None], theta)[0]) < self.price:
            return "not_worth_it"
        return None


def error_after(posterior: Floats, theta: Floats, further: int = 1) -> Floats:
    """Return the expected chance of being wrong after 1 or 2 further answers, for items x classes."""
    if further == 1:
        return np.asarray(1.0 - (posterior[:, :, None] * theta[None]).max(axis=1).sum(axis=1))
    if further != 2:
        raise TruthInvalid("The error is looked ahead by one or two answers.", further=further)
    both = np.einsum("jl,jm->jlm", theta, theta).reshape(len(theta), -1)
    return error_after(posterior, both)


def value_of_asking(posterior: Floats, theta: Floats) -> Floats:
    """Return the error that an answer is expected to take away, the better of one alone and two together.

    `posterior`: items x classes, `theta`: truth x answer of whoever comes. Two together are looked at because one more
    answer often cannot change a label of two equal ones.
    """
    now = 1.0 - posterior.max(axis=1)
    one = now - error_after(posterior, theta)
    two = (now - error_after(posterior, theta, 2)) / 2.0
    return np.asarray(np.maximum(one, two) + _TIE_BREAK * now)


def best_reviewer(posterior: Floats, theta: Floats) -> int:
    """Return which of several reviewers to ask about an item: `theta` reviewers x truth x answer, `posterior` classes.

    Work handed out like this confounds people with items: keep 15 to 20 % of answers at random, and log the chance.
    """
    after = 1.0 - (posterior[None, :, None] * theta).max(axis=1).sum(axis=1)
    informs = 1.0 - theta.min(axis=1).sum(axis=1)
    return int((-after + _KNOWN_BONUS * informs).argmax())
