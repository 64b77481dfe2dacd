"""Groups certified apart for a share to automate: each its own plan "until certified" at its part of delta. Pure.

Each plan has paid for its looks, so it may be looked at whenever labels are in. All groups are asked for labels up
to the next look together, and looked at together once those are in; a group that has ended draws no more. Some
threshold is wrong with probability delta at most, as each is with delta / G (union bound).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil, prod
from typing import Any

from handrail.cycle.review.certificates import Grounds, UntilPlan, conclude, labels_to_come, plan_until, progress
from handrail.cycle.review.certificates.row import CertifyItem
from handrail.cycle.review.planning_groups import digest

Parts = list[dict[str, Any]]


def planned(
    automate: float,
    delta: float,
    levels: Mapping[str, float],
    grounds: Grounds,
    free: Mapping[str, Sequence[float]] | None,
) -> dict[str, Any]:
    """Return the document of a plan that automates a share of each group's traffic, fixed before any label.

    `levels`: group -> alpha. `free`: scores by group of the items that could be drawn, None where labels come from the
    stream; a group of which too few wait above its threshold for the first look is refused at once.
    """
    parts = [_planned(automate, delta / len(levels), name, alpha, grounds, free) for name, alpha in levels.items()]
    document = {"mode": "until", "automate": automate, "groups": parts, "design_hash": digest(parts)}
    if all(one["status"] == "refused" for one in parts):
        return document | {"status": "refused", "labels": 0, "needed": sum(one["needed"] for one in parts)}
    return document | {"progress": together(parts)}


def _planned(
    automate: float,
    delta: float,
    name: str,
    alpha: float,
    grounds: Grounds,
    free: Mapping[str, Sequence[float]] | None,
) -> dict[str, Any]:
    plan = plan_until(grounds.of(name), grounds.training, coverage=automate, alpha=alpha, delta=delta)
    part: dict[str, Any] = {"group": name, "alpha": alpha, "delta": delta, "threshold": None}
    labels = plan.counts[0]
    if free is not None and sum(score >= plan.threshold for score in free.get(name, ())) < labels:
        needed = max(labels, ceil(plan.mean_labels))
        return part | {"status": "refused", "labels": 0, "region": None, "needed": needed}
    fixed = {"design": plan.to_dict(), "design_hash": plan.digest()}
    told = {"progress": _so_far(plan, ())}
    return part | {"status": "planned", "labels": labels, "region": plan.threshold, "needed": None} | fixed | told


def looked(parts: Sequence[Mapping[str, Any]], drawn: Sequence[CertifyItem], exhausted: Collection[str] = ()) -> Parts:
    """Return the parts after a look at the labels so far: those that have ended say what came of them.

    `exhausted`: groups with too few items left for their next look; they end with this one. `drawn`: labelled items of
    all groups, each group's in the order of its draws.
    """
    return [_looked(part, drawn, part["group"] in exhausted) for part in parts]


def _looked(part: Mapping[str, Any], drawn: Sequence[CertifyItem], exhausted: bool) -> dict[str, Any]:
    if part["status"] != "planned":
        return dict(part)
    own = [one for one in drawn if one.group == part["group"]]
    plan, errors = UntilPlan.from_dict(part["design"]), [one.error for one in own]
    made = conclude(plan, [one.score for one in own], errors, exhausted=exhausted)
    if made is None:
        return dict(part) | {"progress": _so_far(plan, errors)}
    return {"group": part["group"], **made.to_dict()}


def _so_far(plan: UntilPlan, errors: Sequence[int]) -> dict[str, Any]:
    now = progress(plan, errors)
    more = round(now.expected_more, 1)
    return {"labels": now.labels, "errors": now.errors, "expected_more": more, "chance": round(now.chance, 3)}


def is_open(parts: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the plan of some group goes on."""
    return any(one["status"] == "planned" for one in parts)


def _to_come(parts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return group -> the labels that its next look takes beyond those of its last, for the plans that go on."""
    return {
        one["group"]: labels_to_come(UntilPlan.from_dict(one["design"]), one["labels"])
        for one in parts
        if one["status"] == "planned"
    }


def asked_on(parts: Sequence[Mapping[str, Any]]) -> Parts:
    """Return the parts with the labels up to the next look asked for."""
    more = _to_come(parts)
    return [dict(one) | {"labels": one["labels"] + more.get(one["group"], 0)} for one in parts]


def lots(
    parts: Sequence[Mapping[str, Any]], above: Callable[[float | None, str | None], list[str]]
) -> list[tuple[str, int, list[str]]]:
    """Return what the next look draws: (group, number, the stored items that it could be drawn from)."""
    more = _to_come(parts)
    return [
        (one["group"], more[one["group"]], above(one["region"], one["group"])) for one in parts if one["group"] in more
    ]


def together(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how far all groups are: labels, errors and mean labels to come in sum; `chance` that some is certified.

    Groups are drawn apart, so the chances of none multiply.
    """
    told = [_progress(one) for one in parts]
    return {
        "labels": sum(one["labels"] for one in told),
        "errors": sum(one["errors"] for one in told),
        "expected_more": round(sum(one["expected_more"] for one in told), 1),
        "chance": round(1.0 - prod(1.0 - one["chance"] for one in told), 3),
    }


def _progress(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["status"] == "planned":
        known: dict[str, Any] = part["progress"]
        return known
    chance = float(part["status"] == "certified")
    return {"labels": part["labels"], "errors": part.get("errors", 0), "expected_more": 0.0, "chance": chance}
