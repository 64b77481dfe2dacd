"""Writes the blocking client from the awaited one: `doors/sdk/aio` -> `doors/sdk/sync`. Part of `make types`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tools.tree import ROOT

SOURCE = ROOT / "src/handrail/doors/sdk/aio"
TARGET = ROOT / "src/handrail/doors/sdk/sync"
_NOTE = "# Written by `make types` from the file of this name in ../aio; do not edit.\n"
_RULES: tuple[tuple[str, str], ...] = (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"\b__a(enter|exit)__", r"__\1__"),
    (r"\bhandrail\.doors\.sdk\.aio\b", "handrail.doors.sdk.sync"),
)
_INIT = '"""The client whose calls block. Written from the files of `aio`, whose calls are awaited: `make types`."""'


def blocking(text: str) -> str:
    """Return a module of the awaited client as one of the blocking client, before formatting."""
    for pattern, replacement in _RULES:
        text = re.sub(pattern, replacement, text)
    return text


def written() -> dict[str, str]:
    """Return file name -> text of every file of the blocking client."""
    made = {}
    for path in sorted(SOURCE.glob("*.py")):
        text = blocking(path.read_text(encoding="utf-8"))
        if path.name == "__init__.py":
            text = _INIT + text[text.index('"""', 3) + 3 :]
        made[path.name] = _formatted(_NOTE + text, TARGET / path.name)
    return made


def _formatted(text: str, place: Path) -> str:
    """Sort imports and lay the text out as the house does; taking words away moves both."""
    ruff = (sys.executable, "-m", "ruff")
    for step in (("check", "--fix", "--quiet", "--select", "I"), ("format", "--quiet")):
        command = (*ruff, *step, "--stdin-filename", str(place), "-")
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def main() -> int:
    """Write every file."""
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.glob("*.py"):
        old.unlink()
    for name, text in written().items():
        (TARGET / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
