import hashlib
import io
from pathlib import Path

import pytest

from handrail.foundation.blobs import BlobDamaged, Blobs, BlobUnknown, NotADigest


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def test_bytes_file_and_stream_of_equal_content_are_one_blob(blobs: Blobs, tmp_path: Path) -> None:
    content = b"x" * 3_000_000
    (tmp_path / "file").write_bytes(content)
    digest = blobs.put(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert blobs.put(tmp_path / "file") == digest
    assert blobs.put(io.BytesIO(content)) == digest
    assert list(blobs.digests()) == [digest]
    assert blobs.get(digest) == content
    assert blobs.size(digest) == 3_000_000
    with blobs.open(digest) as source:
        assert source.read(5) == b"xxxxx"


def test_empty_content(blobs: Blobs) -> None:
    assert blobs.get(blobs.put(b"")) == b""


def test_every_changed_byte_is_found_on_read(blobs: Blobs) -> None:
    digest = blobs.put(b"abcdef")
    place = blobs.path(digest)
    for position in range(6):
        changed = bytearray(b"abcdef")
        changed[position] ^= 1
        place.write_bytes(bytes(changed))
        for read in (blobs.get, blobs.open, blobs.path):
            with pytest.raises(BlobDamaged):
                read(digest)
    place.write_bytes(b"abcde")
    with pytest.raises(BlobDamaged):
        blobs.get(digest)
    assert blobs.put(b"abcdef") == digest
    assert blobs.get(digest) == b"abcdef", "putting the right content again mends the file"


def test_unknown_and_removed(blobs: Blobs) -> None:
    absent = "0" * 64
    assert not blobs.exists(absent)
    for read in (blobs.get, blobs.open, blobs.path, blobs.size):
        with pytest.raises(BlobUnknown):
            read(absent)
    digest = blobs.put(b"person")
    blobs.remove(digest)
    blobs.remove(digest)
    assert not blobs.exists(digest)


@pytest.mark.parametrize(
    "name",
    ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "../" + "a" * 61, "ab/" + "a" * 61, "%2e" * 21 + "a"],
)
def test_a_name_that_is_no_digest_never_reaches_the_disk(blobs: Blobs, name: str) -> None:
    for read in (blobs.get, blobs.open, blobs.path, blobs.size, blobs.exists, blobs.remove):
        with pytest.raises(NotADigest):
            read(name)


def test_a_link_in_the_place_of_a_blob_is_refused(blobs: Blobs, tmp_path: Path) -> None:
    digest = blobs.put(b"abc")
    place = blobs.path(digest)
    (tmp_path / "outside").write_bytes(b"abc")
    place.unlink()
    place.symlink_to(tmp_path / "outside")
    with pytest.raises(BlobDamaged):
        blobs.get(digest)


def test_a_write_that_fails_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise OSError("disk pulled out")
            return super().read(size)

    with pytest.raises(OSError, match="pulled out"):
        blobs.put(Failing(b"z" * 2_000_000))
    assert list(blobs.digests()) == []
    assert [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()] == []
