"""Groups certified apart: each its own design from its own traffic at its share of delta, and its own answer. Pure.

The statement of the whole is that all thresholds hold: each is wrong with probability delta / G at most, so some is
wrong with probability delta at most, whatever the groups have to do with each other (union bound). A group that is
refused is not certified by another's labels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from handrail.cycle.review.certificates import Design, Grounds, certify_designed, design
from handrail.cycle.review.certificates.plan import Mode
from handrail.cycle.review.certificates.row import CertifyItem
from handrail.foundation.canonical import encode
from handrail.foundation.statistics import zero_error_labels


@dataclass(frozen=True)
class Terms:
    """What all groups have in common: labels for each of them, delta of them together, mode and where labels lie.

    `free`: scores by group of the items that could be drawn, None where labels come from the stream.
    """

    labels: int
    delta: float
    mode: Mode
    lazy: bool
    seed: int
    free: Mapping[str, Sequence[float]] | None


def planned(terms: Terms, levels: Mapping[str, float], grounds: Grounds) -> dict[str, Any]:
    """Return the document of a plan: a part for each group, its test fixed before any label.

    `levels`: group -> alpha. From the archive a group gets as many labels as items of it wait, at most `labels`. One
    that cannot be certified from so many is refused at once; where all are, so is the certificate.
    """
    parts = [_planned(terms, name, alpha, terms.delta / len(levels), grounds) for name, alpha in levels.items()]
    document: dict[str, Any] = {"mode": terms.mode, "groups": parts, "design_hash": digest(parts)}
    if all(one["status"] == "refused" for one in parts):
        document |= {"status": "refused", "labels": 0, "needed": sum(one["needed"] for one in parts)}
    return document


def _planned(terms: Terms, name: str, alpha: float, delta: float, grounds: Grounds) -> dict[str, Any]:
    free = None if terms.free is None else terms.free.get(name, ())
    labels = terms.labels if free is None else min(terms.labels, len(free))
    least = zero_error_labels(alpha, delta)
    part: dict[str, Any] = {"group": name, "alpha": alpha, "delta": delta, "threshold": None}
    if labels < least:
        return part | {"status": "refused", "labels": 0, "region": None, "needed": least}
    test = design(
        grounds.of(name),
        grounds.training,
        labels=labels,
        alpha=alpha,
        delta=delta,
        mode=terms.mode,
        lazy=terms.lazy,
        reach=None if free is None else reach(free, labels),
        seed=terms.seed,
    )
    fixed = {"design": test.to_dict(), "design_hash": test.digest()}
    return part | {"status": "planned", "labels": labels, "region": test.frame.region, "needed": None} | fixed


def reach(scores: Sequence[float], labels: int) -> float | None:
    """Return the score of the last of the `labels` surest items: a region must begin there or lower."""
    return sorted(scores, reverse=True)[labels - 1] if len(scores) >= labels else None


def digest(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of all parts of a plan."""
    return sha256(encode([dict(one) for one in parts]).encode()).hexdigest()


def answered(parts: Sequence[Mapping[str, Any]], grounds: Grounds, drawn: Sequence[CertifyItem]) -> dict[str, Any]:
    """Return what the labels of all groups say: the document of the certificate, with one part for each group.

    It is certified when some group is. `group_levels`: the certified error of those that are, for the brake.
    """
    made = [_answered(part, grounds, [one for one in drawn if one.group == part["group"]]) for part in parts]
    return summed(made, grounds, drawn)


def summed(made: Sequence[Mapping[str, Any]], grounds: Grounds, drawn: Sequence[CertifyItem]) -> dict[str, Any]:
    """Return the document of a certificate from the answers of its groups."""
    certified = [one for one in made if one["threshold"] is not None]
    return {
        "status": "certified" if certified else "refused",
        "groups": [dict(one) for one in made],
        "group_levels": {one["group"]: one["alpha"] for one in certified},
        "threshold": None,
        "coverage": _coverage(grounds, {one["group"]: one["threshold"] for one in certified}),
        "labels": len(drawn),
        "errors": sum(one.error for one in drawn),
        "labels_in_range": sum(one["labels_in_range"] for one in certified),
        "errors_in_range": sum(one["errors_in_range"] for one in certified),
        "upper": None,
        "needed": sum(one["needed"] for one in made),
        "needed_fresh": any(one.get("needed_fresh", False) for one in made),
    }


def _answered(part: Mapping[str, Any], grounds: Grounds, drawn: Sequence[CertifyItem]) -> dict[str, Any]:
    if part["status"] != "planned":
        return dict(part)
    made = certify_designed(
        Design.from_dict(part["design"]),
        [one.score for one in drawn],
        [one.error for one in drawn],
        unlabelled=grounds.of(part["group"]),
        training=grounds.training,
    )
    return {"group": part["group"], **made.to_dict()}


def coverages(grounds: Grounds, names: Collection[str], threshold: float) -> dict[str, float | None]:
    """Return group -> the share of its waiting items that one threshold for all lets through, None where none wait."""
    return {name: _share([score >= threshold for score in grounds.waiting(name)]) for name in names}


def _share(passed: Sequence[bool]) -> float | None:
    return sum(passed) / len(passed) if passed else None


def _coverage(grounds: Grounds, thresholds: Mapping[str, float]) -> float | None:
    """Return the share of the waiting items that the groups' thresholds let through, None where none wait."""
    if not grounds.items:
        return None
    pairs = zip(grounds.unlabelled, grounds.groups, strict=True)
    return sum(group in thresholds and score >= thresholds[group] for score, group in pairs) / len(grounds.items)
