from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from handrail.foundation.archives import ArchiveRefused, Limits, is_archive, unpack, zipped


def _zip(place: Path, *members: tuple[str, bytes], mode: int = 0o100644) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return place


def _unpacked(tmp_path: Path, source: Path, limits: Limits | None = None) -> list[str]:
    inside = tmp_path / "inside"
    inside.mkdir()
    return unpack(source, inside, limits)


def test_a_zip_that_we_write_is_unpacked_and_the_same_each_time(tmp_path: Path) -> None:
    files = [("a/b.txt", [b"one", b"two"]), ("c.txt", [b""])]
    whole = b"".join(zipped(files))
    assert whole == b"".join(zipped(files))
    place = tmp_path / "a.zip"
    place.write_bytes(whole)
    assert is_archive(place)
    assert _unpacked(tmp_path, place) == ["a/b.txt", "c.txt"]
    assert (tmp_path / "inside/a/b.txt").read_bytes() == b"onetwo"


@pytest.mark.parametrize("name", ["../out.txt", "/etc/x", "a/../../x", "..\\x", "C:\\x", "C:x", "a\x01b"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveRefused, match="leads out"):
        _unpacked(tmp_path, _zip(tmp_path / "a.zip", (name, b"x")))
    assert not list((tmp_path / "inside").rglob("*.txt"))


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="link"):
        _unpacked(tmp_path, _zip(tmp_path / "a.zip", ("link", b"/etc/passwd"), mode=0o120777))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    place = tmp_path / "a.tar.gz"
    with tarfile.open(place, "w:gz") as archive:
        entry = tarfile.TarInfo("x")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(ArchiveRefused, match="link"):
        _unpacked(tmp_path, place)


def test_a_tar_is_unpacked(tmp_path: Path) -> None:
    place = tmp_path / "a.tar.gz"
    with tarfile.open(place, "w:gz") as archive:
        entry = tarfile.TarInfo("folder/x.txt")
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"abc"))
    assert _unpacked(tmp_path, place) == ["folder/x.txt"]


def test_a_bomb_is_refused_before_it_is_on_the_disk(tmp_path: Path) -> None:
    place = _zip(tmp_path / "a.zip", ("zeros", b"\0" * (64 << 20)))
    with pytest.raises(ArchiveRefused, match="more than may be unpacked"):
        _unpacked(tmp_path, place)
    assert (tmp_path / "inside/zeros").stat().st_size <= 14 << 20


@pytest.mark.parametrize(
    ("limits", "why"), [(Limits(files=1), "more than 1 files"), (Limits(single=2), "more than may be unpacked")]
)
def test_limits_hold(tmp_path: Path, limits: Limits, why: str) -> None:
    with pytest.raises(ArchiveRefused, match=why):
        _unpacked(tmp_path, _zip(tmp_path / "a.zip", ("a", b"123"), ("b", b"4")), limits)


def test_a_name_that_stands_twice_and_a_broken_file_are_refused(tmp_path: Path) -> None:
    place = _zip(tmp_path / "a.zip", ("a", b"1"), ("a/", b""), ("./a", b"2"))
    with pytest.raises(ArchiveRefused):
        _unpacked(tmp_path, place)
    (tmp_path / "b.zip").write_bytes(place.read_bytes()[:-30])
    (tmp_path / "two").mkdir()
    with pytest.raises(ArchiveRefused):
        unpack(tmp_path / "b.zip", tmp_path / "two")
