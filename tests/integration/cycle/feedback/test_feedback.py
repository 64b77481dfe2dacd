from __future__ import annotations

from typing import Any

import pytest

from handrail.foundation.actors import Scope
from tests.integration.cycle.breast_mass import PERSON, QUESTION, Clinic


def waiting(clinic: Clinic) -> int:
    return clinic.storage.read(lambda uow: clinic.feedback.waiting(uow, clinic.scope))


def test_answers_of_people_wait_for_a_commit_and_draws_do_not_count(clinic: Clinic) -> None:
    items = clinic.bring(0, 30)
    assert clinic.feedback.head(clinic.scope) is None
    clinic.label(items[:10], "certify")
    assert waiting(clinic) == 0
    clinic.label(items[10:15], "feedback")
    assert waiting(clinic) == 5
    assert clinic.storage.read(lambda uow: clinic.feedback.waiting(uow, clinic.scope, question=QUESTION)) == 5
    made = clinic.feedback.commit_verdicts(PERSON, clinic.scope)
    assert made is not None
    assert (made.message, made.labels, made.items) == ("5 answers of people", 15, 30)
    assert clinic.feedback.head(clinic.scope) == made.id
    assert waiting(clinic) == 0
    assert clinic.feedback.commit_verdicts(PERSON, clinic.scope) is None
    clinic.label(items[:1], "feedback", wrong=1)
    clinic.label(items[20:21], "feedback")
    again = clinic.feedback.commit_verdicts(PERSON, clinic.scope)
    assert again is not None
    assert again.message == "2 answers of people"
    assert [
        (one["commit"], one["verdicts"], one["relabelled"]) for one in clinic.entries("feedback.verdicts_committed")
    ] == [
        (made.id, 5, 0),
        (again.id, 2, 1),
    ]


def test_nothing_at_all(clinic: Clinic) -> None:
    assert clinic.feedback.commit_verdicts(PERSON, clinic.scope) is None
    assert clinic.entries("feedback.verdicts_committed") == []


def test_a_crash_between_the_commit_and_its_note_is_mended(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.label(clinic.bring(0, 20), "feedback")

    def dies(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(clinic.feedback, "_note", dies)
        with pytest.raises(KeyboardInterrupt):
            clinic.feedback.commit_verdicts(PERSON, clinic.scope)
    assert clinic.entries("feedback.verdicts_committed") == []
    assert clinic.feedback.commit_verdicts(PERSON, clinic.scope) is None
    assert clinic.feedback.commit_verdicts(PERSON, clinic.scope) is None
    assert [one["verdicts"] for one in clinic.entries("feedback.verdicts_committed")] == [20]


def test_one_answer_reads_as_one(clinic: Clinic) -> None:
    clinic.label(clinic.bring(0, 1), "feedback")
    made = clinic.feedback.commit_verdicts(PERSON, clinic.scope)
    assert made is not None
    assert made.message == "1 answer of people"
    assert clinic.storage.read(lambda uow: clinic.feedback.waiting(uow, Scope("other"))) == 0
