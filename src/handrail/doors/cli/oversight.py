"""Commands about how people look at the model's answers."""

from __future__ import annotations

import typer

from handrail.doors.cli.terminal import At, In, Json, end, project, table

oversight = typer.Typer(help="Whether people look, and what they and the model come to.", no_args_is_help=True)


@oversight.command("people")
def people(name: In, home: At = None, as_json: Json = False) -> None:
    """Show for each person what seeds and second looks say: shares with intervals and n, or how many are missing."""
    with project(home, name) as opened:
        found = opened.oversight_people()
    rows = [
        (one.name, one.looks, one.told.said, one.accepted_wrong.said, one.override_precision.said, one.seconds.said)
        for one in [*found.people, *([] if found.everybody is None else [found.everybody])]
    ]
    head = ("person", "answers", "wrong answers planted", "accepted wrong", "overrides that were right", "median time")
    end(as_json, found, table(f"{found.seeds} seed(s), {found.second_looks} second look(s)", head, rows))


@oversight.command("team")
def team(name: In, home: At = None, as_json: Json = False) -> None:
    """Show the errors of people alone, the model alone and both together, over the same items."""
    with project(home, name) as opened:
        found = opened.oversight_team()
    parts = (("person alone", found.person), ("model alone", found.model), ("both", found.team))
    rows = [
        (who, f"{one.value:.1%}", f"{one.low:.1%} to {one.high:.1%}", one.n) for who, one in parts if one is not None
    ]
    shown = [table(f"Errors on {found.n} items", ("who", "error", "interval", "n"), rows)] if rows else []
    end(as_json, found, *shown, found.said, f"Truth: {found.truth}.")


@oversight.command("audits")
def audits(name: In, home: At = None, as_json: Json = False) -> None:
    """Show what the audits say: how many wait, the current error, how near the brake is, how often reviewers err."""
    with project(home, name) as opened:
        found = opened.audits()
    rows = [("drawn", found.drawn), ("answered", found.answered), ("open", found.open), ("overdue", found.overdue)]
    error, brake, controls = found.error, found.brake, found.controls
    said = []
    if error is not None:
        said.append(
            f"Error of the last block: {error.value:.2%} ({error.low:.2%} to {error.high:.2%}, n = {error.n} audits)."
        )
    if brake is not None:
        said.append(f"Brake: {brake.said} (n = {brake.n} of {brake.lifetime} audits).")
    if found.reviewers_said:
        said.append(f"Reviewers' error in this brake: {found.reviewers_said}.")
    bound = (
        "no bound yet"
        if controls.fbar is None
        else f"at most {controls.fbar:.2%} with confidence {controls.f_level:.1%}"
    )
    said.append(
        f"Control items: {controls.answered} of {controls.opened} answered; right answers called wrong: "
        f"{controls.false_alarms} of {controls.right} ({bound}); wrong ones missed: "
        f"{controls.misses} of {controls.wrong}."
    )
    end(as_json, found, table("Audits", ("audits", "n"), rows), *said)
