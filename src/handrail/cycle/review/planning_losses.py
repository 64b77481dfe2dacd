"""Certificates of a project whose policy declares a loss: fixed before the labels, answered by bets afterwards. Pure.

Mode betting: the mean loss of automatic decisions is at most alpha with probability 1 - delta over the draw, whatever
the law of the losses. The labels come from all traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handrail.cycle.review.certificates import (
    Grounds,
    LossDesign,
    certify_loss_designed,
    design_loss,
    loss_labels_needed,
)
from handrail.cycle.review.certificates.row import CertifyItem
from handrail.cycle.review.loss import Loss, digest_of, document_of, loss_from, loss_of

MODE = "betting"


def losses_of(loss: Loss | None, drawn: Sequence[CertifyItem]) -> list[float]:
    """Return the loss of each labelled item, in order."""
    return [loss_of(loss, one.predicted, one.value) for one in drawn]


def planned(loss: Loss, labels: int, alpha: float, delta: float, grounds: Grounds, seed: int) -> dict[str, Any]:
    """Return the document of a plan, refused at once where so few labels could not certify without any loss.

    `grounds`: its training errors are losses.
    """
    terms = {"mode": MODE, "loss": document_of(loss), "loss_digest": digest_of(loss), "region": None}
    test = design_loss(grounds.unlabelled, _training(grounds), labels=labels, alpha=alpha, delta=delta, seed=seed)
    if labels < test.least:
        return terms | {"status": "refused", "labels": 0, "needed": test.least - labels, "needed_fresh": False}
    return terms | {"design": test.to_dict(), "design_hash": test.digest()}


def answered(document: Mapping[str, Any], grounds: Grounds, drawn: Sequence[CertifyItem]) -> dict[str, Any]:
    """Return what the labels of a plan say: `planned` made its document, and `grounds` are those it was made from."""
    loss, plan = loss_from(document["loss"]), LossDesign.from_dict(document["design"])
    scores, losses = [one.score for one in drawn], losses_of(loss, drawn)
    made = certify_loss_designed(plan, scores, losses, unlabelled=grounds.unlabelled, training=_training(grounds))
    shown = made.threshold if made.threshold is not None else made.steps[0].threshold
    inside = [lost for score, lost in zip(scores, losses, strict=True) if score >= shown]
    needed: tuple[int | None, float] = (0, 1.0)
    if made.threshold is None:
        known = [*grounds.training_scores, *scores], [*grounds.training_errors, *losses]
        needed = loss_labels_needed(plan, known)
    terms = {name: document[name] for name in ("mode", "loss", "loss_digest", "region")}
    return (
        terms
        | made.to_dict()
        | {
            "errors": sum(lost > 0.0 for lost in losses),
            "labels_in_range": len(inside),
            "errors_in_range": sum(lost > 0.0 for lost in inside),
            "mean_loss_in_range": sum(inside) / len(inside) if inside else None,
            "upper": None,  # a stake that grew enough speaks against alpha, and gives no other limit
            "needed": needed[0],
            "needed_power": needed[1],
            "needed_fresh": made.threshold is None,
        }
    )


def _training(grounds: Grounds) -> tuple[Sequence[float], Sequence[float]] | None:
    return grounds.training if len(grounds.training_scores) else None
