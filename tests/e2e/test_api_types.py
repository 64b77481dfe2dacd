"""What the web client believes about the API is what the server says today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.api_types import DOCUMENT, TYPES, description, types


def test_the_committed_description_is_the_servers() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == description(), "run `make types`"


@pytest.mark.timeout(180)
def test_the_committed_types_are_made_from_it(tmp_path: Path) -> None:
    made = tmp_path / "schema.d.ts"
    types(DOCUMENT, made)
    assert TYPES.read_text(encoding="utf-8") == made.read_text(encoding="utf-8"), "run `make types`"
