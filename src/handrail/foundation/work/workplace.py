"""A folder of its own for each worker beside the server of a home; what a killed worker left there goes away."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = "lock"
_ours: set[Path] = set()
_ours_lock = threading.Lock()


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """Lend a new folder inside `folder` until the block ends.

    Its lock goes with the process, however that ends; a folder whose lock is free belongs to nobody and is removed.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _clear(folder)
    place = Path(tempfile.mkdtemp(prefix="worker-", dir=folder))
    with _ours_lock:
        _ours.add(place)
        lock = os.open(place / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.lockf(lock, fcntl.LOCK_EX)
    try:
        yield place
    finally:
        with _ours_lock:
            shutil.rmtree(place, ignore_errors=True)
            os.close(lock)
            _ours.discard(place)


def _clear(folder: Path) -> None:
    with _ours_lock:
        # A process that opens and closes a file loses its own lock on it (fcntl's trap), so ours are passed over.
        left = [place for place in folder.glob("worker-*") if place not in _ours]
        for place in left:
            try:
                # One that is being made has no lock yet: it is left alone, and cleared another time if it was left.
                handle = os.open(place / _LOCK, os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(place, ignore_errors=True)
            except OSError:
                continue  # somebody works there
            finally:
                os.close(handle)
