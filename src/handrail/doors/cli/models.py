"""Commands about models: train, evaluate, promote, sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handrail.doors.cli.terminal import As, At, In, Json, Simulated, end, person, progress, project, table
from handrail.foundation.errors import NotFound

if TYPE_CHECKING:
    from handrail.cycle.train.routes import RunOut
    from handrail.doors.sdk import Project

Model = Annotated[str, typer.Argument(help="Id or name of the model version.")]


class NoSuchModel(NotFound):
    """The project has no model version of this name or id."""

    code = "cli.no_such_model"


class NothingToSign(NotFound):
    """No promotion waits for a signature."""

    code = "cli.nothing_to_sign"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (models, train, evaluate, promote, sign):
        app.command()(command)


def models(name: In, home: At = None, as_json: Json = False) -> None:
    """List the model versions, oldest first."""
    with project(home, name) as opened:
        found = opened.models()
    rows = [(one.name, one.state, one.kind, one.commit_id[:12], one.digest[:12], one.id) for one in found]
    end(as_json, found, table(f"{len(found)} model(s)", ("name", "state", "kind", "commit", "digest", "id"), rows))


def train(
    name: In,
    question: Annotated[str, typer.Option(help="Which question the model answers.")],
    seed: Annotated[int, typer.Option(min=0, help="The same commit and seed give the same model.")] = 0,
    note: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    home: At = None,
    as_json: Json = False,
) -> None:
    """Commit what waits, fit a model, evaluate it, compare it with the champion and propose it to a person."""
    with project(home, name) as opened:
        run = opened.train(question, seed=seed, note=note)
        ended = _follow(opened, run.id, quiet=as_json)
    if ended.state != "done":
        end(as_json, ended, f"[bold]The run {ended.state}: {ended.error}[/bold]")
        raise typer.Exit(1)
    end(as_json, ended, f"The model waits for a signature: handrail sign --project {name}")


def _follow(opened: Project, run_id: str, *, quiet: bool) -> RunOut:
    with progress("waiting to begin", quiet=quiet) as bar:
        task = bar.task_ids[0]
        while True:
            found = opened.run(run_id)
            bar.update(task, total=1.0, completed=found.progress, description=found.step or found.state)
            if found.state not in ("queued", "running"):
                return found
            opened._wire.sleep(0.2)


def evaluate(model: Model, name: In, home: At = None, as_json: Json = False) -> None:
    """Measure a model on every held-out label."""
    with project(home, name) as opened:
        found = opened.evaluate(_id_of(opened, model))
    share = found.figures["accuracy"]
    said = f"Right on {share['value']:.1%} [{share['low']:.1%}, {share['high']:.1%}] of {found.rows} held-out items."
    end(as_json, found, said)


def promote(model: Model, name: In, home: At = None, as_json: Json = False) -> None:
    """Compare a candidate with the champion and put it before a person; the signature promotes it."""
    with project(home, name) as opened:
        made = opened.propose(_id_of(opened, model))
    end(as_json, made, str(made.document["summary"]), f"The proposal is {made.state}; sign it: handrail sign -p {name}")


def sign(
    name: In,
    email: As = None,
    simulated: Simulated = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse the promotion instead.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    home: At = None,
    as_json: Json = False,
) -> None:
    """Sign (or refuse) the promotion that waits, as a person; a token never counts as one."""
    with person(home, email, simulated) as signer:
        signing = signer.project(name)
        tasks = signing.claim(1, about="models")
        if not tasks:
            raise NothingToSign("No promotion waits for a signature.", hint=f"handrail train --project {name} first.")
        task = tasks[0]
        signing.answer(task.id, None, "refuse" if refuse else "sign", reason)
        signing.settle()
        champions = [one.name for one in signing.models() if one.state == "champion"]
    said = "Refused." if refuse else f"Signed: {task.payload.get('summary', '')}"
    end(as_json, {"task": task.id, "signed": not refuse, "champions": champions}, said)


def _id_of(opened: Project, model: str) -> str:
    for one in opened.models():
        if model in (one.id, one.name):
            return one.id
    raise NoSuchModel(f"There is no model {model}.", hint="handrail models lists them.")
