from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from handrail.foundation.errors import Conflict
from handrail.foundation.work.compute import Cancelled, Compute, OutOfMemory, StepFailed, Stopped, TimedOut

STEPS = "tests.integration.foundation.work.steps"


@pytest.fixture
def compute() -> Compute:
    return Compute(workers=2, memory_limit_mb=400, timeout_s=30, allowed=("tests.",))


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_for(path: Path) -> str:
    for _ in range(200):
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


def test_arguments_files_progress_and_result(compute: Compute, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(b"ab")
    told: list[tuple[float, str]] = []
    done = compute.run(
        f"{STEPS}:add",
        {"a": 1, "b": 2.5},
        out=tmp_path,
        files={"given": tmp_path / "given"},
        on_progress=lambda fraction, note: told.append((fraction, note)),
    )
    assert done.result["sum"] == 3.5
    assert done.result["pid"] != os.getpid()
    assert (tmp_path / "made").read_bytes() == b"abab"
    assert told == [(0.5, "half"), (1.0, "all")]
    assert done.peak_mb > 5
    assert gone(done.result["pid"])


def test_a_refusal_comes_back_as_what_it_was(compute: Compute, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="Not like this") as caught:
        compute.run(f"{STEPS}:refuse", {}, out=tmp_path)
    assert type(caught.value) is Conflict
    assert caught.value.hint == "Try the other way."
    assert caught.value.facts == {"line": 3}


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("fail", "ZeroDivisionError: by zero"),
        ("not_json", "ValueError"),
        ("leave", "exit code 3"),
        ("absent", "AttributeError"),
    ],
)
def test_a_failure_is_told_in_words(compute: Compute, tmp_path: Path, step: str, says: str) -> None:
    with pytest.raises(StepFailed, match=says) as caught:
        compute.run(f"{STEPS}:{step}", {}, out=tmp_path)
    assert caught.value.facts["trace"]


def test_a_crash_names_the_signal(compute: Compute, tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="SIGSEGV"):
        compute.run(f"{STEPS}:crash", {"signal": int(signal.SIGSEGV)}, out=tmp_path)
    with pytest.raises(OutOfMemory, match="killed from outside"):
        compute.run(f"{STEPS}:crash", {"signal": int(signal.SIGKILL)}, out=tmp_path)


@pytest.mark.parametrize("step", ["grow", "burst"])
def test_too_much_memory_is_a_clear_error_and_this_process_lives(compute: Compute, tmp_path: Path, step: str) -> None:
    assert compute.run(f"{STEPS}:{step}", {"mb": 20}, out=tmp_path).result
    with pytest.raises(OutOfMemory) as caught:
        compute.run(f"{STEPS}:{step}", {"mb": 4000}, out=tmp_path)
    assert caught.value.facts["limit_mb"] == 400
    assert "HANDRAIL_COMPUTE_MEMORY_MB" in caught.value.hint


def test_too_long(compute: Compute, tmp_path: Path) -> None:
    with pytest.raises(TimedOut):
        compute.run(f"{STEPS}:sleep", {"seconds": 60}, out=tmp_path, timeout_s=0.8)
    assert gone(int((tmp_path / "pid").read_text()))


def test_cancel_kills_the_process(compute: Compute, tmp_path: Path) -> None:
    flag = threading.Event()
    threading.Thread(target=lambda: (wait_for(tmp_path / "pid"), flag.set()), daemon=True).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        compute.run(f"{STEPS}:sleep", {"seconds": 60}, out=tmp_path, cancelled=flag.is_set)
    assert time.monotonic() - began < 10
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_step_that_waits_for_its_turn_can_be_cancelled_and_stopped(tmp_path: Path) -> None:
    compute = Compute(workers=1, allowed=("tests.",))
    ended: list[type[BaseException]] = []

    def first() -> None:
        try:
            compute.run(f"{STEPS}:sleep", {"seconds": 60}, out=tmp_path)
        except BaseException as error:  # noqa: BLE001
            ended.append(type(error))

    thread = threading.Thread(target=first)
    thread.start()
    pid = int(wait_for(tmp_path / "pid"))
    with pytest.raises(Cancelled):
        compute.run(f"{STEPS}:add", {}, out=tmp_path, cancelled=lambda: True)
    compute.close()
    thread.join(10)
    assert ended == [Stopped]
    assert gone(pid)
    with pytest.raises(Stopped):
        compute.run(f"{STEPS}:add", {}, out=tmp_path)
    assert not issubclass(Stopped, Exception), "the job engine writes an Exception down as the outcome of the job"


def test_only_named_functions_run(tmp_path: Path) -> None:
    for path in ("os:system", "tests.integration.foundation.work.steps:add", "handrail", "handrailx.y:z"):
        with pytest.raises(StepFailed, match="may not be run"):
            Compute().run(path, {}, out=tmp_path)


def test_arguments_must_be_json(compute: Compute, tmp_path: Path) -> None:
    for wrong in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises((TypeError, ValueError)):
            compute.run(f"{STEPS}:add", wrong, out=tmp_path)


def test_sums_come_from_one_thread(compute: Compute, tmp_path: Path) -> None:
    assert compute.run(f"{STEPS}:threads", {}, out=tmp_path).result == 1


def test_the_child_ends_when_the_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path[:0]=['src','.'];from pathlib import Path;"
        "from handrail.foundation.work.compute import Compute;"
        f"Compute(allowed=('tests.',)).run('{STEPS}:sleep', {{'seconds': 60}}, out=Path({str(tmp_path)!r}))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    pid = int(wait_for(tmp_path / "pid"))
    parent.kill()
    parent.wait()
    for _ in range(100):
        if gone(pid):
            return
        time.sleep(0.05)
    raise AssertionError("the child outlived its parent")


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    with Compute(scratch=tmp_path / "scratch").folder() as lent:
        (lent / "rows").write_text("personal")
        kept = lent
        assert kept.parent == tmp_path / "scratch"
        Compute(scratch=tmp_path / "scratch")
        assert not kept.exists()
    with Compute(scratch=tmp_path / "scratch").folder() as lent:
        (lent / "rows").write_text("personal")
    assert list((tmp_path / "scratch").iterdir()) == []
