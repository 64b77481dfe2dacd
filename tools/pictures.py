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
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tools.serving import Running, serving
from tools.tree import ROOT

FOLDER = ROOT / "docs" / "images"
HANDRAIL = str(Path(sys.executable).with_name("handrail"))
LARGEST_BYTES = 400_000
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_PERSON = {"name": "Ada Newcomer", "email": "ada@example.org", "password": "a rail for the left hand"}
_SIZE: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}, "device_scale_factor": 1.5}


@contextmanager
def signed_in(running: Running) -> Iterator[Page]:
    """Open a browser and sign up with the one-time link that the server printed."""
    link = re.search(r"http\S+/setup\?token=\S+", running.output())
    assert link is not None, running.output()
    chromium = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    assert chromium is not None, "no Chromium on PATH; `make pictures` installs it or says what to do"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(reduced_motion="reduce", **_SIZE)
        page.goto(link[0])
        for name, value in _PERSON.items():
            page.fill(f"input[name={name}]", value)
        page.click("button[type=submit]")
        page.wait_for_url("**/loop")
        yield page
        browser.close()


def take(page: Page) -> None:
    """Take each picture, in the order in which a newcomer sees the pages."""
    project = page.url.removesuffix("/loop")
    _picture(page, "loop", "Last events")
    page.emulate_media(color_scheme="dark")
    _picture(page, "loop-dark", "Last events")
    page.emulate_media(color_scheme="light")
    page.goto(f"{project}/tasks/{_surest(page, project)}")
    _picture(page, "tasks", "Very likely right")
    page.get_by_role("button", name="benign").first.click()
    page.get_by_text("answered: benign").wait_for()
    page.goto(f"{project}/journal")
    shown = page.get_by_text("answered a task: benign")
    late = page.get_by_role("button", name="new entr")  # the journal numbers entries in batches
    shown.or_(late).first.wait_for()
    if late.is_visible():
        late.click()
    _picture(page, "journal", "answered a task: benign")
    page.goto(f"{project}/decisions/{_reviewed(page, project)}")
    _picture(page, "dossier", "verified here")


def _surest(page: Page, project: str) -> str:
    """Return the open review on which the model is surest: it stands last, and shows the AI answer."""
    path = project.replace("/projects/", "/api/v1/projects/")
    listed = page.request.get(f"{path}/tasks?limit=100").json()["items"]
    return str([one["id"] for one in listed if one["kind"] == "review"][-1])


def _reviewed(page: Page, project: str) -> str:
    """Return the newest decision that a simulated person corrected: the dossier that shows most."""
    path = project.replace("/projects/", "/api/v1/projects/")
    before = ""
    while True:
        entries: list[dict[str, Any]] = page.request.get(f"{path}/journal?limit=200{before}").json()
        assert entries, "nobody corrected a decision"
        for entry in entries:
            if entry["actor"]["kind"] == "simulated" and entry["payload"].get("verdict") == "correct":
                return str(entry["objects"]["decision"])
        before = f"&before={entries[-1]['index']}"


def _picture(page: Page, name: str, said: str) -> None:
    """Take a picture when the page has said what it is about."""
    page.get_by_text(said).first.wait_for()
    page.wait_for_load_state("networkidle")
    place = FOLDER / f"{name}.png"
    page.screenshot(path=place)
    assert place.stat().st_size < LARGEST_BYTES, f"{place} has {place.stat().st_size} bytes"


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
