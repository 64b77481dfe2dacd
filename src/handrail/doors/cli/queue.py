"""Commands about the queue: what waits, who works, and the rules that say how much."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handrail.doors.cli.terminal import At, BadFile, In, Json, end, json_file, project, table

queue = typer.Typer(help="The queue: how much one person may take, and who has which skill.", no_args_is_help=True)


@queue.command("show")
def show(name: In, home: At = None, as_json: Json = False) -> None:
    """Show what waits, how fast people answer and who, and what will miss its deadline."""
    with project(home, name) as opened:
        found = opened.queue()
    oldest = "" if found.oldest_at is None else f", the oldest since {found.oldest_at:%Y-%m-%d %H:%M} UTC"
    rows = [(one.name, one.held, one.last_hour, one.last_day) for one in found.people]
    end(
        as_json,
        found,
        f"{found.open} open, {found.claimed} claimed{oldest}; {found.due_next_day} due in the next 24 hours.",
        *([f"{found.climb_next_hour} climb in the next hour if nobody claims them."] if found.climb_next_hour else []),
        f"{found.answers_last_hour} answers in the last hour, {found.answers_last_day} in the last 24.",
        found.why_no_forecast if found.forecast is None else found.forecast.sentence,
        *(
            f"{one.name} gets no more tasks since {one.closed_at:%Y-%m-%d %H:%M} UTC: {one.right} of {one.n} answers to"
            f" cases of known truth were right, {one.least_agreement:.0%} is asked for."
            f" To let them work again: handrail queue admit {one.person_id}"
            for one in found.closed
        ),
        table(f"{len(rows)} at work", ("person", "holds", "last hour", "last 24 h"), rows),
    )


@queue.command("admit")
def admit(
    name: In,
    person: Annotated[str, typer.Argument(help="The person's id, as queue show names it.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    home: At = None,
    as_json: Json = False,
) -> None:
    """Let a person work again for whom the gate is closed; their answers count anew. Not yourself."""
    with project(home, name) as opened:
        found = opened.admit(person, reason)
    end(as_json, found, f"{found.person_id} may work since {found.admitted_at:%Y-%m-%d %H:%M} UTC.")


@queue.command("rules")
def rules(
    name: In,
    file: Annotated[
        Path | None,
        typer.Option("--set", help="Put these into force: a file with one JSON object, - is standard input."),
    ] = None,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Show the rules of the queue, or set them: limits, chain, skills, climb_minutes and competence."""
    from pydantic import ValidationError

    from handrail.cycle.tasks.forms import QueueRulesForm

    with project(home, name) as opened:
        if file is None:
            found = opened.queue_rules()
        else:
            try:
                wanted = QueueRulesForm.model_validate(json_file(file))
            except ValidationError as error:
                what = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
                raise BadFile(f"{file} holds no rules of a queue: {what}.", hint="Nothing was changed.") from None
            found = opened.set_queue_rules(wanted)
    rows = [
        ("tasks held at once", found.most_held),
        ("answers in an hour", found.most_an_hour),
        ("answers in a day", found.most_a_day),
        ("an escalated task climbs", " > ".join([*found.chain, "lead"])),
        ("minutes until an unclaimed one does", found.climb_minutes),
        ("agreement with known truth at least", None if found.competence is None else found.competence.least_agreement),
        *((f"skill {skill}", ", ".join(people) or None) for skill, people in found.skills.items()),
    ]
    end(as_json, found, table("One person at most", ("what", "value"), rows))
