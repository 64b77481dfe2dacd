"""The server starts without the scientific stack: a second and a half and 190 MB that wait until something computes."""

from __future__ import annotations

import json
import subprocess
import sys

from tools.tree import Tree

SCIENCE = {"numpy", "pyarrow", "scipy", "skops", "sklearn"}
_LOAD = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def _loaded_by(names: list[str]) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", _LOAD, json.dumps(names)], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout))


def _needed_at_start() -> list[str]:
    found = []
    for name in Tree.read().sources:
        file = name.rpartition(".")[2]
        served = name.startswith("handrail.cycle.") and (file in ("model", "routes", "service", "store"))
        if served or name in ("handrail", "handrail.app") or name.startswith(("handrail.doors", "handrail.cycle.loop")):
            found.append(name)
    return sorted(found)


def test_what_the_server_needs_at_its_start_loads_no_science() -> None:
    names = _needed_at_start()
    assert "handrail" in names
    assert _loaded_by(names) & SCIENCE == set()


def test_the_package_alone_loads_next_to_nothing() -> None:
    loaded = _loaded_by(["handrail"])
    assert loaded & (SCIENCE | {"sqlalchemy", "fastapi", "pydantic", "dbos"}) == set()


def test_the_check_sees_what_is_loaded() -> None:
    assert "numpy" in _loaded_by(["numpy"])
