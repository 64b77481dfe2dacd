from __future__ import annotations

import json
import multiprocessing
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from handrail.foundation.home import Home, HomeInUse, HomeUnusable, running_server

_OWNER = """
import sys
from pathlib import Path
from handrail.foundation.home import Home
home = Home(Path(sys.argv[1]))
home.own()
if len(sys.argv) > 2:
    home.announce(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
"""


def _owner(folder: Path, *url: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(folder), *url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _mode(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode)


def test_the_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Home(tmp_path / "a" / "home") as home:
            home.announce("http://127.0.0.1:1")
            assert {place.name for place in home.folder.iterdir()} == {
                "blobs",
                "datasets",
                "keys",
                "lock",
                "server.json",
            }
            for place in (home.folder, home.keys, home.blobs, home.datasets):
                assert _mode(place) == 0o700
            assert _mode(home.folder / "server.json") == 0o600
            assert _mode(home.folder / "lock") == 0o600
    finally:
        os.umask(before)


def test_a_second_process_is_refused_with_pid_and_url(tmp_path: Path) -> None:
    process = _owner(tmp_path, "http://127.0.0.1:8731")
    try:
        with pytest.raises(HomeInUse) as refused:
            Home(tmp_path).own()
        assert refused.value.facts == {"pid": process.pid, "url": "http://127.0.0.1:8731"}
        assert str(process.pid) in refused.value.sentence
        assert "http://127.0.0.1:8731" in refused.value.sentence
    finally:
        _end(process)
    with Home(tmp_path):
        pass


def test_an_owner_that_does_not_serve_is_named_by_its_process(tmp_path: Path) -> None:
    process = _owner(tmp_path)
    try:
        with pytest.raises(HomeInUse) as refused:
            Home(tmp_path).own()
        assert refused.value.facts == {"pid": process.pid, "url": ""}
        assert running_server(tmp_path) is None
    finally:
        _end(process)


def test_the_same_process_cannot_own_it_twice_and_the_try_does_not_lose_the_lock(tmp_path: Path) -> None:
    with Home(tmp_path):
        with pytest.raises(HomeInUse):
            Home(tmp_path).own()
        tried = subprocess.run(
            [sys.executable, "-c", _OWNER, str(tmp_path)], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert "HomeInUse" in tried.stderr
    with Home(tmp_path):
        pass


def test_a_child_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.own()
    context = multiprocessing.get_context("fork")
    gate = context.Event()
    child = context.Process(target=gate.wait)
    child.start()
    try:
        home.release()
        process = _owner(tmp_path)
        _end(process)
    finally:
        gate.set()
        child.join()


def test_commands_find_the_running_server(tmp_path: Path) -> None:
    assert running_server(tmp_path) is None
    with Home(tmp_path) as home:
        token = home.announce("http://127.0.0.1:9")
        server = running_server(tmp_path)
        assert server is not None
        assert (server.url, server.pid, server.token) == ("http://127.0.0.1:9", os.getpid(), token)
        assert token.startswith("hr_")
        assert len(token) >= 43
    assert running_server(tmp_path) is None


def test_a_file_of_a_dead_process_is_ignored(tmp_path: Path) -> None:
    process = _owner(tmp_path, "http://127.0.0.1:9")
    assert running_server(tmp_path) is not None
    _end(process)
    assert (tmp_path / "server.json").exists()
    assert running_server(tmp_path) is None


def test_a_process_number_that_was_given_again_is_told_apart(tmp_path: Path) -> None:
    with Home(tmp_path) as home:
        home.announce("http://127.0.0.1:9")
        place = tmp_path / "server.json"
        content = json.loads(place.read_text())
        place.write_text(json.dumps({**content, "started": content["started"] - 1}))
        assert running_server(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x", "url": "u", "token": "t", "started": 0}', "\xff"])
def test_a_broken_file_is_no_server(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.json").write_text(text, encoding="latin-1")
    assert running_server(tmp_path) is None


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeUnusable):
        Home(tmp_path / "file" / "home").own()
