"""Has a reviewer become worse? A cumulative sum against what they were in their first answers, which is frozen.

An alarm asks for a blind audit and is never a sanction. Many people at once are a drift of the task, not of people.
Source of the sum: Page, Biometrika 41 (1954).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from handrail.cycle.annotate.truth.answers import Answers, Floats, TruthInvalid
from handrail.cycle.annotate.truth.dawid_skene import Fit, normalized

BURN_IN = 100
_PRIOR = (6.4, 1.6)
_DROP = 0.15
_TASK_SHARE = 0.30


def alarm_height(classes: int, *, peers: int = 2, accuracy: float = 0.85, burn_in: int = BURN_IN) -> float:
    """Return the height with about one false alarm in 1,000 answers, by simulation of those settings."""
    if peers >= 4 or (accuracy >= 0.9 and burn_in >= 300):
        return 3.75
    return 3.25 if classes == 2 else 3.5


@dataclass(frozen=True)
class ReviewerDrift:
    """What is remembered of one reviewer: `right` of the burn-in, the frozen accuracy `before`, and the sum.

    `height`: where the alarm is raised; `classes`: of the question. After an alarm the blind audit comes first, then
    `anew` begins another burn-in.
    """

    classes: int
    height: float
    burn_in: int = BURN_IN
    seen: int = 0
    right: float = 0.0
    before: float | None = None
    total: float = 0.0
    alarmed: bool = False

    def heard(self, chance: float) -> ReviewerDrift:
        """Return the state after one answer; `chance`: what the others' answers alone give to the answer said.

        The reviewer's own answer and a model's answer that was in sight must not be in it. Raises TruthInvalid for what
        is no probability.
        """
        if not 0.0 <= chance <= 1.0:
            raise TruthInvalid("The chance of an answer lies between 0 and 1.", chance=chance)
        if self.before is None:
            return self._learning(chance)
        ratio = self._fit(chance, self.before - _DROP) / self._fit(chance, self.before)
        total = max(0.0, self.total + math.log(ratio))
        return replace(self, seen=self.seen + 1, total=total, alarmed=self.alarmed or total > self.height)

    def anew(self) -> ReviewerDrift:
        """Return a fresh burn-in, after the audit that an alarm asked for."""
        return ReviewerDrift(self.classes, self.height, self.burn_in)

    def _learning(self, chance: float) -> ReviewerDrift:
        # The posterior chance that this answer was right, given what the reviewer showed so far.
        accuracy = (_PRIOR[0] + self.right) / (sum(_PRIOR) + self.seen)
        both = accuracy * chance
        right = both / max(both + (1 - accuracy) * (1 - chance) / max(self.classes - 1, 1), 1e-12)
        now = replace(self, seen=self.seen + 1, right=self.right + right)
        if now.seen < self.burn_in:
            return now
        frozen = (_PRIOR[0] + now.right) / (sum(_PRIOR) + now.seen)
        return replace(now, before=min(max(frozen, _DROP + 0.01), 0.99))

    def _fit(self, chance: float, accuracy: float) -> float:
        return max(chance * accuracy + (1 - chance) * (1 - accuracy) / max(self.classes - 1, 1), 1e-12)


def chances_of_own(answers: Answers, fitted: Fit) -> Floats:
    """Return for each answer what the others' answers to its item give to it: the posterior without its own term."""
    own = np.log(fitted.theta[answers.reviewer, :, answers.answer])
    without = np.log(fitted.prior) + fitted.evidence[answers.item] - own
    return np.asarray(normalized(without)[np.arange(len(answers)), answers.answer])


def drift_of(answers: Answers, fitted: Fit) -> dict[Any, ReviewerDrift]:
    """Return every reviewer's state after all answers, which come in the order in which they were given."""
    classes, chances = len(answers.classes), chances_of_own(answers, fitted).tolist()
    several = (answers.per_item() > 1)[answers.item].tolist()
    peers = float(answers.per_item().mean()) - 1
    fresh = ReviewerDrift(classes, alarm_height(classes, peers=int(peers)))
    found = dict.fromkeys(answers.reviewers, fresh)
    for code, chance, has_peer in zip(answers.reviewer.tolist(), chances, several, strict=True):
        if has_peer:
            name = answers.reviewers[code]
            found[name] = found[name].heard(min(max(chance, 0.0), 1.0))
    return found


def concerns(people: Mapping[str, ReviewerDrift]) -> tuple[Literal["nobody", "people", "task"], tuple[str, ...]]:
    """Return whom alarms concern: named people, or the task, when more than 30 % of them move together."""
    moving = [name for name, one in people.items() if one.total > one.height / 2]
    if people and len(moving) > _TASK_SHARE * len(people) and len(moving) > 1:
        return "task", ()
    alarmed = tuple(name for name, one in people.items() if one.alarmed)
    return ("people", alarmed) if alarmed else ("nobody", ())
