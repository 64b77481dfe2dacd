"""The routes of training and evaluating over the real application and job engine, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.cycle.evaluate import People
from handrail.cycle.evaluate import routes as evaluate_routes
from handrail.cycle.evaluate.jobs import Pipelines
from handrail.cycle.train import routes as train_routes
from handrail.foundation.actors import Actor
from handrail.foundation.clock import FixedClock
from handrail.foundation.http import Reach, application
from handrail.foundation.work.jobs import Jobs
from tests.integration.cycle.breast_mass import QUESTION, Clinic
from tests.integration.cycle.review.ward import Ward

ACTORS = {
    "owner": Actor(kind="machine", id="m-1", name="Owner", permissions=frozenset({"*"})),
    "reader": Actor(kind="machine", id="m-2", name="Reader", permissions=frozenset({"*.read"})),
}


class Gate:
    async def by_token(self, secret: str) -> Actor | None:
        return ACTORS.get(secret)

    async def by_session(self, secret: str) -> Actor | None:
        return None


@pytest.fixture
def jobs(clinic: Clinic, clock: FixedClock, tmp_path: Path) -> Iterator[Jobs]:
    url = clinic.storage.url
    made = Jobs(f"sqlite:///{tmp_path / 'jobs.db'}" if url.startswith("sqlite") else url, clock=clock)
    made.configure()
    yield made
    clinic.compute.close()
    made.destroy(forget_functions=True)


@pytest.fixture
async def client(clinic: Clinic, ward: Ward, jobs: Jobs, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    pipelines = Pipelines(jobs, clinic.storage, clinic.feedback, clinic.train, clinic.evaluate)
    pipelines.register()
    jobs.launch()
    people = People(clinic.datasets, clinic.tasks, ward.review)
    api = application(
        [
            train_routes.routes(clinic.storage, clinic.train),
            evaluate_routes.routes(clinic.storage, clinic.datasets, clinic.evaluate, pipelines, people),
        ],
        gate=Gate(),
        storage=clinic.storage,
        clock=clock,
        find_project=lambda uow, name: clinic.datasets.project(uow, name).id,
        reach=Reach(),
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api),
        base_url="http://localhost/api/v1/projects/clinic",
        headers={"Authorization": "Bearer owner"},
    ) as made:
        yield made


def _ok(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


async def test_a_run_makes_a_model_that_is_measured_and_proposed(
    client: httpx.AsyncClient, clinic: Clinic, jobs: Jobs
) -> None:
    clinic.label(clinic.bring(0, 60), "train")
    clinic.label(clinic.bring(60, 40), "holdout")
    run_id = _ok(await client.post("/runs", json={"question": QUESTION, "note": "first"}), 202)["id"]
    await asyncio.to_thread(jobs.wait, run_id, timeout_s=60)
    run = _ok(await client.get(f"/runs/{run_id}"))
    assert (run["state"], run["progress"], run["error"]) == ("done", 1.0, "")
    assert _ok(await client.get("/runs"))["items"] == [run]
    (model,) = _ok(await client.get("/models"))["items"]
    assert (model["id"], model["state"], model["note"]) == (run["result"]["model_id"], "candidate", "first")
    detail = _ok(await client.get(f"/models/{model['id']}"))
    assert detail["card"]
    assert {name: held for name, held in detail.items() if name != "card"} == model
    (found,) = _ok(await client.get("/evaluations", params={"model_id": model["id"]}))["items"]
    assert (found["id"], found["rows"], found["excluded"]) == (run["result"]["evaluation_id"], 40, 0)
    (proposal,) = _ok(await client.get("/proposals"))["items"]
    assert (proposal["task_id"], proposal["state"]) == (run["result"]["task_id"], "open")
    assert (await client.post(f"/runs/{run_id}/cancel")).status_code == 409


async def test_who_may_only_read_starts_and_cancels_nothing(client: httpx.AsyncClient) -> None:
    reader = {"Authorization": "Bearer reader"}
    for path in ("/runs", "/models", "/proposals"):
        assert _ok(await client.get(path, headers=reader))["items"] == []
    assert (await client.post("/runs", json={"question": QUESTION}, headers=reader)).status_code == 403
    assert (await client.post("/runs/none/cancel", headers=reader)).status_code == 403
    assert _ok(await client.post("/runs", json={"question": "none"}), 422)["code"] == "datasets.question_unknown"
    for method, path in (("GET", "/runs/none"), ("GET", "/models/none"), ("POST", "/runs/none/cancel")):
        assert (await client.request(method, path)).status_code == 404, path
