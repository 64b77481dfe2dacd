from __future__ import annotations

import json

import pytest

from handrail.cycle.evaluate.figures import figures
from handrail.cycle.evaluate.model import judge, sentence
from handrail.cycle.train.model import Prediction


def prediction(value: object, score: float) -> Prediction:
    other = "b" if value == "a" else "a"
    return Prediction(value=value, score=score, scores={str(value): score, other: 1 - score}, top=[])


def test_figures_of_ten_rows() -> None:
    made = [prediction("a", 0.99 - place / 100) for place in range(8)] + [prediction("b", 0.6), prediction("a", 0.55)]
    truth = ["a"] * 8 + ["a", "b"]
    found = figures(made, truth, ["a", "b"])
    assert found["accuracy"]["value"] == pytest.approx(0.8)
    assert found["confusion"]["counts"] == [[8, 1], [1, 0]]
    curve = [(point["coverage"], point["risk"]["value"]) for point in found["coverage_risk"]]
    assert curve[-1] == (1.0, pytest.approx(0.2))
    assert curve[-3] == (0.8, 0.0), "the two errors are the least confident rows"
    json.dumps(found, allow_nan=False)


def test_values_that_are_no_text_are_compared_by_their_name() -> None:
    made = [
        Prediction(True, 0.9, {"true": 0.9, "false": 0.1}, []),
        Prediction(False, 0.8, {"true": 0.2, "false": 0.8}, []),
    ]
    found = figures(made, [True, True], [False, True])
    assert found["confusion"]["labels"] == ["false", "true"]
    assert found["accuracy"]["value"] == 0.5


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.05, "better"),
        (-0.05, -0.01, "worse"),
        (-0.01, 0.05, "no difference shown"),
        (0.0, 0.05, "no difference shown"),
    ],
)
def test_only_an_interval_beside_zero_shows_a_difference(low: float, high: float, verdict: str) -> None:
    assert judge(low, high) == verdict
    words = sentence(judge(low, high), (low + high) / 2, low, high, 200)
    assert "200 held-out items" in words
    assert verdict.split()[0] in words.lower()
