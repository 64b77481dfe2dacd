"""Commands about data: projects, items, versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from handrail.cycle.datasets.model import ExportFormat, ImportFormat
from handrail.doors.cli.terminal import (
    At,
    BadFile,
    In,
    Json,
    client,
    end,
    json_file,
    label_config,
    progress,
    project,
    table,
)

projects = typer.Typer(help="Projects: a schema, a policy, people.", no_args_is_help=True)
items = typer.Typer(help="Items and their labels, in and out.", no_args_is_help=True)
dataset = typer.Typer(help="Dataset versions: commits, branches, tags.", no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", "-o", help="File to write.")]
Version = Annotated[str, typer.Argument(help="A branch, a tag, the id of a commit, or BRANCH@TIME.")]


@projects.command("list")
def list_projects(home: At = None, as_json: Json = False) -> None:
    """List the projects."""
    with client(home) as opened:
        found = opened.projects()
    rows = [(one.name, one.description, f"{one.created_at:%Y-%m-%d}") for one in found]
    end(as_json, found, table(f"{len(found)} project(s)", ("name", "description", "made"), rows))


@projects.command("create")
def create_project(
    name: Annotated[str, typer.Argument(help="1 to 64 small letters, digits, - and _.")],
    schema: Annotated[
        Path,
        typer.Option(help="JSON file {fields: [...], questions: [...]}, - is standard input; .xml is Label Studio's."),
    ],
    description: Annotated[str, typer.Option(help="What it is about.")] = "",
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Leave out tags that are not supported.")] = False,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Make a project from a schema, or from a configuration of Label Studio."""
    from handrail.cycle.datasets import Schema

    if schema.suffix.lower() == ".xml":
        text, wanted = label_config(schema, leave_out)
    else:
        text, wanted = "", Schema.from_dict(json_file(schema))
    with client(home) as opened:
        calls = opened.create_project(name, wanted, description)
        if text:
            calls.set_label_config(text)
        made = calls.described()
    end(as_json, made, f"Project {made.name} is there.")


@projects.command("label-config")
def show_label_config(
    name: In,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; without it, it is shown.")] = None,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Give the project's configuration in the language of Label Studio."""
    with project(home, name) as opened:
        found = opened.label_config()
    if out is not None:
        out.write_text(found.text, encoding="utf-8")
    end(as_json, found, found.text if out is None else f"{out}: {len(found.text):,} characters.")


@items.command("import")
def import_items(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, JSON, or what another tool exports.")],
    name: In,
    format: Annotated[ImportFormat, typer.Option(help="Kind of file; auto looks at it.")] = "auto",  # noqa: A002
    on_error: Annotated[
        Literal["refuse", "keep"], typer.Option(help="refuse: one bad row refuses all; keep: the good rows stay.")
    ] = "refuse",
    purpose: Annotated[Literal["train", "holdout"], typer.Option(help="Of the labels in the file.")] = "train",
    home: At = None,
    as_json: Json = False,
) -> None:
    """Import items, with labels where the file has them; bad rows are told with line, field and reason."""
    with project(home, name) as opened, progress(f"Reading {file.name}", quiet=as_json):
        report = opened.import_file(file, format=format, on_error=on_error, purpose=purpose)
    bad = [(row.line, row.field, row.reason) for row in report.bad[:20]]
    lines = [
        f"{report.kept} items kept, {report.known} known before, {report.bad_rows} bad rows; "
        f"{report.labels} labels, {report.answers} answers of others."
    ]
    end(as_json, report, *lines, *([table("Bad rows", ("line", "field", "reason"), bad)] if bad else []))
    if report.bad_rows and not report.complete:
        raise typer.Exit(1)


@items.command("export")
def export_items(
    name: In,
    out: Out,
    format: Annotated[ExportFormat, typer.Option(help="Kind of file.")] = "csv",  # noqa: A002
    home: At = None,
    as_json: Json = False,
) -> None:
    """Write all items with their current labels into a file."""
    with project(home, name) as opened, progress(f"Writing {out.name}", quiet=as_json):
        size = opened.export_file(out, format=format)
    end(as_json, {"file": str(out), "bytes": size}, f"{out}: {size:,} bytes.")


@dataset.command("log")
def log(
    name: In,
    branch: Annotated[str, typer.Option(help="Which branch.")] = "main",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 20,
    home: At = None,
    as_json: Json = False,
) -> None:
    """List the newest versions of a branch, newest first."""
    with project(home, name) as opened:
        found = opened.log(branch, limit=limit)
    rows = [(one.id[:12], f"{one.created_at:%Y-%m-%d %H:%M}", one.actor_name, one.message) for one in found]
    end(as_json, found, table(f"{branch}: {len(found)} version(s)", ("commit", "when", "who", "message"), rows))


@dataset.command("commit")
def commit(
    name: In,
    message: Annotated[str, typer.Option("--message", "-m", help="What and why.")],
    branch: Annotated[str, typer.Option(help="Which branch.")] = "main",
    home: At = None,
    as_json: Json = False,
) -> None:
    """Make a version of what is new since the last one."""
    with project(home, name) as opened:
        made = opened.commit(message, branch=branch)
    said = "Nothing is new since the last version." if made is None else f"Commit {made.id[:12]} on {branch}."
    end(as_json, {"commit": made}, said)


@dataset.command("edit")
def edit(
    branch: Annotated[str, typer.Argument(help="Any branch but main.")],
    edits: Annotated[Path, typer.Argument(help="JSON list of {item, question, value, reason}; - is standard input.")],
    name: In,
    message: Annotated[str, typer.Option("--message", "-m", help="What and why.")],
    home: At = None,
    as_json: Json = False,
) -> None:
    """Change labels on a branch of its own and make a version of that; live labels do not change."""
    from pydantic import TypeAdapter, ValidationError

    from handrail.cycle.datasets.forms import EditIn

    try:
        wanted = TypeAdapter(list[EditIn]).validate_python(json_file(edits))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadFile(f"{edits}: {place}: {first['msg']}.", hint="A list of {item, question, value, reason}.") from None
    with project(home, name) as opened:
        made = opened.edit(branch, message, wanted)
    said = (
        "All of it stood so before." if made is None else f"Commit {made.id[:12]} on {branch}: {made.labels} label(s)."
    )
    end(as_json, {"commit": made}, said)


@dataset.command("merge")
def merge(
    theirs: Version,
    name: In,
    into: Annotated[str, typer.Option(help="The branch that takes it up.")] = "main",
    message: Annotated[str, typer.Option("--message", "-m", help="What and why.")] = "",
    prefer: Annotated[
        Literal["ask", "ours", "theirs"], typer.Option(help="ask: people settle what both sides changed.")
    ] = "ask",
    home: At = None,
    as_json: Json = False,
) -> None:
    """Merge a version into a branch, by item and question; what both sides changed becomes tasks for people."""
    with project(home, name) as opened:
        made = opened.merge(theirs, into=into, message=message, prefer=prefer)
    rows = [(one.external_id, one.question, one.ours, one.theirs) for one in made.conflicts[:100]]
    said = f"Commit {made.commit.id[:12]} on {into}: {made.commit.labels} label(s) taken, {made.total} conflict(s)."
    shown = [table("Conflicts, one task each", ("item", "question", "ours", "theirs"), rows)] if rows else []
    end(as_json, made, said, *shown)


@dataset.command("diff")
def diff(
    b: Version,
    name: In,
    a: Annotated[str | None, typer.Option("--from", help="Older version; nothing: the empty one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows at most.")] = 100,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Show what differs up to a version, row by row, with who changed it and why."""
    with project(home, name) as opened:
        found = opened.diff(a, b, limit=limit)
    rows = [(one.external_id, one.question, one.old, one.new, one.actor, one.reason) for one in found.changes]
    head = ("item", "question", "old", "new", "who", "why")
    end(as_json, found, table(f"{found.total} change(s), {len(rows)} shown", head, rows))


@dataset.command("branch")
def branch(
    name: In,
    make: Annotated[str | None, typer.Argument(help="Name of a branch to make; nothing lists them.")] = None,
    at: Annotated[str, typer.Option(help="Version where it begins.")] = "main",
    home: At = None,
    as_json: Json = False,
) -> None:
    """List the branches, or make one."""
    with project(home, name) as opened:
        found = opened.branches() if make is None else [opened.branch(make, at)]
    end(as_json, found, table("Branches", ("name", "commit"), [(one.name, one.commit_id) for one in found]))


@dataset.command("tag")
def tag(
    name: In,
    make: Annotated[str | None, typer.Argument(help="Name to give; nothing lists the tags.")] = None,
    at: Annotated[str, typer.Option(help="Version that gets the name.")] = "main",
    home: At = None,
    as_json: Json = False,
) -> None:
    """List the tags, or give a version a name that never moves."""
    with project(home, name) as opened:
        found = opened.tags() if make is None else [opened.tag(make, at)]
    end(as_json, found, table("Tags", ("name", "commit"), [(one.name, one.commit_id) for one in found]))


def _write_version(
    version: Version,
    name: In,
    out: Out,
    format: Annotated[Literal["csv", "jsonl", "parquet"], typer.Option(help="Kind of file.")] = "csv",  # noqa: A002
    seed: Annotated[int | None, typer.Option(min=0, help="Adds the column split, drawn by this seed.")] = None,
    shares: Annotated[str, typer.Option(help="Parts and their shares.")] = "train=0.8,validation=0.1,test=0.1",
    by: Annotated[str, typer.Option(help="What no two parts share: subject, group.NAME, fields.")] = "subject",
    home: At = None,
    as_json: Json = False,
) -> None:
    """Write a version into a file: items, fields, labels and their purposes; with a seed, the part of each item."""
    with project(home, name) as opened, progress(f"Writing {out.name}", quiet=as_json):
        size = opened.checkout(out, version, format=format, seed=seed, shares=shares, by=by)
    end(as_json, {"file": str(out), "bytes": size, "version": version}, f"{out}: {size:,} bytes.")


dataset.command("checkout")(_write_version)
dataset.command("export")(_write_version)


@dataset.command("verify")
def verify(name: In, version: Version = "main", home: At = None, as_json: Json = False) -> None:
    """Compute the ids of a version and of all before it again from their files; fails when one is not what it says."""
    with project(home, name) as opened:
        found = opened.verify(version)
    said = f"Commit {found.commit_id[:12]} and all before it are what their ids say."
    end(as_json, found, said if found.verified else f"[bold]{found.file}: {found.reason}[/bold]")
    if not found.verified:
        raise typer.Exit(1)


@dataset.command("compact")
def compact(name: In, version: Version = "main", home: At = None, as_json: Json = False) -> None:
    """Make what lets a version and those before it be read fast; no id changes."""
    with project(home, name) as opened, progress("Compacting", quiet=as_json):
        found = opened.compact(version)
    end(as_json, found, f"{found.made} base(s) made, {found.bases} in all.")


@dataset.command("alike")
def alike(name: In, version: Version = "main", home: At = None, as_json: Json = False) -> None:
    """Show which items of a version are the same or nearly, first those on both sides of a border."""
    with project(home, name) as opened, progress("Comparing", quiet=as_json):
        found = opened.alike(version)
    rows = [(one.kind, ", ".join(one.external_ids[:6]), ", ".join(one.sides)) for one in found.groups[:50]]
    said = f"{found.total} group(s) among {found.items} items; {found.leaks} stand on more than one side."
    end(as_json, found, said, *([table("Alike", ("how", "items", "labels for"), rows)] if rows else []))
