"""The stream of events over a real connection: it tells, it goes on, and it ends when the server is told to stop."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import httpx
import pytest

import handrail
from tools.serving import serving

SERVE = [sys.executable, "-c", "from handrail.doors.cli import main; main()"]
SCHEMA = handrail.Schema(
    fields=(handrail.Field(name="amount", type="number"),),
    questions=(handrail.Question(name="fraud", type="choice", choices=("no", "yes")),),
)


@pytest.mark.timeout(120)
def test_a_stream_tells_and_ends_with_the_server(tmp_path: Path) -> None:
    home, got, began, heard = tmp_path / "home", list[str](), threading.Event(), threading.Event()
    ended: list[str] = []

    def read(wire: httpx.Client) -> None:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": "0"}
        with wire.stream("GET", "/api/v1/projects/payments/events", headers=headers, timeout=60) as answer:
            for line in answer.iter_lines():
                began.set()
                got.append(line)
                if line == "event: decision.pending":
                    heard.set()
        ended.append("cleanly")

    with handrail.connect(home, demo=True):
        pass
    with serving(SERVE, home) as running, handrail.connect(home) as client:
        project = client.create_project("payments", SCHEMA)
        project.set_policy({"question": "fraud"})
        reading = threading.Thread(target=read, args=(project._wire.http,), daemon=True)
        reading.start()
        assert began.wait(20)
        made = project.decide("p-1", {"amount": 1.0})
        assert heard.wait(20)
        (told,) = project.follow(0)
        assert (told.kind, told.data["decision_id"]) == ("decision.pending", made.id)
        assert project.follow(told.id) == []
        running.process.terminate()
        reading.join(15)
    assert ended == ["cleanly"]
    assert any(made.id in line for line in got)
    assert f"id: {told.id}" in got
