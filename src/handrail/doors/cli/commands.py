"""The commands and what they print."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from handrail import __version__
from handrail.foundation.errors import HandrailError, Invalid

app = typer.Typer(help="Handrail: people and models decide together, provably.", no_args_is_help=True)
journal = typer.Typer(help="The append-only log and its proofs.", no_args_is_help=True)
app.add_typer(journal, name="journal")

_err = Console(stderr=True, highlight=False)

Home = Annotated[Path | None, typer.Option(help="Home folder; HANDRAIL_HOME, or ./handrail-data.")]
Json = Annotated[bool, typer.Option("--json", help="End with one JSON object on the last line.")]


class UnknownDemo(Invalid):
    """There is no demonstration of this name."""

    code = "cli.unknown_demo"


class HomeNotEmpty(Invalid):
    """A demonstration makes a home of its own and does not write into another."""

    code = "cli.home_not_empty"


def main() -> None:
    """Run the command line; exit code 0 only on success, errors as a sentence with a hint."""
    try:
        app(standalone_mode=False)
    except HandrailError as error:
        _err.print(f"[bold]{error.sentence}[/bold]")
        if error.hint:
            _err.print(error.hint)
        _err.print(f"({error.code})", style="dim")
        sys.exit(1)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        # Usage errors of the framework say themselves what is wrong; anything else is a fault and keeps its trace.
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        sys.exit(int(getattr(error, "exit_code", 1)))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@app.command()
def demo(
    name: Annotated[str, typer.Argument(help="Which demonstration: medical.")],
    home: Home = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 7,
    headless: Annotated[bool, typer.Option("--headless", help="Print only the figures at the end.")] = False,
    as_json: Json = False,
) -> None:
    """Play a whole cycle on real data in a new home."""
    if name != "medical":
        raise UnknownDemo(f"There is no demonstration {name!r}.", hint="Try: handrail demo medical")
    place = _new_home(home)

    def say(sentence: str) -> None:
        if not headless:
            _err.print(sentence)

    # By name: a demonstration is written on top of the doors, so the doors cannot import it.
    figures: dict[str, Any] = import_module(f"handrail.usecases.{name}").run(place, seed=seed, say=say)
    if as_json:
        typer.echo(json.dumps(figures, sort_keys=True))
    else:
        _tell(figures)


def _new_home(home: Path | None) -> Path:
    if home is None:
        return Path(tempfile.mkdtemp(prefix="handrail-demo-"))
    if (home / "handrail.db").exists():
        raise HomeNotEmpty(f"{home} has a database already.", hint="Name another folder, or remove this one.")
    return home


def _tell(figures: dict[str, Any]) -> None:
    decisions, error, certificate = figures["decisions"], figures["auto_error"], figures["certificate"]
    typer.echo(
        f"{decisions['auto']} of {decisions['auto'] + decisions['human']} cases were answered without a person, "
        f"{round((error['true'] or 0) * decisions['auto'])} of them wrong; certified: at most "
        f"{certificate['alpha']:.0%} wrong, {1 - certificate['delta']:.0%} sure."
    )
    typer.echo(
        f"{figures['promotions']} promotions, {len(figures['commits'])} commits, {figures['alerts']} alarm(s), "
        f"{figures['campaigns']} campaign(s); journal of {figures['journal']['entries']} entries "
        f"{'verified' if figures['journal']['verified'] else 'NOT verified'}."
    )
    waiting = sum(figures["open_tasks"].values())
    typer.echo(f"{waiting} tasks wait for a person in {figures['home']}.")
    typer.echo("Simulated: " + ", ".join(figures["simulated"]) + ".")


@app.command()
def serve(
    home: Home = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Serve a home: the pages, the API and the jobs."""
    from handrail.doors.server import serve as serve_home
    from handrail.foundation.settings import load

    serve_home(load(home=home, port=port), _err.print)


@app.command()
def run(home: Home = None) -> None:
    """Play the default demonstration when the home is new, then serve it."""
    from handrail.doors.server import serve as serve_home
    from handrail.foundation.settings import load

    settings = load(home=home)
    if not (settings.home / "handrail.db").exists():
        _tell(import_module("handrail.usecases.medical").run(settings.home, seed=7, say=_err.print))
    serve_home(settings, _err.print)


@journal.command("verify")
def journal_verify(home: Home = None, as_json: Json = False) -> None:
    """Check every entry, payload, subtree and signed checkpoint; fails when anything was changed, and names it."""
    from handrail.doors.sdk import verify_home

    found = verify_home(home)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "ok": found.ok,
                    "entries": found.entries,
                    "root": found.root,
                    "checkpoints": found.checkpoints,
                    "problem": found.problem,
                    "entry": found.entry_id,
                    "index": found.index,
                },
                sort_keys=True,
            )
        )
    elif found.ok:
        typer.echo(f"{found.entries} entries verified, {found.checkpoints} signed checkpoint(s), root {found.root}.")
    else:
        place = f"Entry {found.index}" + (f" ({found.entry_id})" if found.entry_id else "")
        _err.print(f"[bold]{place}: {found.problem}.[/bold]")
    if not found.ok:
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Say whether this machine can run Handrail."""
    free = shutil.disk_usage(Path.cwd()).free >> 30
    typer.echo(f"Handrail {__version__}, Python {sys.version.split()[0]}, {free} GiB free here.")
