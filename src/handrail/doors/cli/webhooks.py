"""Commands about web hooks."""

from __future__ import annotations

from typing import Annotated

import typer

from handrail.doors.cli.terminal import At, In, Json, end, project, table

webhooks = typer.Typer(help="Web hooks: other systems that are told about decisions.", no_args_is_help=True)
_Id = Annotated[str, typer.Argument(help="Id of the web hook.")]


@webhooks.command("add")
def add(
    url: Annotated[str, typer.Argument(help="https address that the settings let the server call.")],
    name: In,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Tell another system about decisions from now on; prints the secret that signs, this once."""
    with project(home, name) as opened:
        made = opened.add_webhook(url)
    end(as_json, made, f"Web hook {made.id}. Its secret, shown this once: {made.secret}")


@webhooks.command("list")
def list_webhooks(name: In, home: At = None, as_json: Json = False) -> None:
    """List the web hooks and how they go."""
    with project(home, name) as opened:
        found = opened.webhooks()
    rows = [(one.id, one.url, one.status, one.tries, one.last_error) for one in found]
    end(as_json, found, table(f"{len(found)} web hook(s)", ("id", "address", "status", "failures", "what"), rows))


@webhooks.command("enable")
def enable(webhook_id: _Id, name: In, home: At = None, as_json: Json = False) -> None:
    """Let a web hook that was disabled go on where it stopped."""
    with project(home, name) as opened:
        made = opened.enable_webhook(webhook_id)
    end(as_json, made, f"Web hook {made.id} is {made.status}.")


@webhooks.command("remove")
def remove(webhook_id: _Id, name: In, home: At = None, as_json: Json = False) -> None:
    """Remove a web hook."""
    with project(home, name) as opened:
        opened.remove_webhook(webhook_id)
    end(as_json, {"removed": webhook_id}, "Removed.")
