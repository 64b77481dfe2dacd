"""A worker's folder is its own while it lives, and is cleared away when it was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from handrail.foundation.work.workplace import workplace

HOLD = """
import sys, time
from pathlib import Path
from handrail.foundation.work.workplace import workplace
with workplace(Path(sys.argv[1])) as place:
    (place / "scratch").mkdir()
    print(place, flush=True)
    time.sleep(60)
"""


def hold(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that has a workplace, and return it with the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_each_has_its_own_and_gives_it_back(tmp_path: Path) -> None:
    with workplace(tmp_path / "workers") as first, workplace(tmp_path / "workers") as second:
        assert first != second
        assert first.is_dir()
        assert second.is_dir()
    assert list((tmp_path / "workers").iterdir()) == []


def test_what_a_killed_worker_left_goes_away_and_a_living_one_keeps_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "workers"
    killed, left = hold(folder)
    living, kept = hold(folder)
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait(10)
        assert (left / "scratch").is_dir()
        with workplace(folder):
            assert not left.exists()
            assert (kept / "scratch").is_dir()
            with workplace(folder):
                assert (kept / "scratch").is_dir()
    finally:
        for process in (killed, living):
            process.kill()
            process.communicate()
