"""DVC as a user has it: an environment of its own, a git repository, one Parquet file that it tracks.

It is installed into `.cache/dvc` the first time (about 200 MB); nothing of it is imported here. CPU is that of the
commands and of what they start.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.report import Line
from tools.tree import ROOT

VERSION = "3.67.1"
CHANGES = 1_000
_FOLDER = ROOT / ".cache" / "dvc"
_PEER = f"DVC {VERSION}: {{}}"


def installed() -> Path:
    """Return the command, installed when it is not there."""
    command = _FOLDER / "bin" / "dvc"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", str(_FOLDER)], check=True)
        pip = [str(_FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", f"dvc=={VERSION}"]
        subprocess.run(pip, check=True)
    return command


class Dvc:
    """A repository that holds one table."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._command = str(installed())
        folder.mkdir()
        self._run("git", "init", "--quiet")
        for name, value in (("user.email", "bench@example.org"), ("user.name", "Bench")):
            self._run("git", "config", name, value)
        self._run(self._command, "init", "--quiet")
        self._run(self._command, "config", "core.analytics", "false")

    def _run(self, *command: str) -> float:
        """Run a command and return the CPU seconds that it took, with all that it started."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        env = {**os.environ, "DVC_NO_ANALYTICS": "1", "PYTHONPATH": ""}
        subprocess.run(command, cwd=self._folder, check=True, env=env, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _size(self) -> int:
        return sum(one.stat().st_size for one in (self._folder / ".dvc" / "cache").rglob("*") if one.is_file())

    def _version(self, table: pa.Table, message: str) -> float:
        pq.write_table(table, self._folder / "table.parquet", compression="zstd")
        taken = self._run(self._command, "add", "--quiet", "table.parquet")
        taken += self._run("git", "add", "-A")
        return taken + self._run("git", "commit", "--quiet", "-m", message)

    def beside(self, lines: list[Line], table: pa.Table) -> list[Line]:
        """Return the lines with what the same change of the same table costs in DVC."""
        self._version(table, "first")
        before = self._size()
        labels = table.column("diagnosis").to_pylist()
        for at in random.Random(3).sample(range(len(labels)), min(CHANGES, len(labels))):
            labels[at] = "benign" if labels[at] == "malignant" else "malignant"
        place = table.column_names.index("diagnosis")
        taken = self._version(table.set_column(place, "diagnosis", pa.array(labels, pa.string())), "corrections")
        grown = self._size() - before
        looked = self._run(self._command, "diff", "--quiet", "HEAD~1", "HEAD")
        back = self._run("git", "checkout", "--quiet", "HEAD~1")
        back += self._run(self._command, "checkout", "--quiet")
        told = {
            "commit of 1,000 changed labels, CPU": f"{taken * 1000:,.0f} ms",
            "its bytes over the compressed change": f"{grown / 1e6:,.1f} MB more",
            "row diff of two versions, CPU": f"{looked * 1000:,.0f} ms, and tells the file, no row",
            "reading a version, CPU, the middle one": f"{back:.2f} s to put the file back, unread",
        }
        return [replace(one, peer=_PEER.format(told[one.what])) if one.what in told else one for one in lines]
