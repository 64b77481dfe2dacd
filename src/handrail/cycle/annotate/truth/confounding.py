"""When people may not be compared: no identity, work handed out by stratum, disagreement removed, no common items.

Checked before any comparison. A refusal names the table and the remedy; no statistic overrules a missing identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import chi2

from handrail.cycle.annotate.truth.answers import Answers, Codes, Floats, Ints, as_list

LEAST_ANSWERS, LEAST_SHARED = 30, 20
MOST_V, MOST_P = 0.10, 0.001
_MULTIPLE, _LEAST_DISAGREEMENT, _ONE_CLASS = 200, 0.01, 0.98
_MOST_SHOWN, _LEAST_BLIND = 0.20, 0.01
_REMEDY = "Give 50 items drawn at random to each reviewer, then look again."


@dataclass(frozen=True)
class Refusal:
    """Why people are not compared: a stable `code`, a sentence, what to do, and the figure that it rests on."""

    code: str
    sentence: str
    remedy: str
    figure: float | None = None


def refusal(
    answers: Answers,
    *,
    strata: Mapping[str, Sequence[Any]] | None = None,
    shown: NDArray[np.bool_] | None = None,
    slots: bool = False,
) -> Refusal | None:
    """Return why nobody of this task may be compared, or None.

    `strata`: declared strata, one value a row of `answers`. `shown`: whether the model's answer was in sight when a row
    was given. `slots`: reviewers are places in a list and not persons.
    """
    if slots or answers.anonymous:
        what = "Reviewers are places in a list" if slots else f"{answers.anonymous} answers name no reviewer"
        return Refusal(
            "no_identity", f"{what}: a place is not a person.", "Record who answers, under a stable pseudonym."
        )
    if shown is not None and shown.mean() > _MOST_SHOWN and shown.mean() > 1 - _LEAST_BLIND:
        return Refusal(
            "no_blind_share",
            f"{shown.mean():.0%} of answers were given with the model's answer in sight, next to none without it.",
            "Give a part of the items, drawn at random, without the model's answer.",
            float(shown.mean()),
        )
    return _removed(answers) or _by_stratum(answers, dict(strata or {}))


def islands(answers: Answers) -> dict[int, str]:
    """Return reviewer code -> reason for those who cannot be compared with the largest group that shares items."""
    both = len(answers.items) + len(answers.reviewers)
    links = coo_array(
        (np.ones(len(answers)), (answers.item, answers.reviewer + len(answers.items))), shape=(both, both)
    )
    part = connected_components(links, directed=False)[1][len(answers.items) :]
    shared = np.bincount(
        answers.reviewer, weights=answers.per_item()[answers.item] > 1, minlength=len(answers.reviewers)
    )
    weight = np.bincount(part, weights=shared)
    main = int(weight.argmax())
    found = {int(code): "shares no item with the others" for code in np.flatnonzero(part != main)}
    for code in np.flatnonzero((part == main) & (shared < LEAST_SHARED)):
        found[int(code)] = f"{int(shared[code])} answers to items that others answered too; {LEAST_SHARED} are needed"
    return found


def cramers_v(table: Floats) -> tuple[float, float]:
    """Return (bias-corrected V, p of chi-square) of a table of counts. Source: Bergsma (2013)."""
    kept = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    rows, columns = kept.shape
    n = float(kept.sum())
    if rows < 2 or columns < 2:
        return 0.0, 1.0
    expected = np.outer(kept.sum(axis=1), kept.sum(axis=0)) / n
    square = float(((kept - expected) ** 2 / expected).sum())
    free = (rows - 1) * (columns - 1)
    phi = max(0.0, square / n - free / (n - 1))
    fewer_rows, fewer_columns = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    least = min(fewer_rows, fewer_columns) - 1
    return (phi / least) ** 0.5 if least > 0 else 0.0, float(chi2.sf(square, free))


def _removed(answers: Answers) -> Refusal | None:
    votes = answers.votes()
    several = votes[votes.sum(axis=1) >= 2]
    if len(several) < _MULTIPLE:
        return None
    upper = float(((several > 0).sum(axis=1) > 1).mean()) + 3 / len(several)
    commonest = float(votes.sum(axis=0).max() / votes.sum())
    if upper >= _LEAST_DISAGREEMENT or commonest >= _ONE_CLASS:
        return None
    return Refusal(
        "disagreement_removed",
        f"At most {upper:.1%} of items with several answers show any disagreement: it was removed.",
        "Use the answers as they were given, before any consensus.",
        upper,
    )


def _by_stratum(answers: Answers, strata: dict[str, Sequence[Any]]) -> Refusal | None:
    counted = answers.per_reviewer()
    rows = counted[answers.reviewer] >= LEAST_ANSWERS
    tables = {**_from_others(answers), **{name: Codes().codes(as_list(given)) for name, given in strata.items()}}
    worst: tuple[float, str] | None = None
    for name, stratum in tables.items():
        use = rows & (stratum >= 0)
        if not use.any():
            continue
        width = int(stratum.max()) + 1
        flat = np.bincount(answers.reviewer[use] * width + stratum[use], minlength=len(counted) * width)
        v, p = cramers_v(flat.reshape(-1, width).astype(float))
        if v > MOST_V and p < MOST_P and (worst is None or v > worst[0]):
            worst = v, name
    if worst is None:
        return None
    v, name = worst
    return Refusal(
        "confounded",
        f"Who got which item depends on {name} (Cramer's V {v:.2f}): people differ because their items do.",
        _REMEDY,
        v,
    )


def _from_others(answers: Answers) -> dict[str, Ints]:
    """Return what the other answers to an item say, by row; -1 where there are too few, or a tie."""
    others = answers.votes()[answers.item]
    others[np.arange(len(answers)), answers.answer] -= 1.0
    total = others.sum(axis=1)
    highest = others.max(axis=1)
    single = ((others == highest[:, None]).sum(axis=1) == 1) & (total >= 1)
    commonest = np.where(single, others.argmax(axis=1), -1)
    disagree = np.where(total >= 2, highest < total, -1).astype(np.int64)
    return {"what the others answered": commonest, "whether the others disagree": disagree}
