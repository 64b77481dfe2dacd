"""Archives of demonstrations: fetched by the package clients, counted only by their hash, unpacked safely."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from handrail.doors.cli import archives
from handrail.foundation.archives import ArchiveRefused
from handrail.usecases.archives import Archive


def tar_of(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def wanted(content: bytes, client: str = "npm") -> Archive:
    return Archive(
        client="npm" if client == "npm" else "pip",
        name="small-data",
        version="1.0",
        file="small-data-1.0.tgz",
        sha256=sha256(content).hexdigest(),
        megabytes=0.1,
        ending="",
        said="made in a test",
    )


class Client:
    """Stands in for the package client: writes what it is given where the call says, and keeps the calls."""

    def __init__(self, content: bytes | None, stderr: str = "") -> None:
        self.content, self.stderr, self.calls = content, stderr, 0
        self.command: list[str] = []

    def __call__(self, command: list[str], *, cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
        self.calls += 1
        self.command = command
        if self.content is not None:
            (cwd / "small-data-1.0.tgz").write_bytes(self.content)
        return subprocess.CompletedProcess(command, int(self.content is None), "", self.stderr)


def given(monkeypatch: pytest.MonkeyPatch, content: bytes | None, stderr: str = "") -> Client:
    client = Client(content, stderr)
    monkeypatch.setattr(archives.subprocess, "run", client)
    return client


def test_it_is_fetched_once_and_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tar_of({"package/data/a.txt": b"one", "package/setup.py": b"raise SystemExit('never run')"})
    client = given(monkeypatch, content)
    for _ in range(2):
        with archives.unpacked(wanted(content), tmp_path / "kept") as folder:
            assert (folder / "package" / "data" / "a.txt").read_bytes() == b"one"
        assert not folder.exists()
    assert client.calls == 1
    assert [one.name for one in (tmp_path / "kept").iterdir()] == ["small-data-1.0.tgz"]
    assert "small-data@1.0" in client.command
    assert "--ignore-scripts" in client.command


def test_only_data_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tar_of({"a.txt": b"one", "setup.py": b"raise SystemExit"})
    given(monkeypatch, content)
    with archives.unpacked(replace(wanted(content), ending=".txt"), tmp_path / "kept") as folder:
        assert [one.name for one in folder.iterdir()] == ["a.txt"]


def test_pip_is_told_the_hash_and_no_dependencies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tar_of({"a": b"1"})
    client = given(monkeypatch, content)
    archives.archive(wanted(content, "pip"), tmp_path)
    assert {"--no-deps", "--require-hashes"} <= set(client.command)


def test_other_bytes_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, tar_of({"a": b"2"}))
    with pytest.raises(archives.ArchiveChanged):
        archives.archive(wanted(tar_of({"a": b"1"})), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_kept_archive_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tar_of({"a": b"1"})
    client = given(monkeypatch, content)
    (tmp_path / "small-data-1.0.tgz").write_bytes(content + b"x")
    with pytest.raises(archives.ArchiveChanged):
        archives.archive(wanted(content), tmp_path)
    assert client.calls == 0


def test_without_a_network_it_says_what_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, None, "npm error code ENOTFOUND")
    with pytest.raises(archives.ArchiveUnavailable) as refused:
        archives.archive(wanted(b"x"), tmp_path)
    assert "ENOTFOUND" in refused.value.sentence
    assert "handrail demo medical" in str(refused.value.hint)
    assert str(tmp_path) in str(refused.value.hint)


def test_a_client_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives.shutil, "which", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(archives.ArchiveUnavailable, match="npm could not be started"):
        archives.archive(wanted(b"x"), tmp_path)


def test_an_archive_that_leads_out_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tar_of({"../outside": b"1"})
    given(monkeypatch, content)
    with pytest.raises(ArchiveRefused), archives.unpacked(wanted(content), tmp_path / "kept"):
        pass
    assert not (tmp_path / "outside").exists()
