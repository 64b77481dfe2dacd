"""Three-way merge of two versions, by item and question. Pure.

A label that only one side changed since the version they share takes that change; where both made the same of it,
nothing is to be done; where they made two things of it, people must say. Two sides may share several last versions
(each took up the other before): then a label is settled only where every one of them leads to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handrail.cycle.datasets.delta import Difference, Key, Row

Graph = Mapping[str, Sequence[str]]
"""Version -> its parents."""
Label = tuple[Any, str | None]
"""Value and purpose; (None, None) where there is no label."""
Changed = Mapping[Key, Difference]
"""What one side changed since a version that both share."""


@dataclass(frozen=True)
class Clash:
    """Two sides made two things of one label. `ours_by` and `theirs_by` are the rows that made them."""

    key: Key
    base: Label
    ours: Label
    theirs: Label
    ours_by: Row
    theirs_by: Row


@dataclass(frozen=True)
class Merge:
    """What to change on our side so that it holds what both did, and what they cannot agree on."""

    rows: list[Row]
    clashes: list[Clash]


def ancestors(graph: Graph, commit_id: str) -> set[str]:
    """Return a version and all that it was made from."""
    found: set[str] = set()
    ahead = [commit_id]
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead.extend(graph[one])
    return found


def last_shared(graph: Graph, ours: str, theirs: str) -> list[str]:
    """Return the versions that both were made from and that no later shared one was; sorted, mostly a single one."""
    shared = ancestors(graph, ours) & ancestors(graph, theirs)
    return sorted(shared - {parent for one in shared for parent in graph[one]})


def three_way(sides: Iterable[tuple[Changed, Changed]]) -> Merge:
    """Merge by what (we, they) changed since each of the versions that both share last."""
    ways = list(sides)
    rows: list[Row] = []
    clashes: list[Clash] = []
    for key in sorted({key for way in ways for side in way for key in side}):
        seen = [(ours.get(key), theirs.get(key)) for ours, theirs in ways]
        verdicts = {_verdict(*one) for one in seen}
        if verdicts == {"theirs"}:
            rows.append(_taken(key, _first(theirs for _, theirs in seen)))
        elif not verdicts <= {"same", "ours"} and (clash := _clash(key, seen)) is not None:
            clashes.append(clash)
    return Merge(rows, clashes)


def as_theirs(clash: Clash) -> Row:
    """Return the row that settles a clash their way."""
    return _row(clash.key, clash.ours, clash.theirs, clash.theirs_by)


def _verdict(ours: Difference | None, theirs: Difference | None) -> str:
    if ours is None or theirs is None:
        return "same" if ours is theirs else "theirs" if ours is None else "ours"
    return "same" if ours.new == theirs.new else "clash"


def _taken(key: Key, theirs: Difference) -> Row:
    # We changed nothing, so what stands on our side is what they began from.
    return _row(key, theirs.old, theirs.new, theirs.by)


def _row(key: Key, old: Label, new: Label, by: Row) -> Row:
    return Row(*key, old[0], new[0], old[1], new[1], by.source, by.probability, by.actor, by.reason)


def _clash(key: Key, seen: Sequence[tuple[Difference | None, Difference | None]]) -> Clash | None:
    """Return the clash that several shared versions, or both sides' changes, make of one label."""
    ours, theirs = next(one for one in seen if one[0] is not None or one[1] is not None)
    base = _first((ours, theirs)).old
    mine = base if ours is None else ours.new
    other = base if theirs is None else theirs.new
    if mine == other:
        return None
    by, also = (_first(pair[side] for pair in seen).by for side in (0, 1))
    return Clash(key, base, mine, other, by, also)


def _first(found: Iterable[Difference | None]) -> Difference:
    return next(one for one in found if one is not None)
