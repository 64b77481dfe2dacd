"""When agreement with known truth closes the gate: never by bad luck with a few answers, soon for who errs often."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.tasks.competence import Competence, Gate, Tally, closes, counts_since, not_admitted, refused
from handrail.cycle.tasks.staffing import QueueRules, RulesInvalid

ASKED = Competence(0.8)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_document_and_back() -> None:
    document = {"competence": {"least_agreement": 0.9, "least_answers": 40, "of": ["review", "label"]}}
    rules = QueueRules.from_dict(document)
    assert rules.competence == Competence(0.9, 40, 30, ("review", "label"))
    assert QueueRules.from_dict(rules.to_dict()) == rules
    assert QueueRules.from_dict({"competence": None}) == QueueRules()
    assert ASKED.kinds == ("label", "review", "audit", "adjudicate")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("high", "must be an object, or null"),
        ({}, "least_agreement must be a number between 0 and 1"),
        ({"least_agreement": True}, "least_agreement must be a number"),
        ({"least_agreement": 1}, "least_agreement must be a number"),
        ({"least_agreement": 0.8, "least_answers": 4}, "least_answers must be a whole number from 5 to 1000"),
        ({"least_agreement": 0.8, "window_days": 366}, "window_days must be a whole number from 1 to 365"),
        ({"least_agreement": 0.8, "of": ["sign_off"]}, "of must be a list of kinds"),
        ({"least_agreement": 0.8, "of": "gold"}, "of must be a list of kinds"),
        ({"least_agreement": 0.8, "admit_first": 1}, "admit_first must be true or false"),
        ({"least_agreement": 0.8, "surprise": 1}, "surprise is not a part of it"),
    ],
)
def test_what_it_may_not_say(document: Any, told: str) -> None:
    with pytest.raises(RulesInvalid) as caught:
        QueueRules.from_dict({"competence": document})
    (problem,) = caught.value.facts["problems"]
    assert problem.startswith(f"competence: {told}")


def test_the_upper_limit_closes_and_not_the_share() -> None:
    assert not closes(ASKED, Tally(13, 20)), "65 in 100, but 85 is not ruled out"
    assert Tally(13, 20).interval.high > 0.8 > Tally(11, 20).interval.high
    assert closes(ASKED, Tally(11, 20))
    assert not closes(ASKED, Tally(0, 19)), "under the least number nothing is judged"


@given(st.integers(20, 300), st.integers(0, 300))
def test_more_right_answers_never_close(n: int, right: int) -> None:
    right = min(right, n)
    if closes(ASKED, Tally(right, n)):
        assert right / n < 0.8
        assert right == 0 or closes(ASKED, Tally(right - 1, n))
    elif right < n:
        assert not closes(ASKED, Tally(right + 1, n))


@pytest.mark.parametrize(("share", "low", "high"), [(0.8, 0.08, 0.16), (0.85, 0.0, 0.02), (0.55, 0.97, 1.0)])
def test_how_often_chance_sends_somebody_home(share: float, low: float, high: float) -> None:
    """Looked at after each of 200 answers: the figures that the module and the documentation give."""

    @cache
    def most_that_close(n: int) -> int:
        return max((right for right in range(n) if closes(ASKED, Tally(right, n))), default=-1)

    draw, sent = random.Random(5), 0
    for _ in range(2000):
        right = 0
        for n in range(1, 201):
            right += draw.random() < share
            if n >= 20 and right <= most_that_close(n):
                sent += 1
                break
    assert low <= sent / 2000 <= high


def test_an_admission_begins_anew() -> None:
    gate = Gate("anna", "Anna", Tally(0, 0), 0.0, None, NOW - timedelta(days=3))
    assert counts_since(ASKED, gate, NOW) == NOW - timedelta(days=3)
    assert counts_since(ASKED, None, NOW) == NOW - timedelta(days=30)
    assert counts_since(Competence(0.8, window_days=1), gate, NOW) == NOW - timedelta(days=1)


def test_the_refusal_says_the_figure_and_who_can_lift_it() -> None:
    told = refused(Gate("anna", "Anna", Tally(11, 20), 0.8, NOW, None))
    assert "11 of 20 (55%, 95% interval 32% to 77%) were right, and this project asks for 80%" in told.sentence
    assert "until a lead admits you again" in told.sentence
    assert (told.facts["n"], told.facts["right"], round(told.facts["high"], 2)) == (20, 11, 0.77)
    assert "lets nobody work unasked under 20" in not_admitted(ASKED, 3).sentence
