"""Runs the code of a page of the documentation, block after block, as a reader would."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SHELL = frozenset({"bash", "sh", "shell"})
PYTHON = frozenset({"py", "python"})
NOT_RUN = re.compile(r"<!--\s*not run:\s*(\S.*?)\s*-->")
LIMIT_S = 600

# Blocks of Python on one page share their names, so one process runs them all.
_INTERPRETER = """
import json, sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    try:
        exec(compile(json.loads(line), "<page>", "exec"), names)
        answer = ""
    except BaseException:
        answer = traceback.format_exc()
    sys.stdout.flush()
    print("\\x00" + json.dumps(answer), flush=True)
"""


class BlockFailed(AssertionError):
    """A block of a page does not do what the page says."""


@dataclass(frozen=True)
class Block:
    """One fenced block: the line it begins on, its language, its text, and why it is not run (or empty)."""

    line: int
    language: str
    text: str
    not_run: str


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found = []
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opening = re.match(r"(\s*)(`{3,}|~{3,})\s*([\w+-]*)", lines[number])
        number += 1
        if not opening:
            continue
        begin, indent, fence = number, len(opening[1]), opening[2]
        while number < len(lines) and not lines[number].strip().startswith(fence):
            number += 1
        before = next((line for line in reversed(lines[: begin - 1]) if line.strip()), "")
        marked = NOT_RUN.search(before)
        body = "\n".join(line[indent:] for line in lines[begin:number])
        found.append(Block(begin, opening[3].lower(), body + "\n", marked[1] if marked else ""))
        number += 1
    return found


def run_page(page: Path, folder: Path) -> int:
    """Run every shell and Python block of `page` in `folder`; return how many; raises BlockFailed at an error."""
    session = _Session(folder)
    count = 0
    try:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.not_run or block.language not in SHELL | PYTHON:
                continue
            error = session.shell(block.text) if block.language in SHELL else session.python(block.text)
            if error:
                raise BlockFailed(f"{page.name}, line {block.line}:\n{block.text}\n{error}")
            count += 1
    finally:
        session.close()
    return count


def _send(group: int, number: int) -> bool:
    """Send a signal to a process group; False when nobody is in it any more."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class _Session:
    """One reader's terminal: a folder, an environment that exports change, a Python that remembers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exports = folder.parent / f"{folder.name}.exports"
        bin_folder = str(Path(sys.executable).parent)
        kept = ("HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "XDG_RUNTIME_DIR")
        self._environment = {name: os.environ[name] for name in kept if name in os.environ}
        self._environment["PATH"] = bin_folder + os.pathsep + os.environ["PATH"]
        self._groups: list[int] = []
        self._interpreter: subprocess.Popen[str] | None = None

    def shell(self, text: str) -> str:
        """Run a block in bash and return its output when it failed."""
        head = f'[ -f "{self._exports}" ] && . "{self._exports}"\nset -euo pipefail\n'
        tail = f'\ndeclare -px > "{self._exports}"\n'
        # Into a file, not a pipe: a server that a block leaves running must not keep us waiting for its output.
        log = self._folder.parent / f"{self._folder.name}.log"
        with log.open("w+", encoding="utf-8") as output:
            run = subprocess.Popen(
                ["bash", "-c", head + text + tail],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._groups.append(run.pid)
            code = run.wait(timeout=LIMIT_S)
            output.seek(0)
            return f"exit code {code}\n{output.read()}" if code else ""

    def python(self, text: str) -> str:
        """Run a block in the page's interpreter and return the traceback when it failed."""
        if self._interpreter is None:
            self._interpreter = subprocess.Popen(
                [sys.executable, "-c", _INTERPRETER],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self._groups.append(self._interpreter.pid)
        assert self._interpreter.stdin is not None
        assert self._interpreter.stdout is not None
        self._interpreter.stdin.write(json.dumps(text) + "\n")
        self._interpreter.stdin.flush()
        printed = []
        for line in self._interpreter.stdout:
            if line.startswith("\x00"):
                error: str = json.loads(line[1:])
                return f"{''.join(printed)}{error}" if error else ""
            printed.append(line)
        return f"{''.join(printed)}the interpreter ended"

    def close(self) -> None:
        """End everything the page started."""
        if self._interpreter is not None:
            for stream in (self._interpreter.stdin, self._interpreter.stdout):
                if stream is not None:
                    stream.close()
        ends = time.monotonic() + 20
        for group in self._groups:
            sent = int(signal.SIGTERM)
            while _send(group, sent):
                if self._interpreter is not None:
                    self._interpreter.poll()  # else it stays in its group as a zombie
                time.sleep(0.05)
                sent = signal.SIGKILL if time.monotonic() > ends else 0
