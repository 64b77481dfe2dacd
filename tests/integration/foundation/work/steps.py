"""Steps that behave and steps that do not."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from handrail.foundation.errors import Conflict
from handrail.foundation.work.station import Station


def add(station: Station, args: dict[str, Any]) -> dict[str, Any]:
    print("noise on standard output")  # noqa: T201
    print('{"result": "false answer"}')  # noqa: T201
    station.progress(0.5, "half")
    (station.out / "made").write_bytes(station.files["given"].read_bytes() * 2)
    station.progress(7, "all")
    return {"sum": args["a"] + args["b"], "pid": os.getpid()}


def refuse(station: Station, args: dict[str, Any]) -> None:
    raise Conflict("Not like this.", hint="Try the other way.", line=3)


def fail(station: Station, args: dict[str, Any]) -> None:
    raise ZeroDivisionError("by zero")


def not_json(station: Station, args: dict[str, Any]) -> Any:
    return {"x": float("nan")}


def leave(station: Station, args: dict[str, Any]) -> None:
    print("last words", file=sys.stderr, flush=True)  # noqa: T201
    os._exit(3)


def crash(station: Station, args: dict[str, Any]) -> None:
    os.kill(os.getpid(), args["signal"])
    time.sleep(10)


def sleep(station: Station, args: dict[str, Any]) -> None:
    (station.out / "pid").write_text(str(os.getpid()))
    station.progress(0.1, "asleep")
    time.sleep(args["seconds"])


def grow(station: Station, args: dict[str, Any]) -> int:
    held = []
    for _ in range(args["mb"]):
        held.append(bytearray(os.urandom(1 << 20)))
    return len(held)


def burst(station: Station, args: dict[str, Any]) -> int:
    import numpy as np

    return len(np.ones(args["mb"] << 17))


def threads(station: Station, args: dict[str, Any]) -> int:
    import numpy as np
    import threadpoolctl

    np.ones((10, 10)) @ np.ones((10, 10))
    return max(pool["num_threads"] for pool in threadpoolctl.threadpool_info())
