"""HTTP routes of governance: the dossier of a decision, the evidence pack. Permissions: govern.read, govern.export."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from handrail.cycle.govern.service import Govern
from handrail.foundation.http import In, Routes, Who
from handrail.foundation.journal.routes import ProofOut

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


def routes(govern: Govern) -> Routes:
    """Return the routes of governance."""
    routes = Routes("govern", prefix="/projects/{project}")

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
