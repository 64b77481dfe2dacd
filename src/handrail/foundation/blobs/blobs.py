"""Files kept under the SHA-256 of their content: written once, never changed, checked on every read."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from handrail.foundation.errors import Broken, Invalid, NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20
_INCOMING = "incoming"


class NotADigest(Invalid):
    """The name of a blob must be 64 hexadecimal digits."""

    code = "blobs.not_a_digest"


class BlobUnknown(NotFound):
    """No blob has this digest."""

    code = "blobs.unknown"


class BlobDamaged(Broken):
    """The content of a blob no longer has the digest it is kept under."""

    code = "blobs.damaged"


class Blobs:
    """A folder of files named by the SHA-256 of their content.

    A blob appears complete or not at all, survives a power cut once `put` has returned, and is hashed again on
    every read. Equal content is kept once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(os.path.abspath(folder))
        self._files = LocalFileSystem(auto_mkdir=False)
        self._files.makedirs(str(self._folder / _INCOMING), exist_ok=True)

    def put(self, content: bytes | Path | BinaryIO) -> str:
        """Keep `content` (bytes, the file at a path, or an open file) and return its digest, 64 hex digits."""
        if isinstance(content, Path):
            with content.open("rb") as source:
                return self._keep(_chunks(source))
        if isinstance(content, bytes | bytearray | memoryview):
            return self._keep(iter([bytes(content)]))
        return self._keep(_chunks(content))

    def get(self, digest: str) -> bytes:
        """Return the whole blob; raises BlobUnknown, BlobDamaged or NotADigest."""
        with self._source(digest) as source:
            content: bytes = source.read()
        if hashlib.sha256(content).hexdigest() != digest:
            raise _damaged(digest)
        return content

    def open(self, digest: str) -> IO[bytes]:
        """Return the blob opened for reading, after hashing it once; raises BlobUnknown, BlobDamaged or NotADigest.

        The hash is taken over the same open file, so that nobody can exchange it in between.
        """
        source = self._source(digest)
        seen = hashlib.sha256()
        for chunk in _chunks(source):
            seen.update(chunk)
        if seen.hexdigest() != digest:
            source.close()
            raise _damaged(digest)
        source.seek(0)
        return source

    def path(self, digest: str) -> Path:
        """Return where the blob lies, after hashing it, for a reader that needs a file name."""
        self.open(digest).close()
        return self._place(digest)

    def exists(self, digest: str) -> bool:
        """Return whether a blob of this digest is kept; raises NotADigest."""
        return bool(self._files.isfile(str(self._place(digest))))

    def size(self, digest: str) -> int:
        """Return the length of the blob in bytes; raises BlobUnknown or NotADigest."""
        place = str(self._place(digest))
        if not self._files.isfile(place):
            raise _unknown(digest)
        return int(self._files.size(place))

    def remove(self, digest: str) -> None:
        """Delete the blob when it is there (erasure of a person); raises NotADigest."""
        place = self._place(digest)
        if self._files.isfile(str(place)):
            self._files.rm_file(str(place))
            _sync_folder(place.parent)

    def digests(self) -> Iterator[str]:
        """Yield the digest of every blob, sorted."""
        for folder in sorted(self._folder.iterdir()):
            if folder.name != _INCOMING and folder.is_dir():
                for file in sorted(folder.iterdir()):
                    if _DIGEST.fullmatch(folder.name + file.name):
                        yield folder.name + file.name

    def _place(self, digest: str) -> Path:
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise NotADigest(
                "The name of a stored file must be 64 hexadecimal digits.", hint="Use the digest put() gave."
            )
        return self._folder / digest[:2] / digest[2:]

    def _source(self, digest: str) -> IO[bytes]:
        place = str(self._place(digest))
        try:
            # A link could lead out of the folder; blobs are plain files.
            if self._files.info(place)["islink"]:
                raise _damaged(digest)
            opened: IO[bytes] = self._files.open(place, "rb", cache_type="none")
        except (FileNotFoundError, IsADirectoryError):
            raise _unknown(digest) from None
        return opened

    def _keep(self, chunks: Iterator[bytes]) -> str:
        incoming = self._folder / _INCOMING / secrets.token_hex(16)
        seen = hashlib.sha256()
        try:
            handle = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as target:
                for chunk in chunks:
                    seen.update(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            digest = seen.hexdigest()
            place = self._place(digest)
            self._files.makedirs(str(place.parent), exist_ok=True)
            # Replacing an equal file mends one that was damaged on disk.
            os.replace(incoming, place)
        finally:
            incoming.unlink(missing_ok=True)
        _sync_folder(place.parent)
        _sync_folder(self._folder)
        return digest


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


def _sync_folder(folder: Path) -> None:
    """Make a rename or delete in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unknown(digest: str) -> BlobUnknown:
    return BlobUnknown(f"No stored file has the digest {digest[:12]}…", digest=digest)


def _damaged(digest: str) -> BlobDamaged:
    return BlobDamaged(
        f"The stored file {digest[:12]}… is damaged: its content does not match its name.",
        hint="Restore this file from a backup; its name is the SHA-256 of the right content.",
        digest=digest,
    )
