"""`handrail.select`: chances that hold, the same answer for the same seed, every edge of a pool."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import handrail
from handrail.cycle.annotate.selecting import Pool, SelectionInvalid, choose
from handrail.cycle.annotate.selecting.audit_order import audit_order, audited, next_audits
from handrail.cycle.annotate.selecting.clusters import k_means, one_of_each
from handrail.cycle.annotate.selecting.learner import logistic
from handrail.cycle.annotate.selecting.margin import cluster_margin, margins

NONE: list[int] = []


def blobs(items: int = 300, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(classes, size=items)
    return rng.standard_normal((items, 6)) + 4.0 * np.eye(classes, 6)[codes], codes


def test_a_start_is_drawn_in_part_and_typical_for_the_rest() -> None:
    features, codes = blobs()
    found, chances = handrail.select(features, NONE, NONE, 20, seed=1)
    assert len(set(found.tolist())) == 20
    assert (chances == 4 / 300).sum() == 4
    assert (chances == 1.0).sum() == 16
    assert set(codes[found]) == {0, 1, 2}


def test_a_round_takes_small_margins() -> None:
    features, codes = blobs(items=1000)
    start, _ = handrail.select(features, NONE, NONE, 30, seed=1)
    found, chances = handrail.select(features, start, codes[start], 20, seed=1)
    assert not set(start.tolist()) & set(found.tolist())
    assert set(chances.tolist()) == {4 / 970, 1.0}
    margin = margins(logistic(3)(features[start], codes[start])(features))
    assert margin[found[chances == 1.0]].max() <= np.sort(margin)[10 * 20 + 30]


def test_scores_that_are_given_are_used() -> None:
    features, _ = blobs()
    scores = np.full((300, 2), [0.99, 0.01])
    scores[100:160] = 0.5
    found, chances = handrail.select(features, [0, 1], ["a", "b"], 6, scores=scores, audit_share=0.0, seed=1)
    assert (chances == 1.0).all()
    assert ((found >= 100) & (found < 160)).all()


def test_the_chance_of_an_audit_is_what_is_written() -> None:
    """Over seeds, each unlabelled item is drawn as often as its probability says, whatever the model thinks of it."""
    features, codes = blobs(items=40)
    labelled = np.arange(8)
    scores = logistic(3)(features[:8], codes[:8])(features)
    drawn = np.zeros(40)
    seeds = 1000
    for seed in range(seeds):
        found, chances = handrail.select(features, labelled, codes[:8], 20, scores=scores, audit_share=0.4, seed=seed)
        drawn[found[chances < 1.0]] += 1
    assert (drawn[:8] == 0).all()
    share = drawn[8:] / seeds
    expected = 8 / 32
    assert abs(share.mean() - expected) < 1e-9
    assert np.abs(share - expected).max() < 4.5 * (expected * (1 - expected) / seeds) ** 0.5


def test_the_audit_sample_is_a_random_sample_whatever_the_rest_did() -> None:
    """An adversary labels the same ten items in every run; the audited ones are still any, and all equally often."""
    seen: Counter[int] = Counter()
    total = 0
    for seed in range(1000):
        order = audit_order(30, seed)
        has_label = np.zeros(30, dtype=bool)
        for round_ in range(3):
            has_label[next_audits(order, has_label, 3)] = True
            has_label[round_ * 3 : round_ * 3 + 3] = True
        sample = audited(order, has_label)[:9]
        seen.update(sample.tolist())
        total += len(sample)
    expected = total / 30
    assert max(abs(seen[item] - expected) for item in range(30)) < 4.5 * expected**0.5


def test_the_sample_of_what_is_labelled_at_random_alone_is_not() -> None:
    """The control: without the items on the way, what is audited leans away from what the model asks for."""
    leaning = 0
    for seed in range(300):
        order = audit_order(30, seed)
        has_label = np.zeros(30, dtype=bool)
        has_label[:10] = True
        leaning += int((next_audits(order, has_label, 6) < 10).sum())
    assert leaning == 0


def test_the_same_seed_gives_the_same_items() -> None:
    features, codes = blobs()
    first, second = (handrail.select(features, [5, 9, 70], codes[[5, 9, 70]], 12, seed=7)[0] for _ in range(2))
    assert first.tolist() == second.tolist()
    other = handrail.select(features, [5, 9, 70], codes[[5, 9, 70]], 12, seed=8)[0]
    assert first.tolist() != other.tolist()
    free = [handrail.select(features, NONE, NONE, 12)[0].tolist() for _ in range(2)]
    assert free[0] != free[1]


def test_one_class_alone_goes_on_at_random() -> None:
    features, _ = blobs()
    found, chances = handrail.select(features, [1, 2, 3], ["ham"] * 3, 20, seed=1)
    assert len(found) == 20
    assert (chances == 20 / 297).all()


def test_a_rare_class_that_nobody_has_seen_is_looked_for_at_random() -> None:
    features, codes = blobs()
    _, chances = handrail.select(features, range(20), codes[:20].tolist(), 10, seed=1, rare=99)
    assert (chances == 10 / 280).all()


def test_known_examples_of_a_rare_class_lead_to_more() -> None:
    rng = np.random.default_rng(3)
    features = rng.standard_normal((2000, 8))
    positives = rng.choice(2000, 40, replace=False)
    features[positives, :2] += 5.0
    known = positives[:3]
    found, chances = handrail.select(features, known, ["fraud"] * 3, 20, seed=1, rare="fraud")
    assert np.isin(found[chances == 1.0], positives).mean() > 0.5  # of the pool 2 % are
    label = np.where(np.isin(np.arange(2000), positives), "fraud", "fine")
    labelled = np.concatenate([known, found])
    more, chances = handrail.select(features, labelled, label[labelled], 20, seed=1, rare="fraud")
    assert np.isin(more[chances == 1.0], positives).sum() >= 4


def test_copies_are_asked_once() -> None:
    features, codes = blobs(items=400)
    features[200:] = features[199]
    labelled = np.arange(30)
    scores = np.full((400, 3), [0.8, 0.1, 0.1])
    scores[199:] = [0.4, 0.35, 0.25]
    found, _ = handrail.select(features, labelled, codes[:30], 20, scores=scores, audit_share=0.0, seed=1)
    assert (found >= 199).sum() == 1


def test_where_nothing_but_copies_is_left_they_are_asked() -> None:
    features = np.ones((50, 3))
    found, _ = handrail.select(features, [0, 1], ["a", "b"], 10, seed=1)
    assert len(set(found.tolist())) == 10


@pytest.mark.parametrize("batch", [1, 2, 297])
def test_any_batch_up_to_the_whole_pool_is_filled(batch: int) -> None:
    features, codes = blobs()
    found, chances = handrail.select(features, [1, 2, 3], codes[[1, 2, 3]], batch, seed=1)
    assert len(set(found.tolist())) == batch == len(chances)
    start, _ = handrail.select(features, NONE, NONE, batch, seed=1)
    assert len(set(start.tolist())) == batch


def test_all_at_random_where_that_is_asked() -> None:
    features, codes = blobs()
    found, chances = handrail.select(features, [1, 2], codes[[1, 2]], 30, audit_share=1.0, seed=1)
    assert len(found) == 30
    assert (chances == 30 / 298).all()


def test_a_reserve_is_never_chosen() -> None:
    features, codes = blobs()
    order = audit_order(300, 1)
    reserve, rest = order[:50], order[50:]
    pool = Pool(features, np.arange(0), np.arange(0), rest, closed=reserve)
    first = choose(pool, 20, classes=3, seed=1)
    assert not set(first.indices.tolist()) & set(reserve.tolist())
    second = choose(Pool(features, first.indices, codes[first.indices], rest, reserve), 20, classes=3, seed=1)
    assert not set(second.indices.tolist()) & set(reserve.tolist())
    assert set(second.arms) == {"audit", "active"}


def test_what_does_not_fit_is_refused() -> None:
    features, codes = blobs()
    wrong: list[tuple[str, tuple[object, ...], dict[str, object]]] = [
        ("Only 298", (features, [1, 2], [0, 1], 299), {}),
        ("one item or more", (features, [1, 2], [0, 1], 0), {}),
        ("2 labelled items and 1", (features, [1, 2], [0], 5), {}),
        ("labelled twice", (features, [1, 1], [0, 1], 5), {}),
        ("none of the 300", (features, [1, 300], [0, 1], 5), {}),
        ("list of item numbers", (features, [0.5, 2.0], [0, 1], 5), {}),
        ("from 0 to 1", (features, [1, 2], [0, 1], 5), {"audit_share": 1.2}),
        ("whole number", (features, [1, 2], [0, 1], 5), {"seed": -1}),
        ("table of 300 rows", (features, [1, 2], [0, 1], 5), {"scores": np.ones((3, 2))}),
        ("probabilities", (features, [1, 2], [0, 1], 5), {"scores": np.full((300, 2), 7.0)}),
        ("item 7", (np.where(np.arange(300)[:, None] == 7, np.nan, features), [1, 2], [0, 1], 5), {}),
        ("one row for each item", (features[:, 0], [1, 2], [0, 1], 5), {}),
        ("Features are numbers", ([["a"], ["b"]], [], [], 1), {}),
        ("texts, numbers", (features, [1, 2], [{}, []], 5), {}),
    ]
    for said, given, named in wrong:
        with pytest.raises(SelectionInvalid, match=said):
            handrail.select(*given, **named)  # type: ignore[arg-type]
    assert len(codes) == 300


def test_clusters_of_well_apart_groups_are_those_groups() -> None:
    rng = np.random.default_rng(1)
    group = rng.integers(5, size=500)
    rows = 20.0 * np.eye(5)[group] + rng.standard_normal((500, 5))
    found = k_means(rows, 5, np.random.default_rng(0))
    assert len({(a, b) for a, b in zip(group.tolist(), found.tolist(), strict=True)}) == 5


def test_one_of_each_cluster_then_the_best_of_the_rest() -> None:
    clusters = np.array([0, 0, 0, 1, 2])
    assert one_of_each(clusters, np.arange(5), 3).tolist() == [0, 3, 4]
    assert one_of_each(clusters, np.arange(5), 4).tolist() == [0, 3, 4, 1]
    assert one_of_each(clusters, np.arange(5), 9).tolist() == [0, 3, 4, 1, 2]


def test_equal_margins_fall_to_the_seed() -> None:
    features, _ = blobs()
    flat = np.zeros(300)
    places = np.arange(300)
    chosen = [
        cluster_margin(features, places, flat, 5, np.arange(0), np.random.default_rng(seed))[0].tolist()
        for seed in (1, 1, 2)
    ]
    assert chosen[0] == chosen[1] != chosen[2]


def test_a_class_without_labels_has_no_chance() -> None:
    features, codes = blobs(classes=2)
    scores = logistic(3)(features, np.where(codes == 1, 2, 0))(features)
    assert scores.shape == (300, 3)
    assert (scores[:, 1] == 0).all()
    assert np.allclose(scores.sum(axis=1), 1.0)
