"""kill -9 while people claim and answer: what was acknowledged stays, nothing is half done, leases come back."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import open_storage
from tests.chaos.cycle.tasks.killed_people import LEASE_S
from tests.integration.cycle.tasks.desk import CARA, QUESTION, Desk
from tests.leftovers import wait_for_leftovers

PROGRAM = Path(__file__).with_name("killed_people.py")
ITEMS, ROUNDS, LINES = 400, 3, 60


def _work_until_killed(url: str, folder: Path, project: str, lines: int) -> list[tuple[str, str, str]]:
    """Let people work, kill the process after so many lines, and return what it had told."""
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), url, str(folder), project],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": "src:."},
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        told = [line for line, _ in zip(running.stdout, range(lines), strict=False)]
        running.kill()
        told += running.stdout.read().splitlines(keepends=True)
        assert len(told) >= lines, running.stderr.read()
    # The last line may have been cut short by the kill.
    return [tuple(line.split()) for line in told if line.endswith("\n")]  # type: ignore[misc]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_people_lose_no_answer_and_no_task(storage_url: str, tmp_path: Path) -> None:
    clock = FixedClock(datetime.now(UTC))
    storage = open_storage(storage_url)
    desk = Desk(storage, clock, tmp_path / "datasets")
    desk.bring(ITEMS)
    desk.annotate.draw(CARA, desk.scope, question=QUESTION, n=ITEMS, purpose="train", reason="kill")
    project = desk.scope.project_id
    answered: dict[str, str] = {}
    for _ in range(ROUNDS):
        storage.close()
        told = _work_until_killed(storage_url, tmp_path / "datasets", project, LINES)
        wait_for_leftovers(storage_url)
        storage = desk.storage = open_storage(storage_url)
        for word, task, who in told:
            if word == "answered":
                assert answered.setdefault(task, who) == who, "two people answered one task"
        clock.advance(seconds=(datetime.now(UTC) - clock.now()).total_seconds())
        _check(desk, answered)
        # The leases of the dead process end by themselves, and every task of theirs is open again.
        clock.advance(seconds=LEASE_S + 1)
        storage.write(lambda uow: desk.tasks.expire(uow, clock.now()))
        counts = desk.counts()["label"]
        assert counts.keys() == {"open", "answered"}
        assert counts["open"] + counts["answered"] == ITEMS
    storage.close()


def _check(desk: Desk, answered: dict[str, str]) -> None:
    """Every acknowledged answer is there with its label, and the counts are those of the rows."""
    labels = {
        one.task_id: one
        for one in desk.storage.read(lambda uow: desk.datasets.labels(uow, desk.scope, question=QUESTION))
    }
    for task_id, who in answered.items():
        found = desk.storage.read(lambda uow, id_=task_id: desk.tasks.answer_of(uow, desk.scope, id_))
        assert found is not None
        assert (found.actor_id, desk.task(task_id).status) == (who, "answered")
        assert labels[task_id].value == found.value
    counts = desk.counts()
    assert counts == desk.counted_again()
    assert counts["label"]["answered"] == len(labels) >= len(answered)
    assert sum(counts["label"].values()) == ITEMS
