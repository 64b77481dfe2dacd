"""The home folder: one place for everything that is kept, owned by one process at a time.

handrail.db   the database (SQLite)      blobs/     files by digest      datasets/   dataset versions
keys/         secret keys                lock       held while owned     server.json how to reach the owner
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from handrail.foundation.errors import Conflict, Invalid

_owned: set[Path] = set()
_owned_lock = threading.Lock()


class HomeInUse(Conflict):
    """Another process owns the home; `facts` has its `pid` and, when it serves, its `url`."""

    code = "home.in_use"


class HomeUnusable(Invalid):
    """The home folder cannot be made or written."""

    code = "home.unusable"


@dataclass(frozen=True)
class RunningServer:
    """The server of a home; `token` lets a command on this computer talk to it as a machine."""

    url: str
    pid: int
    token: str


class Home:
    """A home folder. `own` it before opening its database; use it in a `with` block, or `release` it."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.abspath(folder))
        self._lock: int | None = None
        self._announced = False

    @property
    def database(self) -> Path:
        """Return where the SQLite database lies."""
        return self.folder / "handrail.db"

    @property
    def blobs(self) -> Path:
        """Return the folder of files kept by digest."""
        return self.folder / "blobs"

    @property
    def datasets(self) -> Path:
        """Return the folder of dataset versions."""
        return self.folder / "datasets"

    @property
    def keys(self) -> Path:
        """Return the folder of secret keys."""
        return self.folder / "keys"

    def create(self) -> None:
        """Make the folders that are missing, for their owner only; raises HomeUnusable."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for part in (self.blobs, self.datasets, self.keys):
                part.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise HomeUnusable(
                f"The home folder {self.folder} cannot be made: {error.strerror}.",
                hint="Set HANDRAIL_HOME to a folder that you may write.",
            ) from None

    def own(self) -> None:
        """Make the folders and become the one process that uses them; raises HomeInUse, HomeUnusable.

        The lock goes with the process, however that ends. It is not passed on to child processes.
        """
        self.create()
        with _owned_lock:
            if self.folder in _owned:
                raise _in_use(self.folder, os.getpid())
            # This process holds no lock here, so opening and closing the file cannot lose one (fcntl's trap).
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
                os.close(handle)
                raise _in_use(self.folder, int(owner) if owner.isdigit() else 0) from None
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            self._lock = handle
            _owned.add(self.folder)

    def announce(self, url: str, *, token: str | None = None) -> str:
        """Write server.json for the commands on this computer and return the token that they will send."""
        token = token or "hr_" + secrets.token_urlsafe(32)
        content = {"pid": os.getpid(), "started": _started(os.getpid()), "token": token, "url": url}
        write_private(self.folder / "server.json", json.dumps(content, sort_keys=True) + "\n")
        self._announced = True
        return token

    def release(self) -> None:
        """Let another process own the home."""
        if self._announced:
            (self.folder / "server.json").unlink(missing_ok=True)
            self._announced = False
        with _owned_lock:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None
                _owned.discard(self.folder)

    def __enter__(self) -> Self:
        self.own()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def running_server(folder: Path) -> RunningServer | None:
    """Return the server that owns a home, or None: none was announced, or its process is gone."""
    try:
        found: Any = json.loads((folder / "server.json").read_text(encoding="utf-8"))
        server = RunningServer(url=str(found["url"]), pid=int(found["pid"]), token=str(found["token"]))
        started = int(found["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not server.url or not _is_alive(server.pid) or _started(server.pid) != started:
        return None
    return server


def write_private(place: Path, text: str) -> None:
    """Write a file that only its owner can read: complete or not at all, even when power fails."""
    incoming = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    handle = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        os.replace(incoming, place)
    finally:
        incoming.unlink(missing_ok=True)


def _in_use(folder: Path, pid: int) -> HomeInUse:
    server = running_server(folder)
    if server is not None:
        who = f"the server at {server.url} (process {server.pid})"
        hint = "Use that server, or stop it first."
    else:
        who = f"process {pid}" if pid else "another process"
        hint = "Wait for it to end, or set HANDRAIL_HOME to another folder."
    return HomeInUse(
        f"The home {folder} is in use by {who}.",
        hint=hint,
        pid=server.pid if server else pid,
        url=server.url if server else "",
    )


def _is_alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _started(pid: int) -> int:
    """Return when a process started, in ticks since boot, so that a number used again is told apart; 0 if unknown."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return int(line.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
