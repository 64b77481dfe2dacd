"""Metrics of a model against their definitions, counted out by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.evaluate.metrics import accuracy, brier, calibration, compare, confusion, coverage_risk, log_loss

WORDS = ("a", "b", "c")
ROWS = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), min_size=1, max_size=60)
TRIPLES = st.lists(st.tuples(*[st.sampled_from(WORDS)] * 3), min_size=1, max_size=40)
# Few different scores, so that many are equal.
SCORES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000001, 0.9, 1.0])
SCORED = st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=60)


def tail(k: int, n: int, p: float) -> float:
    """Return P(Bin(n, p) <= k), summed term by term."""
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


@given(ROWS, st.sampled_from([0.8, 0.95, 0.99]))
def test_accuracy_is_a_share_whose_limits_leave_half_the_rest_on_each_side(
    rows: list[tuple[str, str]], level: float
) -> None:
    truth, given_ = [a for a, _ in rows], [b for _, b in rows]
    found = accuracy(truth, given_, level)
    right, n = sum(a == b for a, b in rows), len(rows)
    assert (found.value, found.n, found.level) == (right / n, n, level)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    side = (1 - level) / 2
    assert math.isclose(tail(right, n, found.high), side, abs_tol=1e-9) or (right == n and found.high == 1.0)
    assert math.isclose(1 - tail(right - 1, n, found.low), side, abs_tol=1e-9) or (right == 0 and found.low == 0.0)


@given(ROWS)
def test_the_confusion_table_counts_every_row_once(rows: list[tuple[str, str]]) -> None:
    found = confusion([a for a, _ in rows], [b for _, b in rows], WORDS)
    assert found.labels == WORDS
    for i, j in product(range(3), range(3)):
        assert found.counts[i][j] == sum(row == (WORDS[i], WORDS[j]) for row in rows)
    for word in WORDS:
        true, called = [b for a, b in rows if a == word], [a for a, b in rows if b == word]
        assert (found.recall(word).n, found.precision(word).n) == (len(true), len(called))
        assert math.isclose(found.recall(word).value, true.count(word) / len(true) if true else 0.0)
        assert math.isclose(found.precision(word).value, called.count(word) / len(called) if called else 0.0)


@given(SCORED)
def test_the_whole_curve_is_every_threshold_there_is(rows: list[tuple[float, bool]]) -> None:
    scores, errors = [score for score, _ in rows], [float(wrong) for _, wrong in rows]
    curve = coverage_risk(scores, errors, points=10_000)
    assert [one.threshold for one in curve] == sorted(set(scores), reverse=True)
    for one in curve:
        inside = [wrong for score, wrong in rows if score >= one.threshold]
        assert one.coverage == len(inside) / len(rows)
        assert (one.risk.n, one.risk.value) == (len(inside), sum(inside) / len(inside))
        assert one.risk.low <= one.risk.value <= one.risk.high


@given(SCORED, st.integers(1, 12))
def test_a_short_curve_is_a_part_of_the_whole_one_and_ends_with_everything(
    rows: list[tuple[float, bool]], points: int
) -> None:
    scores, errors = [score for score, _ in rows], [float(wrong) for _, wrong in rows]
    whole, short = coverage_risk(scores, errors, points=10_000), coverage_risk(scores, errors, points=points)
    assert set(short) <= set(whole)
    assert short[-1] == whole[-1]
    assert short[-1].coverage == 1.0
    assert len(short) <= points
    assert list(short) == sorted(short, key=lambda one: one.coverage)


@given(SCORED)
def test_the_order_of_the_rows_means_nothing(rows: list[tuple[float, bool]]) -> None:
    back = rows[::-1]
    args = [([score for score, _ in one], [float(wrong) for _, wrong in one]) for one in (rows, back)]
    assert coverage_risk(*args[0]) == coverage_risk(*args[1])
    first, second = calibration(*args[0]), calibration(*args[1])
    assert math.isclose(first.ece, second.ece, abs_tol=1e-12)


@given(SCORED, st.integers(1, 20))
def test_calibration_is_the_weighted_distance_of_its_bins(rows: list[tuple[float, bool]], bins: int) -> None:
    found = calibration([score for score, _ in rows], [float(wrong) for _, wrong in rows], bins=bins)
    total = 0.0
    for place in range(bins):
        inside = [(s, w) for s, w in rows if min(bins - 1, int(s * bins)) == place]
        if not inside:
            continue
        share = sum(not wrong for _, wrong in inside) / len(inside)
        total += len(inside) * abs(math.fsum(score for score, _ in inside) / len(inside) - share)
    assert math.isclose(found.ece, total / len(rows), abs_tol=1e-12)
    assert sum(one.n for one in found.bins) == len(rows)


@given(TRIPLES)
def test_a_paired_comparison_by_hand(rows: list[tuple[str, str, str]]) -> None:
    truth, first, second = (list(column) for column in zip(*rows, strict=True))
    found = compare(truth, first, second)
    only_first = sum(a == t != b for t, a, b in rows)
    only_second = sum(b == t != a for t, a, b in rows)
    assert (found.n, found.only_champion, found.only_challenger) == (len(rows), only_first, only_second)
    assert math.isclose(found.difference.value, (only_second - only_first) / len(rows), abs_tol=1e-12)
    assert math.isclose(found.difference.value, found.challenger.value - found.champion.value, abs_tol=1e-12)
    assert -1.0 <= found.difference.low <= found.difference.value <= found.difference.high <= 1.0
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    exact = Fraction(2 * sum(math.comb(discordant, k) for k in range(fewer + 1)), 2**discordant)
    assert math.isclose(found.p_value, float(min(Fraction(1), exact)))


@given(TRIPLES)
def test_swapping_the_models_mirrors_the_comparison(rows: list[tuple[str, str, str]]) -> None:
    truth, first, second = (list(column) for column in zip(*rows, strict=True))
    there, back = compare(truth, first, second), compare(truth, second, first)
    assert (there.champion, there.challenger) == (back.challenger, back.champion)
    assert there.p_value == back.p_value
    assert there.difference.value == -back.difference.value
    assert compare(truth, first, second) == there, "the same rows, the same interval"


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.lists(st.integers(0, 10), min_size=3, max_size=3)), min_size=1))
def test_log_loss_and_brier_by_their_sums(rows: list[tuple[str, list[int]]]) -> None:
    rows = [(word, weights) for word, weights in rows if sum(weights)] or [("a", [1, 0, 0])]
    scores = [{name: w / sum(weights) for name, w in zip(WORDS, weights, strict=True)} for _, weights in rows]
    truth = [word for word, _ in rows]
    loss = sum(-math.log(max(row[word], 1e-15)) for word, row in zip(truth, scores, strict=True)) / len(rows)
    assert math.isclose(log_loss(truth, scores), loss, abs_tol=1e-12)
    squares = sum((row[name] - (name == word)) ** 2 for word, row in zip(truth, scores, strict=True) for name in WORDS)
    assert math.isclose(brier(truth, scores), squares / len(rows), abs_tol=1e-12)
    assert 0.0 <= brier(truth, scores) <= 2.0
