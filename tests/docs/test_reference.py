"""The reference pages are what the code says today, and no link in the documentation leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handrail.foundation.errors import HandrailError
from handrail.foundation.journal.event import Event
from tools.docs_reference import FOLDER, first_sentence, load_everything, pages, subclasses
from tools.tree import ROOT

MARKDOWN = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "src").rglob("README.md")),
]


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize("name", ["settings.md", "errors.md", "events.md", "commands.md"])
def test_a_reference_page_is_up_to_date(name: str, written: dict[str, str]) -> None:
    committed = ROOT / FOLDER / name
    assert committed.is_file(), "run `make docs`"
    assert committed.read_text(encoding="utf-8") == written[name], "run `make docs`"


def test_every_error_has_a_code_of_its_own() -> None:
    load_everything()
    codes: dict[str, str] = {}
    for kind in subclasses(HandrailError):
        assert "code" in vars(kind), f"{kind.__qualname__} has no code of its own"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z0-9]+(_[a-z0-9]+)*", kind.code), kind.code
        assert kind.code not in codes, f"{kind.__qualname__} and {codes.get(kind.code)} share {kind.code}"
        assert first_sentence(kind), f"{kind.__qualname__} does not say what happened"
        codes[kind.code] = kind.__qualname__
    assert len(codes) > 8


def test_every_event_has_a_verb_of_its_own() -> None:
    load_everything()
    verbs: dict[str, str] = {}
    for kind in subclasses(Event):
        if not kind.__subclasses__():
            assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(_[a-z0-9]+)*", kind.verb), f"{kind.__qualname__}: {kind.verb!r}"
            assert kind.verb not in verbs, f"{kind.__qualname__} and {verbs.get(kind.verb)} share {kind.verb}"
            assert first_sentence(kind), f"{kind.__qualname__} does not say what happened"
            verbs[kind.verb] = kind.__qualname__


@pytest.mark.parametrize("page", MARKDOWN, ids=[page.relative_to(ROOT).as_posix() for page in MARKDOWN])
def test_no_link_leads_nowhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve()
        assert file.exists(), f"{page.relative_to(ROOT)} links to {target}"
        if anchor:
            assert anchor in _anchors(file), f"{page.relative_to(ROOT)} links to {target}"


def _anchors(file: Path) -> set[str]:
    titles = re.findall(r"^#+\s+(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
