"""The simulated people: they repeat the record, wrong at a stated rate, and say so wherever they act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from handrail import Project, Task

REVIEWER_ERROR = 0.01
UNSURE = 0.02
"""Share of reviews that a reviewer passes on to a lead."""
NAMES = ("Reviewer A", "Reviewer B", "Reviewer C")


@dataclass
class People:
    """Reviewers and a lead, each with the project as they see it; `truth` is the record by case.

    `answers`: the two answers there are; who errs gives the other one.
    """

    reviewers: list[Project]
    lead: Project
    rng: np.random.Generator
    truth: Mapping[str, str]
    answers: tuple[str, str]

    def answer_all(self) -> int:
        """Let them answer every open task about a case, and return how many answers they gave."""
        done, idle = 0, 0
        while idle < 2 * len(self.reviewers):  # what one may not get (a second look) another one does
            person = self.reviewers[int(self.rng.integers(len(self.reviewers)))]
            tasks = person.claim(5, about="items")
            idle = 0 if tasks else idle + 1
            for task in tasks:
                self._answer(person, task)
            done += len(tasks)
        while tasks := self.lead.claim(5, about="items"):
            for task in tasks:
                self._answer(self.lead, task)
            done += len(tasks)
        return done

    def sign(self, note: str) -> int:
        """Let the lead sign every model that is proposed, and return how many there were."""
        tasks = self.lead.claim(5, about="models")
        for task in tasks:
            self.lead.answer(task.id, None, "sign", note)
        return len(tasks)

    def look(self, case: str) -> str:
        """Return what a person says about a case: the record, wrong at the stated rate."""
        true = self.truth[case]
        if self.rng.random() >= REVIEWER_ERROR:
            return true
        return self.answers[0] if true == self.answers[1] else self.answers[1]

    def _answer(self, person: Project, task: Task) -> None:
        assert task.item is not None
        value = self.look(task.item.name)
        if task.kind == "label":
            person.answer(task.id, value, "label")
            return
        if person is not self.lead and self.rng.random() < UNSURE:
            person.answer(task.id, None, "escalate", "not sure enough")
            return
        if task.first_needed:
            task = person.first_answer(task.id, value)
        agrees = task.prediction is not None and task.prediction.value == value
        person.answer(task.id, value, "approve" if agrees else "correct")
