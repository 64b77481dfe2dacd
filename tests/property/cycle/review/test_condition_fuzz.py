"""Whatever is typed and whatever values come: an answer, Broken or a refusal, never another error, never a crash."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.cycle.review.condition import Broken, Condition, ConditionRefused

NAMES = frozenset({"item", "group"})
_PIECES = (
    "item", "group", ".a", ".b", "['a']", "[0]", "(", ")", "[", "]", "{", "}", ",", ":", "?", "!", "-", "+", "*", "/",
    "%", " && ", " || ", " == ", " != ", " < ", " in ", "true", "null", "1", "2.5", "1u", "'x'", '"y"', "r'\\'", "'''",
    "\"\"\"", "b'z'", "// c\n", "\\", "x", ".all(x, ", ".exists(x, ", ".map(x, ", ".size()", "size(", "has(",
    ".matches('a+')", "timestamp('", "duration('1h')", "é", "\n", " ",
)  # fmt: skip
_SOURCES = st.one_of(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join), st.text(max_size=200))
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["a", "b", "é"]), inner, max_size=3),
    max_leaves=20,
)


@settings(max_examples=500)
@given(source=_SOURCES, item=_VALUES, group=_VALUES)
def test_nothing_escapes(source: str, item: Any, group: Any) -> None:
    try:
        one = Condition.compile(source, NAMES)
    except ConditionRefused:
        return
    assert one.variables <= NAMES
    assert isinstance(one.holds({"item": item, "group": group}), bool | Broken)


@given(item=_VALUES)
def test_negation_never_turns_an_error_into_an_answer(item: Any) -> None:
    plain = Condition.compile("item.a > 1", NAMES).holds({"item": item})
    turned = Condition.compile("!(item.a > 1)", NAMES).holds({"item": item})
    if isinstance(plain, Broken):
        assert isinstance(turned, Broken)
    else:
        assert turned is (not plain)
