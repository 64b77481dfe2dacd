"""Label Studio beside Handrail in one run: the same texts, the same requests, the same client, CPU of the server.

    python -m bench label_studio [--quick] [--keep]

What is compared: texts with an answer each taken in (also while other clients submit answers: how many answers are
there afterwards), a task handed out and answered, everything given out as JSON. CPU is that of the whole server
process, from /proc. Ours gives out 100,000 texts once more, for the growth of its memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from bench.label_studio.ours import Ours, serving_ours
from bench.label_studio.peer import VERSION, Peer, serving_peer
from bench.label_studio.texts import CHOICES, FULL, QUICK, Sizes, texts
from bench.report import Line, report
from bench.stopwatch import cpu_of

_LAG_S = 1.0


@dataclass(frozen=True)
class Figures:
    """CPU milliseconds of the server for each text or answer, and answers that were lost."""

    imported: float
    answered: float
    exported: float
    lost: int
    lost_alone: int


def cpu_ms(pid: int, count: int, work: Callable[[], object]) -> float:
    """Return CPU milliseconds that a process took for each of `count` while `work` ran, and shortly after."""
    began = cpu_of(pid)
    work()
    time.sleep(_LAG_S)
    return (cpu_of(pid) - began) / count * 1000


class Busy:
    """Clients that submit answers, one after the other, until the block ends."""

    def __init__(self, submit: Callable[[int, httpx.Client], None], clients: int) -> None:
        self._submit = submit
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]
        self.sent = 0
        self.failed: list[Exception] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        with httpx.Client(trust_env=False) as client:
            while not self._over.is_set():
                try:
                    self._submit(number, client)
                except Exception as error:  # noqa: BLE001 - told with the figures
                    self.failed.append(error)
                    return
                with self._lock:
                    self.sent += 1


def of_peer(peer: Peer, sizes: Sizes) -> Figures:
    """Measure Label Studio."""
    found = texts(sizes.texts)
    project = peer.project("answered")
    imported = cpu_ms(peer.pid, sizes.texts, lambda: peer.take(project, found, answered=True))
    exported = cpu_ms(peer.pid, sizes.texts, lambda: peer.export(project))
    lost_alone = _lost_of_peer(peer, project, sizes.texts)
    open_ = peer.project("open")
    peer.take(open_, texts(sizes.texts, "open"), answered=False)

    def label() -> None:
        for number in range(sizes.answers):
            peer.submit(peer.next_task(open_), CHOICES[number % 3])

    answered = cpu_ms(peer.pid, sizes.answers, label)
    second = peer.project("busy")
    queue = iter([int(one["id"]) for one in _open_tasks(peer, open_)])
    take_one = threading.Lock()

    def submit(_: int, client: httpx.Client) -> None:
        with take_one:
            task = next(queue)
        peer.submit(task, "neutral", client)

    with Busy(submit, 1) as busy:
        time.sleep(2)
        peer.take(second, texts(sizes.texts, "busy"), answered=True)
    assert busy.sent, busy.failed
    return Figures(imported, answered, exported, _lost_of_peer(peer, second, sizes.texts), lost_alone)


def _open_tasks(peer: Peer, project: int) -> list[dict[str, int]]:
    sent = peer.client.get(
        f"{peer.url}/api/tasks/",
        params={"project": project, "page": 1, "page_size": 5000, "fields": "task_only", "include": "id"},
        headers=peer.headers,
        timeout=1200,
    )
    sent.raise_for_status()
    found: list[dict[str, int]] = sent.json()["tasks"]
    return found


def _lost_of_peer(peer: Peer, project: int, count: int) -> int:
    return count - sum(bool(one["annotations"]) for one in peer.export(project))


def of_ours(ours: Ours, sizes: Sizes) -> tuple[Figures, float]:
    """Measure Handrail; the second figure is by how many MiB its memory grew when it gave out the large project."""
    project = ours.project("answered")
    imported = cpu_ms(ours.pid, sizes.texts, lambda: ours.take(project, texts(sizes.texts), answered=True))
    exported = cpu_ms(ours.pid, sizes.texts, lambda: ours.export(project))
    lost_alone = sizes.texts - ours.export(project)[1]
    open_ = ours.project("open")
    ours.take(open_, texts(sizes.texts, "open"), answered=False)
    ours.draw(open_, sizes.texts)

    def label() -> None:
        for number in range(sizes.answers):
            ours.submit(open_, ours.next_task(open_), CHOICES[number % 3])

    answered = cpu_ms(ours.pid, sizes.answers, label)
    second = ours.project("busy")

    def submit(person: int, client: httpx.Client) -> None:
        ours.submit(open_, ours.next_task(open_, person, client), "neutral", person, client)

    with Busy(submit, 1) as busy:
        time.sleep(2)
        ours.take(second, texts(sizes.texts, "busy"), answered=True)
    assert busy.sent, busy.failed
    figures = Figures(imported, answered, exported, sizes.texts - ours.export(second)[1], lost_alone)
    return figures, _growth(ours, sizes)


def _growth(ours: Ours, sizes: Sizes) -> float:
    """Return by how many MiB the most memory grew while a large project was given out."""
    large = ours.project("large")
    for start in range(0, sizes.large, 20_000):
        found = texts(min(20_000, sizes.large - start), f"large-{start}")
        ours.take(large, found, answered=True)
    Path(f"/proc/{ours.pid}/clear_refs").write_text("5", encoding="ascii")  # the most from here on
    before = _memory(ours.pid, "VmRSS")
    assert ours.export(large) == (sizes.large, sizes.large)
    return (_memory(ours.pid, "VmHWM") - before) / 1024


def _memory(pid: int, word: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{word}:"))


def main() -> int:
    """Measure both and report."""
    parser = argparse.ArgumentParser(prog="python -m bench label_studio")
    parser.add_argument("--quick", action="store_true", help="1,500 texts instead of 10,000")
    parser.add_argument("--keep", action="store_true", help="keep the result as a summary")
    given = parser.parse_args()
    sizes = QUICK if given.quick else FULL
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
        with serving_ours(Path(folder), sizes.clients) as ours:
            us, growth = of_ours(ours, sizes)
        with serving_peer(Path(folder)) as peer:
            them = of_peer(peer, sizes)
    lines = [
        Line("texts with an answer taken in: CPU each", us.imported, "ms", peer=f"Label Studio: {them.imported:.3g}"),
        Line("the same for each CPU second, over Label Studio's", them.imported / us.imported, at_least=10),
        Line("a task handed out and answered: CPU", us.answered, "ms", peer=f"Label Studio: {them.answered:.3g}"),
        Line("the same over Label Studio's", us.answered / them.answered, at_most=0.05),
        Line("given out as JSON: CPU each", us.exported, "ms", peer=f"Label Studio: {them.exported:.3g}"),
        Line("the same over Label Studio's", us.exported / them.exported, at_most=0.05),
        Line("answers lost while another client submits", us.lost, at_most=0, peer=f"Label Studio: {them.lost:,}"),
        Line("answers lost without", us.lost_alone, at_most=0, peer=f"Label Studio: {them.lost_alone:,}"),
        Line(f"memory that giving out {sizes.large:,} adds", growth, "MiB", at_most=50),
    ]
    return report("label_studio", lines, facts={"texts": sizes.texts, "answers": sizes.answers, "peer": VERSION})


if __name__ == "__main__":
    sys.exit(main())
