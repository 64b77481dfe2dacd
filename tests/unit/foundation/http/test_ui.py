from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from handrail.foundation.http.ui import Ui


class Answer:
    """What the pages answered."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")


async def _get(ui: Ui, path: str, method: str = "GET", root: str = "", **headers: str) -> Answer:
    answer = Answer()
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "root_path": root, "headers": pairs, "query_string": b""}

    async def receive() -> Any:
        raise AssertionError("the body was read")

    await ui(scope, receive, answer.send)
    return answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "ui_dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text('<head><base href="/" /></head><script src="./assets/index-abc.js"></script>')
    (built / "icon.svg").write_text("<svg/>")
    (built / "assets" / "index-abc.js").write_text("let a = 1;")
    (built / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"let a = 1;"))
    (built / "assets" / "font.woff2").write_bytes(b"font")
    (tmp_path / "secret.txt").write_text("secret")
    return built


async def test_pages_and_assets(folder: Path) -> None:
    ui = Ui(folder, "")
    for path in ("/", "/projects/p1/tasks", "/setup", "/projects/v1.2", "/index.html"):
        page = await _get(ui, path)
        assert page.status == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
        assert b'<base href="/" />' in page.body
    asset = await _get(ui, "/assets/index-abc.js")
    assert asset.body == b"let a = 1;"
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["content-type"] == "text/javascript; charset=utf-8"
    icon = await _get(ui, "/icon.svg")
    assert icon.headers["cache-control"] == "no-cache"
    assert icon.headers["content-type"] == "image/svg+xml; charset=utf-8"
    font = await _get(ui, "/assets/font.woff2", accept_encoding="gzip")
    assert "content-encoding" not in font.headers
    assert "vary" not in font.headers


async def test_the_policy_of_the_pages_is_strict(folder: Path) -> None:
    policy = (await _get(Ui(folder, ""), "/")).headers["content-security-policy"]
    rules = dict(part.split(" ", 1) for part in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["img-src"] == "'self' data: blob:"
    assert rules["frame-ancestors"] == "'none'"
    assert rules["base-uri"] == "'self'"
    assert "unsafe" not in policy
    assert "*" not in policy


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
    ],
)
async def test_zipped_assets_go_to_those_who_take_them(folder: Path, accepted: str, zipped: bool) -> None:
    asset = await _get(Ui(folder, ""), "/assets/index-abc.js", accept_encoding=accepted)
    assert (asset.headers.get("content-encoding") == "gzip") == zipped
    assert asset.headers["vary"] == "Accept-Encoding"
    assert (gzip.decompress(asset.body) if zipped else asset.body) == b"let a = 1;"


async def test_what_is_known_is_not_sent_again(folder: Path) -> None:
    ui = Ui(folder, "")
    tag = (await _get(ui, "/")).headers["etag"]
    again = await _get(ui, "/", if_none_match=f'"other", W/{tag}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == tag
    assert (await _get(ui, "/", if_none_match='"other"')).status == 200


async def test_the_prefix_is_written_into_the_page(folder: Path) -> None:
    ui = Ui(folder, "/review")
    assert b'<base href="/review/" />' in (await _get(ui, "/review/projects", root="/review")).body
    assert (await _get(ui, "/review/assets/index-abc.js", root="/review")).body == b"let a = 1;"
    assert b'href="/a&quot;b/"' in (await _get(Ui(folder, '/a"b'), "/")).body


async def test_a_new_build_is_seen(folder: Path) -> None:
    ui = Ui(folder, "")
    await _get(ui, "/")
    (folder / "assets" / "index-def.js").write_text("new")
    (folder / "index.html").write_text("<p>new</p>")
    os.utime(folder / "index.html", ns=(1, 1))
    assert (await _get(ui, "/")).body == b"<p>new</p>"
    assert (await _get(ui, "/assets/index-def.js")).body == b"new"


@pytest.mark.parametrize("built", [None, "missing"])
async def test_pages_that_are_not_built_say_what_to_do(tmp_path: Path, built: str | None) -> None:
    page = await _get(Ui(None if built is None else tmp_path / built, ""), "/projects")
    assert page.status == 503
    assert b"make install" in page.body
    assert (await _get(Ui(None, ""), "/api/v1/none")).headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/assets/../../secret.txt", "/..%2fsecret.txt", "/assets/%2e%2e/secret.txt", "//etc/passwd",
        "/assets//etc/passwd", "/etc/passwd", "/\\..\\secret.txt", "/assets/..\\..\\secret.txt", "/./secret.txt",
        "/assets/index-abc.js.gz", "/assets/index-abc.js/", "/assets", "/assets/", "/link.txt", "/\x00", "/assets/\x00",
    ],
)  # fmt: skip
async def test_nothing_but_the_files_in_the_folder_is_served(folder: Path, path: str) -> None:
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    answer = await _get(Ui(folder, ""), path)
    assert b"secret" not in answer.body.replace(b"/secret.txt", b"")
    assert b"root:" not in answer.body
    page = answer.status == 200 and b"<base href" in answer.body
    assert page or (answer.status == 404 and answer.headers["content-type"] == "application/problem+json")


async def test_pages_are_only_read(folder: Path) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = await _get(Ui(folder, ""), "/", method)
        assert answer.status == 405
        assert answer.headers["allow"] == "GET, HEAD"
    for path in ("/api", "/api/v1", "/api/x"):
        assert (await _get(Ui(folder, ""), path)).status == 404
