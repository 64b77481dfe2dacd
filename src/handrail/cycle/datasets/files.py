"""The files of a project's versions: each appears whole or not at all, survives a power cut, and is hashed when read.

commits/ID.json         one manifest for each commit
items/SHA256.parquet    the items that a commit added
labels/SHA256.parquet   the labels that a commit changed
bases/ID.json           the same version as files that need no other one; made later, and only to read faster
snapshots/SHA256.parquet  the labels of such a version
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Literal, TypeVar

from handrail.cycle.datasets.delta import Base, Manifest
from handrail.cycle.datasets.model import DatasetBroken
from handrail.foundation.actors import Scope

T = TypeVar("T")
Kind = Literal["items", "labels", "snapshots"]

_CHUNK = 1 << 20
_HEX = re.compile(r"[0-9a-f]{64}")
_LEFT_OVER_S = 24 * 3600
_LARGE = 4 << 20
_MOST_KNOWN = 10_000
_known: set[tuple[str, int, int, int]] = set()
"""Large files whose hash this process has taken: place, inode, size, time of the last change."""


class Files:
    """The files of one project.

    A large file is hashed once by a process and again when it changed; with `wary` it is hashed each time.
    """

    def __init__(self, folder: Path, scope: Scope, *, wary: bool = False) -> None:
        self._wary = wary
        self.folder = Path(os.path.abspath(folder)) / scope.project_id

    def prepare(self) -> None:
        """Make the folders."""
        for name in ("incoming", "commits", "items", "labels", "bases", "snapshots"):
            (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        _sync_folder(self.folder)
        _sync_folder(self.folder.parent)

    def keep(self, kind: Kind, write: Callable[[IO[bytes]], T]) -> tuple[str, T]:
        """Keep what `write` writes under its SHA-256; return that and what `write` returns."""
        with self._incoming() as (place, target):
            made = write(target)
            _end(target)
            name = _sha256_of(place)
            _appear(place, self.place(kind, name))
        return name, made

    def keep_manifest(self, commit_id: str, manifest: Manifest) -> None:
        """Keep the manifest of a commit; its other files must be kept before."""
        with self._incoming() as (place, target):
            target.write(manifest.to_text().encode())
            _end(target)
            _appear(place, self.manifest_place(commit_id))

    def keep_base(self, commit_id: str, base: Base) -> None:
        """Keep the base of a commit; its other files must be kept before."""
        with self._incoming() as (place, target):
            target.write(base.to_text().encode())
            _end(target)
            _appear(place, self.base_place(commit_id))

    def place(self, kind: Kind, name: str) -> Path:
        """Return where a file of items or labels lies."""
        return self.folder / kind / f"{name}.parquet"

    def manifest_place(self, commit_id: str) -> Path:
        """Return where the manifest of a commit lies."""
        return self.folder / "commits" / f"{commit_id}.json"

    def base_place(self, commit_id: str) -> Path:
        """Return where the base of a commit lies, or would lie."""
        return self.folder / "bases" / f"{commit_id}.json"

    def base(self, commit_id: str) -> Base | None:
        """Return the base of a commit, None where it has none; raises DatasetBroken when it is no base."""
        place = self.base_place(commit_id)
        try:
            return Base.from_dict(json.loads(place.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise self.broken(place, "it cannot be read as a base", commit_id) from None

    def has_commit(self, commit_id: str) -> bool:
        """Return whether the manifest of a commit is there."""
        return _HEX.fullmatch(commit_id) is not None and self.manifest_place(commit_id).is_file()

    def manifest(self, commit_id: str) -> Manifest:
        """Return the manifest of a commit; raises DatasetBroken when it is missing or no manifest."""
        place = self.manifest_place(commit_id)
        try:
            text = place.read_bytes().decode()
            found = Manifest.from_dict(json.loads(text))
        except FileNotFoundError:
            raise self.broken(place, "it is missing", commit_id) from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise self.broken(place, "it cannot be read as a manifest", commit_id) from None
        if found.to_text() != text:
            raise self.broken(place, "it is not written as a manifest is", commit_id)
        return found

    @contextmanager
    def opened(self, kind: Kind, name: str, commit_id: str) -> Iterator[IO[bytes]]:
        """Open a file for reading after its bytes were hashed; raises DatasetBroken.

        The hash is taken over the same open file, so that nobody can exchange it in between.
        """
        place = self.place(kind, name)
        if not _HEX.fullmatch(name):
            raise self.broken(
                self.manifest_place(commit_id), "it names a file in another way than by SHA-256", commit_id
            )
        try:
            source = place.open("rb")
        except OSError:
            raise self.broken(place, "it is missing", commit_id) from None
        with source:
            told = os.fstat(source.fileno())
            known = (str(place), told.st_ino, told.st_size, told.st_mtime_ns)
            if self._wary or known not in _known:
                if _sha256(source) != name:
                    raise self.broken(place, "its content does not match its name", commit_id)
                if told.st_size >= _LARGE and len(_known) < _MOST_KNOWN:
                    _known.add(known)
            source.seek(0)
            yield source

    def broken(self, place: Path, why: str, commit_id: str) -> DatasetBroken:
        """Return the error for a file that is not as it must be."""
        shown = place.relative_to(self.folder).as_posix()
        return DatasetBroken(
            f"The file {shown} of this project's dataset is broken: {why}.",
            hint="Restore this file from a backup; nothing else needs to change.",
            file=shown,
            commit=commit_id,
        )

    @contextmanager
    def _incoming(self) -> Iterator[tuple[Path, IO[bytes]]]:
        place = self.folder / "incoming" / secrets.token_hex(16)
        try:
            handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            _sweep(place)
            with os.fdopen(handle, "w+b") as target:
                yield place, target
        finally:
            place.unlink(missing_ok=True)


def _sweep(own: Path) -> None:
    """Remove what a killed process left half written a day before our own file; both times are the file system's."""
    before = own.stat().st_mtime - _LEFT_OVER_S
    for other in own.parent.iterdir():
        try:
            if other.stat().st_mtime < before:
                other.unlink()
        except FileNotFoundError:
            continue


def _end(target: IO[bytes]) -> None:
    target.flush()
    os.fsync(target.fileno())


def _appear(place: Path, final: Path) -> None:
    os.replace(place, final)
    _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(source: IO[bytes]) -> str:
    seen = sha256()
    while chunk := source.read(_CHUNK):
        seen.update(chunk)
    return seen.hexdigest()


def _sha256_of(place: Path) -> str:
    with place.open("rb") as source:
        return _sha256(source)
