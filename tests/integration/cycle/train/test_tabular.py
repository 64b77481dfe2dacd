from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_breast_cancer, load_iris

from handrail.cycle.train import artefact
from handrail.cycle.train.model import Column
from handrail.cycle.train.predictor import TabularPredictor
from handrail.cycle.train.tabular import BadColumn, Fitted, NothingToLearnFrom, TooFewLabels, find_temperature, fit


def cancer(
    rows: int, seed: int = 0
) -> tuple[list[Column], dict[str, list[float]], list[str], list[dict[str, float]], list[str]]:
    data = load_breast_cancer()
    names = [str(name) for name in data.feature_names]
    order = np.random.default_rng(seed).permutation(len(data.target))
    words = ["malignant" if value == 0 else "benign" for value in data.target]
    chosen, rest = order[:rows], order[rows:]
    table = {name: data.data[chosen, place].tolist() for place, name in enumerate(names)}
    others = [dict(zip(names, data.data[index].tolist(), strict=True)) for index in rest]
    columns = [Column(name, "number") for name in names]
    return columns, table, [words[index] for index in chosen], others, [words[index] for index in rest]


def mixed(rows: int, classes: int = 2, seed: int = 0) -> tuple[list[Column], dict[str, list[object]], list[object]]:
    rng = np.random.default_rng(seed)
    number = rng.normal(size=rows)
    colour = rng.choice(["red", "green", "blue"], rows)
    flag = rng.random(rows) < 0.5
    signal = number + (colour == "red") * 1.5 - flag + rng.normal(size=rows) * 0.3
    edges = np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1])
    target = np.digitize(signal, edges)
    columns = [
        Column("colour", "category"),
        Column("n", "number"),
        Column("flag", "category"),
        Column("empty", "number"),
    ]
    table: dict[str, list[object]] = {
        "n": [None if index % 17 == 0 else float(value) for index, value in enumerate(number)],
        "colour": [None if index % 13 == 0 else str(value) for index, value in enumerate(colour)],
        "flag": [bool(value) for value in flag],
        "empty": [None] * rows,
    }
    return columns, table, [int(value) for value in target]


def pipeline_scores(fitted: Fitted, columns: list[Column], rows: list[dict[str, object]]) -> np.ndarray:
    """What scikit-learn itself gives for the stages of the artefact."""
    parts = fitted.parts
    pieces = []
    numbers = [name for name, kind in parts["columns"] if kind == "number"]
    categories = [name for name, kind in parts["columns"] if kind == "category"]
    if numbers:
        pieces.append(
            parts["numbers"].transform(np.array([[row.get(name) for name in numbers] for row in rows], float))
        )
    if categories:
        words = np.empty((len(rows), len(categories)), dtype=object)
        for index, row in enumerate(rows):
            for place, name in enumerate(categories):
                value = row.get(name)
                words[index, place] = (
                    "(missing)" if value is None else value if isinstance(value, str) else json.dumps(value)
                )
        pieces.append(parts["categories"].transform(words))
    found = parts["classifier"].decision_function(np.hstack(pieces))
    logits = np.column_stack([np.zeros_like(found), found]) if found.ndim == 1 else found
    return softmax(logits / parts["temperature"], axis=1)


def test_the_breast_mass_figures_are_those_of_the_recipe() -> None:
    found = []
    for seed in range(5):
        columns, table, labels, others, truth = cancer(60, seed)
        fitted = fit(columns, table, labels, question="diagnosis", seed=seed)
        made = TabularPredictor(fitted.parts).predict(others)
        found.append(np.mean([one.value == true for one, true in zip(made, truth, strict=True)]))
        assert len(fitted.scores) == len(fitted.errors) == 60
        assert abs(fitted.metrics["accuracy"]["value"] - (1 - fitted.errors.mean())) < 1e-12
        assert fitted.metrics["accuracy"]["low"] < np.mean(found) < 1
    assert 0.93 < np.mean(found) < 0.975


def test_scores_are_calibrated_where_raw_ones_are_not() -> None:
    columns, table, labels, others, truth = cancer(150, 1)
    fitted = fit(columns, table, labels, question="diagnosis", seed=1)
    made = TabularPredictor(fitted.parts).predict(others)
    confidence = np.mean([one.score for one in made])
    accuracy = np.mean([one.value == true for one, true in zip(made, truth, strict=True)])
    assert abs(confidence - accuracy) < 0.03
    assert min(one.score for one in made) >= 0.5


def test_the_temperature_undoes_over_confidence() -> None:
    rng = np.random.default_rng(3)
    true_logits = np.column_stack([np.zeros(4000), rng.normal(size=4000) * 2])
    target = (rng.random(4000) < softmax(true_logits, axis=1)[:, 1]).astype(np.int64)
    assert find_temperature(true_logits, target) == pytest.approx(1.0, abs=0.08)
    assert find_temperature(true_logits * 5, target) == pytest.approx(5.0, abs=0.4)
    assert find_temperature(true_logits / 3, target) == pytest.approx(1 / 3, abs=0.04)


def test_few_labels_without_an_error_do_not_make_certainty() -> None:
    table = {"x": [-3.0, -2.0, -1.5, 1.5, 2.0, 3.0]}
    fitted = fit([Column("x", "number")], table, ["a", "a", "a", "b", "b", "b"], question="q", seed=0)
    assert fitted.errors.sum() == 0
    assert fitted.scores.max() < 0.95


@pytest.mark.parametrize("classes", [2, 4])
def test_the_fast_predictor_is_the_pipeline(classes: int) -> None:
    columns, table, labels = mixed(300, classes)
    fitted = fit(columns, table, labels, question="q", seed=0)
    rows = [{name: values[index] for name, values in table.items()} for index in range(300)]
    rows += [{"colour": "never seen", "n": 3.0}, {}, {"n": None, "unknown": 1}, {"n": 2, "flag": True}]
    wanted = pipeline_scores(fitted, columns, rows)
    together = TabularPredictor(fitted.parts).predict(rows)
    alone = [TabularPredictor(fitted.parts).predict([row])[0] for row in rows[:20] + rows[-4:]]
    assert np.allclose([list(one.scores.values()) for one in together], wanted, atol=1e-12)
    assert np.allclose([one.score for one in alone], [one.score for one in together[:20] + together[-4:]], atol=1e-12)
    assert all(one.score == max(one.scores.values()) and one.scores[str(one.value)] == one.score for one in together)
    assert [type(one.value) for one in together[:3]] == [int, int, int], "values come back as the labels were"


@pytest.mark.parametrize("classes", [2, 3])
def test_contributions_add_up_to_the_logit_against_the_average_row(classes: int) -> None:
    columns, table, labels = mixed(200, classes)
    fitted = fit(columns, table, labels, question="q", seed=0)
    predictor = TabularPredictor(fitted.parts)
    average = np.asarray(fitted.parts["centre"]) @ predictor._weights + predictor._offset
    for index in range(40):
        one = predictor.predict([{name: values[index] for name, values in table.items()}])[0]
        logits = np.log(list(one.scores.values()))
        place = list(one.scores).index(str(one.value))

        def lead(values: np.ndarray, place: int = place) -> float:
            return float(values[place] - np.delete(values, place).mean())

        assert sum(amount for _, amount in one.top) == pytest.approx(lead(logits) - lead(average), abs=1e-9)
        amounts = [abs(amount) for _, amount in one.top]
        assert amounts == sorted(amounts, reverse=True)
        assert {name for name, _ in one.top} == {"n", "colour", "flag", "empty"}


def test_a_row_that_cannot_be_read_names_the_field() -> None:
    columns, table, labels = mixed(100)
    predictor = TabularPredictor(fit(columns, table, labels, question="q", seed=0).parts)
    for wrong in ("three", float("inf"), [1], {"a": 1}):
        with pytest.raises(Exception, match="field n") as caught:
            predictor.predict([{"n": 1.0}, {"n": wrong}])
        assert caught.value.facts == {"row": 1, "field": "n"}
    assert predictor.predict([]) == []


def test_an_artefact_comes_back_as_it_went() -> None:
    columns, table, labels = mixed(120, 3)
    fitted = fit(columns, table, labels, question="q", seed=5)
    content = artefact.dump(fitted.parts)
    again = artefact.load(content)
    assert artefact.dump(again) == content
    rows = [{name: values[index] for name, values in table.items()} for index in range(30)]
    assert TabularPredictor(again).predict(rows) == TabularPredictor(fitted.parts).predict(rows)


def test_iris_three_classes() -> None:
    data = load_iris()
    columns = [Column(name, "number") for name in data.feature_names]
    table = {name: data.data[:, place].tolist() for place, name in enumerate(data.feature_names)}
    fitted = fit(columns, table, [str(data.target_names[value]) for value in data.target], question="kind", seed=0)
    assert fitted.metrics["accuracy"]["value"] > 0.93
    assert set(fitted.metrics["classes"]) == {"setosa", "versicolor", "virginica"}
    assert fitted.metrics["classes"]["setosa"]["recall"]["value"] == 1.0


def test_what_cannot_be_trained_is_said() -> None:
    column = [Column("x", "number")]
    with pytest.raises(TooFewLabels, match="same value"):
        fit(column, {"x": [1.0, 2.0]}, ["a", "a"], question="q", seed=0)
    with pytest.raises(TooFewLabels, match="Only one item is labelled b"):
        fit(column, {"x": [1.0, 2.0, 3.0]}, ["a", "a", "b"], question="q", seed=0)
    with pytest.raises(TooFewLabels):
        fit(column, {"x": []}, [], question="q", seed=0)
    with pytest.raises(NothingToLearnFrom):
        fit([], {}, ["a", "a", "b", "b"], question="q", seed=0)
    for wrong in (["x", 1, 2, 3], [float("inf"), 1, 2, 3], [[1], 1, 2, 3]):
        with pytest.raises(BadColumn):
            fit(column, {"x": wrong}, ["a", "a", "b", "b"], question="q", seed=0)
    with pytest.raises(BadColumn, match="1000 different"):
        fit([Column("x", "category")], {"x": [f"id-{n}" for n in range(1100)]}, ["a", "b"] * 550, question="q", seed=0)
