"""kill -9 of a server that tells a web hook: every decision arrives, in order, and no fact changes its id."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest

import handrail
from tests.integration.cycle.review.receiver import receiving
from tools.serving import serving

SERVE = [sys.executable, "-c", "from handrail.doors.cli import main; main()"]
SCHEMA = handrail.Schema(
    fields=(handrail.Field(name="amount", type="number"),),
    questions=(handrail.Question(name="fraud", type="choice", choices=("no", "yes")),),
)
BLOCK = {"name": "all", "when": "item.amount >= 0.0", "then": "block"}
KILLS, EACH, PATIENCE_S = 2, 40, 60


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_settled_decision_arrives_in_order(tmp_path: Path) -> None:
    home = tmp_path / "home"
    open_to_here = {"HANDRAIL_OUTGOING_HOSTS": "127.0.0.1", "HANDRAIL_OUTGOING_NETWORKS": "127.0.0.0/8"}
    made: list[str] = []
    with receiving() as receiver:
        for turn in range(KILLS + 1):
            last = turn == KILLS
            with (
                serving(SERVE, home, environment={**os.environ, **open_to_here}, expect_clean_end=last) as running,
                handrail.connect(home) as client,
            ):
                if turn == 0:
                    opened = client.create_project("payments", SCHEMA)
                    opened.set_policy({"question": "fraud", "rules": [BLOCK]})
                    opened.add_webhook(receiver.url)
                project = client.project("payments")
                for place in range(EACH):
                    key = f"{turn}-{place}"
                    made.append(project.decide(key, {"amount": float(place)}, idempotency_key=key).id)
                if not last:
                    time.sleep(random.uniform(0.3, 1.2))
                    running.process.kill()
                    running.process.wait()
                    continue
                ends = time.monotonic() + PATIENCE_S
                while len(set(receiver.ids())) < len(made) and time.monotonic() < ends:
                    time.sleep(0.1)
    told = [one["data"]["decision_id"] for one in receiver.documents()]
    first = list(dict.fromkeys(told))
    assert first == made, "each once in the order in which they were decided, repetitions left out"
    by_id = {one["id"]: one for one in receiver.documents()}
    assert len(by_id) == len(made), "a repetition has the id of the fact, so receivers can tell"
