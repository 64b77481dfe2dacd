"""Policy documents on a terminal: how they are read from a file, and how a trial of one reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from handrail.doors.cli.terminal import BadFile, json_file, table

if TYPE_CHECKING:
    from handrail.cycle.review.forms import A2IOut, FlowOut, ReplayedOut, TrialOut

_MOST = 1 << 20


def policy_file(place: Path) -> Any:
    """Return the document of a file: YAML when its name ends in .yaml or .yml, else JSON; raises BadFile."""
    if place.suffix.lower() not in (".yaml", ".yml"):
        return json_file(place)
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadFile(f"{place} cannot be read: {error}.", hint="Name a file with one policy.") from None
    return read_yaml(text, str(place))


def read_yaml(text: str, name: str) -> Any:
    """Return the values of a YAML document that could be JSON as well; raises BadFile.

    Anchors are refused (a small text may stand for a huge document), and so is a name that comes twice in a mapping:
    of two `alpha` only one would count, and nobody would see which.
    """
    import yaml

    if len(text) > _MOST:
        raise BadFile(f"{name} is longer than {_MOST} characters.", hint="A policy is a page or two.")
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
                raise BadFile(
                    f"{name}, line {token.start_mark.line + 1}: anchors, aliases and tags are not read.",
                    hint="Write the value out where it belongs.",
                )
        _refuse_twice(yaml.compose(text, Loader=yaml.SafeLoader), name)
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = str(error).replace("\n", " ") or type(error).__name__
        raise BadFile(f"{name} cannot be read as YAML: {said[:300]}.", hint="Name a file with one policy.") from None


def _refuse_twice(node: Any, name: str) -> None:
    """Refuse a mapping in which a name comes twice."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _refuse_twice(one, name)
    if isinstance(node, yaml.MappingNode):
        seen: set[Any] = set()
        for key, value in node.value:
            if key.value in seen if isinstance(key.value, str) else True:
                raise BadFile(
                    f"{name}, line {key.start_mark.line + 1}: a name that comes twice, or is no text.",
                    hint="Keep one of them.",
                )
            seen.add(key.value)
            _refuse_twice(value, name)


def pairs(given: Sequence[str] | None) -> dict[str, str]:
    """Return "name=value" texts as a mapping, split at the last equals sign; raises BadFile."""
    made = {}
    for one in given or ():
        name, sign, value = one.rpartition("=")
        if not sign or not name or not value:
            raise BadFile(f"{one!r} is not of the form key=field.", hint='Write it like "Mail address=mail".')
        made[name] = value
    return made


def imported_lines(found: A2IOut, document: str) -> list[str]:
    """Return what a person reads of an import: the document, then what did not come along."""
    lines = [escape(document)]
    for one in found.unsupported:
        lines.append(f"[bold]Not supported:[/bold] {escape(one.path)}: {escape(one.why)}; {escape(one.effect)}.")
    rules = len(found.policy["rules"])
    lines.append(f"{rules} rule(s), audit rate {found.policy['audit_rate']:g}; {len(found.unsupported)} not supported.")
    return lines


def trial_lines(found: TrialOut) -> list[str | Table]:
    """Return what a person reads: totals beside the policy in force, each day, what is looser, what is unknown."""
    more = ", and older ones that were not read" if found.more else ""
    beside = [] if found.in_force is None else [("in force", *_figures(found.in_force))]
    head = ("", "automatic", "people", "blocked", "audits", "share", "tasks/day", "error", "wrong")
    title = f"{found.decisions} recorded decision(s){more}"
    lines: list[str | Table] = [table(title, head, [("this policy", *_figures(found.policy)), *beside])]
    lines += _mean_losses(found)
    days = [(day, *_flow(one)) for day, one in found.policy.days.items()]
    lines.append(table("By day", ("day", "automatic", "people", "blocked", "audits", "share"), days))
    if found.policy.total.rules:
        lines.append(table("Rules", ("rule", "caught"), [(escape(k), n) for k, n in found.policy.total.rules.items()]))
    lines += [_cost(found)]
    lines += [f"[bold]Looser:[/bold] {escape(one)}" for one in found.looser]
    lines += [f"Tighter: {escape(one)}" for one in found.tighter]
    lines += [f"Unknown: {escape(one)}" for one in found.unknown]
    return lines


def _mean_losses(found: TrialOut) -> list[str | Table]:
    both = (("this policy", found.policy), ("in force", found.in_force))
    known = [(name, one.errors.mean_loss) for name, one in both if one is not None]
    return [
        f"Mean loss, {name}: {lost.value:.4f} ({lost.low:.4f} to {lost.high:.4f})"
        for name, lost in known
        if lost is not None
    ]


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
