"""kill -9 before every step of a commit: it is there whole or not at all, and the same call again gives the same id."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from handrail.cycle.datasets import delta
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import open_storage
from tests.integration.cycle.datasets.world import ANNA, SCHEMA, World, make

PROGRAM = Path(__file__).with_name("killed_commit.py")
MORE_THAN_ALL = 60


def _prepare(world: World) -> tuple[str, dict[str, str]]:
    """Put items and labels in; return the id that their commit must have, and the labels."""
    items = world.put(1.0, 2.0, 3.0)
    labels = {items[0].external_id: "benign", items[2].external_id: "malignant"}
    rows = []
    for item in items:
        if item.external_id in labels:
            value = labels[item.external_id]
            world.label(item.id, value, reason="look")
            rows.append(
                delta.Row(item.digest, "diagnosis", None, value, None, "train", "review", None, "person:p-anna", "look")
            )
    return delta.commit_id((), SCHEMA.digest, [item.digest for item in items], rows), labels


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_commit_killed_at_any_step_is_there_whole_or_not_at_all(
    storage_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    folder = tmp_path / "datasets"
    ends = []
    for step in range(1, MORE_THAN_ALL):
        storage = open_storage(storage_url)
        world = make(storage, clock, folder, name=f"step-{step}")
        expected, labels = _prepare(world)
        storage.close()
        done = subprocess.run(
            [sys.executable, str(PROGRAM), storage_url, str(folder), world.project.id, str(step)],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": "src:."},
        )
        killed = done.returncode == -signal.SIGKILL
        assert killed or done.returncode == 0, done.stderr
        world.storage = storage = open_storage(storage_url)
        again = make(storage, clock, folder, name=f"again-{step}").datasets
        log = storage.read(lambda uow, scope=world.scope, again=again: again.log(uow, scope))
        ends.append(len(log))
        assert [one.id for one in log] in ([], [expected])
        if not killed:
            assert done.stdout.strip() == expected
        made = again.commit(ANNA, world.scope, "again")
        assert (made is None) if log else (made is not None and made.id == expected)
        again.verify(world.scope, expected)
        table = again.checkout(world.scope, "main").to_pylist()
        assert {row["external_id"]: row["diagnosis"] for row in table if row["diagnosis"]} == labels
        assert storage.read(lambda uow, scope=world.scope, again=again: again.counts(uow, scope)).labels_waiting == 0
        storage.close()
        if not killed:
            break
    # Killed at many places before the transaction ended, none of which left a commit behind; once after it; then never.
    assert not killed
    assert len(ends) > 15
    assert ends == [0] * (len(ends) - 2) + [1, 1]
