"""A process that runs jobs and nothing else, beside the servers of a PostgreSQL database."""

from __future__ import annotations

import logging
import signal
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from handrail.app import Handrail, working
from handrail.foundation.settings import Settings, masked

_LOOK_S = 0.5
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def work(settings: Settings, say: Callable[[str], None]) -> None:
    """Carry out the runs that are asked for until SIGTERM or SIGINT; raises NeedsSharedDatabase on SQLite.

    What is unfinished at the end is taken over by another worker, or goes on when one starts again.
    """
    with _told_to_stop() as stopping, working(settings) as system:
        say(f"Handrail works on the runs of {masked(settings.database)}, with the files of {settings.home}")
        while not stopping.wait(_LOOK_S):
            _look(system)
        say("Handrail stops working; what is unfinished goes on elsewhere or later")


def _look(system: Handrail) -> None:
    try:
        system.pipelines.resume()
    except Exception as error:  # noqa: BLE001  the edge of a loop that must outlive a lost connection
        logging.getLogger("handrail.work").warning("The runs that wait cannot be seen: %s", error)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and SIGINT set; outside the main thread nobody hears signals."""
    stopping = threading.Event()

    def stop(_number: int, _frame: types.FrameType | None) -> None:
        stopping.set()

    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return
    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
