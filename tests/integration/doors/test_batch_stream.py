"""A large batch over a real connection: answers come while lines are sent, and the server does not hold the body."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import handrail
from tools.serving import serving

SERVE = [sys.executable, "-c", "from handrail.doors.cli import main; main()"]
SCHEMA = handrail.Schema(
    fields=(handrail.Field(name="note", type="text"),),
    questions=(handrail.Question(name="fraud", type="choice", choices=("no", "yes")),),
)
BLOCK = {"name": "all", "when": "'x' == 'x'", "then": "block"}
LINES, NOTE = 1200, "n" * 45_000
MOST_GROWTH_KIB = 30 << 10


def peak_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("the system does not tell the peak")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_body_of_many_mebibytes_is_decided_and_never_held(tmp_path: Path) -> None:
    home = tmp_path / "home"
    sent = 0

    def body(count: int, name: str) -> Iterator[bytes]:
        nonlocal sent
        for place in range(count):
            key = f"{name}-{place}"
            line = json.dumps({"external_id": key, "data": {"note": NOTE}, "idempotency_key": key}).encode()
            sent += len(line) + 1
            yield line + b"\n"

    with serving(SERVE, home) as running, handrail.connect(home) as client:
        project = client.create_project("notes", SCHEMA)
        project.set_policy({"question": "fraud", "rules": [BLOCK]})
        wire = project._wire.http
        place = "/api/v1/projects/notes/decisions/batch"

        def ask(count: int, name: str) -> httpx.Response:
            return wire.post(place, content=body(count, name), headers={"Content-Type": "application/x-ndjson"})

        assert len(ask(200, "warm").text.splitlines()) == 200
        before, sent = peak_kib(running.process.pid), 0
        answered = ask(LINES, "many")
        told = [json.loads(line) for line in answered.text.splitlines()]
        grown = peak_kib(running.process.pid) - before
    assert sent > 50 << 20
    assert [one.get("status") for one in told] == ["blocked"] * LINES
    assert grown < MOST_GROWTH_KIB, f"the server grew by {grown >> 10} MiB over a body of {sent >> 20} MiB"
