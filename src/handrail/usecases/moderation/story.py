"""The demonstration: a model meets mail that has changed, people correct it, and the next model is compared with it."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from handrail import Client, HandrailError, Item, Project, Request, connect
from handrail.usecases.figures import certificates_of, figures_of
from handrail.usecases.moderation.data import ANSWERS, QUESTION, Case, later, older, schema
from handrail.usecases.peak import PeakMemory
from handrail.usecases.people import NAMES, REVIEWER_ERROR, People

NAME = "mail"
TRAIN, CERTIFY = 250, 150
CALM_DAYS, CHANGED_DAYS, PER_DAY = 2, 4, 60
HELD_OUT = 250
"""Later mails whose labels nobody corrects: both models are measured on them."""
SIMULATED = ("reviewers (1 % wrong)", "order and days of the stream")
POLICY: dict[str, Any] = {
    "question": QUESTION,
    "alpha": 0.05,
    "delta": 0.10,
    "audit_rate": 0.2,
    "reviewer_error": REVIEWER_ERROR,
}
_FIRST_DAY = datetime(2026, 9, 1, 9, tzinfo=UTC)
_ATTEMPTS = 2

Say = Callable[[str], None]


@dataclass
class Story:
    """One run of the demonstration."""

    client: Client
    project: Project
    people: People
    say: Say
    days: list[int] = field(default_factory=list)
    promotions: int = 0


def run(home: Path, folder: Path, *, seed: int, say: Say) -> dict[str, Any]:
    """Play the cycle in a new home with the mails unpacked in `folder`, and return its figures.

    The same seed gives the same figures. Ends with open tasks for the person who opens the pages next.
    """
    began = time.monotonic()
    before, after = older(folder, seed), later(folder, seed + 1)
    calm, changed = CALM_DAYS * PER_DAY, CHANGED_DAYS * PER_DAY
    held, stream = after[:HELD_OUT], after[HELD_OUT : HELD_OUT + changed + PER_DAY]
    truth = {one.name: one.truth for one in (*before, *held, *stream)}
    with PeakMemory() as peak, connect(home, demo=True, seed=seed) as opened:
        project = opened.create_project(
            NAME, schema(), "Mail of 2002, masked. Reviewers, order and days are simulated; the change of mail is real."
        )
        project.add_items([Item(external_id=one.name, data=one.mail.data) for one in before[calm:]])
        project.set_policy(POLICY)
        people = People(
            reviewers=[opened.as_simulated(name).project(NAME) for name in NAMES],
            lead=opened.as_simulated("Lead", role="lead").project(NAME),
            rng=np.random.default_rng(seed + 2),
            truth=truth,
            answers=(ANSWERS[0], ANSWERS[1]),
        )
        story = Story(opened, project, people, say)
        _first_model(story)
        _certificate(story)
        story.say("Mail like before arrives.")
        _stream(story, before[:calm])
        story.say("Now mail of the second collections arrives, with newsletters among it.")
        _stream(story, stream[:changed])
        _improve(story, held)
        _last_day(story, stream[changed:])
        figures = figures_of(opened, project, truth, demo="moderation", simulated=SIMULATED)
    figures |= {"seed": seed, "home": str(home), "days": len(story.days), "promotions": story.promotions}
    figures["seconds"] = round(time.monotonic() - began, 1)
    figures["peak_mb"] = peak.megabytes
    return figures


def _sign(story: Story) -> None:
    story.promotions += story.people.sign("the comparison on held-out mails was read")
    story.project.settle()


def _first_model(story: Story) -> None:
    story.say(f"People label {TRAIN} older mails drawn at random; a first model learns from their words.")
    story.project.draw(QUESTION, TRAIN, reason="the first labels")
    story.people.answer_all()
    story.project.train(QUESTION, note="the first labels")
    story.project.settle()
    _sign(story)


def _certificate(story: Story) -> None:
    labels = CERTIFY
    for _ in range(_ATTEMPTS):
        story.project.plan_certificate(labels)
        story.people.answer_all()
        story.project.settle()
        said = certificates_of(story.project)[-1]
        if said["issued"]:
            story.say(f"At most 5 % error from {said['labels']} labels: certified from score {said['threshold']:.3f}.")
            return
        story.say(f"At most 5 % error from {said['labels']} labels: refused, {said['needed']} new ones needed.")
        labels = max(45, min(int(said["needed"] or CERTIFY), 200))


def _stream(story: Story, stream: Sequence[Case]) -> None:
    for start in range(0, len(stream), PER_DAY):
        told = _day(story, stream[start : start + PER_DAY])
        answered = story.people.answer_all()
        known = len(story.project.alarms())
        story.project.watch(story.days[-1])
        story.project.settle()
        story.say(f"Day {story.days[-1]}: {told}, {answered} answers.")
        for alarm in story.project.alarms()[: len(story.project.alarms()) - known]:
            story.say(f"Alarm: {alarm.sentence}. A campaign asks people to look.")
        story.people.answer_all()
        story.project.settle()


def _day(story: Story, arriving: Sequence[Case]) -> str:
    """Let a day's mails arrive and say how they were routed, and how many automatic answers differ from the record."""
    at = _FIRST_DAY + timedelta(days=len(story.days))
    story.days.append(int(at.strftime("%Y%m%d")))
    made = story.project.decide_many(
        [
            Request(
                external_id=one.name,
                data=one.mail.data,
                idempotency_key=f"{at:%Y%m%d}-{one.name}",
                observed_at=at,
            )
            for one in arriving
        ]
    )
    routes: Counter[str] = Counter()
    wrong = 0
    for case, one in zip(arriving, made, strict=True):
        if isinstance(one, HandrailError):
            raise one
        routes[one.route] += 1
        wrong += one.route == "auto" and one.value != case.truth
    return f"{routes['auto']} automatic ({wrong} unlike the record), {routes['human']} to people"


def _improve(story: Story, held: Sequence[Case]) -> None:
    """Retrain from what people corrected, and compare both models on later mails that nobody corrected."""
    with tempfile.TemporaryDirectory(prefix="handrail-demo-") as folder:
        place = Path(folder) / "held-out.jsonl"
        rows = [{"external_id": one.name, "data": one.mail.data, "labels": {QUESTION: one.truth}} for one in held]
        place.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
        story.project.import_file(place, purpose="holdout")
    story.say(f"{len(held)} later mails come with the corpus's own labels, held out. A second model learns from")
    story.say("everything that people answered, and both are measured on what neither has seen.")
    story.project.train(QUESTION, note="what people said of the changed mail")
    story.project.settle()
    _sign(story)
    proposal = story.project.proposals()[-1].document.get("comparison")
    if proposal:
        story.say(proposal["sentence"])


def _last_day(story: Story, arriving: Sequence[Case]) -> None:
    """Ask for a certificate of the second model from the mail that arrives now, and leave its tasks open."""
    story.project.plan_certificate(CERTIFY, source="stream")
    story.say(f"A new certificate is asked for, from mail that arrives: {_day(story, arriving)}; their tasks wait.")
    story.project.settle()
