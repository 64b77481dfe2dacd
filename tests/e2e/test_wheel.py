"""The wheel that a user installs carries the web UI and serves it on a machine without node."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import httpx
import pytest

from tools.serving import serving
from tools.tree import ROOT

UI = ROOT / "src" / "handrail" / "ui_dist"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _without_node(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose PATH holds this Python and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    if not (folder / "python").exists():
        (folder / "python").symlink_to(sys.executable)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HANDRAIL_", "VIRTUAL_ENV"))}
    return kept | {"PATH": str(folder)}


def _build(target: str, source: Path, out: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(out)]
    return subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build an sdist of this repository and unpack it, as every builder of wheels does."""
    assert (UI / "index.html").is_file(), "the UI is not built; `make install` does that"
    folder = tmp_path_factory.mktemp("sdist")
    done = _build("sdist", ROOT, folder, _without_node(folder))
    assert done.returncode == 0, done.stderr
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.glob("handrail-*") if path.is_dir())


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the sdist, with no node on PATH."""
    folder = tmp_path_factory.mktemp("wheel")
    done = _build("wheel", unpacked, folder, _without_node(folder))
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_made_from_the_sdist_has_every_file_of_the_ui(wheel: Path) -> None:
    built = {path.relative_to(UI).as_posix() for path in UI.rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    carried = {name.removeprefix("handrail/ui_dist/") for name in names if name.startswith("handrail/ui_dist/")}
    assert carried == built
    assert not [name for name in names if name.endswith(".map") or "node_modules" in name]


def test_a_wheel_without_the_ui_is_refused(unpacked: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(unpacked), str(copy)], check=True)
    subprocess.run(["rm", "-r", str(copy / "src" / "handrail" / "ui_dist")], check=True)
    done = _build("wheel", copy, tmp_path / "out", _without_node(tmp_path))
    assert done.returncode != 0
    assert "has no web UI" in done.stderr


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty environment, held to the locked versions; return its bin folder."""
    folder = tmp_path_factory.mktemp("user") / "environment"
    venv.EnvBuilder(with_pip=True).create(folder)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    lock = str(ROOT / "requirements" / "core.txt")
    subprocess.run([*pip, "install", "--quiet", "--constraint", lock, str(wheel)], check=True)
    subprocess.run([*pip, "check"], check=True)
    return folder / "bin"


def test_the_installed_wheel_serves_the_page(installed: Path, tmp_path: Path) -> None:
    environment = _without_node(tmp_path) | {"PATH": str(installed)}
    with serving([str(installed / "handrail")], tmp_path / "home", environment=environment) as server:
        page = httpx.get(server.url, trust_env=False)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assets = re.findall(r'(?:src|href)="(?:\./|/)?(assets/[^"]+)"', page.text)
        assert any(asset.endswith(".js") for asset in assets), page.text
        for asset in assets:
            answer = httpx.get(f"{server.url}/{asset}", trust_env=False)
            assert answer.status_code == 200, asset
            assert answer.content
