"""One round of selection: audits at random first, then what the model or the start asks for. Pure.

A round depends on the pool, its labels and the seed alone: the same call gives the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from handrail.cycle.annotate.selecting import rare as looking
from handrail.cycle.annotate.selecting.audit_order import audit_order, audited, next_audits
from handrail.cycle.annotate.selecting.learner import logistic
from handrail.cycle.annotate.selecting.margin import cluster_margin, margins, margins_in_chunks
from handrail.cycle.annotate.selecting.terms import CHUNK, Arm, Chosen, Floats, Ints, Predict, SelectionInvalid
from handrail.cycle.annotate.selecting.typical import typical

AUDIT_SHARE = 0.2


@dataclass(frozen=True)
class Pool:
    """Vectors of P items, the places that have a label, the class code of each, and the order of audits.

    `closed`: places that only audits may take, for example a reserve that no model may ever learn from.
    """

    features: Floats
    labelled: Ints
    codes: Ints
    order: Ints
    closed: Ints | None = None

    @property
    def has_label(self) -> NDArray[np.bool_]:
        """For each item whether it has a label."""
        mask = np.zeros(len(self.features), dtype=bool)
        mask[self.labelled] = True
        return mask


def select(
    features: ArrayLike,
    labelled: ArrayLike,
    labels: Sequence[Any] | NDArray[Any],
    batch: int,
    *,
    scores: ArrayLike | None = None,
    audit_share: float = AUDIT_SHARE,
    seed: int | None = None,
    rare: Any = None,
) -> tuple[Ints, NDArray[np.float64]]:
    """Return which `batch` items of a pool people label next, as (indices, probabilities), in the order of choice.

    `features`: P x d vectors, embeddings or standardised columns. `labelled`: indices of items that have a label,
    `labels` their labels. `scores`: P x C class probabilities of the present model; without them a logistic regression
    is fitted on the labels. `audit_share`: this part is drawn at random: give the same `seed` in every round, and these
    items together are a random sample of the pool. `rare`: a label that is looked for.

    Probabilities: the chance a/|U| of an item drawn at random, 1 for one that was chosen; only the former carry design
    weights. Raises SelectionInvalid.
    """
    vectors = _vectors(features)
    places, codes, known = _labels(labelled, labels, len(vectors))
    given = None if scores is None else _scores(scores, len(vectors))
    check(len(vectors) - len(places), batch, audit_share)
    chosen_seed = _fresh_seed() if seed is None else seed
    if chosen_seed < 0:
        raise SelectionInvalid("A seed is a whole number from 0 on.", seed=chosen_seed)
    pool = Pool(vectors, places, codes, audit_order(len(vectors), chosen_seed))
    wanted = None if rare is None else known.get(rare, -1)
    if wanted is not None and not needs_looking(pool, wanted):
        wanted = None
    if given is not None and wanted is not None:
        # Columns of scores have no names here, so a model of our own says what is likely of the rare class.
        given = None
    found = choose(
        pool, batch, classes=len(known), scores=given, audit_share=audit_share, seed=chosen_seed, rare=wanted
    )
    return found.indices, found.probabilities


def choose(
    pool: Pool,
    batch: int,
    *,
    classes: int,
    scores: Floats | None = None,
    predict: Predict | None = None,
    audit_share: float = AUDIT_SHARE,
    seed: int = 0,
    rare: int | None = None,
) -> Chosen:
    """Choose one round as `select` does, with everything that is worth a record.

    `predict`: the present model, asked in pieces, instead of `scores`. `rare`: the class code that is looked for, -1
    while no label names it; with `scores` or `predict` it is their column.
    """
    rng = np.random.default_rng([seed, 1, len(pool.labelled)])
    has_label = pool.has_label
    unlabelled = int((~has_label).sum())
    audits = next_audits(pool.order, has_label, audits_of(batch, audit_share))
    free = ~has_label
    free[audits] = False
    if pool.closed is not None:
        free[pool.closed] = False
    parts = _Parts(audits, unlabelled)
    eligible = np.flatnonzero(free)
    count = min(batch - len(audits), len(eligible))
    seen = len(np.unique(pool.codes))
    modelled = scores is not None or predict is not None
    if rare is not None and not (pool.codes == rare).any():
        parts.draw(next_audits(pool.order, has_label, batch))
    elif rare is not None and seen == 1:
        known = pool.labelled[pool.codes == rare]
        parts.add("rare", *looking.like_known(pool.features, known, eligible, count, rng))
    elif not modelled and not len(pool.labelled):
        parts.add("start", *typical(pool.features, eligible, audits, batch, count, rng))
    elif not modelled and seen == 1:
        # One class is no model, and to repeat the typical start would miss the other for long.
        parts.draw(next_audits(pool.order, has_label, batch))
    else:
        model = predict
        if not modelled:
            model = logistic(classes)(pool.features[pool.labelled], pool.codes)
        _by_model(parts, pool, eligible, count, scores, model, rare, rng)
    return parts.chosen()


def needs_looking(pool: Pool, rare: int) -> bool:
    """Return whether a declared class is still looked for: few labels of it, or a small share of the audit sample."""
    sample = audited(pool.order, pool.has_label)
    code = np.full(len(pool.features), -2, dtype=np.int64)
    code[pool.labelled] = pool.codes
    with_it = int((code[sample] == rare).sum())
    return looking.is_rare(int((pool.codes == rare).sum()), len(sample), with_it)


def audits_of(batch: int, share: float) -> int:
    """Return how many items of a batch are drawn at random."""
    return round(share * batch)


def check(unlabelled: int, batch: int, share: float) -> None:
    """Raise SelectionInvalid where a batch or a share makes no sense."""
    if not 0.0 <= share <= 1.0:
        raise SelectionInvalid("The share of audits is a number from 0 to 1.", audit_share=share)
    if batch < 1:
        raise SelectionInvalid("A batch has one item or more.", batch=batch)
    if batch > unlabelled:
        raise SelectionInvalid(
            f"Only {unlabelled} items have no label, {batch} were asked for.", hint="Ask for fewer.", waiting=unlabelled
        )


class _Parts:
    """What a round has chosen so far, the drawn items first."""

    def __init__(self, audits: Ints, unlabelled: int) -> None:
        self._unlabelled = unlabelled
        self.candidates = 0
        self.draw(audits)

    def draw(self, audits: Ints) -> None:
        """Begin with these items, drawn at random among all that have no label; whatever was there is dropped."""
        none = np.full(len(audits), -1, dtype=np.int64)
        self.audits = len(audits)
        self._places, self._clusters, self._margins = [audits], [none], [np.full(len(audits), np.nan)]
        self._chances = [np.full(len(audits), len(audits) / self._unlabelled)]
        self._arms: list[Arm] = ["audit"] * len(audits)

    def add(self, arm: Arm, places: Ints, clusters: Ints, margin: Floats | None = None) -> None:
        """Add places that were chosen, not drawn."""
        self._places.append(places)
        self._chances.append(np.ones(len(places)))
        self._arms += [arm] * len(places)
        self._clusters.append(clusters)
        self._margins.append(np.full(len(places), np.nan) if margin is None else np.asarray(margin, dtype=np.float64))

    def chosen(self) -> Chosen:
        """Return the round."""
        return Chosen(
            np.concatenate(self._places).astype(np.int64),
            np.concatenate(self._chances),
            tuple(self._arms),
            np.concatenate(self._margins),
            np.concatenate(self._clusters),
            self._unlabelled,
            self.audits,
            self.candidates,
        )


def _by_model(
    parts: _Parts,
    pool: Pool,
    eligible: Ints,
    count: int,
    scores: Floats | None,
    predict: Predict | None,
    rare: int | None,
    rng: np.random.Generator,
) -> None:
    if scores is not None:
        margin = margins(scores[eligible])
    else:
        assert predict is not None
        margin = margins_in_chunks(pool.features, eligible, predict)
    if rare is not None and rare >= 0:
        half = count - count // 2
        chance = scores[eligible, rare] if scores is not None else _chance(pool.features, eligible, predict, rare)
        top, clusters = looking.likely(pool.features, eligible, chance, half, rng)
        parts.add("rare", top, clusters, margin[np.searchsorted(eligible, top)])
        left = ~np.isin(eligible, top)
        eligible, margin, count = eligible[left], margin[left], count - len(top)
        places, clusters, looked = looking.at_the_edge(
            pool.features, eligible, chance[left], margin, count, pool.labelled, rng
        )
    else:
        at, clusters, looked = cluster_margin(pool.features, eligible, margin, count, pool.labelled, rng)
        places = eligible[at]
    parts.candidates = looked
    parts.add("active", places, clusters, margin[np.searchsorted(eligible, places)])


def _chance(features: Floats, places: Ints, predict: Predict | None, rare: int) -> Floats:
    assert predict is not None
    return np.concatenate([predict(features[places[at : at + CHUNK]])[:, rare] for at in range(0, len(places), CHUNK)])


def _vectors(features: ArrayLike) -> Floats:
    vectors = np.asanyarray(features)
    if vectors.ndim != 2 or not len(vectors) or not vectors.shape[1]:
        raise SelectionInvalid("Features are a table: one row for each item, one column or more.")
    if vectors.dtype.kind != "f":
        try:
            vectors = vectors.astype(np.float64)
        except (TypeError, ValueError):
            raise SelectionInvalid("Features are numbers.") from None
    for start in range(0, len(vectors), CHUNK):
        fine = np.isfinite(vectors[start : start + CHUNK]).all(axis=1)
        if not fine.all():
            row = start + int(np.flatnonzero(~fine)[0])
            raise SelectionInvalid(f"The features of item {row} are not all finite numbers.", item=row)
    return vectors


def _labels(labelled: ArrayLike, labels: Any, items: int) -> tuple[Ints, Ints, dict[Any, int]]:
    places = np.asarray(labelled)
    if places.ndim != 1 or (len(places) and places.dtype.kind not in "iu"):
        raise SelectionInvalid("`labelled` is a list of item numbers.")
    places = places.astype(np.int64)
    values = list(labels.tolist() if isinstance(labels, np.ndarray) else labels)
    if len(places) != len(values):
        raise SelectionInvalid(f"There are {len(places)} labelled items and {len(values)} labels.")
    if len(places) and not (places.min() >= 0 and places.max() < items):
        raise SelectionInvalid(f"A labelled item is none of the {items} items of the pool.")
    if len(np.unique(places)) != len(places):
        raise SelectionInvalid("An item is labelled twice.")
    try:
        known = {value: code for code, value in enumerate(sorted(set(values), key=lambda one: (str(type(one)), one)))}
    except TypeError:
        raise SelectionInvalid("Labels are texts, numbers or truth values.") from None
    return places, np.array([known[value] for value in values], dtype=np.int64), known


def _scores(scores: ArrayLike, items: int) -> Floats:
    try:
        found = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError):
        raise SelectionInvalid("Scores are numbers.") from None
    if found.ndim != 2 or found.shape[0] != items or found.shape[1] < 2:
        raise SelectionInvalid(f"Scores are a table of {items} rows and a column for each of two or more classes.")
    if not (np.isfinite(found).all() and (found >= 0.0).all() and (found <= 1.0 + 1e-6).all()):
        raise SelectionInvalid("Scores are probabilities from 0 to 1.")
    return found


def _fresh_seed() -> int:
    entropy = np.random.SeedSequence().entropy
    assert isinstance(entropy, int)
    return entropy
