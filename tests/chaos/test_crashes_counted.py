"""A short form of the benchmark of crashes: one server, a clock that jumps, kill -9, deadlines and late answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.crash.home import copied, prepared
from bench.crash.run import crash_run


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_or_overwritten_late(tmp_path: Path) -> None:
    (tmp_path / "crash").mkdir()
    with prepared(tmp_path, None) as place, copied(place, tmp_path / "crash", None, 1) as places:
        found = crash_run(places, 600, seed=3)
    assert found.found == []
    assert found.verified
    assert found.undetected == []
    assert found.decisions >= 600
    assert found.kills >= 3
