"""Certificates on a terminal: what one says of each of its groups, and what all of them spent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from handrail.doors.cli.terminal import table

if TYPE_CHECKING:
    from handrail.cycle.review.routes import CertificateOut, GroupOut, SpendingOut

_STATES = {
    "planned": "collects labels",
    "auto": "automatic",
    "warned": "automatic, warned",
    "braked": "braked, people decide",
    "human": "people decide",
    "ended": "ended",
}
_HEAD = ("group", "state", "why", "alpha", "threshold", "automates", "labels", "needed", "spent", "audits")


def group_tables(found: Sequence[CertificateOut]) -> Iterator[Table]:
    """Return a table for each of these certificates that names groups and has not ended; empty columns are left out."""
    for one in found:
        if one.groups is not None and one.status != "ended":
            rows = [_row(each) for each in one.groups]
            told = [any(row[place] is not None for row in rows) for place in range(len(_HEAD))]
            yield table(
                f"Groups of certificate {one.number}",
                list(compress(_HEAD, told)),
                [list(compress(row, told)) for row in rows],
            )


def _row(one: GroupOut) -> tuple[object, ...]:
    audits = None if one.audits is None else f"{one.audits}, {one.wrong} wrong"
    spent = None if one.spent is None else _short(one.spent)
    coverage = None if one.coverage is None else f"{one.coverage:.0%}"
    threshold = None if one.threshold is None else f"{one.threshold:.3f}"
    return (
        escape(one.group), _STATES[one.state], why(one), _short(one.alpha), threshold, coverage, one.labels,
        one.needed or None, spent, audits,
    )  # fmt: skip


def why(one: GroupOut) -> str:
    """Return on what a group's state rests, in a few words."""
    if one.state == "braked":
        return "the brake stopped it"
    if one.status is None:
        return "one threshold for all, watched by the brake"
    if one.state != "human":
        return "certified apart" if one.status == "certified" else "apart"
    if not one.labels:
        return "no labels drawn: too few to certify it"
    return f"its labels do not certify it, {one.errors} wrong"


def spent_lines(found: SpendingOut) -> Iterator[Table | str]:
    """Return what certificates spent, one row each, and the sums with what they bound."""
    rows = [
        (
            one.number,
            one.model_id[-6:],
            _short(one.delta),
            ", ".join(f"{escape(group)} {_short(part)}" for group, part in one.groups.items()) or None,
            _short(one.brake_delta),
            "labels are to come" if one.open else None,
        )
        for one in found.certificates
    ]
    head = ("no.", "model", "delta", "of it by group", "brake's delta", "open")
    yield table(f"{len(rows)} certificate(s)", head, rows)
    for model, delta in found.models.items():
        yield f"Model {model[-6:]}: {_short(delta)}."
    yield f"All: {_short(found.delta)}. {_bounds(found.delta, 'any certificate was wrong when it was issued')}"
    yield f"Brakes: {_short(found.brake_delta)}. {_bounds(found.brake_delta, 'any brake stopped falsely')}"


def _bounds(delta: float, what: str) -> str:
    return f"The chance that {what} is at most that." if delta < 1 else "A bound of 1 or more says nothing."


def _short(share: float) -> str:
    return f"{share:.4g}"
