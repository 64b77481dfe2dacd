"""Plans "until certified" that go on: the labels up to the next look are asked for, in one unit with their draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handrail.cycle.annotate import Annotate, Draw
from handrail.cycle.review import planning_until, store
from handrail.cycle.review.audit_terms import EVERYWHERE
from handrail.cycle.review.certificates import Grounds, UntilPlan, labels_to_come, progress
from handrail.cycle.review.certificates.row import CertificateRow, CertifyItem
from handrail.cycle.review.model import WrongState
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.blobs import Blobs
from handrail.foundation.storage import Storage, UnitOfWork


class Extending:
    """Asks for more labels of a plan whose labels are in and did not end it."""

    def __init__(self, storage: Storage, annotate: Annotate, blobs: Blobs) -> None:
        self._storage = storage
        self._annotate = annotate
        self._blobs = blobs

    def go_on(self, actor: Actor, scope: Scope, row: CertificateRow, seen: Sequence[CertifyItem]) -> None:
        """Ask for the labels up to the next look of a plan "until certified"; raises TooFewItems.

        `seen` are the items that are labelled. Called twice for the same look it asks once.
        """
        plan = UntilPlan.from_dict(row.document["design"])
        more = labels_to_come(plan, len(seen))
        document = row.document | {"progress": so_far(plan, [one.error for one in seen])}

        if row.source == "stream":
            self._storage.write(lambda uow: self._extend(uow, scope, row, more, document))
            return
        grounds = self.grounds(row)

        def along(uow: UnitOfWork, draws: list[list[Draw]]) -> None:
            self._extend(uow, scope, row, more, document)
            store.add_drawn(uow, scope, row.id, as_items(draws[0], grounds.said, row.labels_planned))

        draw_to_certify(self._annotate, actor, scope, row.question, [(more, grounds.above(plan.threshold))], along)

    def go_on_apart(self, actor: Actor, scope: Scope, row: CertificateRow, parts: Sequence[Mapping[str, Any]]) -> None:
        """Ask for the labels up to the next look of each group's plan that goes on; raises TooFewItems.

        `parts`: as they are after the last look. Called twice for the same look it asks once.
        """
        lots = planning_until.lots(parts, self.grounds(row).above)
        more = sum(number for _, number, _ in lots)
        asked = planning_until.asked_on(parts)
        document = row.document | {"groups": asked, "progress": planning_until.together(asked)}
        if row.source == "stream":
            self._storage.write(lambda uow: self._extend(uow, scope, row, more, document))
            return
        said = self.grounds(row).said

        def along(uow: UnitOfWork, draws: list[list[Draw]]) -> None:
            self._extend(uow, scope, row, more, document)
            made: list[CertifyItem] = []
            for (group, _, _), some in zip(lots, draws, strict=True):
                made += as_items(some, said, row.labels_planned + len(made), group)
            store.add_drawn(uow, scope, row.id, made)

        draw_to_certify(
            self._annotate, actor, scope, row.question, [(number, among) for _, number, among in lots], along
        )

    def short_of_items(self, scope: Scope, row: CertificateRow, parts: Sequence[Mapping[str, Any]]) -> frozenset[str]:
        """Return the groups with too few items left for the next look of their plans; none where they stream in."""
        if row.source == "stream":
            return frozenset()
        lots = planning_until.lots(parts, self.grounds(row).above)

        def short(uow: UnitOfWork) -> frozenset[str]:
            left = {
                group: len(self._annotate.drawable(uow, scope, row.question, among)) - number
                for group, number, among in lots
            }
            return frozenset(group for group, number in left.items() if number < 0)

        return self._storage.read(short)

    def _extend(self, uow: UnitOfWork, scope: Scope, row: CertificateRow, more: int, document: dict[str, Any]) -> None:
        now = store.get_certificate(uow, scope, row.id, lock=True)
        if now is None or now[0].status != "planned" or now[0].labels_planned != row.labels_planned:
            raise WrongState("The plan has gone on meanwhile.", hint="Look at it again.")
        store.extend_certificate(uow, scope, row.id, labels=row.labels_planned + more, document=document)
        store.raise_epoch(uow, scope)  # what is drawn from the stream goes on

    def grounds(self, row: CertificateRow) -> Grounds:
        """Return what a certificate's design was made from."""
        return Grounds.from_bytes(self._blobs.get(row.document["grounds"]))


def draw_to_certify(
    annotate: Annotate,
    actor: Actor,
    scope: Scope,
    question: str,
    lots: Sequence[tuple[int, list[str]]],
    along: Any,
) -> None:
    """Draw lots of labels to certify; `along` runs in the unit of the draw. Raises TooFewItems."""
    reason = "drawn at random"
    annotate.draw_each(actor, scope, question=question, lots=lots, purpose="certify", reason=reason, along=along)


def as_items(
    draws: Sequence[Draw], predicted: Mapping[str, tuple[float, Any]], after: int, group: str = EVERYWHERE
) -> list[CertifyItem]:
    """Return what was drawn as items of a certificate, at the places from `after` on."""
    return [
        CertifyItem(one.item_id, after + one.position, one.probability, *predicted[one.item_id], group=group)
        for one in draws
    ]


def so_far(plan: UntilPlan, errors: Sequence[int]) -> dict[str, Any]:
    """Return how far a plan is after these labels."""
    now = progress(plan, errors)
    return {
        "labels": now.labels,
        "errors": now.errors,
        "expected_more": round(now.expected_more, 1),
        "chance": round(now.chance, 3),
    }
