"""`handrail.truth`: what it returns, what it refuses, and that bad reviewers do not spoil it."""

from __future__ import annotations

import numpy as np
import pytest

import handrail
from handrail.cycle.annotate.truth import TruthInvalid, alpha, read_answers
from handrail.cycle.annotate.truth.answers import Answers
from handrail.cycle.annotate.truth.confounding import cramers_v, islands, refusal
from handrail.cycle.annotate.truth.held_out import weights
from handrail.cycle.annotate.truth.ratings import rate


def crowd(
    items: int = 600, people: int = 30, classes: int = 4, each: int = 3, spam: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Simulated answers: the true classes and the three columns."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, items)
    skill = rng.beta(12, 4, people)
    item = np.repeat(np.arange(items), each)
    who = np.concatenate([rng.permutation(people)[:each] for _ in range(items)])
    wrong = (truth[item] + rng.integers(1, classes, len(item))) % classes
    said = np.where(rng.random(len(item)) < skill[who], truth[item], wrong)
    spammers = who < spam * people
    said = np.where(spammers, who % classes, said)
    return truth, item, who, said


def plurality(found: handrail.Truth, item: np.ndarray, said: np.ndarray) -> np.ndarray:
    votes = np.zeros((len(found.items), len(found.classes)))
    np.add.at(votes, (item, said), 1)
    return (votes + 1e-6 * np.random.default_rng(0).random(votes.shape)).argmax(axis=1)


def test_one_constant_answer_from_every_third_person_does_not_spoil_the_truth() -> None:
    truth, item, who, said = crowd(spam=0.3)
    found = handrail.truth(item, who, said)
    ours = (np.array(found.labels) == truth).mean()
    theirs = (plurality(found, item, said) == truth).mean()
    assert ours > theirs + 0.05
    assert found.mode == "model"
    assert found.posterior.shape == (600, 4)
    assert np.allclose(found.posterior.sum(axis=1), 1)


def test_spammers_stand_below_and_nobody_is_numbered() -> None:
    _, item, who, said = crowd(items=1500, spam=0.2)
    found = handrail.truth(item, who, said)
    below = {one.reviewer for one in found.reliability if one.tier == "below"}
    assert set(range(6)) <= below
    assert not any(one.tier == "above" for one in found.reliability if one.reviewer < 6)
    assert found.refusal is None
    assert all(one.agreement.low <= one.agreement.value <= one.agreement.high for one in found.reliability)


def test_few_answers_show_no_figure() -> None:
    _, item, who, said = crowd(items=20, people=10)
    found = handrail.truth(item, who, said)
    assert all(one.agreement is None and "15 are needed" in one.why for one in found.reliability if one.with_peer < 15)
    assert all(one.tier is None for one in found.reliability)


def test_a_single_answer_an_item_is_unchecked() -> None:
    found = handrail.truth(["a", "b"], ["x", "y"], ["cat", "dog"])
    assert (found.mode, found.labels, found.gamma) == ("unchecked", ("cat", "dog"), 1.0)
    assert found.agreement.value is None


def test_a_tie_is_told() -> None:
    found = handrail.truth([1, 1], ["x", "y"], ["no", "yes"])
    assert found.ties.tolist() == [0]
    assert found.doubt[0] == pytest.approx(0.5, abs=0.02)


def test_abstentions_are_no_answers_and_bad_rows_are_named() -> None:
    assert handrail.truth([1, 1, 2], ["x", "y", "x"], ["a", None, "b"]).answers.tolist() == [1, 1]
    with pytest.raises(TruthInvalid, match="Rows 0 and 2 are two answers"):
        handrail.truth([1, 1, 1], ["x", "y", "x"], ["a", "b", "b"])
    with pytest.raises(TruthInvalid, match="3 items, 2 reviewers"):
        handrail.truth([1, 1, 1], ["x", "y"], ["a", "b", "b"])
    with pytest.raises(TruthInvalid, match="Row 1 names no item"):
        handrail.truth([1, None], ["x", "y"], ["a", "b"])
    with pytest.raises(TruthInvalid, match="Row 1: 'c' is none"):
        handrail.truth([1, 1], ["x", "y"], ["a", "c"], classes=["a", "b"])
    with pytest.raises(TruthInvalid, match="no answer at all"):
        handrail.truth([1], ["x"], [None])
    with pytest.raises(TruthInvalid, match="numbers on a scale"):
        handrail.truth([1, 1], ["x", "y"], ["a", "b"], kind="ordinal")


def test_without_names_nobody_is_ranked_but_there_is_a_truth() -> None:
    found = handrail.truth([1, 1, 1], [None, None, None], ["a", "a", "b"])
    assert found.labels == ("a",)
    assert found.reliability == ()
    assert found.refusal is not None
    assert found.refusal.code == "no_identity"
    assert handrail.truth([1, 1], [0, 1], ["a", "a"], slots=True).refusal.code == "no_identity"


def test_work_handed_out_by_class_is_refused_and_random_work_is_not() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 1500)
    rows = []
    for number, label in enumerate(truth):
        likes = np.where(np.arange(12) % 3 == label, 8.0, 1.0)
        for who in rng.choice(12, 3, replace=False, p=likes / likes.sum()):
            rows.append((number, who, label if rng.random() < 0.85 else rng.integers(0, 3)))
    item, who, said = (list(column) for column in zip(*rows, strict=True))
    found = handrail.truth(item, who, said)
    assert found.refusal is not None
    assert found.refusal.code == "confounded"
    assert all(one.tier is None for one in found.reliability)
    for seed in range(5):
        _, item, who, said = crowd(items=1500, people=12, classes=3, seed=seed)
        assert handrail.truth(item, who, said).refusal is None


def test_a_declared_stratum_is_heeded() -> None:
    _, item, who, said = crowd(items=800, people=10)
    assert handrail.truth(item, who, said, strata={"site": (who % 2).tolist()}).refusal.code == "confounded"


def test_removed_disagreement_and_a_model_always_in_sight_are_refused() -> None:
    _, item, who, said = crowd(items=400, people=10)
    agreed = np.repeat(said[::3], 3)
    assert handrail.truth(item, who, agreed).refusal.code == "disagreement_removed"
    assert handrail.truth(item, who, said, shown=[True] * len(said)).refusal.code == "no_blind_share"
    some = (np.arange(len(said)) % 5 > 0).tolist()
    assert handrail.truth(item, who, said, shown=some).refusal is None


def test_people_who_share_no_item_are_islands() -> None:
    item = np.repeat(np.arange(120), 2)
    who = np.concatenate([np.tile([0, 1], 60), np.tile([2, 3], 40), np.tile([4, 5], 20)])
    apart = islands(Answers(item, who, np.zeros(240, dtype=np.int64), tuple(range(120)), tuple(range(6)), (0,)))
    assert set(apart) == {2, 3, 4, 5}


def test_ratings_undo_shift_and_stretch() -> None:
    rng = np.random.default_rng(1)
    x, shift, stretch = rng.normal(5, 1.5, 400), rng.normal(0, 1, 20), rng.lognormal(0, 0.3, 20)
    item = np.repeat(np.arange(400), 3)
    who = np.concatenate([rng.permutation(20)[:3] for _ in range(400)])
    y = 5 + shift[who] + stretch[who] * (x[item] - 5) + rng.normal(0, 0.5, len(item))
    found = rate(item, who, y, 400, 20, known=True)
    plain = np.bincount(item, weights=y) / 3
    assert found.mode == "reviewers"
    assert ((found.value - x) ** 2).mean() < 0.6 * ((plain - x) ** 2).mean()
    inside = ((found.low <= x) & (x <= found.high)).mean()
    assert 0.7 < inside < 0.97
    assert rate(item, who, y, 400, 20, known=False).mode == "shrunk_mean"


def test_ordinal_truth_is_on_the_scale() -> None:
    found = handrail.truth([1, 1, 2, 2], ["x", "y", "x", "y"], [1, 2, 5, 5], kind="ordinal")
    assert set(found.labels) <= {1, 2, 5}
    assert found.ratings is not None
    assert found.ratings.value[0] < found.ratings.value[1]


def test_independent_answers_have_no_agreement_and_one_value_has_none_defined() -> None:
    rng = np.random.default_rng(0)
    counts = rng.multinomial(3, [0.9, 0.05, 0.05], size=2000)
    found = alpha(counts)
    assert abs(found.value) < 0.05
    assert found.low < 0 < found.high
    assert alpha(np.array([[3, 0], [2, 0]])).value is None


def test_a_constant_answer_has_no_weight_in_the_choice() -> None:
    theta = np.array([[[0.9, 0.1], [0.1, 0.9]], [[0.99, 0.01], [0.99, 0.01]], [[0.1, 0.9], [0.9, 0.1]]])
    assert weights(theta) == pytest.approx([0.8, 0.0, 0.0])


def test_independent_tables_have_no_association() -> None:
    assert cramers_v(np.array([[50.0, 50.0], [50.0, 50.0]]))[0] == 0.0
    v, p = cramers_v(np.array([[50.0, 0.0], [0.0, 50.0]]))
    assert v > 0.9
    assert p < 1e-6


def test_refusal_looks_at_who_has_enough_answers_only() -> None:
    assert refusal(read_answers([1, 1, 2], ["x", "y", "x"], ["a", "b", "a"])) is None
