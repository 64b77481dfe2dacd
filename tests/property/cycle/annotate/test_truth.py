"""Truth from people against slow and obvious computations, and against an independent implementation of alpha."""

from __future__ import annotations

import itertools

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.annotate.truth.agreement import alpha, cohen_kappa, fleiss_kappa
from handrail.cycle.annotate.truth.answers import Answers, read_answers
from handrail.cycle.annotate.truth.dawid_skene import (
    Incidence,
    Panel,
    confusion,
    fit,
    likeliest_strength,
    panel_accuracy,
    prior_of,
    shrunk,
    start,
)
from handrail.cycle.annotate.truth.reliability import peers

_PAIRS = st.dictionaries(st.tuples(st.integers(0, 7), st.integers(0, 4)), st.integers(0, 2), min_size=4, max_size=30)
_TABLES = st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=2, max_size=12)


def _read(pairs: dict[tuple[int, int], int]) -> Answers:
    return read_answers([i for i, _ in pairs], [w for _, w in pairs], list(pairs.values()), classes=(0, 1, 2))


@given(_PAIRS)
def test_the_sparse_half_steps_are_the_plain_sums(pairs: dict[tuple[int, int], int]) -> None:
    answers = _read(pairs)
    incidence, posterior = Incidence.of(answers), start(answers.votes())
    counts = np.zeros((len(answers.reviewers), 3, 3))
    for i, w, answer in zip(answers.item, answers.reviewer, answers.answer, strict=True):
        counts[w, :, answer] += posterior[i]
    assert np.allclose(incidence.counts(posterior), counts)
    theta = confusion(counts, Panel(0.7, 4.0))
    evidence = np.zeros((len(answers.items), 3))
    for i, w, answer in zip(answers.item, answers.reviewer, answers.answer, strict=True):
        evidence[i] += np.log(theta[w, :, answer])
    assert np.allclose(incidence.evidence(theta), evidence)


@given(_PAIRS)
def test_every_layer_is_made_of_probabilities(pairs: dict[tuple[int, int], int]) -> None:
    answers = _read(pairs)
    found = fit(Incidence.of(answers), answers.votes())
    assert np.allclose(found.theta.sum(axis=2), 1.0, atol=1e-6)
    assert (found.theta > 0).all()
    assert np.allclose(found.posterior(0.4).sum(axis=1), 1.0)
    assert np.isclose(found.prior.sum(), 1.0)


@given(_PAIRS, st.permutations(range(3)))
def test_names_of_classes_do_not_matter(pairs: dict[tuple[int, int], int], renamed: list[int]) -> None:
    first = _read(pairs)
    second = Answers(
        first.item, first.reviewer, np.array(renamed)[first.answer], first.items, first.reviewers, first.classes
    )
    one = fit(Incidence.of(first), first.votes(), strength=4.0, rounds=6, tolerance=0)
    two = fit(Incidence.of(second), second.votes(), strength=4.0, rounds=6, tolerance=0)
    assert np.allclose(one.posterior(), two.posterior()[:, renamed], atol=1e-6)


def _slow_layers(counts: np.ndarray, a: float, s: float) -> np.ndarray:
    """The four layers as the method is written down, one cell at a time."""
    size = counts.shape[1]
    theta = np.zeros_like(counts)
    for w, n_w in enumerate(counts):
        base = [[a if j == label else (1 - a) / (size - 1) for label in range(size)] for j in range(size)]
        n_j = [sum(n_w[j]) for j in range(size)]
        total = sum(n_j)
        e = [sum(n_j[j] * base[j][label] for j in range(size)) for label in range(size)]
        r = [
            (sum(n_w[j][label] for j in range(size)) + 4 * e[label] / total) / (e[label] + 4 * e[label] / total)
            for label in range(size)
        ]
        m = [[base[j][label] * r[label] for label in range(size)] for j in range(size)]
        m = [[cell / sum(row) for cell in row] for row in m]
        mean = sum(n_j[j] * m[j][j] for j in range(size)) / total
        acc = (sum(n_w[j][j] for j in range(size)) + 8 * mean) / (total + 8)
        tilt = np.clip(np.log(acc / (1 - acc)) - np.log(mean / (1 - mean)), -5, 5)
        for j in range(size):
            right = 1 / (1 + np.exp(-np.log(m[j][j] / (1 - m[j][j])) - tilt))
            for label in range(size):
                cell = right if label == j else m[j][label] * (1 - right) / (1 - m[j][j])
                theta[w, j, label] = (n_w[j][label] + s * cell) / (n_j[j] + s)
    return theta


@given(st.integers(0, 10_000))
def test_the_layers_are_those_of_the_method(seed: int) -> None:
    counts = np.random.default_rng(seed).gamma(0.7, 5.0, size=(3, 4, 4)) + 0.05
    assert np.allclose(confusion(counts, Panel(0.66, 8.0)), _slow_layers(counts, 0.66, 8.0), atol=1e-6)


def _slow_alpha(table: list[list[int]], numbers: list[float] | None) -> float | None:
    """Alpha from every pair of answers, none of them counted by a formula."""
    units = [[v for v, many in enumerate(row) for _ in range(many)] for row in table]
    units = [unit for unit in units if len(unit) > 1]
    every = [value for unit in units for value in unit]

    def apart(a: int, b: int) -> float:
        return float(a != b) if numbers is None else (numbers[a] - numbers[b]) ** 2

    within = sum(sum(apart(a, b) for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in units)
    across = sum(apart(a, b) for a, b in itertools.permutations(every, 2))
    if not across:
        return None
    return 1 - (within / len(every)) / (across / (len(every) * (len(every) - 1)))


@given(_TABLES, st.booleans())
def test_alpha_is_the_share_over_all_pairs(table: list[list[int]], numbered: bool) -> None:
    numbers = [1.0, 2.0, 5.0] if numbered else None
    found = alpha(np.array(table), scale="interval" if numbered else "nominal", values=numbers, resamples=20)
    slow = _slow_alpha(table, numbers)
    if slow is None:
        assert found.value is None
    else:
        assert found.value == pytest.approx(slow, abs=1e-9)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high


@given(_TABLES)
def test_alpha_is_that_of_an_independent_implementation(table: list[list[int]]) -> None:
    counts = np.array(table)
    usable = counts[counts.sum(axis=1) > 1]
    if len(usable) == 0 or (usable.sum(axis=0) > 0).sum() < 2:
        return
    for scale in ("nominal", "ordinal", "interval"):
        oracle = krippendorff.alpha(value_counts=usable, level_of_measurement=scale, value_domain=[0, 1, 2])
        found = alpha(counts, scale=scale, values=[0, 1, 2], resamples=2)
        assert found.value == pytest.approx(oracle, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=30))
def test_kappas_are_those_of_their_definitions(pairs: list[tuple[int, int]]) -> None:
    table, n = np.zeros((3, 3)), len(pairs)
    for a, b in pairs:
        table[a, b] += 1
    same = sum(a == b for a, b in pairs) / n
    by_chance = sum(sum(a == k for a, _ in pairs) * sum(b == k for _, b in pairs) for k in range(3)) / (n * n)
    expected = None if by_chance == 1 else (same - by_chance) / (1 - by_chance)
    assert cohen_kappa(table) == (None if expected is None else pytest.approx(expected))
    counts = np.array([[(a == k) + (b == k) for k in range(3)] for a, b in pairs])
    share = counts.sum(axis=0) / (2 * n)
    pooled = float((share**2).sum())
    fleiss = fleiss_kappa(counts)
    assert fleiss == (None if pooled == 1 else pytest.approx((same - pooled) / (1 - pooled)))


@given(_PAIRS)
def test_peer_agreement_is_the_share_of_equal_others(pairs: dict[tuple[int, int], int]) -> None:
    answers = _read(pairs)
    found = peers(answers)
    for code, name in enumerate(answers.reviewers):
        shares = []
        for (i, w), answer in pairs.items():
            others = [other for (j, v), other in pairs.items() if j == i and v != w]
            if w == name and others:
                shares.append(sum(other == answer for other in others) / len(others))
        assert found.n[code] == len(shares)
        if shares:
            assert found.mean[code] == pytest.approx(sum(shares) / len(shares))
            assert len(shares) <= found.worth[code] <= 4 * len(shares) + 1e-9


def test_the_strength_is_small_where_matrices_differ_and_large_where_they_do_not() -> None:
    rng = np.random.default_rng(0)
    same = np.tile(60.0 * np.eye(4) + 10.0, (20, 1, 1))
    accuracy = panel_accuracy(same)
    alike = likeliest_strength(same, *shrunk(same, accuracy))
    differ = rng.dirichlet([0.8] * 4, size=(20, 4)) * 100
    assert likeliest_strength(differ, *shrunk(differ, panel_accuracy(differ))) < alike
    assert np.isclose(prior_of(np.full((10, 2), 0.5)).sum(), 1.0)
