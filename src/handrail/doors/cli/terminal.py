"""What every command shares: its options, how it reaches Handrail, and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from handrail.foundation.errors import HandrailError, Invalid

if TYPE_CHECKING:
    from handrail.cycle.datasets import Schema
    from handrail.doors.sdk import Client, Project

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Home = Annotated[Path | None, typer.Option(help="Home folder; HANDRAIL_HOME, or ./handrail-data.")]
At = Annotated[
    str | None,
    typer.Option("--home", "--url", help="Home folder, or address of a server; HANDRAIL_URL, else HANDRAIL_HOME."),
]
In = Annotated[str, typer.Option("--project", "-p", help="Name or id of the project.")]
Json = Annotated[bool, typer.Option("--json", help="End with one JSON object on the last line.")]


As = Annotated[str | None, typer.Option("--as", help="E-mail of the person who acts; asks the password.")]
Simulated = Annotated[
    str | None, typer.Option(help="Name of a simulated person who acts, in demonstration homes only.")
]


class WhoActs(Invalid):
    """What was asked for needs a person."""

    code = "cli.who_acts"


class BadFile(Invalid):
    """A file that was named on the command line cannot be read as what it should be."""

    code = "cli.bad_file"


@contextmanager
def client(at: str | None) -> Iterator[Client]:
    """Open a client: the server of the home when one runs, the home itself otherwise, or a server by its address."""
    from handrail.doors.sdk import connect

    with connect(at) as opened:
        yield opened


@contextmanager
def project(at: str | None, name: str) -> Iterator[Project]:
    """Open the calls of one project."""
    with client(at) as opened:
        yield opened.project(name)


@contextmanager
def person(at: str | None, email: str | None, simulated: str | None) -> Iterator[Client]:
    """Open a client that acts as a person: one who signs in, or a simulated one. Raises WhoActs, Unauthenticated."""
    if email is None and simulated is None:
        raise WhoActs("Only a person may do this; a token never counts as one.", hint="Say who: --as you@example.org")
    with client(at) as opened:
        if simulated is not None:
            yield opened.as_simulated(simulated, role="lead")
            return
        asked = sys.stdin.isatty()
        password = typer.prompt("Password", hide_input=True, err=True) if asked else sys.stdin.readline()
        yield opened.sign_in(str(email), password.rstrip("\n"))


def end(as_json: bool, value: Any, *lines: str | Table) -> None:
    """Print what came out: the lines for a person, or with --json one object on the last line."""
    if as_json:
        typer.echo(json.dumps(_plain(value), ensure_ascii=False, sort_keys=True))
        return
    for line in lines:
        out.print(line)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {"items": [_plain(one) for one in value]}
    if isinstance(value, Mapping):
        return {
            str(name): one.model_dump(mode="json") if isinstance(one, BaseModel) else one for name, one in value.items()
        }
    return value


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Return a table of text; what is None is shown as a dash."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for head in heads:
        made.add_column(head, overflow="fold")
    for row in rows:
        made.add_row(*("–" if cell is None else str(cell) for cell in row))
    return made


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[Progress]:
    """Show a bar on standard error, when a person looks at it."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as bar:
        bar.add_task(title, total=None)
        yield bar


def json_file(place: Path) -> Any:
    """Return what a JSON file holds, or standard input for "-"; raises BadFile."""
    try:
        text = sys.stdin.read() if str(place) == "-" else place.read_text(encoding="utf-8")
        return json.loads(text)
    except (OSError, ValueError) as error:
        raise BadFile(f"{place} cannot be read as JSON: {error}.", hint="Name a file with one JSON object.") from None


def label_config(place: Path, leave_out: bool) -> tuple[str, Schema]:
    """Return the text of a Label Studio configuration and the schema that it says; raises BadFile for unknown tags."""
    from handrail.cycle.datasets.foreign import schema_of
    from handrail.cycle.datasets.formats.label_studio.config import read_config

    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadFile(f"{place} cannot be read: {error}.", hint="Name a file with a configuration in XML.") from None
    config = read_config(text)
    if config.unsupported and not leave_out:
        listed = "; ".join(f"line {one.line}: {one.field} {one.reason}" for one in config.unsupported[:8])
        raise BadFile(
            f"{place.name} holds {len(config.unsupported)} tag(s) that are not supported. {listed}.",
            hint="Change them, or leave them out with --leave-out: what they marked stays in the tasks as it came.",
        )
    return text, schema_of(config)


def complain(error: HandrailError) -> None:
    """Print an error: what happened, what to do next, its code; and the rows when an import names them."""
    err.print(f"[bold]{_escaped(error.sentence)}[/bold]")
    for row in list(error.facts.get("bad", ()))[:20]:
        err.print(f"  line {row['line']}: {_escaped(str(row['field'] or 'row'))}: {_escaped(str(row['reason']))}")
    if error.hint:
        err.print(_escaped(error.hint))
    err.print(f"({error.code})", style="dim")


def _escaped(text: str) -> str:
    """Keep what data says from being read as markup."""
    from rich.markup import escape

    return escape(text)
