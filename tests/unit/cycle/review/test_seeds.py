"""What a seed shows, and what its answer shows."""

from __future__ import annotations

import pytest

from handrail.cycle.review.seeds import Like, odds, outcome, plant
from handrail.foundation.randomness import Randomness

LIKE = Like(
    {"value": "a", "score": 0.712, "scores": {"a": 0.712, "b": 0.2, "c": 0.088}, "top": [["size", 0.4]]},
    "the score 0.712 is under the certified threshold 0.900",
)
CHOICES = ("a", "b", "c")


def test_seeds_are_wrong_or_right_and_look_like_the_real_task() -> None:
    draw = Randomness(seed=1).uniform
    made = [plant("b", CHOICES, LIKE, draw) for _ in range(400)]
    wrong = [one for one in made if one.shown == "wrong"]
    assert 150 < len(wrong) < 250
    assert {one.prediction["value"] for one in wrong} == {"a", "c"}, "every other choice is shown some time"
    assert {one.prediction["value"] for one in made if one.shown == "right"} == {"b"}
    for one in made:
        score = one.prediction["score"]
        assert 0.692 <= score <= 0.712
        assert one.prediction["scores"][one.prediction["value"]] == score
        assert sum(one.prediction["scores"].values()) == pytest.approx(1.0)
        assert set(one.prediction) == {"value", "score", "scores", "top"}
        assert one.reason == f"the score {score:.3f} is under the certified threshold 0.900"
    assert len({one.prediction["score"] for one in made}) == 400, "no two are the same"


def test_a_prediction_without_scores_gives_a_seed_without_scores() -> None:
    made = plant("b", ("a", "b"), Like({"value": "a", "score": 0.5}, "asked"), Randomness(seed=2).uniform)
    assert (made.prediction["scores"], made.prediction["top"], made.reason) == ({}, [], "asked")
    assert made.prediction["score"] == 0.5, "never under the chance of a guess"


@pytest.mark.parametrize("share", [0.02, 0.05, 0.2])
def test_the_share_is_of_all_review_tasks(share: float) -> None:
    assert odds(share) / (1 + odds(share)) == pytest.approx(share)


@pytest.mark.parametrize(
    ("shown", "verb", "value", "shows"),
    [
        ("wrong", "approve", "a", "missed"),
        ("wrong", "label", "a", "missed"),
        ("wrong", "correct", "b", "caught"),
        ("wrong", "correct", "c", "caught"),
        ("wrong", "reject", None, "caught"),
        ("right", "approve", "a", "let_stand"),
        ("right", "correct", "b", "overridden"),
        ("right", "reject", None, "overridden"),
        ("wrong", "abstain", None, "passed_on"),
        ("right", "escalate", None, "passed_on"),
        ("wrong", "skip_ai", None, "passed_on"),
    ],
)
def test_what_an_answer_shows(shown: str, verb: str, value: str | None, shows: str) -> None:
    assert outcome(shown, "a", verb, value) == shows  # type: ignore[arg-type]
