"""Writes web/openapi.json from a running server and the web client's types from that: `make types`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from tools.serving import serving
from tools.tree import ROOT

DOCUMENT = ROOT / "web" / "openapi.json"
TYPES = ROOT / "web" / "src" / "api" / "schema.d.ts"


def description() -> str:
    """Start a server on an empty home and return the description of its API, laid out for comparing."""
    command = [sys.executable, "-m", "handrail"]
    handrail = Path(sys.executable).with_name("handrail")
    if handrail.exists():
        command = [str(handrail)]
    with (
        tempfile.TemporaryDirectory(prefix="handrail-types-") as folder,
        serving(command, Path(folder) / "home") as run,
    ):
        answer = httpx.get(f"{run.url}/api/v1/openapi.json", trust_env=False)
        answer.raise_for_status()
        return json.dumps(answer.json(), indent=2, sort_keys=True) + "\n"


def types(document: Path, out: Path) -> None:
    """Write the TypeScript types of an API description."""
    generator = [str(ROOT / "tools" / "with-node"), "npm", "exec", "--prefix", str(ROOT / "web"), "--"]
    subprocess.run(
        [*generator, "openapi-typescript", str(document), "--output", str(out)], check=True, cwd=ROOT / "web"
    )


def main() -> int:
    """Write both files."""
    DOCUMENT.write_text(description(), encoding="utf-8")
    types(DOCUMENT, TYPES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
