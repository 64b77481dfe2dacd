"""The command line put together: every command and group by its name."""

from __future__ import annotations

import sys

import typer

from handrail.doors.cli import crowd, data, lineage, models, oversight, proof, queue, review, system, webhooks, working
from handrail.doors.cli.terminal import complain
from handrail.foundation.errors import HandrailError

app = typer.Typer(
    help="Handrail: people and models decide together, provably.", no_args_is_help=True, pretty_exceptions_enable=False
)
for _command in (system.demo, system.run, system.serve, system.worker, system.doctor, system.version):
    app.command()(_command)
for _name, _group in (
    ("projects", data.projects),
    ("items", data.items),
    ("dataset", data.dataset),
    ("tasks", review.tasks),
    ("queue", queue.queue),
    ("crowd", crowd.crowd),
    ("answers", working.answers),
    ("comments", working.comments),
    ("decisions", review.decisions),
    ("webhooks", webhooks.webhooks),
    ("policy", review.policy),
    ("certificate", review.certificate),
    ("monitor", review.monitor),
    ("oversight", oversight.oversight),
    ("journal", proof.journal),
    ("evidence", proof.evidence),
    ("store", system.store),
    ("token", system.token),
):
    app.add_typer(_group, name=_name)
lineage.add_to(data.dataset)
models.add_to(app)
app.command()(review.stop)
app.command()(review.restart)


def main() -> None:
    """Run the command line; exit code 0 only on success, errors as a sentence with a hint."""
    try:
        ended = app(standalone_mode=False)
    except HandrailError as error:
        complain(error)
        sys.exit(1)
    except typer.Exit as stopped:
        sys.exit(stopped.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        # Usage errors of the framework say themselves what is wrong; anything else is a fault and keeps its trace.
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        sys.exit(int(getattr(error, "exit_code", 1)))
    # Outside of its own mode the framework returns an exit code instead of raising it.
    sys.exit(ended if isinstance(ended, int) else 0)
