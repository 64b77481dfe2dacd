"""Serves the built web pages from the package: exactly the files that are in it, nothing by path."""

from __future__ import annotations

import html
import mimetypes
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handrail.foundation.http.problem import NoSuchMethod, NoSuchPath, problem
from handrail.foundation.http.shield import PAGE_POLICY

_BASE = re.compile(r'<base href="[^"]*"\s*/?>')
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_TEXT = ("text/", "application/json", "image/svg+xml")
_MISSING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Handrail</title></head><body>
<h1>Handrail runs, but its web pages are not built</h1>
<p>The API, the command line and the Python client work. To build the pages, run <code>make install</code> in the
source folder and start the server again. An installed package always holds them; if it does not, install it again.</p>
<p>Is the server well? <code>handrail doctor</code> tells.</p>
</body></html>
"""


@dataclass(frozen=True)
class _File:
    content: bytes
    zipped: bytes | None
    kind: str
    tag: str
    lasting: bool


class Ui:
    """The pages in one folder, read when the server starts, and again when index.html has changed."""

    def __init__(self, folder: Path | None, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix
        self._files: dict[str, _File] = {}
        self._index: _File | None = None
        self._seen = -1
        self._load()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer every address that no route of the API takes."""
        if scope["type"] != "http":
            return
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        path = get_route_path(scope)
        if path == "/api" or path.startswith("/api/"):
            return problem(
                NoSuchPath("The API has no such address.", hint="The addresses are listed in /api/v1/openapi.json.")
            )
        if scope["method"] not in ("GET", "HEAD"):
            return problem(NoSuchMethod("Pages are only read here."), headers={"Allow": "GET, HEAD"})
        self._load()
        headers = Headers(scope=scope)
        name = path.lstrip("/")
        if name in self._files:
            return _file(self._files[name], headers)
        if name.startswith("assets/"):
            return problem(NoSuchPath("This version of the pages has no such file.", hint="Load the page again."))
        if self._index is None:
            return Response(_MISSING, 503, {"Content-Security-Policy": PAGE_POLICY}, "text/html")
        return _file(self._index, headers)

    def _load(self) -> None:
        index = self._folder / "index.html" if self._folder is not None else None
        seen = index.stat().st_mtime_ns if index is not None and index.is_file() else 0
        if seen == self._seen:
            return
        self._seen = seen
        self._files, self._index = {}, None
        if index is None or self._folder is None or not seen:
            return
        for place in sorted(self._folder.rglob("*")):
            name = place.relative_to(self._folder).as_posix()
            if place.is_file() and not place.is_symlink() and place.suffix != ".gz" and name != "index.html":
                self._files[name] = _read(place, name)
        text = index.read_text(encoding="utf-8")
        page, found = _BASE.subn(f'<base href="{html.escape(self._prefix)}/" />', text, count=1)
        content = (page if found else text).encode()
        self._index = _File(content, None, "text/html; charset=utf-8", _tag(content), lasting=False)


def _tag(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()[:32]}"'


def _read(place: Path, name: str) -> _File:
    content = place.read_bytes()
    kind = _TYPES.get(place.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith(_TEXT):
        kind += "; charset=utf-8"
    beside = place.with_name(place.name + ".gz")
    zipped = beside.read_bytes() if beside.is_file() else None
    return _File(content, zipped, kind, _tag(content), lasting=name.startswith("assets/"))


def _file(file: _File, asked: Headers) -> Response:
    # The build writes a digest into the name of every asset, so those never change; everything else is asked for again.
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if file.lasting else "no-cache",
        "Content-Security-Policy": PAGE_POLICY,
        "Content-Type": file.kind,
        "ETag": file.tag,
    }
    if file.zipped is not None:
        headers["Vary"] = "Accept-Encoding"
    if file.tag in [tag.strip().removeprefix("W/") for tag in asked.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers={name: headers[name] for name in headers if name != "Content-Type"})
    if file.zipped is not None and _takes_gzip(asked.get("accept-encoding", "")):
        return Response(file.zipped, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.content, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        name, _, quality = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
