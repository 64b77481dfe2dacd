# Written by `make types` from the file of this name in ../aio; do not edit.
"""Calls about what rests on whose labels, and about recalls."""

from __future__ import annotations

from datetime import datetime

from handrail.cycle.govern.forms import ConsequencesOut, EffectOut, OriginsOut, RecallOut
from handrail.doors.sdk.sync.calls import Calls


class Lineage(Calls):
    """From a decision back to people, from people forward to decisions, and labels taken back."""

    def lineage(self, *, decision: str | None = None, model: str | None = None, version: str = "main") -> OriginsOut:
        """Return what a decision, a model or a version of main rests on, down to the people."""
        if decision is not None:
            return self._get(OriginsOut, f"/decisions/{decision}/lineage")
        if model is not None:
            return self._get(OriginsOut, f"/models/{model}/lineage")
        return self._get(OriginsOut, "/lineage", version=version)

    def consequences(
        self,
        actor: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        question: str | None = None,
    ) -> ConsequencesOut:
        """Return all that rests on one actor's labels (KIND:ID) of a time: versions, models, decisions."""
        begin, end = (None if one is None else one.isoformat() for one in (since, until))
        return self._get(ConsequencesOut, "/consequences", actor=actor, since=begin, until=end, question=question)

    def recall(
        self,
        actor: str,
        reason: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        question: str | None = None,
        preview: bool = True,
        again: bool = True,
    ) -> EffectOut:
        """Withdraw one actor's labels of a time: the label before each holds again, or none.

        A preview, which it is unless told otherwise, says what would happen and changes nothing. With `again` others
        are asked about the items.
        """
        begin, end = (None if one is None else one.isoformat() for one in (since, until))
        body = {
            "actor": actor,
            "reason": reason,
            "since": begin,
            "until": end,
            "question": question,
            "preview": preview,
            "again": again,
        }
        return self._post(EffectOut, "/recalls", body)

    def recalls(self) -> list[RecallOut]:
        """Return the recalls, newest first."""
        return self._list(RecallOut, "/recalls")
