"""The same calls in this process and over the network, blocking and awaited."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import handrail
from handrail.doors.sdk.aio import AsyncProject
from handrail.doors.sdk.sync import Project
from handrail.foundation.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from handrail.foundation.home import HomeInUse, running_server
from tools.serving import serving

SERVE = [sys.executable, "-c", "from handrail.doors.cli import main; main()"]
SCHEMA = handrail.Schema(
    fields=(
        handrail.Field(name="amount", type="number", min=0.0),
        handrail.Field(name="note", type="text", required=False),
    ),
    questions=(handrail.Question(name="fraud", type="choice", title="Is this fraud?", choices=("no", "yes")),),
)
POLICY = {"question": "fraud", "alpha": 0.05, "delta": 0.1, "audit_rate": 0.1}


@pytest.fixture(params=["embedded", "server"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[handrail.Client]:
    home = tmp_path / "home"
    if request.param == "embedded":
        with handrail.connect(home, demo=True) as opened:
            yield opened
        return
    with handrail.connect(home, demo=True):
        pass
    with serving(SERVE, home) as running, handrail.connect(home) as opened:
        assert running_server(home) is not None
        assert running.url.startswith("http://127.0.0.1")
        yield opened


def test_an_item_is_decided_by_a_person_and_becomes_part_of_a_version(client: handrail.Client, tmp_path: Path) -> None:
    project = client.create_project("payments", SCHEMA, "Card payments.")
    assert [one.name for one in client.projects()] == ["payments"]
    with pytest.raises(Conflict) as taken:
        client.create_project("payments", SCHEMA)
    assert taken.value.code == "datasets.project_exists"
    with pytest.raises(NotFound):
        client.project("nothing").described()

    project.set_policy(POLICY)
    made = project.decide("p-1", {"amount": 12.5}, idempotency_key="k-1")
    assert (made.status, made.route) == ("pending", "human")
    assert project.decide("p-1", {"amount": 12.5}, idempotency_key="k-1").id == made.id
    with pytest.raises(Conflict):
        project.decide("p-1", {"amount": 13.0}, idempotency_key="k-1")
    with pytest.raises(Invalid):
        project.decide("p-2", {"amount": "much"})

    person = client.as_simulated("Reviewer")
    assert person.whoami().actor is not None
    mine = person.project("payments")
    with pytest.raises(Forbidden):
        project.claim()  # a machine never counts as a human
    (task,) = mine.claim()
    assert task.item is not None
    assert task.item.name == "p-1"
    mine.answer(task.id, "yes", "label" if task.kind == "label" else "correct", "no such card")
    settled = project.decision(made.id, wait_s=5)
    assert (settled.status, settled.value) == ("decided", "yes")
    assert settled.by.startswith("simulated:")
    assert project.task_counts() == {"review": {"answered": 1}}

    version = project.commit("the first verdict")
    assert version is not None
    assert project.commit("nothing new") is None
    assert [one.id for one in project.log()] == [version.id]
    assert project.diff(None, "main").total > 0
    assert project.verify().verified
    assert project.tag("first").commit_id == version.id
    out = tmp_path / "main.csv"
    assert project.checkout(out, "first") == out.stat().st_size
    assert "p-1" in out.read_text(encoding="utf-8")

    assert project.dossier(made.id).decision["value"] == "yes"
    assert project.loop().all.human == 1 or project.settle() is None
    proof = client.prove(str(project.events(limit=1)[0].id))
    assert proof.index < proof.size
    assert client.verify_journal().ok


def test_many_decisions_come_back_in_order_with_the_errors_in_their_places(client: handrail.Client) -> None:
    project = client.create_project("payments", SCHEMA)
    project.set_policy(POLICY)
    wanted = [
        handrail.Request(external_id=f"p-{n}", data={"amount": float(n) if n != 3 else -1.0}, idempotency_key=f"k-{n}")
        for n in range(6)
    ]
    made = project.decide_many(wanted)
    assert [isinstance(one, handrail.HandrailError) for one in made] == [n == 3 for n in range(6)]
    assert len(list(project.decisions())) == 5
    assert len(list(project.items())) == 5


def test_a_file_with_a_bad_row_is_refused_with_the_row_or_kept_without_it(
    client: handrail.Client, tmp_path: Path
) -> None:
    project = client.create_project("payments", SCHEMA)
    file = tmp_path / "items.csv"
    file.write_text("external_id,amount,fraud\na,1,no\nb,much,yes\nc,3,\n", encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        project.import_file(file)
    assert refused.value.facts["bad"][0]["line"] == 3
    assert project.counts().items == 0
    report = project.import_file(file, on_error="keep")
    assert (report.kept, report.bad_rows, report.labels) == (2, 1, 1)
    out = tmp_path / "out.jsonl"
    assert project.export_file(out, format="jsonl") > 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2


async def test_awaited_calls_do_the_same(tmp_path: Path) -> None:
    async with handrail.connect_async(tmp_path / "home") as client:
        project = await client.create_project("payments", SCHEMA)
        await project.add_items([handrail.Item(external_id=f"p-{n}", data={"amount": 1.0}) for n in range(3)])
        assert [one.external_id async for one in project.items()] == ["p-0", "p-1", "p-2"]
        assert (await project.draw("fraud", 2)).probability == pytest.approx(2 / 3)
        await project.settle()
        assert (await client.verify_journal()).ok


def test_both_clients_have_the_same_calls() -> None:
    def calls(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(one).parameters)
            for name, one in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert calls(AsyncProject) == calls(Project)
    assert len(calls(Project)) > 50


def test_a_home_in_use_by_another_process_is_refused_by_name(tmp_path: Path) -> None:
    with handrail.connect(tmp_path / "home"), pytest.raises(HomeInUse):
        handrail.connect(tmp_path / "home")


def test_a_wrong_token_and_a_wrong_password_are_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(SERVE, home) as running:
        with handrail.connect(running.url, token="hr_" + "a" * 43) as stranger, pytest.raises(Unauthenticated):
            stranger.projects()
        with handrail.connect(home) as local, pytest.raises(Unauthenticated) as refused:
            local.sign_in("ada@example.org", "not her password")
        assert refused.value.code == "identity.wrong_credentials"
