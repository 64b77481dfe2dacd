"""The demonstration: one pass through the whole cycle, and the figures at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handrail import Client, HandrailError, Item, Project, QueueRules
from handrail.usecases.figures import figures_of
from handrail.usecases.medical.data import QUESTION, SIZES, Case, cases, schema_of
from handrail.usecases.people import REVIEWER_ERROR
from handrail.usecases.steps import Say, Story, certificate, day, first_model, people_of, played, sign

NAME = "breast-mass"
TRAIN, CERTIFY, SHIFTED = 60, 200, 45
PER_DAY = 26
AUTOMATE = 0.6
LETTERS = "letters to patients"
"""The service that acts on decisions."""
SIMULATED = ("reviewers (1 % wrong)", "order and days of the stream", "shift of the last day")
READ = "the comparison on held-out cases was read"
_DEADLINE_S = 0.2

POLICY: dict[str, Any] = {
    "question": QUESTION,
    "alpha": 0.05,
    "delta": 0.10,
    "audit_rate": 0.2,
    "reviewer_error": REVIEWER_ERROR,
    "second_opinion": True,
    "seed_share": 0.05,
    "control_share": 0.1,
    "certify_automate": AUTOMATE,
    "groups": [{"name": "size=small", "alpha": 0.03}, {"name": "size=large"}],
    "rules": [
        {
            "name": "large and called benign",
            "when": 'prediction.value == "benign" && item["worst area"] > 880.0',
            "then": "human",
            "reason": "a miss would be costly",
            "eyes": 2,
        }
    ],
}
"""Of the first days. Two people look where the model calls a large mass benign.

One threshold is certified for all; the brake also watches small and large masses apart, the small against a stricter
limit. To certify them apart would take more labels of each than the record can spare.
"""
BLIND_FIRST = POLICY | {"blind_first": True}
"""Of the later days: people answer before they see what the model says."""

RULES = QueueRules.model_validate(
    {"most_held": 20, "climb_minutes": 24 * 60, "competence": {"least_agreement": 0.8, "least_answers": 20}}
)
"""Of the queue: what nobody claims in a day climbs to leads; who is right too seldom where truth is known gets none."""


def run(home: Path, *, seed: int, say: Say) -> dict[str, Any]:
    """Play the whole cycle in a new home and return its figures; the same seed gives the same figures.

    Ends with open tasks for the person who opens the pages next.
    """
    with played(home, seed) as (opened, figures):
        everything = cases(seed)
        archive, shifted = everything[:-SHIFTED], everything[-SHIFTED:]
        truth = {one.name: one.truth for one in everything}
        project = _project(opened, archive)
        story = Story(opened, project, people_of(opened, NAME, truth, ("benign", "malignant"), seed + 1), say)
        story.say(f"People label {TRAIN} cases drawn at random; a first model learns from them.")
        first_model(story, QUESTION, TRAIN, READ)
        _first_certificate(story)
        stream = _waiting(story, archive)
        half = len(stream) // 2
        _stream(story, stream[:half])
        _groups(story)
        _act(story)
        _improve(story)
        _stream(story, stream[half:])
        _groups(story)
        _show_again(story)
        _shifted_day(story, shifted[_urgent(story, shifted) :])
        figures |= figures_of(opened, project, truth, demo="medical", simulated=SIMULATED)
        figures |= {"days": len(story.days), "promotions": story.promotions}
    return figures


def _project(opened: Client, archive: Sequence[Case]) -> Project:
    project = opened.create_project(
        NAME,
        schema_of(archive),
        "Breast masses from digitised images. Reviewers, the order of cases and the last day's shift are simulated.",
    )
    project.add_items([Item(external_id=one.name, data=dict(one.data), group=one.group) for one in archive])
    project.set_policy(POLICY)
    project.set_queue_rules(RULES)
    return project


def _first_certificate(story: Story) -> None:
    no = story.project.plan_certificate(100, alpha=0.02)
    story.say(f"At most 2 % error from 100 labels: {no.status}, {no.needed} more needed at the least.")
    certificate(story, CERTIFY, most=100)


def _waiting(story: Story, archive: Sequence[Case]) -> list[Case]:
    """Return the cases that were not drawn: the stream."""
    labelled = {one.item_id for one in story.project.labels(QUESTION)}
    drawn = {one.external_id for one in story.project.items() if one.id in labelled}
    return [one for one in archive if one.name not in drawn]


def _stream(story: Story, stream: Sequence[Case]) -> None:
    for start in range(0, len(stream), PER_DAY):
        day = _day(story, [(one, one.data) for one in stream[start : start + PER_DAY]])
        routes = Counter(route for _, route in day)
        answered = story.people.answer_all()
        story.project.settle()
        story.say(f"Day {story.days[-1]}: {routes['auto']} automatic, {routes['human']} to people, {answered} answers.")


def _groups(story: Story) -> None:
    """Say what the threshold for all means in each group that the brake watches, and what audits found there."""
    now = story.project.oversight()
    found = now.certificate.groups if now and now.certificate else None
    for one in found or ():
        share = "no figure of" if one.coverage is None else f"{one.coverage:.0%} of"
        audits = f"{one.audits} audits, {one.wrong} wrong, watched at {one.alpha:.0%}"
        story.say(f"Group {one.group}: the threshold lets {share} what waited pass; {audits}.")


def _day(story: Story, arriving: Sequence[tuple[Case, dict[str, float]]]) -> list[tuple[str, str]]:
    """Let a day's cases arrive and return (size, route) of each."""
    made = day(story, [(one.name, data, one.group) for one, data in arriving])
    return [(case.group["size"], route) for (case, _), (route, _) in zip(arriving, made, strict=True)]


def _act(story: Story) -> None:
    """Let a service act on what was decided; one letter turns out to be wrong, and the decision is taken back."""
    project, names = story.project, {one.id: one.external_id for one in story.project.items()}
    settled = [one for one in project.decisions() if one.status in ("auto", "decided")]
    for one in settled:
        project.consume(one.id, f"{LETTERS} {one.id}")
    story.say(f"A service acted on {len(settled)} decisions; each can be taken once.")
    wrong = [one for one in settled if one.route == "auto" and one.value != story.people.truth[names[one.item_id]]]
    for one in wrong[:1]:
        true = story.people.truth[names[one.item_id]]
        story.people.lead.reverse(one.id, "pathology says otherwise", value=true)
        project.acknowledge(one.id, "a second letter was sent")
        story.say(f"{names[one.item_id]} was decided {one.value}, pathology says {true}: taken back, and acknowledged.")


def _improve(story: Story) -> None:
    tried = story.project.try_policy(BLIND_FIRST)
    story.say(
        f"A stricter policy (own answer first) tried on {tried.decisions} recorded decisions: "
        f"{tried.policy.total.automatic} automatic, {tried.policy.total.tasks:.0f} looks. It comes into force."
    )
    story.project.set_policy(BLIND_FIRST)
    story.say("What people decided becomes a commit; a second model learns from it and is compared with the first.")
    story.project.train(QUESTION, note="verdicts of the stream")
    story.project.settle()
    sign(story, READ)
    now = story.project.oversight()
    story.say(
        f"Automation is {now.state if now else 'off'}: the first certificate ended with its model, and labels are "
        f"drawn until {AUTOMATE:.0%} may run without a person."
    )


def _show_again(story: Story) -> None:
    """Go back to showing the model's answer at once: a safeguard less, so it must be said that it is meant."""
    try:
        story.project.set_policy(POLICY)
    except HandrailError as looser:
        story.say(f"Back to showing the model's answer at once. Refused at first: {looser.sentence} Said to be meant.")
        story.project.set_policy(POLICY, loosens=True)


def _urgent(story: Story, coming: Sequence[Case]) -> int:
    """Ask about cases that cannot wait until one needs a person, and let nobody answer; return how many were asked.

    What cannot be undone is then not done.
    """
    for number, one in enumerate(coming, start=1):
        made = story.project.decide(
            one.name,
            one.data,
            idempotency_key=f"urgent-{one.name}",
            group=one.group,
            observed_at=story.now,
            irreversible=True,
            risk_class="urgent",
            deadline_s=_DEADLINE_S,
        )
        if made.status == "pending":
            time.sleep(_DEADLINE_S)
            story.project.settle()
            ended = story.project.decision(made.id)
            story.say(f"{one.name} was urgent, nobody answered in time: {ended.status}, by {ended.by.split(':')[0]}.")
            return number
    return len(coming)


def _shifted_day(story: Story, shifted: Sequence[Case]) -> None:
    routes = Counter(_day(story, [(one, one.shifted()) for one in shifted]))
    told = [
        f"{routes[size, 'auto']} of {sum(number for (own, _), number in routes.items() if own == size)} {size} masses"
        for size in SIZES
    ]
    story.say(f"A scanner takes areas too large: {' and '.join(told)} are automatic.")
    story.project.watch(story.days[-1])
    story.project.settle()
    for alarm in story.project.alarms():
        story.say(f"Alarm on {alarm.day}: {alarm.sentence}. A campaign asks people to look.")
