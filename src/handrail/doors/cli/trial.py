"""How a trial of a policy reads on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from handrail.doors.cli.terminal import table

if TYPE_CHECKING:
    from handrail.cycle.review.forms import FlowOut, ReplayedOut, TrialOut


def trial_lines(found: TrialOut) -> list[str | Table]:
    """Return what a person reads: totals beside the policy in force, each day, what is looser, what is unknown."""
    more = ", and older ones that were not read" if found.more else ""
    beside = [] if found.in_force is None else [("in force", *_figures(found.in_force))]
    head = ("", "automatic", "people", "blocked", "audits", "share", "tasks/day", "error", "wrong")
    title = f"{found.decisions} recorded decision(s){more}"
    lines: list[str | Table] = [table(title, head, [("this policy", *_figures(found.policy)), *beside])]
    days = [(day, *_flow(one)) for day, one in found.policy.days.items()]
    lines.append(table("By day", ("day", "automatic", "people", "blocked", "audits", "share"), days))
    if found.policy.total.rules:
        lines.append(table("Rules", ("rule", "caught"), [(escape(k), n) for k, n in found.policy.total.rules.items()]))
    lines += [_cost(found)]
    lines += [f"[bold]Looser:[/bold] {escape(one)}" for one in found.looser]
    lines += [f"Tighter: {escape(one)}" for one in found.tighter]
    lines += [f"Unknown: {escape(one)}" for one in found.unknown]
    return lines


def _flow(one: FlowOut) -> tuple[object, ...]:
    share = None if one.automation is None else f"{one.automation:.1%}"
    return one.automatic, one.people, one.blocked, f"{one.audits:.1f}", share


def _figures(one: ReplayedOut) -> tuple[object, ...]:
    per_day = None if one.tasks_per_day is None else f"{one.tasks_per_day:.1f}"
    share, expected = one.errors.share, one.errors.expected
    if share is None or expected is None:
        return (*_flow(one.total), per_day, "unknown", None)
    error = f"{share.value:.2%} ({share.low:.2%} to {share.high:.2%}, n = {one.errors.n})"
    return (*_flow(one.total), per_day, error, f"{expected.value:.1f} ({expected.low:.1f} to {expected.high:.1f})")


def _cost(found: TrialOut) -> str:
    cost = found.policy.cost
    said = f"People look {cost.looks:.1f} times"
    if cost.seconds is not None and found.look_seconds is not None:
        said += (
            f", {cost.seconds / 3600:.1f} hours at {found.look_seconds:.0f} s a look "
            f"(mean of {found.looks_timed} timed answers)"
        )
    if cost.look_cost is not None:
        said += f"; looks cost {cost.look_cost:.2f}"
    if cost.error_cost is not None:
        said += f"; errors cost {cost.error_cost.value:.2f} ({cost.error_cost.low:.2f} to {cost.error_cost.high:.2f})"
    return said + "."
