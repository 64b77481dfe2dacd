"""Commands about the system: demonstrations, the server, workers, this machine, tokens, moving the database."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Annotated, Any

import typer

from handrail import __version__
from handrail.doors.cli.archives import kept_archives, unpacked
from handrail.doors.cli.terminal import At, Home, Json, client, end, err, out, progress
from handrail.foundation.errors import HandrailError, Invalid

store = typer.Typer(help="The database of a home.", no_args_is_help=True)
token = typer.Typer(help="Tokens for machines.", no_args_is_help=True)

DEMOS = ("medical", "moderation")
_DEFAULT_SEED = 7
_LEAST_GIB = 2


class UnknownDemo(Invalid):
    """There is no demonstration of this name."""

    code = "cli.unknown_demo"


class HomeNotEmpty(Invalid):
    """A demonstration makes a home of its own and does not write into another."""

    code = "cli.home_not_empty"


def version(as_json: Json = False) -> None:
    """Print the version."""
    end(as_json, {"version": __version__}, __version__)


def demo(
    name: Annotated[str, typer.Argument(help=f"Which demonstration: {', '.join(DEMOS)}.")],
    home: Home = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = _DEFAULT_SEED,
    headless: Annotated[bool, typer.Option("--headless", help="Print only the figures at the end.")] = False,
    archives: Annotated[Path | None, typer.Option(help="Folder of fetched archives; one in your home if none.")] = None,
    as_json: Json = False,
) -> None:
    """Play a whole cycle on real data in a new home; medical needs no download."""
    if name not in DEMOS:
        raise UnknownDemo(f"There is no demonstration {name!r}.", hint="Try: handrail demo medical")
    # By name: a demonstration is written on top of the doors, so the doors cannot import it.
    story = import_module(f"handrail.usecases.{name}")
    say = (lambda _: None) if headless else err.print
    wanted = getattr(story, "ARCHIVE", None)
    figures: dict[str, Any]
    if wanted is None:
        figures = story.run(_new_home(home), seed=seed, say=say)
    else:
        with unpacked(wanted, archives or kept_archives(), quiet=headless) as folder:
            figures = story.run(_new_home(home), folder, seed=seed, say=say)
    end(as_json, figures, *_told(figures))


def _new_home(home: Path | None) -> Path:
    if home is None:
        return Path(tempfile.mkdtemp(prefix="handrail-demo-"))
    if (home / "handrail.db").exists():
        raise HomeNotEmpty(f"{home} has a database already.", hint="Name another folder, or remove this one.")
    return home


def _told(figures: dict[str, Any]) -> list[str]:
    decisions, error, certificate = figures["decisions"], figures["auto_error"], figures["certificate"]
    promise = (
        f"nothing may run without a person: no certificate of {certificate['alpha']:.0%}."
        if certificate["threshold"] is None
        else f"certified: at most {certificate['alpha']:.0%} wrong, {1 - certificate['delta']:.0%} sure."
    )
    return [
        f"{decisions['auto']} of {decisions['auto'] + decisions['human']} cases were answered without a person, "
        f"{round((error['true'] or 0) * decisions['auto'])} of them wrong; {promise}",
        f"{figures['promotions']} promotions, {len(figures['commits'])} commits, {figures['alerts']} alarm(s), "
        f"{figures['campaigns']} campaign(s); journal of {figures['journal']['entries']} entries "
        f"{'verified' if figures['journal']['verified'] else 'NOT verified'}.",
        f"{sum(figures['open_tasks'].values())} tasks wait for a person in {figures['home']}.",
        "Simulated: " + ", ".join(figures["simulated"]) + ".",
    ]


def serve(
    home: Home = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    as_json: Json = False,
) -> None:
    """Serve a home: the pages, the API and the jobs."""
    from handrail.doors.server import serve as serve_home
    from handrail.foundation.settings import load

    serve_home(load(home=home, port=port), err.print)
    end(as_json, {"served": True})


def run(home: Home = None, as_json: Json = False) -> None:
    """Play the default demonstration when the home is new, then serve it."""
    from handrail.doors.server import serve as serve_home
    from handrail.foundation.settings import load

    settings = load(home=home)
    if not (settings.home / "handrail.db").exists():
        medical = import_module("handrail.usecases.medical")
        for line in _told(medical.run(settings.home, seed=_DEFAULT_SEED, say=err.print)):
            out.print(line)
    serve_home(settings, err.print)
    end(as_json, {"served": True})


def worker(home: Home = None, as_json: Json = False) -> None:
    """Run jobs beside the servers of a PostgreSQL database, until told to stop."""
    from handrail.doors.worker import work
    from handrail.foundation.settings import load

    work(load(home=home), err.print)
    end(as_json, {"worked": True})


def doctor(home: Home = None, as_json: Json = False) -> None:
    """Say whether this machine can run Handrail, and what is missing; fails when something is."""
    found = [(name, told, good) for name, told, good in _checks(home)]
    rows = [f"{'ok  ' if good else '[bold]FAIL[/bold]'}  {name}: {told}" for name, told, good in found]
    checks = [{"name": name, "told": told, "ok": good} for name, told, good in found]
    well = all(good for _, _, good in found)
    end(as_json, {"ok": well, "checks": checks}, *rows)
    if not well:
        raise typer.Exit(1)


def _checks(home: Path | None) -> list[tuple[str, str, bool]]:
    from handrail.foundation.home import running_server
    from handrail.foundation.settings import load, masked
    from handrail.foundation.storage import sqlite_version

    found = [
        ("version", f"Handrail {__version__}, Python {platform.python_version()}", sys.version_info >= (3, 11)),
        ("SQLite", *sqlite_version()),
        ("web UI", *_ui()),
    ]
    try:
        settings = load(home=home)
    except HandrailError as error:
        return [*found, ("settings", error.sentence, False)]
    free = shutil.disk_usage(next(one for one in (settings.home, *settings.home.parents) if one.exists())).free >> 30
    server = running_server(settings.home)
    return [
        *found,
        ("settings", "nothing is wrong or dangerous", True),
        ("home", f"{settings.home}, {free} GiB free", free >= _LEAST_GIB),
        ("database", masked(settings.database), True),
        ("server", "none runs for this home" if server is None else f"{server.url} (process {server.pid})", True),
        ("heavy steps", f"{settings.compute}, {settings.compute_workers} at a time", True),
        ("packages", _packages(), True),
    ]


def _ui() -> tuple[str, bool]:
    import handrail

    page = Path(handrail.__file__).parent / "ui_dist" / "index.html"
    return ("built", True) if page.exists() else ("not built; the API works, `make install` builds the pages", False)


def _packages() -> str:
    told = []
    for name in ("numpy", "scikit-learn", "sqlalchemy", "fastapi", "dbos", "psycopg", "torch", "trl", "ray"):
        try:
            told.append(f"{name} {installed(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(told)


@token.command("make")
def make_token(
    name: Annotated[str, typer.Argument(help="What uses it.")],
    role: Annotated[str, typer.Option(help="What it may do.")] = "machine",
    projects: Annotated[
        list[str] | None, typer.Option("--project", "-p", help="Only in this project; repeatable.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Valid so long; until revoked if not given.")
    ] = None,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Make a token for a machine and print its secret, this once."""
    with client(home) as opened:
        made = opened.make_token(name, role, projects=projects or None, days=days)
    end(as_json, made, made.secret)


@store.command("move")
def move(
    to: Annotated[str, typer.Option(help="postgresql://… or sqlite:///…, an empty database.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Copy a home's database into an empty one of another kind; the home must not be served meanwhile."""
    from handrail.doors.moving import move_home
    from handrail.foundation.settings import load

    with progress("Copying", quiet=as_json):
        moved = move_home(load(home=home), to, err.print)
    end(as_json, {"tables": moved, "rows": sum(moved.values())}, f"{sum(moved.values()):,} rows are copied.")
