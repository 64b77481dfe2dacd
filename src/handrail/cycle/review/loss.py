"""The declared loss of a policy: what a wrong automatic answer costs, from 0 to 1. Pure.

Without one every wrong answer costs 1, and alpha is the highest share of wrong automatic decisions. With one, alpha is
their highest mean loss. A right answer costs nothing under any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, Literal

from handrail.cycle.review.certificates import set_loss
from handrail.foundation.canonical import encode

MOST_ANSWERS = 200
"""Answers that a table names at most, on either side."""
_UNNAMED = object()  # stands for every answer that two tables leave to their defaults


@dataclass(frozen=True)
class CostTable:
    """A price for each mistake: `costs` has right answer -> given answer -> cost; `default` for what is not named."""

    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    default: float = 1.0
    kind: Literal["costs"] = "costs"

    def of(self, given: Any, true: Any) -> float:
        """Return what it costs to answer `given` where `true` is right."""
        return 0.0 if given == true else self.costs.get(true, {}).get(given, self.default)

    @property
    def named(self) -> list[str]:
        """The answers that the table names, on either side, sorted."""
        return sorted({*self.costs, *(given for row in self.costs.values() for given in row)})


@dataclass(frozen=True)
class PartsLoss:
    """For answers that name several things, as "cough+fever": the share of all things named that only one side names.

    1 - |A and B| / |A or B| of the parts between `separator` (Jaccard distance).
    """

    separator: str
    kind: Literal["parts"] = "parts"

    def of(self, given: Any, true: Any) -> float:
        """Return what it costs to answer `given` where `true` is right."""
        return set_loss(self.parts(given), self.parts(true))

    def parts(self, answer: Any) -> list[str]:
        """Return what an answer names."""
        return [part.strip() for part in str(answer).split(self.separator)]


Loss = CostTable | PartsLoss


def loss_of(loss: Loss | None, given: Any, true: Any) -> float:
    """Return the loss of the answer `given` where `true` is right; without a declared one 1 for a wrong answer."""
    return float(given != true) if loss is None else loss.of(given, true)


def document_of(loss: Loss | None) -> dict[str, Any] | None:
    """Return a loss as JSON values, None for none."""
    return None if loss is None else asdict(loss)


def loss_from(document: Mapping[str, Any] | None) -> Loss | None:
    """Read what `document_of` wrote."""
    if document is None:
        return None
    return CostTable(**document) if document["kind"] == "costs" else PartsLoss(**document)


def digest_of(loss: Loss) -> str:
    """Return the SHA-256 of a loss in canonical JSON."""
    return sha256(encode(document_of(loss)).encode()).hexdigest()


# Reading


def read_loss(given: Any, problems: list[str]) -> Loss | None:
    """Read the loss of a policy document, None where it has none; adds every problem to `problems`."""
    if given is None or isinstance(given, CostTable | PartsLoss):
        return given
    if not isinstance(given, Mapping) or given.get("kind") not in ("costs", "parts"):
        why = "spans need a question whose answers are spans, which no schema has yet; " if _spans(given) else ""
        problems.append(f"loss: {why}must be an object of kind costs or parts")
        return None
    found = [f"{str(name)[:80]} is not a part of it" for name in given if name not in _PARTS[given["kind"]]]
    made: Loss
    if given["kind"] == "parts":
        separator = given.get("separator")
        if not isinstance(separator, str) or not 1 <= len(separator) <= 8 or not separator.isprintable():
            found.append("separator must be 1 to 8 printable characters")
        made = PartsLoss(str(separator))
    else:
        default = given.get("default", 1.0)
        if not _is_cost(default):
            found.append("default must be a number from 0 to 1")
        made = CostTable(_costs(given.get("costs", {}), found), float(default) if _is_cost(default) else 1.0)
    problems += [f"loss: {one}" for one in found]
    return None if found else made


_PARTS = {"costs": ("kind", "costs", "default"), "parts": ("kind", "separator")}


def _spans(given: Any) -> bool:
    return isinstance(given, Mapping) and given.get("kind") == "spans"


def _is_cost(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0


def _costs(given: Any, found: list[str]) -> dict[str, dict[str, float]]:
    rows = given.items() if isinstance(given, Mapping) and len(given) <= MOST_ANSWERS else None
    if rows is None or any(not isinstance(row, Mapping) or len(row) > MOST_ANSWERS for _, row in rows):
        found.append(f"costs must be right answer -> given answer -> cost, of at most {MOST_ANSWERS} answers each")
        return {}
    made: dict[str, dict[str, float]] = {}
    for true, row in rows:
        for answer, cost in row.items():
            if not _is_cost(cost):
                found.append(f"{answer!s:.80} where {true!s:.80} is right must cost a number from 0 to 1")
            elif answer != true:
                made.setdefault(str(true), {})[str(answer)] = float(cost)
            elif cost:
                found.append(f"{answer!s:.80} where it is right costs 0")
    return made


def loss_problems(loss: Loss | None, choices: Sequence[str], alpha: float) -> list[str]:
    """Return what is wrong with a loss for a question of these choices ([]: it has none), certified at `alpha`."""
    if loss is None:
        return []
    if not choices:
        return ["loss: needs a question with choices"]
    if isinstance(loss, PartsLoss) and not any(len(loss.parts(one)) > 1 for one in choices):
        return [f"loss: no choice has several parts between {loss.separator!r}"]
    if isinstance(loss, CostTable):
        strange = [one for one in loss.named if one not in choices]
        if strange:
            return [f"loss: the question has no answer {one!r}" for one in strange]
    if max((loss.of(one, other) for one in choices for other in choices), default=0.0) <= alpha:
        return [f"loss: no mistake costs more than alpha ({alpha:g}), so nothing would be promised"]
    return []


def clashes(loss: Loss | None, *, apart: bool, automate: bool, strict: bool, controls: bool) -> list[str]:
    """Return which other parts of a policy a loss does not go with yet."""
    if loss is None:
        return []
    found = []
    if apart:
        found.append("loss: groups are certified apart for right and wrong only")
    if automate:
        found.append("loss: is certified from a number of labels, not for a share to automate")
    if controls:
        found.append("loss: control items measure how often reviewers err, not how much; leave control_share out")
    if strict:
        found.append("loss: has a test of its own, which takes the place of mode strict; leave the mode out")
    return found


# Comparing


def changes(old: Loss | None, new: Loss | None) -> tuple[list[str], list[str]]:
    """Return (what costs less under `new`, what costs more), a sentence each; any lower cost lowers a safeguard."""
    if old == new:
        return [], []
    if isinstance(old, PartsLoss) or isinstance(new, PartsLoss):
        if new is None:
            return [], ["loss: an answer that is partly wrong counts as wrong"]
        return ["loss: mistakes are counted in another way, and some may cost less"], []
    before, after = old or CostTable(), new or CostTable()
    names: list[Any] = [*sorted({*before.named, *after.named}), _UNNAMED]
    pairs = [
        (given, true, before.of(given, true), after.of(given, true))
        for true in names
        for given in names
        if given != true
    ]
    if before.default != after.default:
        pairs.append((_UNNAMED, _UNNAMED, before.default, after.default))
    return _said("less", [one for one in pairs if one[3] < one[2]]), _said(
        "more", [one for one in pairs if one[3] > one[2]]
    )


def _said(how: str, pairs: Iterable[tuple[Any, Any, float, float]]) -> list[str]:
    found = list(pairs)
    if not found:
        return []
    given, true, before, after = found[0]
    what = f"{_name(given, 'any other answer')} where {_name(true, 'another answer')} is right"
    more = f", and so do {len(found) - 1} other kinds" if len(found) > 1 else ""
    return [f"loss: {what} costs {how}, {after:g} and not {before:g}{more}"]


def _name(one: Any, other: str) -> str:
    return other if one is _UNNAMED else repr(one)
