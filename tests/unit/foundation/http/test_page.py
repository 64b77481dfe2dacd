from __future__ import annotations

import base64

import pytest

from handrail.foundation.http import BadCursor, cursor, keys


def test_a_cursor_comes_back_as_it_went() -> None:
    text = cursor(3, "ä/+?", 0.5)
    assert keys(text, int, str, float) == [3, "ä/+?", 0.5]
    assert text.isascii()
    assert not set(text) & set("+/=&?# ")


@pytest.mark.parametrize(
    "text", ["", "x", "%%%", "ä", cursor(1), cursor(1, "a", 2), cursor("1", "a"), cursor(True, "a")]
)
def test_a_cursor_that_the_list_did_not_give_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        keys(text, int, str)


def test_deep_nesting_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 380).decode()
    with pytest.raises(BadCursor):
        keys(deep, int)
