"""`handrail.truth`: what several people's answers say together, how sure that is, and how reliable each person is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from handrail.cycle.annotate.truth.agreement import Agreement, Scale, alpha
from handrail.cycle.annotate.truth.answers import Answers, Floats, Ints, TruthInvalid, as_list, read_answers
from handrail.cycle.annotate.truth.confounding import Refusal, islands, refusal
from handrail.cycle.annotate.truth.dawid_skene import Incidence, fit
from handrail.cycle.annotate.truth.held_out import Mode, choose, majority
from handrail.cycle.annotate.truth.ratings import Ratings, rate
from handrail.cycle.annotate.truth.reliability import Reliability, reliabilities

Kind = Literal["nominal", "ordinal"]
_TIE = 0.02


@dataclass(frozen=True)
class Truth:
    """The truth from people, item by item in the order in which items first came.

    `labels`: the accepted answer. `posterior`: chance of each of `classes` (nominal), items x classes; of ratings the
    `ratings` with intervals stand instead. `mode`: "model", "majority" (held-out answers preferred it), "unchecked" (no
    item had three answers), or the mode of the ratings. `ties`: the two likeliest classes within .02.
    `reliability`: peer agreement of every reviewer; `refusal`: why nobody is compared, None when they may be.
    `theta[w, j, l]`: the model's confusion matrices, nominal only: consistency under the model, never accuracy.
    """

    items: tuple[Any, ...]
    classes: tuple[Any, ...]
    labels: tuple[Any, ...]
    posterior: Floats
    answers: Ints
    ties: Ints
    mode: str
    gamma: float
    agreement: Agreement
    reliability: tuple[Reliability, ...]
    refusal: Refusal | None
    theta: Floats
    prior: Floats
    reviewers: tuple[Any, ...]
    ratings: Ratings | None = None

    @property
    def doubt(self) -> Floats:
        """Return 1 - the posterior of the likeliest class of each item; for ratings half the interval's width."""
        if self.ratings is not None:
            return np.asarray((self.ratings.high - self.ratings.low) / 2)
        return np.asarray(1.0 - self.posterior.max(axis=1))


def truth(
    item: Sequence[Any],
    reviewer: Sequence[Any],
    answer: Sequence[Any],
    *,
    kind: Kind = "nominal",
    classes: Sequence[Any] | None = None,
    strata: Mapping[str, Sequence[Any]] | None = None,
    shown: Sequence[bool] | None = None,
    slots: bool = False,
    seed: int = 0,
) -> Truth:
    """Return the truth of answers given as three columns of equal length; a row is one answer, None an abstention.

    `kind`: "nominal" for classes, "ordinal" for numbers on a scale. `classes`: all that may be answered, else those
    found. `strata`: columns by which work may have been handed out. `shown`: whether the model's answer was in sight.
    `slots`: reviewers are places in a list and not persons. `seed`: the draws of the held-out choice repeat.
    Raises TruthInvalid with the row and the reason.
    """
    read = read_answers(item, reviewer, answer, classes=classes)
    kept = [row for row, one in enumerate(as_list(answer)) if not (one is None or one != one)]
    columns = {name: _column(name, values, len(as_list(answer)), kept) for name, values in dict(strata or {}).items()}
    sight = None if shown is None else np.asarray(_column("shown", shown, len(as_list(answer)), kept), dtype=bool)
    refused = refusal(read, strata=columns, shown=sight, slots=slots)
    people = _people(read, refused, seed)
    if kind == "nominal":
        return _nominal(read, refused, people, seed)
    if kind == "ordinal":
        return _ordinal(read, refused, people, seed, known=not slots and not read.anonymous)
    raise TruthInvalid(f"{kind!r} is no kind of answers.", hint="Use nominal or ordinal.")


def _people(read: Answers, refused: Refusal | None, seed: int) -> tuple[Reliability, ...]:
    if refused is not None and refused.code == "no_identity":
        return ()
    if refused is not None:
        apart = dict.fromkeys(range(len(read.reviewers)), refused.sentence)
    else:
        apart = islands(read)
    return tuple(reliabilities(read, apart, seed=seed))


def _nominal(read: Answers, refused: Refusal | None, people: tuple[Reliability, ...], seed: int) -> Truth:
    chosen = choose(read, seed=seed)
    votes = read.votes()
    found = fit(Incidence.of(read), votes, strength=chosen.strength)
    posterior = found.posterior(chosen.gamma)
    best = majority(votes, posterior) if chosen.mode == "majority" else posterior.argmax(axis=1)
    mode: Mode = chosen.mode
    return Truth(
        items=read.items,
        classes=read.classes,
        labels=tuple(read.classes[code] for code in best.tolist()),
        posterior=posterior,
        answers=read.per_item(),
        ties=_ties(posterior),
        mode=mode,
        gamma=chosen.gamma,
        agreement=alpha(votes, seed=seed),
        reliability=people,
        refusal=refused,
        theta=found.theta,
        prior=found.prior,
        reviewers=read.reviewers,
    )


def _ties(posterior: Floats) -> Ints:
    if posterior.shape[1] < 2:
        return np.zeros(0, dtype=np.int64)
    top = np.partition(posterior, -2, axis=1)[:, -2:]
    return np.flatnonzero(top[:, 1] - top[:, 0] <= _TIE)


def _ordinal(
    read: Answers, refused: Refusal | None, people: tuple[Reliability, ...], seed: int, *, known: bool
) -> Truth:
    try:
        numbers = np.asarray([float(one) for one in read.classes])
    except (TypeError, ValueError) as error:
        raise TruthInvalid("Ordinal answers are numbers on a scale.", hint="Use kind nominal for names.") from error
    if not np.isfinite(numbers).all():
        raise TruthInvalid("A rating is no finite number.")
    values = numbers[read.answer]
    found = rate(read.item, read.reviewer, values, len(read.items), len(read.reviewers), known=known, seed=seed)
    nearest = np.abs(found.value[:, None] - numbers[None, :]).argmin(axis=1)
    scale: Scale = "interval"
    return Truth(
        items=read.items,
        classes=read.classes,
        labels=tuple(read.classes[code] for code in nearest.tolist()),
        posterior=np.zeros((len(read.items), 0)),
        answers=read.per_item(),
        ties=np.zeros(0, dtype=np.int64),
        mode=found.mode,
        gamma=1.0,
        agreement=alpha(read.votes(), scale=scale, values=numbers.tolist(), seed=seed),
        reliability=people,
        refusal=refused,
        theta=np.zeros((0, 0, 0)),
        prior=np.zeros(0),
        reviewers=read.reviewers,
        ratings=found,
    )


def _column(name: str, values: Sequence[Any], rows: int, kept: list[int]) -> list[Any]:
    plain = as_list(values)
    if len(plain) != rows:
        raise TruthInvalid(f"The column {name} has {len(plain)} rows, the answers have {rows}.")
    return [plain[row] for row in kept]
