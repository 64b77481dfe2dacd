"""Commands around an answer: drafts, histories, comments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handrail.doors.cli.terminal import As, At, BadFile, In, Json, Simulated, end, person, table

if TYPE_CHECKING:
    from rich.table import Table

    from handrail.cycle.tasks.working.routes import HistoryOut

answers = typer.Typer(help="Your answers: drafts, history, another answer in place of one.", no_args_is_help=True)
comments = typer.Typer(help="What people write about an item beside their answers.", no_args_is_help=True)

TaskId = Annotated[str, typer.Argument(help="Id of the task.")]
Value = Annotated[str, typer.Argument(help='The answer: JSON, or plain text such as "benign".')]
Why = Annotated[str, typer.Option(help="Why.")]
OnItem = Annotated[bool, typer.Option("--item", help="The id is that of an item, not of a task.")]


def _value(text: str) -> Any:
    """Return a value that was typed: JSON where it is that, else the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


@answers.command("draft")
def draft(
    task_id: TaskId,
    name: In,
    value: Annotated[str | None, typer.Option("--save", help="Keep this, JSON or plain text.")] = None,
    why: Why = "",
    drop: Annotated[bool, typer.Option("--drop", help="Forget the draft.")] = False,
    home: At = None,
    who: As = None,
    simulated: Simulated = None,
    as_json: Json = False,
) -> None:
    """Show your own draft of a task, keep one (--save) or forget it (--drop); nobody else sees it."""
    if drop and value is not None:
        raise BadFile("A draft is kept or forgotten, not both.", hint="Leave out --save or --drop.")
    with person(home, who, simulated) as opened:
        project = opened.project(name)
        if drop:
            project.drop_draft(task_id)
            found = None
        else:
            found = project.draft(task_id) if value is None else project.save_draft(task_id, _value(value), why)
    said = "No draft." if found is None else f"{json.dumps(found.value)}, kept {found.saved_at:%Y-%m-%d %H:%M} UTC."
    end(as_json, {"draft": None if found is None else found.model_dump(mode="json")}, said)


@answers.command("history")
def history(
    task_id: TaskId, name: In, home: At = None, who: As = None, simulated: Simulated = None, as_json: Json = False
) -> None:
    """Show every entry of your answer to a task; leads see everybody's."""
    with person(home, who, simulated) as opened:
        found = opened.project(name).history(task_id)
    end(as_json, found, _table(found))


@answers.command("revise")
def revise(
    task_id: TaskId,
    value: Value,
    name: In,
    why: Why = "",
    home: At = None,
    who: As = None,
    simulated: Simulated = None,
    as_json: Json = False,
) -> None:
    """Give another answer in place of your own, within an hour; nothing is overwritten."""
    with person(home, who, simulated) as opened:
        found = opened.project(name).revise(task_id, _value(value), why)
    end(as_json, found, _table(found))


@answers.command("restore")
def restore(
    task_id: TaskId,
    number: Annotated[int, typer.Argument(min=0, help="The entry to say again; 0 is the first answer.")],
    name: In,
    why: Why = "",
    home: At = None,
    who: As = None,
    simulated: Simulated = None,
    as_json: Json = False,
) -> None:
    """Say an earlier entry again: your own within an hour, a lead anybody's at any time."""
    with person(home, who, simulated) as opened:
        found = opened.project(name).restore(task_id, number, why)
    end(as_json, found, _table(found))


@comments.command("list")
def list_comments(
    about: Annotated[str, typer.Argument(help="Id of the task, or of the item with --item.")],
    name: In,
    on_item: OnItem = False,
    home: At = None,
    who: As = None,
    simulated: Simulated = None,
    as_json: Json = False,
) -> None:
    """List the comments on an item; others' are kept back while a look of your own waits."""
    with person(home, who, simulated) as opened:
        project = opened.project(name)
        found = project.item_comments(about) if on_item else project.task_comments(about)
    rows = [(f"{one.at:%Y-%m-%d %H:%M}", one.name, one.text) for one in found.comments]
    title = f"{len(rows)} comment(s)" + (", only yours until the blind look is over" if found.withheld else "")
    end(as_json, found, table(title, ("at", "who", "comment"), rows))


@comments.command("add")
def add_comment(
    about: Annotated[str, typer.Argument(help="Id of the task, or of the item with --item.")],
    text: Annotated[str, typer.Argument(help="The comment, plain text.")],
    name: In,
    on_item: OnItem = False,
    home: At = None,
    who: As = None,
    simulated: Simulated = None,
    as_json: Json = False,
) -> None:
    """Comment on an item."""
    with person(home, who, simulated) as opened:
        project = opened.project(name)
        made = project.comment_on_item(about, text) if on_item else project.comment_on_task(about, text)
    end(as_json, made, f"Commented, {made.at:%Y-%m-%d %H:%M} UTC.")


@answers.command("bulk")
def bulk(
    action: Annotated[
        str, typer.Argument(help='JSON: {"does": "relabel", "question": "kind", "value": "a", "to": "b"}, and so on.')
    ],
    name: In,
    token: Annotated[str | None, typer.Option("--confirm", help="The token of the preview: do exactly that.")] = None,
    home: At = None,
    who: As = None,
    simulated: Simulated = None,
    as_json: Json = False,
) -> None:
    """Show what an action on many tasks or labels would change; with --confirm, do it."""
    wanted = _value(action)
    if not isinstance(wanted, dict) or "does" not in wanted or "token" in wanted:
        raise BadFile("An action is one JSON object with does.", hint="Nothing was changed.")
    with person(home, who, simulated) as opened:
        found = opened.project(name).bulk(**wanted, token=token)
    done = f"{found.does}: {found.changes} changed."
    asked = f"{found.does} would change {found.changes}. To do it, again with --confirm {found.token}"
    end(as_json, found, asked if token is None else done)


def _table(found: HistoryOut) -> Table:
    rows = [
        (one.number, json.dumps(one.value), one.name, f"{one.at:%Y-%m-%d %H:%M}", one.restores, one.reason)
        for one in found.entries
    ]
    head = ("entry", "answer", "who", "at", "says again", "why")
    return table(f"The last of {len(rows)} stands", head, rows)
