"""The only way a zip or tar file is unpacked: into an empty folder, within limits, and nothing outside it.

An archive is written by strangers. Names that lead out, links, devices, too many files, files that grow beyond their
stated size, and contents far larger than the archive (a bomb) are refused before they are on the disk.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from handrail.foundation.errors import Invalid

_CHUNK = 1 << 18


class ArchiveRefused(Invalid):
    """An archive is broken, too large, or holds what is never unpacked; nothing of it is used."""

    code = "archives.refused"


@dataclass(frozen=True)
class Limits:
    """What an archive may hold: files, bytes of all together, of one, and bytes for each byte of the archive."""

    files: int = 200_000
    total: int = 8 << 30
    single: int = 2 << 30
    ratio: int = 200


def is_archive(place: Path) -> bool:
    """Return whether a file is a zip or a tar file, by its content."""
    try:
        return zipfile.is_zipfile(place) or tarfile.is_tarfile(place)
    except OSError:
        return False


def unpack(source: Path, folder: Path, limits: Limits | None = None, *, ending: str = "") -> list[str]:
    """Unpack an archive into an empty folder and return the names of its files, sorted; raises ArchiveRefused.

    With `ending` only files whose name ends so are written.
    """
    bounds = limits or Limits()
    allowed = min(bounds.total, max(source.stat().st_size, 1 << 16) * bounds.ratio)
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                return _write(folder, _ending(_zipped(archive), ending), bounds, allowed)
        with tarfile.open(source) as tar:
            return _write(folder, _ending(_tarred(tar), ending), bounds, allowed)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ArchiveRefused(f"The archive {source.name[:80]} cannot be read: {str(error)[:120]}.") from None
    except OSError as error:
        raise ArchiveRefused(f"The archive {source.name[:80]} cannot be unpacked: {error.strerror}.") from None


def _ending(members: Iterable[tuple[str, IO[bytes]]], ending: str) -> Iterator[tuple[str, IO[bytes]]]:
    return ((name, content) for name, content in members if name.endswith(ending))


def safe_name(name: str) -> str:
    """Return the name of a member as a relative path; raises ArchiveRefused for one that leads out of its folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = path.parts
    if (
        path.is_absolute()
        or not parts
        or ".." in parts
        or any(":" in part or not part.isprintable() for part in parts)
        or len(name) > 1000
    ):
        raise ArchiveRefused(f"The archive holds a file called {name[:80]!r}, which leads out of its folder.")
    return path.as_posix()


def _zipped(archive: zipfile.ZipFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in archive.infolist():
        if member.is_dir():
            continue
        # The upper half of the attributes is the mode that Unix gave the file.
        kind = member.external_attr >> 28
        if kind not in (0, 8):
            raise ArchiveRefused(f"The archive holds {member.filename[:80]!r}, which is a link or a device.")
        with archive.open(member) as content:
            yield member.filename, content


def _tarred(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in archive:
        if member.isdir():
            continue
        content = archive.extractfile(member) if member.isreg() else None
        if content is None:
            raise ArchiveRefused(f"The archive holds {member.name[:80]!r}, which is a link or a device.")
        with content:
            yield member.name, content


def _write(folder: Path, members: Iterable[tuple[str, IO[bytes]]], limits: Limits, allowed: int) -> list[str]:
    names: set[str] = set()
    total = 0
    for given, content in members:
        name = safe_name(given)
        if name in names:
            raise ArchiveRefused(f"The archive holds {name[:80]!r} twice.")
        names.add(name)
        if len(names) > limits.files:
            raise ArchiveRefused(f"The archive holds more than {limits.files:,} files.")
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        size = 0
        with place.open("xb") as target:
            while chunk := content.read(_CHUNK):
                size, total = size + len(chunk), total + len(chunk)
                if size > limits.single or total > allowed:
                    raise ArchiveRefused(
                        "The archive holds more than may be unpacked.",
                        hint=f"One file may have {limits.single >> 20:,} MiB, all together {allowed >> 20:,} MiB.",
                    )
                target.write(chunk)
    return sorted(names)


class _Sink(io.RawIOBase):
    """Takes what a zip writer writes, until it is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        """Return true: it can be written to, and not sought in."""
        return True

    def write(self, piece: Any) -> int:
        """Keep a piece."""
        self.pieces.append(bytes(piece))
        return len(self.pieces[-1])

    def taken(self) -> bytes:
        """Return what came since the last time."""
        whole, self.pieces = b"".join(self.pieces), []
        return whole


def zipped(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Yield the parts of a zip file of these (name, content), none held whole; equal files give equal bytes."""
    sink = _Sink()
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, parts in files:
            # A fixed time keeps the bytes of equal contents equal.
            entry = zipfile.ZipInfo(safe_name(name), (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            with archive.open(entry, "w", force_zip64=True) as target:
                for part in parts:
                    target.write(part)
                    if ready := sink.taken():
                        yield ready
            yield sink.taken()
    yield sink.taken()
