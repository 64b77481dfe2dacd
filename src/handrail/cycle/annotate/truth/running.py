"""One answer in, without a refit: the posterior of its item and the matrices of the people who answered it.

The panel stays as the last full fit left it. Short warm starts drift away from what a fit from the votes would say, so
a full fit starts cold, when the answers have grown by 2 % and 20.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from handrail.cycle.annotate.truth.answers import Answers, Codes, Floats, TruthInvalid
from handrail.cycle.annotate.truth.dawid_skene import Incidence, Panel, confusion, fit
from handrail.cycle.annotate.truth.held_out import Choice, choose, majority

FIRST_FIT = 200
_GROWTH, _MORE = 0.02, 20
_NO_PANEL = Panel(0.7, 8.0)


class Running:
    """Truth that takes answers one by one; labels are provisional until the next refit. One caller at a time.

    `classes`: every value that may be answered. Raises TruthInvalid for another value, for fewer than two classes and
    for a second answer of one reviewer to one item. Whoever keeps it calls `refit` when `refit_due` says so: it takes
    as long as a fit, so `add` never does it by itself.
    """

    def __init__(self, classes: Sequence[Hashable], *, seed: int = 0) -> None:
        self._classes = Codes(classes)
        if len(self._classes) < 2:
            raise TruthInvalid("There is nothing to decide with fewer than two classes.")
        self._items, self._reviewers = Codes(), Codes()
        self._rows: list[tuple[int, int, int]] = []
        self._of_item: list[dict[int, int]] = []
        k = len(self._classes)
        self._posterior: Floats = np.zeros((64, k))
        self._counts: Floats = np.zeros((16, k, k))
        self._log: Floats = np.log(confusion(self._counts, _NO_PANEL))
        self._sums: Floats = np.zeros(k)
        self._panel: Panel | None = None
        self._fitted = 0
        self._chosen_at = 0
        self._choice = Choice("unchecked", None, 1.0)
        self._seed = seed

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def choice(self) -> Choice:
        """What held-out answers chose at the last refit that asked them."""
        return self._choice

    @property
    def refit_due(self) -> bool:
        """Whether enough came since the last full fit."""
        if self._panel is None:
            return len(self._rows) >= FIRST_FIT
        return len(self._rows) >= self._fitted * (1.0 + _GROWTH) + _MORE

    def add(self, item: Hashable, reviewer: Hashable, answer: Hashable) -> Floats:
        """Take one answer and return the posterior of its item, one chance for each class."""
        label = self._classes.of.get(answer)
        if label is None:
            raise TruthInvalid(f"{answer!r} is none of the classes.", hint="Name every class at the start.")
        i, w = self._items.code(item), self._reviewers.code(reviewer)
        self._make_room()
        before = self._of_item[i]
        if w in before:
            raise TruthInvalid("This reviewer has answered this item.", hint="Keep the answer that counts.")
        old = self._posterior[i].copy()
        people, said = np.fromiter(before, np.int64), np.fromiter(before.values(), np.int64)
        before[w] = label
        self._rows.append((i, w, label))
        new = self._e_step(i)
        if self._panel is not None:
            self._counts[people, :, said] += new - old
            self._counts[w, :, label] += new
            self._sums += new - old
            touched = np.append(people, w)
            self._log[touched] = np.log(confusion(self._counts[touched], self._panel))
            new = self._e_step(i)
        return self._tempered(i, new)

    def posterior(self, item: Hashable) -> Floats:
        """Return the posterior of an item with what is known of its reviewers now; raises TruthInvalid for no item."""
        i = self._known(item)
        return self._tempered(i, self._e_step(i, keep=False))

    def label(self, item: Hashable) -> Any:
        """Return the likeliest class of an item, or its majority where held-out answers preferred that."""
        i = self._known(item)
        posterior = self._tempered(i, self._e_step(i, keep=False))[None]
        if self._choice.mode == "majority":
            votes = np.bincount(list(self._of_item[i].values()), minlength=len(self._classes)).astype(float)
            return self._classes.names[int(majority(votes[None], posterior)[0])]
        return self._classes.names[int(posterior[0].argmax())]

    def mean_matrix(self) -> Floats:
        """Return the panel's mean confusion matrix, truth x answer: what the next answer is expected to say."""
        if self._panel is None:
            return np.asarray(confusion(np.zeros((1, *self._counts.shape[1:])), _NO_PANEL)[0])
        return np.asarray(np.exp(self._log[: len(self._reviewers)]).mean(axis=0))

    def matrix(self, reviewer: Hashable) -> Floats:
        """Return a reviewer's confusion matrix, truth x answer; the panel's for somebody new."""
        code = self._reviewers.of.get(reviewer)
        return self.mean_matrix() if code is None else np.exp(self._log[code])

    def refit(self) -> None:
        """Fit everything anew from the votes; the choice is made again when the answers have doubled."""
        answers = self.answers()
        if len(answers) >= 2 * self._chosen_at:
            self._choice, self._chosen_at = choose(answers, seed=self._seed), len(answers)
        incidence = Incidence.of(answers)
        found = fit(incidence, answers.votes(), strength=self._choice.strength)
        posterior = found.posterior()
        items, people = len(self._items), len(self._reviewers)
        self._panel, self._fitted = found.panel, len(answers)
        self._posterior[:items] = posterior
        self._sums = posterior.sum(axis=0)
        self._counts[:people] = incidence.counts(posterior)  # those that `add` takes the old posterior out of
        self._log[:people] = np.log(found.theta)
        # Whoever comes new begins as the panel is.
        self._counts[people:] = 0.0
        self._log[people:] = np.log(confusion(self._counts[people:], found.panel))

    def answers(self) -> Answers:
        """Return everything that was added."""
        rows = np.array(self._rows, dtype=np.int64).reshape(-1, 3)
        names = self._items.names, self._reviewers.names, self._classes.names
        return Answers(rows[:, 0], rows[:, 1], rows[:, 2], *names)

    def _known(self, item: Hashable) -> int:
        code = self._items.of.get(item)
        if code is None:
            raise TruthInvalid(f"Nobody has answered the item {item!r}.")
        return code

    def _log_evidence(self, i: int) -> Floats:
        one = self._of_item[i]
        people, said = np.fromiter(one, np.int64), np.fromiter(one.values(), np.int64)
        return np.asarray(self._log[people, :, said].sum(axis=0))

    def _log_prior(self) -> Floats:
        if self._panel is None:
            return np.zeros(len(self._classes))
        return np.asarray(np.log(self._sums + 1.0))

    def _e_step(self, i: int, *, keep: bool = True) -> Floats:
        found = _normal(self._log_prior() + self._log_evidence(i))
        if keep:
            self._posterior[i] = found
        return found

    def _tempered(self, i: int, untempered: Floats) -> Floats:
        if self._choice.gamma == 1.0:
            return untempered
        return _normal(self._log_prior() + self._choice.gamma * self._log_evidence(i))

    def _make_room(self) -> None:
        while len(self._of_item) < len(self._items):
            self._of_item.append({})
        if len(self._items) > len(self._posterior):
            self._posterior = np.concatenate([self._posterior, np.zeros_like(self._posterior)])
        if len(self._reviewers) > len(self._counts):
            empty = np.zeros_like(self._counts)
            self._counts = np.concatenate([self._counts, empty])
            self._log = np.concatenate([self._log, np.log(confusion(empty, self._panel or _NO_PANEL))])


def _normal(log: Floats) -> Floats:
    found = np.exp(log - log.max())
    return np.asarray(found / found.sum())
