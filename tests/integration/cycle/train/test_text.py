"""A model that reads texts: it learns from them, predicts what its own pipeline says, and has the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer

from handrail.cycle.train import artefact, tabular, text
from handrail.cycle.train.model import BadRow, Column
from handrail.cycle.train.text_predictor import TextPredictor

COLUMNS = [Column("body", "text"), Column("length", "number"), Column("kind", "category"), Column("title", "text")]
SPAM = ("win money now", "cheap pills offer", "free prize click", "limited offer winner")
HAM = ("patch for the kernel", "meeting on tuesday", "the list archive", "compile error in make")


def table(rows: int, seed: int = 0) -> tuple[dict[str, list[object]], list[str]]:
    rng = np.random.default_rng(seed)
    labels = ["spam" if rng.random() < 0.4 else "ham" for _ in range(rows)]
    bodies = [" ".join(rng.choice(SPAM if one == "spam" else HAM, 3)) for one in labels]
    made: dict[str, list[object]] = {
        "body": [None if index % 31 == 0 else body for index, body in enumerate(bodies)],
        "title": ["re: hello" if index % 2 else "hello there" for index in range(rows)],
        "length": [float(len(body)) for body in bodies],
        "kind": [str(rng.choice(["html", "plain"])) for _ in labels],
    }
    return made, labels


def rows_of(made: dict[str, list[object]]) -> list[dict[str, object]]:
    names = list(made)
    return [dict(zip(names, values, strict=True)) for values in zip(*made.values(), strict=True)]


def test_it_learns_from_texts_and_predicts_as_its_own_pipeline_does() -> None:
    made, labels = table(150)
    fitted = tabular.fit(COLUMNS, made, labels, question="spam", seed=3)
    assert fitted.metrics["accuracy"]["value"] > 0.9
    assert fitted.parts["format"] == tabular.TEXT_FORMAT

    parts = artefact.load(artefact.dump(fitted.parts))
    fresh, truth = table(60, seed=1)
    found = TextPredictor(parts).predict(rows_of(fresh))
    assert np.mean([one.value == true for one, true in zip(found, truth, strict=True)]) > 0.9

    dense = np.hstack(
        [
            parts["numbers"].transform(np.array(fresh["length"], dtype=float)[:, None]),
            parts["categories"].transform(np.array(fresh["kind"], dtype=object)[:, None]),
        ]
    )
    columns = [text.TextReader(one) for one in parts["texts"]]
    read = [[str(value or "") for value in fresh[one.name]] for one in columns]
    whole = text.joined(dense, [one.prepare(held) for one, held in zip(columns, read, strict=True)])
    margin = parts["classifier"].decision_function(whole)
    wanted = softmax(np.column_stack([np.zeros_like(margin), margin]) / parts["temperature"], axis=1)
    given = [[one.scores[name] for name in ("ham", "spam")] for one in found]
    np.testing.assert_allclose(given, wanted, atol=1e-12)


def test_what_moved_the_answer_names_the_text() -> None:
    made, labels = table(150)
    predictor = TextPredictor(tabular.fit(COLUMNS, made, labels, question="spam", seed=3).parts)
    (one,) = predictor.predict([{"body": "win money now free prize", "title": "hello there"}])
    assert one.value == "spam"
    assert one.top[0][0] == "body"
    assert one.top[0][1] > 0
    assert {name for name, _ in one.top} == {"body", "title", "length", "kind"}


def test_the_same_rows_give_the_same_bytes_and_another_row_others() -> None:
    made, labels = table(80)
    first, second = (artefact.dump(tabular.fit(COLUMNS, made, labels, question="spam", seed=3).parts) for _ in range(2))
    assert first == second
    made["body"][1] = "something else entirely"
    assert artefact.dump(tabular.fit(COLUMNS, made, labels, question="spam", seed=3).parts) != first


def test_a_fold_learns_from_its_own_rows_alone() -> None:
    texts = ["apple pear"] * 15 + ["apple plum"] * 15 + ["rail road"] * 15
    inside = np.arange(30)
    fold = text.learn(text.count("body", texts).at(inside))
    alone = text.learn(text.count("body", texts[:30]))
    assert [one.terms for one in fold.kinds] == [one.terms for one in alone.kinds]
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(fold.kinds, alone.kinds, strict=True))
    assert "rail" not in fold.kinds[0].terms


def test_terms_are_weighed_as_the_library_weighs_them() -> None:
    made, _ = table(120)
    texts = [str(one or "") for one in made["body"]]
    column = text.learn(text.count("body", texts))
    wanted = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    expected = wanted.fit_transform(texts)
    assert column.kinds[0].terms == list(wanted.get_feature_names_out())
    found = text.TextReader(column.to_parts()).prepare(texts)[:, : expected.shape[1]]
    np.testing.assert_allclose(found.toarray(), expected.toarray(), atol=1e-12)


def test_texts_alone_of_several_classes() -> None:
    words = {"a": "apple pear", "b": "train rail", "c": "blue green"}
    labels = [name for name in words for _ in range(12)]
    made = {"body": [f"{words[one]} {index}" for index, one in enumerate(labels)]}
    fitted = tabular.fit([Column("body", "text")], made, labels, question="q", seed=0)
    predictor = TextPredictor(fitted.parts)
    assert [one.value for one in predictor.predict([{"body": word} for word in words.values()])] == ["a", "b", "c"]


def test_texts_without_a_word_are_nothing_to_learn_from() -> None:
    labels = ["a", "b"] * 10
    with pytest.raises(tabular.NothingToLearnFrom):
        tabular.fit([Column("body", "text")], {"body": [None] * 20}, labels, question="q", seed=0)
    both = [Column("body", "text"), Column("n", "number")]
    fitted = tabular.fit(both, {"body": [None] * 20, "n": [0.0, 1.0] * 10}, labels, question="q", seed=0)
    assert TextPredictor(fitted.parts).predict([{"body": "anything", "n": 1.0}])[0].value == "b"


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert len(text.read_text("body", "x" * (text.READ + 5), 0)) == text.READ


def test_what_is_no_text_is_refused() -> None:
    made, labels = table(40)
    predictor = TextPredictor(tabular.fit(COLUMNS, made, labels, question="spam", seed=3).parts)
    with pytest.raises(BadRow, match="body"):
        predictor.predict([{"body": 3, "length": 1.0}])
    made["body"][0] = 3
    with pytest.raises(tabular.BadColumn, match="body"):
        tabular.fit(COLUMNS, made, labels, question="spam", seed=3)
