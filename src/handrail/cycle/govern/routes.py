"""HTTP routes of governance: the dossier of a decision, the evidence pack, lineage, recalls.

Permissions: govern.read, govern.export, govern.recall.
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from handrail.cycle.datasets import Datasets
from handrail.cycle.datasets.provenance import Span
from handrail.cycle.govern.forms import ConsequencesOut, EffectOut, OriginsOut, RecallIn, RecallOut
from handrail.cycle.govern.lineage import Lineage
from handrail.cycle.govern.recalling import Recalling
from handrail.cycle.govern.service import Govern
from handrail.foundation.http import In, Page, Routes, Who
from handrail.foundation.journal.routes import ProofOut
from handrail.foundation.storage import Storage

_ZIP = "application/zip"
_FILE: dict[str, Any] = {
    "response_class": FileResponse,
    "openapi_extra": {"responses": {"200": {"content": {_ZIP: {"schema": {"type": "string", "format": "binary"}}}}}},
}


class DossierOut(BaseModel):
    """Everything about one decision, as it was written when it happened."""

    decision: dict[str, Any]
    item: dict[str, Any]
    reasons: list[str] = Field(description="Why it went this way, as told then.")
    prediction: dict[str, Any] | None
    model: dict[str, Any] | None
    policy: dict[str, Any]
    certificate: dict[str, Any] | None
    work: list[dict[str, Any]] = Field(description="The tasks about it, with their answers.")
    execution: dict[str, Any] | None = Field(description="Who acted on it and knows it was taken back; null: nobody.")
    entries: list[ProofOut] = Field(description="The journal entries about it, each with its proof.")


def routes(govern: Govern, storage: Storage, recalling: Recalling, datasets: Datasets) -> Routes:
    """Return the routes of governance."""
    routes = Routes("govern", prefix="/projects/{project}")
    _lineage(routes, storage, recalling.lineage)
    _recalls(routes, storage, recalling, datasets)

    @routes.get("/decisions/{decision_id}/dossier", permission="govern.read")
    def dossier(decision_id: str, who: Who, scope: In) -> DossierOut:
        """Return everything about one decision, with proofs that can be checked offline."""
        return DossierOut.model_validate(govern.dossier(scope, decision_id, reader=who).to_dict())

    @routes.get("/evidence", permission="govern.export", **_FILE)
    def evidence(scope: In) -> FileResponse:
        """Return the project's evidence pack, a zip archive that verifies offline."""
        handle, name = tempfile.mkstemp(prefix="handrail-evidence-")
        os.close(handle)
        place = Path(name)
        try:
            govern.evidence(scope, place)
        except BaseException:
            place.unlink(missing_ok=True)
            raise
        return FileResponse(place, media_type=_ZIP, filename="evidence.zip", background=BackgroundTask(place.unlink))

    return routes


def _lineage(routes: Routes, storage: Storage, lineage: Lineage) -> None:
    @routes.get("/decisions/{decision_id}/lineage", permission="govern.read")
    async def of_decision(decision_id: str, scope: In) -> OriginsOut:
        """Return what a decision rests on: model, version, and whose answers the model may have learned from."""
        return OriginsOut.of(await storage.aread(lambda uow: lineage.of_decision(uow, scope, decision_id)))

    @routes.get("/models/{model_id}/lineage", permission="govern.read")
    async def of_model(model_id: str, scope: In) -> OriginsOut:
        """Return what a model rests on: its version of the dataset, and whose answers it may have learned from."""
        return OriginsOut.of(await storage.aread(lambda uow: lineage.of_model(uow, scope, model_id)))

    @routes.get("/lineage", permission="govern.read")
    async def of_version(
        scope: In, version: Annotated[str, Query(min_length=1, max_length=100, description="Of main.")] = "main"
    ) -> OriginsOut:
        """Return whose labels a version of the dataset holds."""
        return OriginsOut.of(await storage.aread(lambda uow: lineage.of_version(uow, scope, version)))

    @routes.get("/consequences", permission="govern.read")
    async def of_span(
        scope: In,
        actor: Annotated[str, Query(min_length=3, max_length=96, description="KIND:ID.")],
        since: Annotated[datetime | None, Query(description="Labels from then on.")] = None,
        until: Annotated[datetime | None, Query(description="Labels before then.")] = None,
        question: Annotated[str | None, Query(max_length=128)] = None,
    ) -> ConsequencesOut:
        """Return all that rests on one actor's labels of a time: versions, models, decisions."""
        span = Span(actor, since, until, question)
        return ConsequencesOut.of(await storage.aread(lambda uow: lineage.of_span(uow, scope, span)))


def _recalls(routes: Routes, storage: Storage, recalling: Recalling, datasets: Datasets) -> None:
    @routes.get("/recalls", permission="govern.read")
    async def list_recalls(scope: In) -> Page[RecallOut]:
        """List the recalls, newest first."""
        found = await storage.aread(lambda uow: datasets.recalls.all(uow, scope))
        return Page(items=[RecallOut.of(one) for one in found], next=None)

    @routes.post("/recalls", permission="govern.recall")
    def recall(body: RecallIn, who: Who, scope: In) -> EffectOut:
        """Withdraw one actor's labels of a time: the label before holds again, or none; a preview changes nothing."""
        if body.preview:
            return EffectOut.of(recalling.preview(who, scope, body.span, body.reason), done=False)
        done = recalling.recall(who, scope, body.span, body.reason, again=body.again)
        return EffectOut.of(done, done=True)
