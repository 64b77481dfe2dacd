"""Label Studio as a user installs it: an environment of its own, one server, its HTTP API with a legacy token.

It is installed into `.cache/label-studio` the first time (about 1 GB); nothing of it is imported here.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.label_studio.texts import CHOICES, Text
from tools.serving import free_port
from tools.tree import ROOT

VERSION = "1.23.2"
_FOLDER = ROOT / ".cache" / "label-studio"
_START_S = 600
_CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="s" toName="text" choice="single">'
    + "".join(f'<Choice value="{one}"/>' for one in CHOICES)
    + "</Choices></View>"
)


def installed() -> Path:
    """Return the command, installed when it is not there."""
    command = _FOLDER / "bin" / "label-studio"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", str(_FOLDER)], check=True)
        pip = [str(_FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", f"label-studio=={VERSION}"]
        subprocess.run(pip, check=True)
    return command


@dataclass(frozen=True)
class Peer:
    """A running Label Studio: a client with its token, and the process whose CPU counts."""

    client: httpx.Client
    url: str
    headers: dict[str, str]
    pid: int

    def project(self, title: str) -> int:
        """Make a project with one text and one choice among three."""
        made = self._asked(
            "POST", "/api/projects/", {"title": title, "maximum_annotations": 1, "label_config": _CONFIG}
        )
        return int(made["id"])

    def take(self, project: int, found: Sequence[Text], *, answered: bool) -> None:
        """Import texts, each with its recorded annotation or bare, a thousand in a request: more take it longer."""
        tasks = [
            {"data": {"text": one.text, "doc": one.doc}}
            | ({"annotations": [{"result": _result(one.answer), "lead_time": 1.5}]} if answered else {})
            for one in found
        ]
        for start in range(0, len(tasks), 1000):
            self._asked("POST", f"/api/projects/{project}/import", tasks[start : start + 1000])

    def next_task(self, project: int) -> int:
        """Return the task that it hands out next."""
        return int(self._asked("GET", f"/api/projects/{project}/next", None)["id"])

    def submit(self, task: int, answer: str, client: httpx.Client | None = None) -> None:
        """Answer a task."""
        self._asked("POST", f"/api/tasks/{task}/annotations/", {"result": _result(answer)}, client)

    def export(self, project: int) -> list[Any]:
        """Return everything, with annotations."""
        found: list[Any] = self._asked("GET", f"/api/projects/{project}/export?exportType=JSON", None)
        return found

    def _asked(self, method: str, path: str, body: Any, client: httpx.Client | None = None) -> Any:
        sent = (client or self.client).request(method, self.url + path, json=body, headers=self.headers, timeout=1200)
        sent.raise_for_status()
        return sent.json()


def _result(answer: str) -> list[dict[str, Any]]:
    return [{"from_name": "s", "to_name": "text", "type": "choices", "value": {"choices": [answer]}}]


@contextmanager
def serving_peer(folder: Path) -> Iterator[Peer]:
    """Run Label Studio on an empty folder until the block ends."""
    command, port, token = installed(), free_port(), secrets.token_hex(20)
    data = folder / "label-studio"
    data.mkdir()
    quiet = {"COLLECT_ANALYTICS": "0", "LATEST_VERSION_CHECK": "0", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    options = ["--no-browser", "--data-dir", str(data), "--internal-host", "127.0.0.1", "-p", str(port)]
    user = ["--username", "a@bench.example", "--password", secrets.token_hex(8), "--user-token", token]
    with (folder / "label-studio.log").open("ab") as log:
        process = subprocess.Popen(
            [str(command), "start", *options, *user, "--enable-legacy-api-token", "--log-level", "WARNING"],
            env={**os.environ, **quiet, "LABEL_STUDIO_BASE_DATA_DIR": str(data)},
            cwd=data,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(trust_env=False) as client:
            _wait(client, url, process, folder / "label-studio.log")
            yield Peer(client, url, {"Authorization": f"Token {token}"}, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(client: httpx.Client, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _START_S
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            if client.get(f"{url}/user/login/", timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise AssertionError(f"Label Studio does not answer: {log.read_text(errors='replace')[-2000:]}")
