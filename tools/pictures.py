"""Takes the pictures of the documentation from a real server with the demonstration in it: `make pictures`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tools.serving import Running, serving
from tools.tree import ROOT

FOLDER = ROOT / "docs" / "images"
HANDRAIL = str(Path(sys.executable).with_name("handrail"))
_PERSON = {"name": "Ada Newcomer", "email": "ada@example.org", "password": "a rail for the left hand"}


@contextmanager
def signed_in(running: Running) -> Iterator[Page]:
    """Open a browser and sign up with the one-time link that the server printed."""
    link = re.search(r"http\S+/setup\?token=\S+", running.output())
    assert link is not None, running.output()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=2, reduced_motion="reduce")
        page.goto(link[0])
        for name, value in _PERSON.items():
            page.fill(f"input[name={name}]", value)
        page.click("button[type=submit]")
        page.wait_for_url(lambda address: "/setup" not in address)
        yield page
        browser.close()


def take(page: Page) -> None:
    """Take each picture."""
    page.wait_for_url("**/loop")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / "loop.png")


def main() -> int:
    """Play the demonstration into a temporary home, serve it and take the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="handrail-pictures-") as folder:
        home = Path(folder) / "home"
        subprocess.run([HANDRAIL, "demo", "medical", "--headless", "--home", str(home)], check=True)
        with serving([HANDRAIL], home) as running, signed_in(running) as page:
            take(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
