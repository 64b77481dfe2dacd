"""The model of a question's people as it is kept between fits: it weighs the answers to one item."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handrail.cycle.annotate.truth.answers import Answers, Floats, read_answers
from handrail.cycle.annotate.truth.dawid_skene import Incidence, Panel, confusion, fit, normalized
from handrail.cycle.annotate.truth.held_out import Mode, choose, majority
from handrail.cycle.annotate.truth.next_answer import Stop, StopRule

_NO_FIT = Panel(0.7, 8.0)
"""What is assumed of people before 200 answers are there: on the safe side, so that more are asked."""


@dataclass(frozen=True)
class Weighed:
    """What the answers to one item say: `label`, the chance of each class, and `doubt`, that the label is wrong."""

    label: Any
    posterior: dict[str, float]
    doubt: float


@dataclass(frozen=True)
class CrowdModel:
    """Prior of the classes, each person's matrix (truth x answer), and the matrix of somebody who is not known yet."""

    classes: tuple[Any, ...]
    prior: Floats
    people: Mapping[str, Floats]
    new: Floats
    mean: Floats
    gamma: float
    mode: Mode

    def weigh(self, given: Sequence[tuple[str, Any]]) -> Weighed:
        """Return what the answers of (person, value) say; values outside the classes are left out."""
        place = {one: code for code, one in enumerate(self.classes)}
        known = [(person, place[value]) for person, value in given if value in place]
        log, votes = np.log(self.prior), np.zeros(len(self.classes))
        for person, code in known:
            log = log + self.gamma * np.log(self.people.get(person, self.new)[:, code])
            votes[code] += 1
        posterior = normalized(log[None])
        best = majority(votes[None], posterior) if self.mode == "majority" else posterior.argmax(axis=1)
        label = int(best[0])
        chance = posterior[0].tolist()
        named = {str(one): round(value, 6) for one, value in zip(self.classes, chance, strict=True)}
        return Weighed(self.classes[label], named, float(1.0 - chance[label]))

    def stops(self, rule: StopRule, weighed: Weighed, answers: int) -> Stop | None:
        """Return why nobody else is asked, None to ask."""
        chance = np.array(list(weighed.posterior.values()))
        if weighed.doubt > rule.error >= 1.0 - float(chance.max()):
            # The majority's label is not the likeliest one: nobody is sure, and the most answers decide.
            return "most_answers" if answers >= rule.most else None
        return rule.stops(chance, answers, self.mean)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "classes": list(self.classes),
            "prior": self.prior.tolist(),
            "people": {person: matrix.round(6).tolist() for person, matrix in self.people.items()},
            "new": self.new.tolist(),
            "mean": self.mean.tolist(),
            "gamma": self.gamma,
            "mode": self.mode,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], classes: Sequence[Any]) -> CrowdModel:
        """Read what `to_dict` wrote; of other classes nothing is known yet."""
        if list(document["classes"]) != list(classes):
            return without_a_fit(classes)
        return cls(
            tuple(classes),
            np.array(document["prior"]),
            {person: np.maximum(np.array(matrix), 1e-6) for person, matrix in document["people"].items()},
            np.array(document["new"]),
            np.array(document["mean"]),
            float(document["gamma"]),
            document["mode"],
        )


def without_a_fit(classes: Sequence[Any]) -> CrowdModel:
    """Return what holds before the first fit: everybody right in 7 of 10, all classes alike."""
    size = len(classes)
    new = confusion(np.zeros((1, size, size)), _NO_FIT)[0]
    return CrowdModel(tuple(classes), np.full(size, 1.0 / size), {}, new, new, 1.0, "unchecked")


def fitted_model(
    rows: Sequence[tuple[str, str, Any]], classes: Sequence[Any], *, among: Callable[[str], bool], seed: int = 0
) -> CrowdModel:
    """Fit the model to rows of (item, person, value); `among` says which items held-out answers may be taken from."""
    answers: Answers = read_answers(*(list(column) for column in zip(*rows, strict=True)), classes=classes)
    chosen = choose(answers, seed=seed, among=np.array([among(item) for item in answers.items]))
    found = fit(Incidence.of(answers), answers.votes(), strength=chosen.strength)
    size = len(classes)
    new = confusion(np.zeros((1, size, size)), found.panel)[0]
    people = dict(zip(map(str, answers.reviewers), found.theta, strict=True))
    mean = np.asarray(found.theta.mean(axis=0))
    return CrowdModel(tuple(classes), found.prior, people, new, mean, chosen.gamma, chosen.mode)
