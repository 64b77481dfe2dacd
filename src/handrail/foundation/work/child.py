"""The other end of `compute.Compute`: one process, one step, then gone.

The request is one line of JSON on standard input; answers are lines of JSON on what was standard output. Whatever the
step prints goes to standard error, so that it cannot be taken for an answer. When the parent dies its end of
standard input closes and this process ends at once.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from handrail.foundation.errors import HandrailError
from handrail.foundation.work.station import Station

_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What the interpreter and its libraries need beside the data of the step.
_ROOM_MB = 256


def main() -> None:
    """Run the step that standard input asks for and answer with its result or its error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.loads(_line())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _confine(int(request["memory_limit_mb"]), int(request["threads"]))

    def say(**fields: Any) -> None:
        answers.write(json.dumps(fields, allow_nan=False, separators=(",", ":")) + "\n")
        answers.flush()

    def progress(fraction: float, note: str) -> None:
        say(progress=min(1.0, max(0.0, float(fraction))), note=str(note))

    station = Station(
        out=Path(request["out"]),
        files={name: Path(path) for name, path in request["files"].items()},
        progress=progress,
    )
    try:
        result = _function(request["function"])(station, request["args"])
        say(result=result, peak_mb=_peak_mb())
    except MemoryError:
        say(error="memory", sentence="", peak_mb=_peak_mb())
    except HandrailError as error:
        say(error="refused", code=error.code, sentence=error.sentence, hint=error.hint, facts=_plain(error.facts))
    except Exception as error:  # noqa: BLE001  the edge of this process: every failure is told to the parent
        say(error="failed", sentence=f"{type(error).__name__}: {error}", trace=traceback.format_exc()[-4000:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _function(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def _line() -> bytes:
    """Read up to the first line end, unbuffered: the rest of standard input is the parent's sign of life."""
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        part = os.read(0, 1 << 16)
        if not part:
            os._exit(70)
        parts.append(part)
    return b"".join(parts)


def _leave_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(70)


def _confine(memory_limit_mb: int, threads: int) -> None:
    """Limit memory and threads; one thread also makes sums come out the same on every machine."""
    limit = (memory_limit_mb + _ROOM_MB) << 20
    for kind, amount in ((resource.RLIMIT_DATA, limit), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        most = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (most, hard))
    for name in _THREAD_SETTINGS:
        # Read by the numerical libraries when they load, which is after this line.
        os.putenv(name, str(threads))


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str | int | float | bool | None) else str(value)
        for name, value in facts.items()
    }


if __name__ == "__main__":
    main()
