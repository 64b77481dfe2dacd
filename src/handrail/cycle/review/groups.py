"""Groups of items that a policy names, as "attribute=value", and what a certificate says of each. Pure.

All names of a policy speak of one attribute, so that an item is in one of its groups at most.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from handrail.cycle.review.audit_terms import EVERYWHERE

MOST_GROUPS = 32
LONGEST_GROUP = 128


@dataclass(frozen=True)
class Group:
    """A group by its name; `alpha`: its highest share of wrong automatic decisions, the policy's where it is 0."""

    name: str
    alpha: float = 0.0


@dataclass(frozen=True)
class Grouped:
    """What a certificate says of groups.

    `names`: those that it names. `thresholds`: group -> its own threshold, None where it was refused; None altogether
    where one threshold speaks for all items. `needed`: labels that a refused group needs still. `stopped`: group ->
    the last audited decision before the brake stopped it.
    """

    names: frozenset[str]
    thresholds: Mapping[str, float | None] | None = None
    needed: Mapping[str, int] = field(default_factory=dict)
    stopped: Mapping[str, str] = field(default_factory=dict)

    def held(self, attributes: Mapping[str, str], decision_id: str | None = None) -> tuple[str, str] | None:
        """Return (why, by whom) an item with these attributes goes to people, None where it need not.

        With `decision_id` as of that decision: a group that was stopped later counts as going on. An item that does not
        say its attribute may be of a group that is stopped, so it goes to people then too.
        """
        group = own(self.names, attributes)
        stopped = sorted(one for one, after in self.stopped.items() if decision_id is None or decision_id > after)
        if group in stopped:
            return f"the brake holds the group {group}", "brake"
        if stopped and (asked := stopped[0].partition("=")[0]) not in attributes:
            return f"the brake holds {', '.join(stopped)}, and the item does not say its {asked}", "brake"
        if self.thresholds is None or self.thresholds.get(group) is not None:
            return None
        if group not in self.thresholds:
            return "the item is in none of the groups that were certified", "policy"
        more = self.needed.get(group)
        still = "" if not more else f": at least {more} labels are still needed"
        return f"the group {group} is not certified{still}", "policy"

    def threshold(self, group: str, whole: float | None) -> float | None:
        """Return the threshold of a group's items; `whole` is the one for all."""
        return whole if self.thresholds is None else self.thresholds.get(group)


def own(names: Collection[str], attributes: Mapping[str, str]) -> str:
    """Return the group of an item with these attributes among `names`, "" where it is in none."""
    mine = sorted(f"{name}={one}" for name, one in attributes.items())
    return next((name for name in mine if name in names), EVERYWHERE)


def levels(groups: Sequence[Group], alpha: float) -> dict[str, float]:
    """Return the certified error of each group, `alpha` where it names none of its own."""
    return {one.name: one.alpha or alpha for one in groups}


def read_groups(given: Any, problems: list[str], least: float) -> tuple[Group, ...]:
    """Read the groups of a policy document; what is wrong with them joins `problems`. `least`: the smallest alpha."""
    if not isinstance(given, list | tuple) or len(given) > MOST_GROUPS:
        problems.append(f"groups: must be a list of at most {MOST_GROUPS}")
        return ()
    made: list[Group] = []
    for place, one in enumerate(given):
        document = asdict(one) if isinstance(one, Group) else one
        wrong = _wrong(document, least)
        problems += [f"groups[{place}]: {problem}" for problem in wrong]
        if not wrong:
            made.append(Group(document["name"], float(document.get("alpha", 0.0))))
    if len({one.name for one in made}) != len(made):
        problems.append("groups: two groups have the same name")
    if len({one.name.partition("=")[0] for one in made}) > 1:
        problems.append("groups: all must name the same attribute, so that an item is in one of them at most")
    return tuple(made)


def _wrong(document: Any, least: float) -> list[str]:
    if not isinstance(document, Mapping):
        return ["must be an object"]
    found = [f"{str(name)[:80]} is not a part of a group" for name in document if name not in ("name", "alpha")]
    name, alpha = document.get("name"), document.get("alpha", 0.0)
    parts = name.partition("=") if isinstance(name, str) and len(name) <= LONGEST_GROUP and name.isprintable() else ""
    if not parts or not all(parts):
        found.append(f"name must be attribute=value in at most {LONGEST_GROUP} printable characters")
    number = isinstance(alpha, int | float) and not isinstance(alpha, bool)
    if not number or not (alpha == 0 or least <= alpha < 0.5):
        found.append(f"alpha must be a number from {least} to less than 0.5, or 0 for the policy's")
    return found
