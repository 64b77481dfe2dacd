"""A real browser on a real server: Debian's Chromium, driven by Playwright, the demonstration's home, axe at hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from tools.serving import Running, serving
from tools.tree import ROOT

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
_HANDRAIL = str(Path(sys.executable).with_name("handrail"))
_UI = ROOT / "src" / "handrail" / "ui_dist" / "index.html"

_PATIENCE_MS = 15_000
Theme = Literal["light", "dark"]
PERSON = {"name": "Ada Newcomer", "email": "ada@example.org", "password": "a rail for the left hand"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run one Chromium for the whole test run."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    assert path is not None, "no Chromium on PATH; `make test` installs it or says what to do"
    with sync_playwright() as playwright:
        # Its own sandbox needs rights that containers do not give; the pages are ours.
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        expect.set_options(timeout=_PATIENCE_MS)
        yield launched
        launched.close()


@dataclass
class Watched:
    """A browser context of its own and everything in it that must not happen."""

    context: BrowserContext
    refused: bool = False  # a test that provokes a refusal: the browser writes it to the console
    wrong: list[str] = field(default_factory=list)

    def open(self) -> Page:
        """Open a page; errors, console errors and requests to other hosts are noted."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self._quiet(said.type, said.text))
        page.on("request", lambda asked: self._local(asked.url))
        return page

    def _quiet(self, kind: str, text: str) -> None:
        if kind == "error" and not (self.refused and "the server responded with a status of 4" in text):
            self.wrong.append(text)

    def _local(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.wrong.append(f"a request left this host: {url}")


@contextmanager
def watched(browser: Browser, state: StorageState | None = None, *, refused: bool = False) -> Iterator[Page]:
    """Open an empty page in a context of its own; anything wrong on it fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce", storage_state=state)
    context.set_default_timeout(_PATIENCE_MS)
    made = Watched(context, refused)
    yield made.open()
    context.close()
    assert made.wrong == [], "on the page"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open an empty page, signed out."""
    with watched(browser) as opened:
        yield opened


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """Return what axe finds wrong on a page (WCAG 2.2 A and AA), one line for each place."""

    def find(page: Page) -> list[str]:
        page.evaluate(_AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        result: dict[str, Any] = page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags
        )
        return [
            f"{violation['id']}: {node['html'][:200]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]

    return find


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play the medical demonstration once; copy it, never change it."""
    home = tmp_path_factory.mktemp("demo") / "home"
    command = [_HANDRAIL, "demo", "medical", "--headless", "--seed", "7", "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return home


@dataclass(frozen=True)
class Site:
    """A server with the demonstration in it, reached under `prefix`."""

    running: Running
    prefix: str

    @property
    def url(self) -> str:
        """Return the address of the pages, without a slash at the end."""
        return self.running.url + self.prefix

    @property
    def link(self) -> str:
        """Return the one-time sign-up link that the server printed."""
        found = re.search(r"http\S+/setup\?token=\S+", self.running.output())
        assert found is not None, self.running.output()
        return found[0]

    def get(self, page: Page, path: str) -> Any:
        """Return what the API says to the person on this page."""
        answer = page.request.get(f"{self.url}/api/v1{path}")
        assert answer.ok, answer.text()
        return answer.json()


@contextmanager
def site(
    demo_home: Path, folder: Path, prefix: str = "", prepare: Callable[[Path], None] | None = None
) -> Iterator[Site]:
    """Serve a copy of the demonstration, after `prepare` had its way with it."""
    assert _UI.is_file(), "the UI is not built; `make install` does that"
    shutil.copytree(demo_home, folder / "home")
    if prepare is not None:
        prepare(folder / "home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
    with serving([_HANDRAIL], folder / "home", environment=environment | {"HANDRAIL_PREFIX": prefix}) as running:
        yield Site(running, prefix)


def sign_up(page: Page, link: str) -> None:
    """Open the one-time link, say who one is, and arrive at the loop of the only project."""
    page.goto(link)
    for label, name in (("Name", "name"), ("E-mail", "email"), ("Password", "password")):
        page.get_by_label(label, exact=True).fill(PERSON[name])
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/loop")
