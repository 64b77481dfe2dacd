"""The demonstration: a model meets mail that has changed, people correct it, and the next model is compared with it."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handrail import Item
from handrail.usecases.figures import figures_of
from handrail.usecases.moderation.data import ANSWERS, QUESTION, Case, later, older, schema
from handrail.usecases.people import REVIEWER_ERROR
from handrail.usecases.steps import Say, Story, certificate, day, first_model, people_of, played, sign

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
READ = "the comparison on held-out mails was read"


def run(home: Path, folder: Path, *, seed: int, say: Say) -> dict[str, Any]:
    """Play the cycle in a new home with the mails unpacked in `folder`, and return its figures.

    The same seed gives the same figures. Ends with open tasks for the person who opens the pages next.
    """
    with played(home, seed) as (opened, figures):
        before, after = older(folder, seed), later(folder, seed + 1)
        calm, changed = CALM_DAYS * PER_DAY, CHANGED_DAYS * PER_DAY
        held, stream = after[:HELD_OUT], after[HELD_OUT : HELD_OUT + changed + PER_DAY]
        truth = {one.name: one.truth for one in (*before, *held, *stream)}
        project = opened.create_project(
            NAME, schema(), "Mail of 2002, masked. Reviewers, order and days are simulated; the change of mail is real."
        )
        project.add_items([Item(external_id=one.name, data=one.mail.data) for one in before[calm:]])
        project.set_policy(POLICY)
        people = people_of(opened, NAME, truth, (ANSWERS[0], ANSWERS[1]), seed + 2)
        story = Story(opened, project, people, say)
        story.say(f"People label {TRAIN} older mails drawn at random; a first model learns from their words.")
        first_model(story, QUESTION, TRAIN, READ)
        certificate(story, CERTIFY, most=200)
        story.say("Mail like before arrives.")
        _stream(story, before[:calm])
        story.say("Now mail of the second collections arrives, with newsletters among it.")
        _stream(story, stream[:changed])
        _improve(story, held)
        _last_day(story, stream[changed:])
        figures |= figures_of(opened, project, truth, demo="moderation", simulated=SIMULATED)
        figures |= {"days": len(story.days), "promotions": story.promotions}
    return figures


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
    made = day(story, [(one.name, one.mail.data, {}) for one in arriving])
    routes = Counter(route for route, _ in made)
    wrong = sum(route == "auto" and value != case.truth for case, (route, value) in zip(arriving, made, strict=True))
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
    sign(story, READ)
    proposal = story.project.proposals()[-1].document.get("comparison")
    if proposal:
        story.say(proposal["sentence"])


def _last_day(story: Story, arriving: Sequence[Case]) -> None:
    """Ask for a certificate of the second model from the mail that arrives now, and leave its tasks open."""
    story.project.plan_certificate(CERTIFY, source="stream")
    story.say(f"A new certificate is asked for, from mail that arrives: {_day(story, arriving)}; their tasks wait.")
    story.project.settle()
