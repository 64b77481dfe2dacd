"""Medical: breast masses from digitised images, decided under a certificate, watched by people.

Data: the Wisconsin diagnostic set that scikit-learn ships, 569 cases of 30 measured features with a recorded
diagnosis. Simulated, and marked so: the reviewers (they repeat the record, wrong one time in a hundred), the order and
the days of the stream, and the shift of the last day (areas measured 60 % too large).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from handrail import Client, Field, HandrailError, Item, Project, Question, Request, Schema, connect
from handrail.usecases.peak import PeakMemory

NAME = "breast-mass"
QUESTION = "diagnosis"
REVIEWER_ERROR = 0.01
TRAIN, CERTIFY, SHIFTED = 60, 200, 45
PER_DAY = 26
_ATTEMPTS = 2
SHIFT = {"mean area": 1.6, "worst area": 1.6}
REVIEWERS = ("Reviewer A", "Reviewer B", "Reviewer C")
_FIRST_DAY = datetime(2026, 9, 1, 9, tzinfo=UTC)

Say = Callable[[str], None]


@dataclass
class Case:
    """One case of the record: its name, its features, and the diagnosis that is its truth here."""

    name: str
    data: dict[str, float]
    truth: str


@dataclass
class Story:
    """One run of the demonstration."""

    client: Client
    project: Project
    reviewers: list[Project]
    lead: Project
    rng: np.random.Generator
    say: Say
    truth: dict[str, str]
    days: list[int] = field(default_factory=list)
    promotions: int = 0

    def person(self) -> Project:
        """Return one of the simulated reviewers."""
        return self.reviewers[int(self.rng.integers(len(self.reviewers)))]

    def look(self, case: str) -> str:
        """Return what a simulated reviewer says: the record, wrong at the stated rate."""
        true = self.truth[case]
        if self.rng.random() >= REVIEWER_ERROR:
            return true
        return "benign" if true == "malignant" else "malignant"


def cases(seed: int) -> list[Case]:
    """Return every case in the simulated order of the stream."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    names = [str(name) for name in data.feature_names]
    made = [
        Case(
            f"case-{number:03}", dict(zip(names, map(float, row), strict=True)), "malignant" if kind == 0 else "benign"
        )
        for number, (row, kind) in enumerate(zip(data.data, data.target, strict=True), start=1)
    ]
    return [made[place] for place in np.random.default_rng(seed).permutation(len(made))]


def run(home: Path, *, seed: int, say: Say) -> dict[str, Any]:
    """Play the whole cycle in a new home and return its figures; the same seed gives the same figures.

    Ends with open tasks for the person who opens the pages next.
    """
    began = time.monotonic()
    everything = cases(seed)
    archive, shifted = everything[:-SHIFTED], everything[-SHIFTED:]
    with PeakMemory() as peak, connect(home, demo=True, seed=seed) as opened:
        story = Story(
            client=opened,
            project=_project(opened, archive),
            reviewers=[opened.as_simulated(name).project(NAME) for name in REVIEWERS],
            lead=opened.as_simulated("Lead", role="lead").project(NAME),
            rng=np.random.default_rng(seed + 1),
            say=say,
            truth={one.name: one.truth for one in everything},
        )
        _first_model(story)
        _first_certificate(story)
        stream = _waiting(story, archive)
        half = len(stream) // 2
        _stream(story, stream[:half])
        _improve(story)
        _stream(story, stream[half:])
        _shifted_day(story, shifted)
        figures = _figures(story, seed, home)
    figures["seconds"] = round(time.monotonic() - began, 1)
    figures["peak_mb"] = peak.megabytes
    return figures


def _project(opened: Client, archive: Sequence[Case]) -> Project:
    fields = tuple(Field(name=name, type="number", min=0.0) for name in archive[0].data)
    question = Question(
        name=QUESTION, type="choice", title="Is this mass benign or malignant?", choices=("benign", "malignant")
    )
    project = opened.create_project(
        NAME,
        Schema(fields=fields, questions=(question,)),
        "Breast masses from digitised images. Reviewers, the order of cases and the last day's shift are simulated.",
    )
    project.add_items([Item(external_id=one.name, data=dict(one.data)) for one in archive])
    project.set_policy(
        {
            "question": QUESTION,
            "alpha": 0.05,
            "delta": 0.10,
            "audit_rate": 0.2,
            "reviewer_error": REVIEWER_ERROR,
            "certify_labels": 60,
        }
    )
    return project


def _answer_all(story: Story) -> int:
    """Let simulated people answer every open task about a case."""
    done = 0
    while True:
        person = story.person()
        tasks = person.claim(5, about="items")
        if not tasks:
            return done
        for task in tasks:
            assert task.item is not None
            value = story.look(task.item.name)
            if task.kind == "label":
                person.answer(task.id, value, "label")
            elif task.prediction is not None and task.prediction.value == value:
                person.answer(task.id, value, "approve")
            else:
                person.answer(task.id, value, "correct")
            done += 1


def _sign(story: Story) -> None:
    """Let the simulated lead sign what is proposed, and wait until it is promoted."""
    for task in story.lead.claim(1, about="models"):
        story.lead.answer(task.id, None, "sign", "the comparison on held-out cases was read")
        story.promotions += 1
    story.project.settle()


def _first_model(story: Story) -> None:
    story.say(f"People label {TRAIN} cases drawn at random; a first model learns from them.")
    story.project.draw(QUESTION, TRAIN, reason="the first labels")
    _answer_all(story)
    story.project.train(QUESTION, note="the first labels")
    story.project.settle()
    _sign(story)


def _first_certificate(story: Story) -> None:
    no = story.project.plan_certificate(100, alpha=0.02)
    story.say(f"At most 2 % error from 100 labels: {no.status}, {no.needed} more needed at the least.")
    labels = CERTIFY
    for _ in range(_ATTEMPTS):
        story.project.plan_certificate(labels)
        _answer_all(story)
        story.project.settle()
        said = _told(story.project)[-1]
        if said["issued"]:
            story.say(f"At most 5 % error from {said['labels']} labels: certified from score {said['threshold']:.3f}.")
            return
        # A refusal is an answer: it says how many new labels are needed, and they are drawn.
        story.say(f"At most 5 % error from {said['labels']} labels: refused, {said['needed']} new ones needed.")
        labels = max(45, min(int(said["needed"]), 100))


def _waiting(story: Story, archive: Sequence[Case]) -> list[Case]:
    """Return the cases that were not drawn: the stream."""
    labelled = {one.item_id for one in story.project.labels(QUESTION)}
    drawn = {one.external_id for one in story.project.items() if one.id in labelled}
    return [one for one in archive if one.name not in drawn]


def _stream(story: Story, stream: Sequence[Case]) -> None:
    for start in range(0, len(stream), PER_DAY):
        routes = _day(story, [(one.name, one.data) for one in stream[start : start + PER_DAY]])
        answered = _answer_all(story)
        story.project.settle()
        story.say(f"Day {story.days[-1]}: {routes['auto']} automatic, {routes['human']} to people, {answered} answers.")


def _day(story: Story, arriving: Sequence[tuple[str, dict[str, float]]]) -> Counter[str]:
    at = _FIRST_DAY + timedelta(days=len(story.days))
    story.days.append(int(at.strftime("%Y%m%d")))
    made = story.project.decide_many(
        [
            Request(external_id=name, data=data, idempotency_key=f"{at:%Y%m%d}-{name}", observed_at=at)
            for name, data in arriving
        ]
    )
    for one in made:
        if isinstance(one, HandrailError):
            raise one
    return Counter(one.route for one in made if not isinstance(one, HandrailError))


def _improve(story: Story) -> None:
    story.say("What people decided becomes a commit; a second model learns from it and is compared with the first.")
    story.project.train(QUESTION, note="verdicts of the stream")
    story.project.settle()
    _sign(story)
    now = story.project.oversight()
    story.say(f"Automation is {now.state if now else 'off'}: the first certificate ended with its model.")


def _shifted_day(story: Story, shifted: Sequence[Case]) -> None:
    moved = [(one.name, {name: value * SHIFT.get(name, 1.0) for name, value in one.data.items()}) for one in shifted]
    _day(story, moved)
    story.project.watch(story.days[-1])
    story.project.settle()
    for alarm in story.project.alarms():
        story.say(f"Alarm on {alarm.day}: {alarm.sentence}. A campaign asks people to look.")


def _figures(story: Story, seed: int, home: Path) -> dict[str, Any]:
    project = story.project
    decisions = list(project.decisions())
    automatic = [one for one in decisions if one.route == "auto"]
    names = {one.id: one.external_id for one in project.items()}
    wrong = sum(
        one.prediction is not None and one.prediction["value"] != story.truth[names[one.item_id]] for one in automatic
    )
    certificates = _told(project)
    shown = [one for one in certificates if one["issued"]] or certificates
    story.client.checkpoint()
    checked = story.client.verify_journal()
    first = shown[-1]
    return {
        "demo": "medical",
        "seed": seed,
        "items": len(story.truth),
        "decisions": {
            "auto": len(automatic),
            "human": sum(one.route == "human" for one in decisions),
            "blocked": sum(one.status == "blocked" for one in decisions),
            "expired": sum(one.status == "expired" for one in decisions),
        },
        "certificate": {
            key: first[key] for key in ("status", "alpha", "delta", "threshold", "labels", "errors", "needed")
        },
        "certificates": [
            {
                key: one[key]
                for key in ("number", "status", "alpha", "threshold", "labels", "errors", "needed", "ended_why")
            }
            for one in certificates
        ],
        "auto_error": _error(project, wrong, len(automatic)),
        "accuracy": _accuracy(project),
        "commits": [one.id for one in project.log()],
        "models": [one.digest for one in project.models()],
        "promotions": story.promotions,
        "alerts": len(project.alarms()),
        "campaigns": len(project.campaigns()),
        "open_tasks": {kind: one["open"] for kind, one in project.task_counts().items() if one.get("open")},
        "journal": {"entries": checked.entries, "verified": checked.ok, "root": checked.root},
        "simulated": ["reviewers (1 % wrong)", "order and days of the stream", "shift of the last day"],
        "home": str(home),
    }


def _told(project: Project) -> list[dict[str, Any]]:
    """Return every certificate, oldest first, with the labels and errors that it rests on."""
    return [
        {
            "number": one.number,
            "status": one.status,
            "alpha": one.alpha,
            "delta": one.delta,
            "threshold": one.threshold,
            "labels": one.document.get("labels", one.labels_drawn),
            "errors": one.document.get("errors", 0),
            "needed": one.needed,
            "ended_why": one.ended_why,
            "issued": one.issued_at is not None and one.threshold is not None,
        }
        for one in project.certificates()
    ]


def _error(project: Project, wrong: int, automatic: int) -> dict[str, Any]:
    """Return the error of automatic decisions: by the record, and as the audits estimate it."""
    estimate = project.automatic_error()
    true = round(wrong / automatic, 4) if automatic else None
    if estimate is None:
        return {"true": true, "estimate": None, "low": None, "high": None}
    return {"true": true, "estimate": estimate.value, "low": estimate.low, "high": estimate.high}


def _accuracy(project: Project) -> dict[str, Any]:
    """Return both models' accuracy on the same held-out rows, and the paired difference that alone shows progress."""
    compared = [one.document.get("comparison") for one in project.proposals()]
    comparison = next((one for one in reversed(compared) if one), None)
    if comparison is None:
        return {"before": None, "after": None}
    return {
        "before": comparison["champion_accuracy"],
        "after": comparison["challenger_accuracy"],
        "difference": comparison["difference"],
        "rows": comparison["rows"],
        "sentence": comparison["sentence"],
    }
