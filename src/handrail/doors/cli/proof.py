"""Commands that prove: the journal and the evidence pack."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from handrail.doors.cli.terminal import At, In, Json, client, end, err, progress, project

journal = typer.Typer(help="The append-only log and its proofs.", no_args_is_help=True)
evidence = typer.Typer(help="Evidence for an outsider.", no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", "-o", help="File to write.")]


@journal.command("verify")
def verify(home: At = None, as_json: Json = False) -> None:
    """Check every entry, payload, subtree and signed checkpoint; fails when anything was changed, and names it."""
    with progress("Checking the journal", quiet=as_json):
        found = _verified(home)
    if found["ok"]:
        said = (
            f"{found['entries']} entries verified, {found['checkpoints']} signed checkpoint(s), root {found['root']}."
        )
        end(as_json, found, said)
        return
    end(as_json, found)
    if not as_json:
        named = f" ({found['entry_id']})" if found["entry_id"] else ""
        place = "The journal" if found["index"] is None else f"Entry {found['index']}{named}"
        err.print(f"[bold]{place}: {found['problem']}.[/bold]")
    raise typer.Exit(1)


def _verified(at: str | None) -> dict[str, Any]:
    """Ask the server when there is one; a home that nobody has open is read without starting anything."""
    from handrail.doors.offline import verify_home
    from handrail.foundation.home import running_server
    from handrail.foundation.settings import load

    remote = at is not None and at.startswith(("http://", "https://"))
    if remote or running_server(load(home=None if at is None or remote else Path(at)).home) is not None:
        with client(at) as opened:
            told: dict[str, Any] = opened.verify_journal().model_dump(mode="json")
            return told
    found = verify_home(None if at is None else Path(at))
    return {
        "ok": found.ok,
        "entries": found.entries,
        "root": found.root,
        "checkpoints": found.checkpoints,
        "problem": found.problem,
        "entry_id": found.entry_id,
        "index": found.index,
    }


@journal.command("checkpoint")
def checkpoint(home: At = None, as_json: Json = False) -> None:
    """Sign the tree as it is and print the note; kept elsewhere, it shows any later change of what came before."""
    with client(home) as opened:
        made = opened.checkpoint()
    end(as_json, made, made.note.rstrip("\n"))


@journal.command("prove")
def prove(
    entry_id: Annotated[str, typer.Argument(help="Id of the entry.")], home: At = None, as_json: Json = False
) -> None:
    """Print an entry with the proof that the signed tree holds it."""
    with client(home) as opened:
        found = opened.prove(entry_id)
    end(as_json, found, found.model_dump_json(indent=2))


@journal.command("export")
def export(out: Out, home: At = None, as_json: Json = False) -> None:
    """Write every entry as a line of JSON."""
    with client(home) as opened, progress(f"Writing {out.name}", quiet=as_json):
        size = opened.export_journal(out)
    end(as_json, {"file": str(out), "bytes": size}, f"{out}: {size:,} bytes.")


@evidence.command("pack")
def pack(name: In, out: Out, home: At = None, as_json: Json = False) -> None:
    """Write a project's evidence pack; `handrail evidence verify` checks it anywhere, without the home."""
    with project(home, name) as opened, progress(f"Writing {out.name}", quiet=as_json):
        size = opened.evidence(out)
    end(as_json, {"file": str(out), "bytes": size}, f"{out}: {size:,} bytes.")


@evidence.command("verify")
def verify_evidence(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The pack.")],
    key: Annotated[
        str | None, typer.Option(help="Verifier key that the owner gave you; the pack's own if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a pack offline: digests, entries, proofs and the signature; fails when anything was changed."""
    from handrail.cycle.govern.pack import verify_pack

    found = verify_pack(file, key)
    whose = "the key you gave" if key else f"the key in the pack, {found.verifier}: compare it with the owner's"
    said = (
        f"{found.entries} entries, {found.decisions} decisions verified in a tree of {found.size}, signed by {whose}."
    )
    end(as_json, asdict(found), said if found.ok else f"[bold]{found.file}: {found.problem}[/bold]")
    if not found.ok:
        raise typer.Exit(1)
