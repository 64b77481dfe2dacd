"""Calls about decisions: decide, policy, certificates, stop and restart."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from handrail.cycle.review.decisions.forms import DecideIn, DecisionOut, PredictionIn, ReceiptOut, ReversalOut
from handrail.cycle.review.forms import A2IIn, A2IOut, AuditsOut, ErrorOut, TalliesOut, TrialIn, TrialOut
from handrail.cycle.review.model import OnDeadline
from handrail.cycle.review.outgoing.routes import WebhookMadeOut, WebhookOut
from handrail.cycle.review.outgoing.telling import KINDS, Kind
from handrail.cycle.review.routes import CertificateOut, OversightOut, PolicyOut, SpendingOut, StateOut
from handrail.doors.sdk.aio.calls import AsyncCalls
from handrail.doors.sdk.told import EventTold, events_told
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
        deadline: datetime | None = None,
        on_deadline: OnDeadline | None = None,
        default: Any = None,
        irreversible: bool = False,
        risk_class: str | None = None,
        cost: float | None = None,
        action_hash: str | None = None,
        eyes: Literal[1, 2] = 1,
        author: str | None = None,
        wait_s: float = 0.0,
    ) -> DecisionOut:
        """Decide one item: automatic where a certificate covers it, else pending until a person answers.

        The same `idempotency_key` and payload give the same decision, another payload raises Conflict; without a key
        each call is a decision of its own. With `wait_s` (at most 55) a pending decision is waited for so long; after
        a lost connection ask again with the same key, or for its id. `on_deadline` says what follows when nobody
        answers by the deadline: hold (the default), deny (the default when `irreversible`), escalate, or default with
        the answer in `default`. The decision is bound to `action_hash`, the hash of what it is asked for.
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
            deadline=deadline,
            on_deadline=on_deadline,
            default=default,
            irreversible=irreversible,
            risk_class=risk_class,
            cost=cost,
            action_hash=action_hash,
            eyes=eyes,
            author=author,
        )
        place = "/decisions" if not wait_s else f"/decisions?wait_s={wait_s:g}"
        return await self._post(DecisionOut, place, request.model_dump(mode="json"))

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

    async def consume(self, decision_id: str, caller: str, *, action_hash: str | None = None) -> ReceiptOut:
        """Take a settled decision before acting on it; only one caller ever gets it.

        `caller` names this attempt: with the same name again, after a crash, comes the same receipt; another one
        raises Conflict with the code review.consumed. `action_hash` must be the one that was decided on.
        """
        body = {"caller": caller, "action_hash": action_hash}
        return await self._post(ReceiptOut, f"/decisions/{decision_id}/consume", body)

    async def reverse(
        self, decision_id: str, reason: str, *, value: Any = None, acknowledge_s: float | None = None
    ) -> DecisionOut:
        """Take a settled decision back, as a person; `value` is what holds instead.

        Who has consumed it must acknowledge that within `acknowledge_s` seconds (an hour if not given), else leads get
        a task.
        """
        body = {"reason": reason, "value": value}
        if acknowledge_s is not None:
            body["acknowledge_s"] = acknowledge_s
        return await self._post(DecisionOut, f"/decisions/{decision_id}/reverse", body)

    async def acknowledge(self, decision_id: str, note: str = "") -> ReversalOut:
        """Say that you, who acted on a decision, know that it was taken back; again changes nothing."""
        return await self._post(ReversalOut, f"/reversals/{decision_id}/acknowledge", {"note": note})

    async def reversals(self) -> AsyncIterator[ReversalOut]:
        """Give every reversal of a decision that somebody had acted on, newest decision first."""
        async for one in self._pages(ReversalOut, "/reversals", cursor="before"):
            yield one

    async def follow(self, after: int | None = None, *, wait_s: float = 0.0) -> list[EventTold]:
        """Return what was decided and how automation changed after an event, `after` its id; None is from now on.

        With `wait_s` (at most 55) the call waits so long for the first event. Ask again with the id of the last one.
        """
        params = {"after": after, "wait_s": wait_s or None}
        return events_told(await self._wire.send("GET", self._place + "/events", params=params))

    async def add_webhook(self, url: str, events: Sequence[Kind] = KINDS) -> WebhookMadeOut:
        """Tell another system about decisions from now on; the answer holds the secret that signs, this once."""
        return await self._post(WebhookMadeOut, "/webhooks", {"url": url, "events": list(events)})

    async def webhooks(self) -> list[WebhookOut]:
        """Return the web hooks and how they go, oldest first."""
        found: list[WebhookOut] = parsed(list[WebhookOut], await self._wire.send("GET", self._place + "/webhooks"))
        return found

    async def enable_webhook(self, webhook_id: str) -> WebhookOut:
        """Let a web hook that was disabled go on where it stopped."""
        return await self._post(WebhookOut, f"/webhooks/{webhook_id}/enable")

    async def remove_webhook(self, webhook_id: str) -> None:
        """Remove a web hook."""
        await self._wire.send("DELETE", f"{self._place}/webhooks/{webhook_id}")

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

    async def audits(self) -> AuditsOut:
        """Return what audits and control items show: the error of the last block, how near the brake is, and how often
        reviewers err; for leads and auditors.
        """
        return await self._get(AuditsOut, "/audits")

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
        labels: int | None = None,
        *,
        automate: float | None = None,
        source: Literal["archive", "stream"] = "archive",
        alpha: float | None = None,
        delta: float | None = None,
        lazy: bool = True,
    ) -> CertificateOut:
        """Ask for a certificate for the champion: its labels are drawn by lot, then they speak.

        `labels` is a number fixed before the first one; `automate`, in its place, the share of the traffic that is to
        run without a person: then labels are asked for until the error is known well enough. With `lazy` they may come
        from high scores alone.
        """
        body = {
            "labels": labels,
            "automate": automate,
            "source": source,
            "alpha": alpha,
            "delta": delta,
            "lazy": lazy,
        }
        return await self._post(CertificateOut, "/certificates", body)

    async def certificates(self) -> list[CertificateOut]:
        """Return every certificate, oldest first."""
        found: list[CertificateOut] = parsed(
            list[CertificateOut], await self._wire.send("GET", self._place + "/certificates")
        )
        return found

    async def certificate_spending(self) -> SpendingOut:
        """Return what the certificates spent of the chance to be wrong: each, by model and in sum."""
        found: SpendingOut = parsed(SpendingOut, await self._wire.send("GET", self._place + "/certificates/spent"))
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
