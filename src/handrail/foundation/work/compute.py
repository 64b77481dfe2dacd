"""Heavy steps in processes of their own: limited memory, limited time, killed on cancel, no pickle.

A step is a function `step(station, args) -> result` named by its path; arguments and result are JSON, big things are
files. The same function runs the same way in a test, without a process: `step(Station(out=...), args)`.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from handrail.foundation.errors import Broken, Busy, Conflict, HandrailError, TooLarge
from handrail.foundation.work.station import Report, silent

_TICK_S = 0.05
_ASK_S = 0.25
_LONGEST_LINE = 64 << 20
_START = "import sys,json;sys.path[:]=json.loads(sys.argv[1]);from handrail.foundation.work.child import main;main()"


class Cancelled(Conflict):
    """The job was cancelled while the step ran."""

    code = "work.cancelled"


class OutOfMemory(TooLarge):
    """The step needed more memory than it may use."""

    code = "work.out_of_memory"


class TimedOut(Busy):
    """The step took longer than it may."""

    code = "work.timed_out"


class StepFailed(Broken):
    """The step ended with an error nobody foresaw, or its process died."""

    code = "work.step_failed"


class Stopped(BaseException):
    """The server is going down; the step runs again after the next start.

    Not an `Exception`: the job engine writes those down as the outcome of the job, and a stop is no outcome.
    """


@dataclass(frozen=True)
class Done:
    """What a step returned (JSON), its wall time in seconds and the peak of its memory in megabytes."""

    result: Any
    seconds: float
    peak_mb: float


@dataclass
class _Running:
    """One child process and what it has said so far."""

    process: subprocess.Popen[bytes]
    complaints: IO[bytes]
    buffer: bytearray = field(default_factory=bytearray)
    said: dict[str, Any] | None = None


class Compute:
    """Runs steps, at most `workers` at a time, each in a fresh process that may use `memory_limit_mb`.

    Only functions whose path begins with one of `allowed` are run. `scratch` is a folder of this process alone for
    the files of steps; it is emptied now.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        memory_limit_mb: int = 2048,
        timeout_s: float = 3600.0,
        threads: int = 1,
        allowed: tuple[str, ...] = ("handrail.",),
        scratch: Path | None = None,
    ) -> None:
        if scratch is not None:
            # What a process that was killed left behind; nobody else works in this folder.
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True, mode=0o700)
        self._scratch = scratch
        self._places = threading.Semaphore(workers)
        self._memory_limit_mb = memory_limit_mb
        self._timeout_s = timeout_s
        self._threads = threads
        self._allowed = allowed
        self._closing = threading.Event()

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Lend an empty folder for the files of one step; it is deleted afterwards."""
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="handrail-") as lent:
            yield Path(lent)

    def run(
        self,
        function: str,
        args: Mapping[str, Any],
        *,
        out: Path,
        files: Mapping[str, Path] | None = None,
        memory_limit_mb: int | None = None,
        timeout_s: float | None = None,
        on_progress: Report = silent,
        cancelled: Callable[[], bool] | None = None,
    ) -> Done:
        """Run the step and return what it returned; blocks. Files it makes lie in `out`, which must exist.

        `cancelled` is asked four times a second. Raises Cancelled, OutOfMemory, TimedOut, StepFailed, or the
        HandrailError that the step raised; Stopped when the server goes down.
        """
        if ":" not in function or not function.startswith(self._allowed):
            raise StepFailed(f"The step {function} may not be run.", function=function)
        limit_mb = memory_limit_mb or self._memory_limit_mb
        request = {
            "function": function,
            "args": dict(args),
            "files": {name: str(path) for name, path in (files or {}).items()},
            "out": str(out),
            "memory_limit_mb": limit_mb,
            "threads": self._threads,
        }
        line = json.dumps(request, allow_nan=False).encode() + b"\n"
        asked = cancelled or _never
        self._wait_for_place(asked)
        try:
            return self._run(function, line, limit_mb, timeout_s or self._timeout_s, on_progress, asked)
        finally:
            self._places.release()

    def close(self) -> None:
        """Kill every running step; they raise Stopped where they were started, and so does every later one."""
        self._closing.set()

    def _wait_for_place(self, cancelled: Callable[[], bool]) -> None:
        while not self._places.acquire(timeout=_ASK_S):
            self._ask(cancelled)

    def _ask(self, cancelled: Callable[[], bool]) -> None:
        if self._closing.is_set():
            raise Stopped
        if cancelled():
            raise Cancelled("The job was cancelled.")

    def _run(
        self,
        function: str,
        line: bytes,
        limit_mb: int,
        timeout_s: float,
        on_progress: Report,
        cancelled: Callable[[], bool],
    ) -> Done:
        self._ask(cancelled)
        began = time.monotonic()
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(  # noqa: S603  our own interpreter, our own module
                [sys.executable, "-c", _START, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
            running = _Running(process, complaints)
            try:
                _send(process, line)
                self._watch(running, function, began, limit_mb, timeout_s, on_progress, cancelled)
            finally:
                _end(process)
            answer = _answer(running, function, limit_mb)
        return Done(answer["result"], time.monotonic() - began, answer["peak_mb"])

    def _watch(
        self,
        running: _Running,
        function: str,
        began: float,
        limit_mb: int,
        timeout_s: float,
        on_progress: Report,
        cancelled: Callable[[], bool],
    ) -> None:
        """Read what the child says until it ends; raise when it must not go on."""
        output = running.process.stdout
        assert output is not None
        next_ask = began + _ASK_S
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while True:
                if selector.select(_TICK_S):
                    part = os.read(output.fileno(), 1 << 16)
                    if not part:
                        return
                    _hear(running, part, on_progress)
                now = time.monotonic()
                if (used := _resident_mb(running.process.pid)) > limit_mb:
                    raise _out_of_memory(function, used, limit_mb)
                if now - began > timeout_s:
                    raise TimedOut(f"The step took longer than {timeout_s:g} s and was ended.", function=function)
                if now >= next_ask or self._closing.is_set():
                    self._ask(cancelled)
                    next_ask = now + _ASK_S


def _never() -> bool:
    return False


def _send(process: subprocess.Popen[bytes], line: bytes) -> None:
    """Hand over the request; the pipe stays open, since its closing tells the child that we are gone."""
    assert process.stdin is not None
    try:
        process.stdin.write(line)
        process.stdin.flush()
    except BrokenPipeError:
        # The child died before it read; what it left on standard error tells why.
        return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what still runs, with everything it started, and collect it."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    process.wait()


def _hear(running: _Running, part: bytes, on_progress: Report) -> None:
    running.buffer += part
    if len(running.buffer) > _LONGEST_LINE:
        raise StepFailed("The step returned more than it may; big results belong in files.")
    while (end := running.buffer.find(b"\n")) >= 0:
        said = json.loads(running.buffer[:end])
        del running.buffer[: end + 1]
        if "progress" in said:
            on_progress(float(said["progress"]), str(said["note"]))
        else:
            running.said = said


def _answer(running: _Running, function: str, limit_mb: int) -> dict[str, Any]:
    said = running.said
    if said is None:
        raise _died(running, function)
    if "result" in said:
        return said
    if said["error"] == "memory":
        raise _out_of_memory(function, float(said["peak_mb"]), limit_mb)
    if said["error"] == "refused":
        raise _known(said["code"])(said["sentence"], hint=said["hint"], **said["facts"])
    raise StepFailed(f"The step {function} failed: {said['sentence']}", trace=said["trace"])


def _died(running: _Running, function: str) -> HandrailError:
    code = running.process.returncode
    running.complaints.seek(0)
    words = running.complaints.read()[-2000:].decode("utf-8", "replace").strip()
    if code == -signal.SIGKILL:
        return OutOfMemory(
            f"The process of the step {function} was killed from outside.",
            hint="Most often the machine ran out of memory.",
            function=function,
        )
    how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return StepFailed(f"The process of the step {function} ended {how} without a result.", trace=words)


def _out_of_memory(function: str, used_mb: float, limit_mb: int) -> OutOfMemory:
    return OutOfMemory(
        f"The step needed more than the {limit_mb:,} MB of memory it may use.",
        hint="Raise HANDRAIL_COMPUTE_MEMORY_MB or use fewer rows.",
        function=function,
        used_mb=round(used_mb),
        limit_mb=limit_mb,
    )


def _known(code: str) -> type[HandrailError]:
    """Return the error class of a code, or StepFailed when this process does not know it."""
    waiting: list[type[HandrailError]] = [HandrailError]
    while waiting:
        kind = waiting.pop()
        if kind.code == code:
            return kind
        waiting.extend(kind.__subclasses__())
    return StepFailed


def _resident_mb(pid: int) -> float:
    """Return the memory a process holds, in megabytes; 0 where the platform does not tell (its own limit holds)."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as source:
            return int(source.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    except (OSError, IndexError, ValueError):
        return 0.0
