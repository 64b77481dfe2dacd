"""What the demonstration shows at its end, all of it asked of the system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handrail import Client, Project


def figures_of(
    client: Client, project: Project, truth: Mapping[str, str], *, demo: str, simulated: Sequence[str]
) -> dict[str, Any]:
    """Return what the run came to; `truth` is the record by case, which the system does not know."""
    decisions = list(project.decisions())
    automatic = [one for one in decisions if one.route == "auto"]
    names = {one.id: one.external_id for one in project.items()}
    wrong = sum(_is_wrong(one.prediction, truth[names[one.item_id]]) for one in automatic)
    certificates = certificates_of(project)
    shown = [one for one in certificates if one["issued"]] or certificates
    client.checkpoint()
    checked = client.verify_journal()
    return {
        "demo": demo,
        "items": len(truth),
        "decisions": {
            "auto": len(automatic),
            "human": sum(one.route == "human" for one in decisions),
            "blocked": sum(one.status == "blocked" for one in decisions),
            "expired": sum(one.status == "expired" for one in decisions),
            "reversed": sum(one.status == "reversed" for one in decisions),
            "consumed": sum(one.consumed_at is not None for one in decisions),
            "four_eyes": sum(one.eyes == 2 for one in decisions),
        },
        "certificate": {
            key: shown[-1][key] for key in ("status", "alpha", "delta", "threshold", "labels", "errors", "needed")
        },
        "certificates": [
            {
                key: one[key]
                for key in ("number", "mode", "status", "alpha", "threshold", "labels", "errors", "needed", "ended_why")
            }
            for one in certificates
        ],
        "groups": _groups(project, truth),
        "auto_error": _error(project, wrong, len(automatic)),
        "accuracy": _accuracy(project),
        "looks": _looks(project),
        "commits": [one.id for one in project.log()],
        "models": [one.digest for one in project.models()],
        "alerts": len(project.alarms()),
        "campaigns": len(project.campaigns()),
        "open_tasks": {kind: one["open"] for kind, one in project.task_counts().items() if one.get("open")},
        "journal": {"entries": checked.entries, "verified": checked.ok, "root": checked.root},
        "simulated": list(simulated),
    }


def _is_wrong(said: Mapping[str, Any] | None, true: str) -> bool:
    return said is not None and said["value"] != true


def _groups(project: Project, truth: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return each group that the brake watches: how it was decided, what audits found, and the errors by the record."""
    items = {one.id: one for one in project.items()}
    decided = [(items[one.item_id], one) for one in project.decisions()]
    issued = [one.groups for one in project.certificates() if one.groups and one.brake is not None]
    found = []
    for now in issued[-1] if issued else ():
        attribute, _, value = now.group.partition("=")
        own = [(item, one) for item, one in decided if item.group.get(attribute) == value]
        automatic = [(item, one) for item, one in own if one.route == "auto"]
        audits = [one for groups in issued for one in groups if one.group == now.group]
        found.append(
            {
                "group": now.group,
                "alpha": now.alpha,
                "state": now.state,
                "coverage": now.coverage,
                "decisions": {"auto": len(automatic), "human": sum(one.route == "human" for _, one in own)},
                "wrong": sum(_is_wrong(one.prediction, truth[item.external_id]) for item, one in automatic),
                "audits": sum(one.audits or 0 for one in audits),
                "audits_wrong": sum(one.wrong or 0 for one in audits),
            }
        )
    return found


def _looks(project: Project) -> dict[str, Any]:
    """Return how people looked: seeds of known truth, second looks, and people against the model."""
    people, team, audits = project.oversight_people(), project.oversight_team(), project.audits()
    everybody = people.everybody
    return {
        "seeds": people.seeds,
        "second_looks": people.second_looks,
        "caught": None if everybody is None else everybody.caught.said,
        "switched": None if everybody is None else everybody.switched.said,
        "team": team.said,
        "audits": {"drawn": audits.drawn, "answered": audits.answered, "wrong": audits.wrong},
        "brake": None if audits.brake is None else audits.brake.said,
        "reviewers": audits.reviewers_said,
        "sent_home": [one.name for one in project.queue().closed],
    }


def certificates_of(project: Project) -> list[dict[str, Any]]:
    """Return every certificate, oldest first, with the labels and errors that it rests on."""
    return [
        {
            "number": one.number,
            "mode": one.document["mode"],
            "status": one.status,
            "alpha": one.alpha,
            "delta": one.delta,
            "threshold": one.threshold,
            "labels": one.document.get("labels", one.labels_drawn),
            "errors": one.document.get("errors", 0),
            "needed": one.needed,
            "ended_why": one.ended_why,
            "issued": one.issued_at is not None and one.threshold is not None,
        }
        for one in project.certificates()
    ]


def _error(project: Project, wrong: int, automatic: int) -> dict[str, Any]:
    """Return the error of automatic decisions: by the record, and as the audits estimate it."""
    estimate = project.automatic_error()
    true = round(wrong / automatic, 4) if automatic else None
    if estimate is None:
        return {"true": true, "estimate": None, "low": None, "high": None}
    return {"true": true, "estimate": estimate.value, "low": estimate.low, "high": estimate.high}


def _accuracy(project: Project) -> dict[str, Any]:
    """Return both models' accuracy on the same held-out rows, and the paired difference that alone shows progress."""
    compared = [one.document.get("comparison") for one in project.proposals()]
    comparison = next((one for one in reversed(compared) if one), None)
    if comparison is None:
        return {"before": None, "after": None}
    return {
        "before": comparison["champion_accuracy"],
        "after": comparison["challenger_accuracy"],
        "difference": comparison["difference"],
        "rows": comparison["rows"],
        "sentence": comparison["sentence"],
    }
