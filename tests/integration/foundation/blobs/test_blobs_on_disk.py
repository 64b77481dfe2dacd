"""Blobs with several processes, kill -9 in the middle of a write, and a folder that cannot be written."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from handrail.foundation.blobs import Blobs
from tests.integration.foundation.blobs import putting


def test_what_was_said_to_be_kept_survives_and_is_whole(tmp_path: Path) -> None:
    said: set[str] = set()
    for turn in range(4):
        said |= _put_and_kill(tmp_path, 5 + 3 * turn)
        blobs = Blobs(tmp_path)
        there = set(blobs.digests())
        assert said <= there
        for digest in there:
            assert sha256(blobs.get(digest)).hexdigest() == digest, "a half written file never has a name"
    assert len(said) >= 6


def _put_and_kill(folder: Path, after: int) -> set[str]:
    command = [sys.executable, str(Path(putting.__file__)), str(folder)]
    heard = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            heard.append(line)
            if len(heard) == after:
                process.kill()
    assert process.returncode == -9
    return {line.strip() for line in heard if line.endswith("\n")}


def test_many_put_the_same_content_at_once(tmp_path: Path) -> None:
    contents = [bytes([number % 5]) * 200_000 for number in range(60)]
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(Blobs(tmp_path).put, contents))
    assert made == [sha256(one).hexdigest() for one in contents]
    blobs = Blobs(tmp_path)
    assert list(blobs.digests()) == sorted(set(made))
    assert all(blobs.get(digest) == one for digest, one in zip(made, contents, strict=True))
    assert list((tmp_path / "incoming").iterdir()) == []


def test_reading_while_the_same_content_is_put_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    one = b"x" * 500_000
    digest = blobs.put(one)
    with ThreadPoolExecutor(4) as threads:
        putting_again = [threads.submit(blobs.put, one) for _ in range(30)]
        for _ in range(60):
            assert blobs.get(digest) == one
            with blobs.open(digest) as source:
                assert source.read() == one
        assert {put.result() for put in putting_again} == {digest}


def test_a_write_that_the_disk_refuses_leaves_nothing(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            blobs.put(b"x" * 300_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(blobs.digests()) == []
    assert list((tmp_path / "incoming").iterdir()) == []
    assert blobs.get(blobs.put(b"x" * 300_000)) == b"x" * 300_000
