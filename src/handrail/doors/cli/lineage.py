"""Commands about what rests on whose labels, and about recalls; they stand under `handrail dataset`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.doors.cli.terminal import At, In, Json, end, project, table

if TYPE_CHECKING:
    from rich.table import Table

    from handrail.cycle.govern.forms import ConsequencesOut

Since = Annotated[datetime | None, typer.Option(help="Labels from then on, in UTC.")]
Until = Annotated[datetime | None, typer.Option(help="Labels before then, in UTC.")]


def lineage(
    name: In,
    decision: Annotated[str | None, typer.Option(help="Id of a decision.")] = None,
    model: Annotated[str | None, typer.Option(help="Id of a model version.")] = None,
    version: Annotated[str, typer.Option(help="A version of main.")] = "main",
    actor: Annotated[str | None, typer.Option(help="KIND:ID: show what rests on their labels instead.")] = None,
    since: Since = None,
    until: Until = None,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Show whose labels a decision, a model or a version rests on; with --actor, all that rests on theirs."""
    with project(home, name) as opened:
        if actor is not None:
            reached = opened.consequences(actor, since=_utc(since), until=_utc(until))
            end(as_json, reached, *_said(reached))
            return
        found = opened.lineage(decision=decision, model=model, version=version)
    rows = [
        (one.actor, one.name, one.question, one.purpose, one.labels, one.answers, f"{one.last:%Y-%m-%d}")
        for one in found.given
    ]
    head = ("who", "name", "question", "purpose", "labels", "answers to tasks", "last")
    model_said = "" if found.model is None else f"model {found.model.number}, "
    commit_said = "no version" if found.commit is None else f"commit {found.commit.id[:12]}"
    end(as_json, found, f"{model_said}{commit_said}", found.problem or table("Rests on", head, rows))


def recall(
    name: In,
    actor: Annotated[str, typer.Option(help="KIND:ID: whose labels.")],
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why; it is kept in the journal.")],
    since: Since = None,
    until: Until = None,
    question: Annotated[str | None, typer.Option(help="Of this question alone.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would happen.")] = False,
    again: Annotated[bool, typer.Option("--again/--not-again", help="Ask others about the items.")] = True,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Withdraw one actor's labels of a time: the label before each holds again, or none."""
    with project(home, name) as opened:
        found = opened.recall(
            actor,
            reason,
            since=_utc(since),
            until=_utc(until),
            question=question,
            preview=not yes,
            again=again,
        )
    one = found.recall
    did = "Withdrew" if found.done else "Would withdraw"
    said = f"{did} {one.labels} label(s): {one.restored} have the one before again, {one.emptied} items have none."
    more = [f"{one.certifying} were drawn to certify: plan a new certificate."] if one.certifying else []
    if found.campaigns:
        more.append(f"{len(found.campaigns)} campaign(s) ask others about the items.")
    end(as_json, found, said, *more, *_said(found.rested))


def add_to(dataset: typer.Typer) -> None:
    """Put the commands under `handrail dataset`."""
    dataset.command("lineage")(lineage)
    dataset.command("recall")(recall)


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _said(found: ConsequencesOut) -> list[str | Table]:
    rows = [
        (one.model.number, one.model.state, one.labels, one.decisions.get("auto", 0), sum(one.decisions.values()))
        for one in found.models
    ]
    said: list[str | Table] = []
    if found.first_commit is not None:
        ended = "still" if found.end_commit is None else f"until before version {found.end_commit}"
        said.append(f"Held from version {found.first_commit} of main on, {ended}.")
    head = ("model", "state", "labels it may have learned", "automatic decisions", "all decisions")
    return [*said, table(f"{len(rows)} model(s) rest on them", head, rows)]
