"""One value, one text: hashes are taken over it, so it may never depend on how the value was made."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.foundation.canonical import encode

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


def shuffled(value: Any, draw: random.Random) -> Any:
    """Return an equal value whose mappings were filled in another order."""
    if isinstance(value, dict):
        keys = draw.sample(list(value), len(value))
        return {key: shuffled(value[key], draw) for key in keys}
    return [shuffled(one, draw) for one in value] if isinstance(value, list) else value


@given(values)
def test_reading_it_gives_the_value_and_writing_that_gives_the_text(value: Any) -> None:
    text = encode(value)
    assert json.loads(text) == value
    assert encode(json.loads(text)) == text
    assert text == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@given(values, st.integers())
def test_the_order_of_filling_does_not_show(value: Any, seed: int) -> None:
    assert encode(shuffled(value, random.Random(seed))) == encode(value)


@given(values, values)
def test_different_values_have_different_texts(one: Any, other: Any) -> None:
    if encode(one) == encode(other):
        assert one == other


@given(values, st.sampled_from([float("nan"), float("inf"), float("-inf")]))
def test_what_is_no_number_is_refused_wherever_it_stands(value: Any, bad: float) -> None:
    for whole in (bad, [value, bad], {"a": value, "b": [{"c": bad}]}):
        with pytest.raises(ValueError, match="JSON compliant"):
            encode(whole)


@pytest.mark.parametrize("bad", [b"bytes", object(), {1, 2}, 1j, [b"x"], {"a": {"b": object()}}, {b"key": 1}])
def test_what_json_cannot_say_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError):
        encode(bad)


def test_a_value_that_holds_itself_is_refused() -> None:
    inside: list[Any] = []
    inside.append(inside)
    with pytest.raises(ValueError, match=r"[Cc]ircular|itself"):
        encode(inside)
