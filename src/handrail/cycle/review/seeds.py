"""Seeds: review tasks about cases of known truth, with a model's answer that is made up or odd. Pure.

A seed shows whether people look: who accepts a made-up wrong answer has not, or not well enough. Half of them show the
right answer, with a doubtful score, so that overriding everything pays no better than approving everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Shown = Literal["wrong", "right"]
Outcome = Literal["caught", "missed", "let_stand", "overridden", "passed_on"]

WRONG_SHARE = 0.5
"""Share of seeds whose shown answer is wrong."""
LEAST_KNOWN = 20
"""Cases of known truth that a project needs before it plants seeds: fewer would be remembered."""
MOST_DELAY_S = 3600.0
"""A seed is opened at a time of its own, up to an hour after its draw: two tasks of one moment would stand out."""
_JITTER = 0.02


@dataclass(frozen=True)
class Known:
    """A case of known truth: an item with a label that a person gave blind, after a draw; `by` gave it."""

    item_id: str
    truth: Any
    by: str


@dataclass(frozen=True)
class Like:
    """A review task that the seed is made to look like: its prediction as JSON values, and the reason shown with it."""

    prediction: Mapping[str, Any]
    reason: str


@dataclass(frozen=True)
class Planted:
    """What a seed shows."""

    shown: Shown
    prediction: dict[str, Any]
    reason: str


def odds(share: float) -> float:
    """Return the chance of a seed beside each real review task, so that `share` of all review tasks are seeds."""
    return share / (1.0 - share)


def plant(truth: Any, choices: Sequence[str], like: Like, draw: Callable[[], float]) -> Planted:
    """Return what a seed shows of a case with this truth: score, explanation and reason of a task that was real.

    A wrong answer is drawn among the other choices. The score is that of the real task or up to 0.02 below, so that
    no two are the same and a reason that names a threshold stays true.
    """
    others = [choice for choice in choices if choice != truth]
    wrong = bool(others) and draw() < WRONG_SHARE
    value = others[min(int(draw() * len(others)), len(others) - 1)] if wrong else truth
    before = float(like.prediction["score"])
    score = max(before - draw() * _JITTER, min(before, 1.0 / max(len(choices), 1)))
    made = {
        "value": value,
        "score": score,
        "scores": _scores(like.prediction, value, choices, score),
        "top": [list(one) for one in like.prediction.get("top", ())],
    }
    reason = like.reason.replace(f"{before:.3f}", f"{score:.3f}", 1)
    return Planted("wrong" if wrong else "right", made, reason)


def _scores(prediction: Mapping[str, Any], value: Any, choices: Sequence[str], score: float) -> dict[str, float]:
    """Give the shown answer its score and share the rest among the others as the real prediction did."""
    given = prediction.get("scores") or {}
    if not given:
        return {}
    rest = sorted((float(one) for name, one in given.items() if name != prediction["value"]), reverse=True)
    others = [name for name in choices if name != value]
    parts = [*rest, *[0.0] * len(others)][: len(others)]
    total = sum(parts)
    even = [(1.0 - score) / len(others)] * len(others)
    shared = [one / total * (1.0 - score) for one in parts] if total > 0 else even
    return {value: score, **dict(zip(others, shared, strict=True))}


def outcome(shown: Shown, shown_value: Any, verb: str, value: Any) -> Outcome:
    """Return what an answer to a seed shows; to pass it on says nothing."""
    if verb in ("abstain", "escalate", "skip_ai"):
        return "passed_on"
    accepted = verb != "reject" and value == shown_value
    if shown == "wrong":
        return "missed" if accepted else "caught"
    return "let_stand" if accepted else "overridden"
