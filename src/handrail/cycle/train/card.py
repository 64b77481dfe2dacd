"""The card of a model: what it is for, what it learned from, how good it is and where it must not be trusted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_FEW = 30


def build(
    *,
    question: str,
    meaning: str,
    commit_id: str,
    kind: str,
    seed: int,
    digest: str,
    columns: Sequence[str],
    unused: Sequence[str],
    metrics: Mapping[str, Any],
    simulated: int,
) -> dict[str, Any]:
    """Return the card as JSON values; `simulated` counts the labels that simulated people gave."""
    return {
        "question": question,
        "intended_use": meaning
        or f"Answers the question “{question}” for items of this project's schema; what it may decide alone is set by "
        "the certificate in force, everything else goes to a person.",
        "kind": kind,
        "seed": seed,
        "digest": digest,
        "data": {
            "commit": commit_id,
            "rows": metrics["rows"],
            "labels": {name: held["rows"] for name, held in metrics["classes"].items()},
            "simulated_labels": simulated,
        },
        "fields": list(columns),
        "unused_fields": list(unused),
        "metrics": {name: metrics[name] for name in ("method", "rows", "accuracy", "log_loss", "brier", "classes")},
        "limits": _limits(metrics, unused, simulated),
    }


def _limits(metrics: Mapping[str, Any], unused: Sequence[str], simulated: int) -> list[str]:
    found = [
        "Figures on this card come from cross-validation inside the training rows; the evaluation on held-out items "
        "counts for promotion.",
        "Confidence is calibrated on the training rows and holds for items drawn like them; it says nothing about "
        "items of another kind.",
        "Contributions show what moved the model, not what causes the outcome.",
    ]
    few = [name for name, held in metrics["classes"].items() if held["rows"] < _FEW]
    if few:
        found.append(f"Fewer than {_FEW} labels of {', '.join(few)}: its figures are rough.")
    if unused:
        found.append(f"The model does not see {', '.join(unused)}.")
    if simulated:
        found.append(f"{simulated} of {metrics['rows']} labels were given by simulated people.")
    return found


def markdown(card: Mapping[str, Any], name: str) -> str:
    """Return the card as a page of Markdown."""
    metrics, data = card["metrics"], card["data"]
    lines = [
        f"# {name}: {card['question']}",
        "",
        card["intended_use"],
        "",
        "## Data",
        "",
        f"Commit `{data['commit']}`, {data['rows']} labelled items: "
        + ", ".join(f"{count} {label}" for label, count in data["labels"].items())
        + ".",
        "",
        f"## Figures ({metrics['method']})",
        "",
        f"- accuracy {_share(metrics['accuracy'])}",
        f"- log loss {metrics['log_loss']:.3f}, Brier score {metrics['brier']:.3f}",
        "",
        "| class | labels | recall | precision |",
        "| --- | --- | --- | --- |",
        *(
            f"| {label} | {held['rows']} | {_share(held['recall'])} | {_share(held['precision'])} |"
            for label, held in metrics["classes"].items()
        ),
        "",
        "## Limits",
        "",
        *(f"- {sentence}" for sentence in card["limits"]),
        "",
        f"Trainer {card['kind']}, seed {card['seed']}, artefact `{card['digest']}`.",
        "",
    ]
    return "\n".join(lines)


def _share(held: Mapping[str, Any]) -> str:
    if held["n"] == 0:
        return "no case"
    return f"{held['value']:.1%} [{held['low']:.1%}, {held['high']:.1%}], n = {held['n']}"
