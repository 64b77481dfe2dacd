"""Calls about decisions: decide, policy, certificates, stop and restart."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from handrail.cycle.review.forms import A2IIn, A2IOut, ErrorOut, TalliesOut, TrialIn, TrialOut
from handrail.cycle.review.routes import (
    CertificateOut,
    DecideIn,
    DecisionOut,
    OversightOut,
    PolicyOut,
    PredictionIn,
    StateOut,
)
from handrail.doors.sdk.aio.calls import AsyncCalls
from handrail.doors.sdk.wire import coded, parsed
from handrail.foundation.errors import HandrailError

_AT_ONCE = 1000


class AsyncReview(AsyncCalls):
    """Decisions and the rules they are made under."""

    async def decide(
        self,
        external_id: str,
        data: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        prediction: PredictionIn | None = None,
        group: Mapping[str, str] | None = None,
        subject: str | None = None,
        observed_at: datetime | None = None,
        deadline_s: float | None = None,
        on_deadline: Literal["hold", "deny"] = "hold",
        wait_s: float = 0.0,
    ) -> DecisionOut:
        """Decide one item: automatic where a certificate covers it, else pending until a person answers.

        The same `idempotency_key` and payload give the same decision, another payload raises Conflict; without a key
        each call is a decision of its own. With `wait_s` (at most 55) a pending decision is waited for so long.
        """
        request = DecideIn(
            external_id=external_id,
            data=dict(data),
            idempotency_key=idempotency_key or secrets.token_hex(16),
            group=dict(group or {}),
            subject=subject,
            observed_at=observed_at,
            prediction=prediction,
            deadline_s=deadline_s,
            on_deadline=on_deadline,
        )
        made = await self._post(DecisionOut, "/decisions", request.model_dump(mode="json"))
        if wait_s and made.status == "pending":
            return await self.decision(made.id, wait_s=wait_s)
        return made

    async def decide_many(self, requests: Sequence[DecideIn]) -> list[DecisionOut | HandrailError]:
        """Decide many items and return a decision or the error for each, in order."""
        made: list[DecisionOut | HandrailError] = []
        for start in range(0, len(requests), _AT_ONCE):
            lines = [one.model_dump_json() for one in requests[start : start + _AT_ONCE]]
            answer = await self._wire.send(
                "POST",
                self._place + "/decisions/batch",
                content="\n".join(lines).encode(),
                headers={"Content-Type": "application/x-ndjson"},
            )
            made += [_decided(line) for line in answer.splitlines()]
        return made

    async def decision(self, decision_id: str, *, wait_s: float = 0.0) -> DecisionOut:
        """Return a decision; with `wait_s` (at most 55) wait so long while it is pending."""
        return await self._get(DecisionOut, f"/decisions/{decision_id}", wait_s=wait_s or None)

    async def decisions(self) -> AsyncIterator[DecisionOut]:
        """Give every decision, newest first."""
        async for one in self._pages(DecisionOut, "/decisions", cursor="before"):
            yield one

    async def tallies(self) -> dict[int, dict[str, int]]:
        """Return day (YYYYMMDD) -> route -> number of decisions, as far as the loop has counted."""
        return (await self._get(TalliesOut, "/tallies")).days

    async def automatic_error(self) -> ErrorOut | None:
        """Return the error of automatic decisions as the audits show it, None before the first audit."""
        return await self._get_any(ErrorOut, "/automatic-error")

    async def set_policy(self, document: Mapping[str, Any], *, loosens: bool = False) -> PolicyOut:
        """Check a policy and put it into force as the next version.

        One that lowers a safeguard of the policy in force raises Conflict (review.policy_looser) with each of them in
        `facts["looser"]`, unless `loosens` says that it is meant.
        """
        params = {"loosens": loosens or None}
        answer = await self._wire.send("PUT", self._place + "/policy", json=dict(document), params=params)
        policy: PolicyOut = parsed(PolicyOut, answer)
        return policy

    async def try_policy(
        self,
        document: Mapping[str, Any],
        *,
        since: datetime | None = None,
        limit: int = 10_000,
        look_cost: float | None = None,
        error_cost: float | None = None,
    ) -> TrialOut:
        """Replay recorded decisions through a policy, beside the one in force; changes nothing.

        Reads the newest decisions, made at `since` or later, `limit` (at most 100000) of them. `look_cost` and
        `error_cost` are what one look and one wrong automatic decision cost you, in any currency.
        """
        asked = TrialIn(policy=dict(document), since=since, limit=limit, look_cost=look_cost, error_cost=error_cost)
        return await self._post(TrialOut, "/policy/dry-run", asked.model_dump(mode="json"))

    async def import_a2i(
        self,
        conditions: Mapping[str, Any] | str,
        question: str,
        *,
        values: Mapping[str, str] | None = None,
        confidences: Mapping[str, str] | None = None,
    ) -> A2IOut:
        """Read HumanLoopActivationConditions of Amazon A2I into a policy document, and name what has no counterpart.

        `values` and `confidences` say in which field an item holds a form key's value, and its confidence in percent.
        Nothing comes into force: try the document, then set it.
        """
        asked = A2IIn(
            conditions=conditions if isinstance(conditions, str) else dict(conditions),
            question=question,
            values=dict(values or {}),
            confidences=dict(confidences or {}),
        )
        return await self._post(A2IOut, "/policy/import-a2i", asked.model_dump(mode="json"))

    async def oversight(self) -> OversightOut | None:
        """Return the state of automation with its certificate and policy; None before the first policy."""
        return await self._get_any(OversightOut, "/oversight")

    async def plan_certificate(
        self,
        labels: int,
        *,
        source: Literal["archive", "stream"] = "archive",
        alpha: float | None = None,
        delta: float | None = None,
    ) -> CertificateOut:
        """Ask for a certificate for the champion: its labels are drawn by lot, then they speak."""
        body = {"labels": labels, "source": source, "alpha": alpha, "delta": delta}
        return await self._post(CertificateOut, "/certificates", body)

    async def certificates(self) -> list[CertificateOut]:
        """Return every certificate, oldest first."""
        found: list[CertificateOut] = parsed(
            list[CertificateOut], await self._wire.send("GET", self._place + "/certificates")
        )
        return found

    async def stop(self, why: str) -> StateOut:
        """Stop automation: from now on every item goes to a person."""
        return await self._post(StateOut, "/stop", {"why": why})

    async def restart(self, why: str) -> StateOut:
        """Start automation again, by another person than the one who stopped it."""
        return await self._post(StateOut, "/restart", {"why": why})


def _decided(line: bytes) -> DecisionOut | HandrailError:
    told = json.loads(line)
    if "error" in told:
        error = told["error"]
        return coded(int(error.get("status", 422)), str(error["code"]), str(error["detail"]), str(error["hint"]), {})
    return DecisionOut.model_validate(told)
