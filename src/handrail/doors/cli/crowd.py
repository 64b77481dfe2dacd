"""Commands about several people's answers: how many are asked, and how far they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handrail.doors.cli.terminal import At, In, Json, end, project, table

if TYPE_CHECKING:
    from handrail.cycle.annotate.crowd_forms import AgreementOut, ReliabilityOut

crowd = typer.Typer(help="Several people's answers to one question.", no_args_is_help=True)
Asked = Annotated[str, typer.Argument(help="The question.")]


@crowd.command("overlap")
def overlap(
    question: Asked,
    name: In,
    error: Annotated[float | None, typer.Option(help="Stop when the chance of being wrong is at most this.")] = None,
    least: Annotated[int, typer.Option(min=1, max=9, help="Answers that are always asked for.")] = 2,
    most: Annotated[int, typer.Option(min=1, max=9, help="Answers after which a lead is asked.")] = 5,
    off: Annotated[bool, typer.Option("--off", help="Let one answer be enough again.")] = False,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Show how many people are asked about an item, or with --error set it."""
    from handrail.cycle.annotate.crowd_forms import OverlapForm, OverlapOut

    with project(home, name) as opened:
        if off:
            opened.drop_overlap(question)
        elif error is not None:
            opened.set_overlap(question, OverlapForm(error=error, least=least, most=most))
        found = opened.overlap(question)
    said = (
        "One answer is enough."
        if found is None
        else f"{found.least} to {found.most} people are asked, until at most {found.error:.1%} of doubt is left."
    )
    end(as_json, OverlapOut(question=question, rule=found), said)


@crowd.command("agreement")
def agreement(question: Asked, name: In, home: At = None, as_json: Json = False) -> None:
    """Show how far people agree, and how reliable each is, or why nobody is compared."""
    with project(home, name) as opened:
        found = opened.agreement(question)
    rows = [(one.name, one.answers, _share(one), one.tier or "", one.why) for one in found.people]
    drift = {
        "nobody": "Nobody became worse.",
        "task": "Many people's answers change together: look at the task, not at them.",
        "people": f"A blind audit is due for {', '.join(found.drifting)}.",
    }
    refused = [] if found.refusal is None else [f"{found.refusal.sentence} {found.refusal.remedy}"]
    end(
        as_json,
        found,
        f"{found.answers} answers to {found.items} items; alpha {_alpha(found.agreement)}.",
        *refused,
        drift[found.drift],
        table("Agreement with peers", ("person", "answers", "agreement, 90 % interval", "panel", "why not"), rows),
    )


def _alpha(one: AgreementOut | None) -> str:
    if one is None or one.value is None:
        return "not defined"
    return f"{one.value:.2f}" if one.low is None else f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"


def _share(one: ReliabilityOut) -> str:
    return "" if one.agreement is None else f"{one.agreement:.0%} [{one.low:.0%}, {one.high:.0%}]"
