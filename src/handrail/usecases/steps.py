"""The steps that every demonstration plays: people and project, first labels and a model, a certificate, a day."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from handrail import Client, HandrailError, Project, Request, connect
from handrail.usecases.figures import certificates_of
from handrail.usecases.peak import PeakMemory
from handrail.usecases.people import NAMES, People

FIRST_DAY = datetime(2026, 9, 1, 9, tzinfo=UTC)
_ATTEMPTS = 2
_LEAST_LABELS = 45  # with fewer, not even a sample without an error certifies 5 %

Say = Callable[[str], None]


@dataclass
class Story:
    """One run of a demonstration."""

    client: Client
    project: Project
    people: People
    say: Say
    days: list[int] = field(default_factory=list)
    promotions: int = 0

    @property
    def now(self) -> datetime:
        """When the day that comes next begins."""
        return FIRST_DAY + timedelta(days=len(self.days))


@contextmanager
def played(home: Path, seed: int) -> Iterator[tuple[Client, dict[str, Any]]]:
    """Open a new home for a run; the figures put into the dictionary get seed, home, seconds and memory at the end."""
    began = time.monotonic()
    figures: dict[str, Any] = {}
    with PeakMemory() as peak, connect(home, demo=True, seed=seed) as opened:
        yield opened, figures
    figures |= {"seed": seed, "home": str(home), "seconds": round(time.monotonic() - began, 1)}
    figures["peak_mb"] = peak.megabytes


def people_of(client: Client, project: str, truth: Mapping[str, str], answers: tuple[str, str], seed: int) -> People:
    """Return simulated reviewers and a lead, who repeat the record."""
    return People(
        reviewers=[client.as_simulated(name).project(project) for name in NAMES],
        lead=client.as_simulated("Lead", role="lead").project(project),
        rng=np.random.default_rng(seed),
        truth=truth,
        answers=answers,
    )


def first_model(story: Story, question: str, labels: int, read: str) -> None:
    """Let people label items drawn at random, a model learn from them and the lead sign it; `read` is what she read."""
    story.project.draw(question, labels, reason="the first labels")
    story.people.answer_all()
    story.project.train(question, note="the first labels")
    story.project.settle()
    sign(story, read)


def sign(story: Story, read: str) -> None:
    """Let the simulated lead sign what is proposed, and wait until it is promoted."""
    story.promotions += story.people.sign(read)
    story.project.settle()


def certificate(story: Story, labels: int, *, most: int) -> None:
    """Certify at 5 % from so many labels.

    A refusal is an answer: it says how many new labels are needed, and they are drawn, `most` at most.
    """
    for _ in range(_ATTEMPTS):
        story.project.plan_certificate(labels)
        story.people.answer_all()
        story.project.settle()
        said = certificates_of(story.project)[-1]
        if said["issued"]:
            story.say(f"At most 5 % error from {said['labels']} labels: certified from score {said['threshold']:.3f}.")
            return
        story.say(f"At most 5 % error from {said['labels']} labels: refused, {said['needed']} new ones needed.")
        labels = max(_LEAST_LABELS, min(int(said["needed"] or labels), most))


def day(story: Story, arriving: Sequence[tuple[str, Mapping[str, Any], Mapping[str, str]]]) -> list[tuple[str, Any]]:
    """Let a day's items, each (name, data, group), arrive; return (route, value) of each."""
    at = story.now
    story.days.append(int(at.strftime("%Y%m%d")))
    asked = [
        Request(
            external_id=name,
            data=dict(data),
            idempotency_key=f"{at:%Y%m%d}-{name}",
            group=dict(group),
            observed_at=at,
        )
        for name, data, group in arriving
    ]
    found: list[tuple[str, Any]] = []
    for one in story.project.decide_many(asked):
        if isinstance(one, HandrailError):
            raise one
        found.append((one.route, one.value))
    return found
