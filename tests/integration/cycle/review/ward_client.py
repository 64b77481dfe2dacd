"""A ward behind the real HTTP application, with people and machines who hold different rights."""

from __future__ import annotations

from typing import Any

import httpx

from handrail.cycle.govern.routes import routes as govern_routes
from handrail.cycle.monitor.routes import routes as monitor_routes
from handrail.cycle.review.routes import routes as review_routes
from handrail.cycle.tasks.routes import routes as task_routes
from handrail.foundation.actors import Actor
from handrail.foundation.http import Reach, Waiting, application
from tests.integration.cycle.review.ward import ANNA, BEN, Ward

ACTORS = {
    "anna": ANNA,
    "ben": BEN,
    "owner": Actor(kind="machine", id="m-1", name="Owner", permissions=frozenset({"*"})),
    "reader": Actor(kind="machine", id="m-2", name="Reader", permissions=frozenset({"*.read"})),
}


class Gate:
    async def by_token(self, secret: str) -> Actor | None:
        return ACTORS.get(secret)

    async def by_session(self, secret: str) -> Actor | None:
        return None


def client(ward: Ward, who: str = "owner") -> httpx.AsyncClient:
    """Return a client that speaks for `who` to the project of the ward."""
    api = application(
        [
            review_routes(ward.storage, ward.review, Waiting()),
            task_routes(ward.storage, ward.tasks, ward.clinic.datasets),
            monitor_routes(ward.storage, ward.monitor),
            govern_routes(ward.govern, ward.storage, ward.recalling, ward.clinic.datasets),
        ],
        gate=Gate(),
        storage=ward.storage,
        clock=ward.clock,
        find_project=lambda uow, name: ward.clinic.datasets.project(uow, name).id,
        reach=Reach(),
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(api),
        base_url="http://localhost/api/v1/projects/clinic",
        headers={"Authorization": f"Bearer {who}"},
    )


def ok(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem of a refused request, which must have this status and code, a sentence, and no traceback."""
    assert response.headers["content-type"] == "application/problem+json", response.text[:300]
    found: dict[str, Any] = response.json()
    assert (response.status_code, found["code"]) == (status, code), response.text[:500]
    assert found["detail"]
    assert len(response.text) < 20_000
    assert "Traceback" not in response.text
    return found
