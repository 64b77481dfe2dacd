"""A server of the same framework that checks the same request and answers with a fixed decision: the least it can cost.

`python -m bench.http.nothing PORT` serves it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from handrail.cycle.review.decisions.forms import DecideIn, DecisionOut
from tools.serving import free_port

_FIXED: dict[str, Any] = {
    "id": "0190cccc-0000-7000-8000-000000000000",
    "item_id": "0190cccc-0000-7000-8000-000000000001",
    "question": "diagnosis",
    "status": "auto",
    "route": "auto",
    "value": "benign",
    "by": "policy:0190cccc-0000-7000-8000-000000000002",
    "score": 0.99,
    "prediction": {"value": "benign", "score": 0.99, "scores": {"benign": 0.99, "malignant": 0.01}, "top": []},
    "reasons": ["the score 0.990 is at or above the certified threshold 0.900"],
    "certificate_id": None,
    "policy_id": "0190cccc-0000-7000-8000-000000000002",
    "model_id": None,
    "commit_id": None,
    "audit_probability": 0.1,
    "task_id": None,
    "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    "decided_at": None,
    "expires_at": None,
    "on_deadline": "hold",
    "irreversible": False,
    "risk_class": None,
    "cost": None,
    "action_hash": None,
    "consumed_at": None,
    "eyes": 1,
    "sealed": False,
}


def application() -> FastAPI:
    """Return the application."""
    api = FastAPI(openapi_url=None)

    @api.post("/decisions")
    async def decide(body: DecideIn) -> DecisionOut:
        assert body.data
        return DecisionOut(**_FIXED)

    return api


@contextmanager
def serving_nothing() -> Iterator[tuple[int, int]]:
    """Run it in a process of its own; yield its port and the number of the process."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "bench.http.nothing", str(port)]) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    httpx.get(url, trust_env=False)
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            yield port, process.pid
        finally:
            process.terminate()


if __name__ == "__main__":
    uvicorn.run(application(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
