"""One answer in without a refit, what to ask next, drift of a reviewer, suspect labels."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from handrail.cycle.annotate.truth import TruthInvalid, truth
from handrail.cycle.annotate.truth.label_errors import label_errors
from handrail.cycle.annotate.truth.next_answer import StopRule, best_reviewer, error_after, value_of_asking
from handrail.cycle.annotate.truth.reviewer_drift import ReviewerDrift, alarm_height, concerns
from handrail.cycle.annotate.truth.running import Running


def stream(items: int = 700, people: int = 25, seed: int = 0) -> list[tuple[int, int, int]]:
    rng = np.random.default_rng(seed)
    right, skill = rng.integers(0, 3, items), rng.beta(10, 3, people)
    rows = [(i, w) for i in range(items) for w in rng.permutation(people)[:3]]
    said = [right[i] if rng.random() < skill[w] else rng.integers(0, 3) for i, w in rows]
    order = rng.permutation(len(rows))
    return [(rows[at][0], int(rows[at][1]), int(said[at])) for at in order]


def test_labels_stay_with_those_of_a_full_fit_and_an_answer_costs_under_a_millisecond() -> None:
    rows, running, took = stream(), Running([0, 1, 2]), []
    for row in rows:
        began = time.perf_counter()
        posterior = running.add(*row)
        took.append(time.perf_counter() - began)
        assert posterior.sum() == pytest.approx(1.0)
        if running.refit_due:
            running.refit()
    whole = truth(*zip(*rows, strict=True))
    same = [running.label(item) == label for item, label in zip(whole.items, whole.labels, strict=True)]
    assert np.mean(same) > 0.97
    assert statistics.median(took) < 1e-3


def test_what_is_counted_is_what_was_answered() -> None:
    running, given = Running([0, 1, 2]), np.zeros(25)
    for item, who, said in stream()[:600]:
        running.add(item, who, said)
        given[who] += 1
        if running.refit_due:
            running.refit()
    of = running._reviewers.of
    counted = running._counts.sum(axis=(1, 2))
    assert all(counted[of[who]] == pytest.approx(given[who]) for who in of)
    assert running._sums.sum() == pytest.approx(len(running._items))
    assert np.allclose(np.exp(running._log).sum(axis=2), 1.0, atol=1e-6)


def test_what_cannot_be_added_changes_nothing() -> None:
    running = Running(["a", "b"])
    running.add(1, "x", "a")
    with pytest.raises(TruthInvalid, match="has answered this item"):
        running.add(1, "x", "b")
    with pytest.raises(TruthInvalid, match="none of the classes"):
        running.add(1, "y", "c")
    with pytest.raises(TruthInvalid, match="Nobody has answered"):
        running.posterior(2)
    assert len(running) == 1
    assert running.label(1) == "a"


def test_the_expected_error_is_that_of_every_answer_that_may_come() -> None:
    rng = np.random.default_rng(0)
    posterior, theta = rng.dirichlet([1, 1, 1], 5), rng.dirichlet([1, 1, 1], 3)
    for row, after in zip(posterior, error_after(posterior, theta, 2), strict=True):
        best = sum(max(row[j] * theta[j, a] * theta[j, b] for j in range(3)) for a in range(3) for b in range(3))
        assert after == pytest.approx(1 - best)
    assert (error_after(posterior, theta) <= 1 - posterior.max(axis=1) + 1e-12).all()


def test_an_answer_that_says_nothing_is_worth_nothing_and_a_known_person_is_asked() -> None:
    posterior, flat = np.array([[0.6, 0.4]]), np.full((2, 2), 0.5)
    sharp = np.array([[0.95, 0.05], [0.05, 0.95]])
    assert value_of_asking(posterior, flat)[0] == pytest.approx(0.001 * 0.4)
    assert value_of_asking(posterior, sharp)[0] > 0.3
    assert best_reviewer(posterior[0], np.stack([flat, sharp])) == 1


def test_the_stop_rule_says_why() -> None:
    theta = np.array([[0.8, 0.2], [0.2, 0.8]])
    rule, sure, unsure = StopRule(error=0.1, most=4), np.array([0.97, 0.03]), np.array([0.6, 0.4])
    assert rule.stops(sure, 1, theta) is None
    assert rule.stops(sure, 2, theta) == "sure"
    assert rule.stops(unsure, 3, theta) is None
    assert rule.stops(unsure, 4, theta) == "most_answers"
    assert StopRule(error=0.01, price=0.9).stops(unsure, 2, theta) == "not_worth_it"
    with pytest.raises(TruthInvalid):
        StopRule(least=3, most=2)


def _answers(accuracy: list[float], seed: int) -> list[float]:
    """The chance that two peers of .85 give to the answers of somebody with these accuracies, four classes."""
    rng = np.random.default_rng(seed)
    found = []
    for mine in accuracy:
        said = [0 if rng.random() < p else int(rng.integers(1, 4)) for p in (mine, 0.85, 0.85)]
        like = [np.prod([0.85 if other == j else 0.05 for other in said[1:]]) for j in range(4)]
        found.append(like[said[0]] / sum(like))
    return found


def _run(accuracy: list[float], seed: int) -> int | None:
    one = ReviewerDrift(classes=4, height=alarm_height(4))
    for number, chance in enumerate(_answers(accuracy, seed)):
        one = one.heard(chance)
        if one.alarmed:
            return number
    return None


def test_a_drop_of_fifteen_points_is_found_and_steady_people_are_left_alone() -> None:
    dropped = [_run([0.85] * 200 + [0.70] * 300, seed) for seed in range(40)]
    delays = sorted(500 if at is None else at - 200 for at in dropped if at is None or at >= 200)
    assert len(delays) >= 33  # at most about one in ten alarms before the drop
    assert delays[len(delays) // 2] <= 70
    steady = [_run([0.85] * 600, 100 + seed) for seed in range(40)]
    assert sum(at is not None for at in steady) <= 26  # about one alarm in 1,000 answers, on 500 each


def test_a_baseline_that_follows_the_drop_finds_nothing() -> None:
    """The control: what is learnt after the drop hides it, so the burn-in is frozen."""
    hidden = [_run([0.70] * 500, seed) for seed in range(20)]
    assert sum(at is not None for at in hidden) <= 13


def test_many_at_once_are_a_drift_of_the_task() -> None:
    calm, moved = ReviewerDrift(3, 3.5), ReviewerDrift(3, 3.5, before=0.8, total=4.0, alarmed=True)
    assert concerns({"a": moved, "b": calm, "c": calm, "d": calm}) == ("people", ("a",))
    assert concerns({"a": moved, "b": moved, "c": calm, "d": calm}) == ("task", ())
    assert concerns({"a": calm}) == ("nobody", ())


def test_planted_label_errors_are_found() -> None:
    rng = np.random.default_rng(0)
    right = rng.integers(0, 3, 1500)
    scores = rng.dirichlet([1, 1, 1], 1500) * 0.4
    scores[np.arange(1500), right] += 0.6
    label = right.copy()
    planted = rng.choice(1500, 90, replace=False)
    label[planted] = (right[planted] + 1) % 3
    found = label_errors(label, scores, classes=[0, 1, 2])
    assert len(set(found.rows.tolist()) & set(planted.tolist())) > 80
    assert len(found.rows) < 150
    assert found.error == pytest.approx(0.06, abs=0.02)
    assert (np.diff(found.margin) <= 1e-12).all()
    clean = label_errors(right, scores, classes=[0, 1, 2])
    assert len(clean.rows) < 30


def test_scores_that_are_none_are_refused() -> None:
    with pytest.raises(TruthInvalid, match="add up to 1"):
        label_errors(["a"], np.array([[0.5, 0.1]]), classes=["a", "b"])
    with pytest.raises(TruthInvalid, match="Row 0: 'c'"):
        label_errors(["c"], np.array([[0.5, 0.5]]), classes=["a", "b"])
    with pytest.raises(TruthInvalid, match="of that shape"):
        label_errors(["a", "b"], np.array([[0.5, 0.5]]), classes=["a", "b"])
