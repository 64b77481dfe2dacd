"""Conditions: what they mean, and that no text and no value gets the process down or turns an error into an answer."""

import datetime as dt
import time
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from handrail.cycle.review.check_condition import compile_apart, validate_condition
from handrail.cycle.review.condition import Broken, Condition, ConditionRefused

NAMES = frozenset({"item", "group", "prediction"})


def holds(source: str, **values: Any) -> bool | Broken:
    return Condition.compile(source, NAMES).holds({"item": {}, "group": {}, "prediction": {}} | values)


def test_a_condition_says_yes_or_no() -> None:
    one = Condition.compile('item.amount > 1000 && group.country in ["FR", "DE"]', NAMES)
    assert one.variables == {"item", "group"}
    assert one.holds({"item": {"amount": 1200}, "group": {"country": "FR"}}) is True
    assert one.holds({"item": {"amount": 1200.5}, "group": {"country": "US"}}) is False


@pytest.mark.parametrize(
    ("source", "item", "expected"),
    [
        ("true", {}, True),
        ("has(item.note)", {}, False),
        ("has(item.note) && item.note == 'x'", {}, False),
        ("size(item.name) > 2", {"name": "abc"}, True),
        ("item.tags.exists(t, t == 'vip')", {"tags": ["a", "vip"]}, True),
        ("item.tags.all(t, t.startsWith('a'))", {"tags": ["a", "b"]}, False),
        ("size(item.scores.filter(s, s > 0.5)) == 1", {"scores": [0.4, 0.6]}, True),
        ("item.name.matches('^A.*z$')", {"name": "Abcz"}, True),
        ("item['amount'] > 3", {"amount": 4}, True),
        ('item.note == "it\'s (all) fine.all(x, "', {"note": "it's (all) fine.all(x, "}, True),
        ("item.amount > 3 // the limit, as agreed", {"amount": 4}, True),
        ("item.when < timestamp('2026-01-01T00:00:00Z')", {"when": dt.datetime(2025, 1, 1, tzinfo=dt.UTC)}, True),
        ("item.price > 2.5", {"price": Decimal("2.75")}, True),
        ("item.amount > 3", {"amount": np.float64(4.0)}, True),
    ],
)
def test_the_language(source: str, item: dict[str, Any], expected: bool) -> None:
    assert holds(source, item=item) is expected


@pytest.mark.parametrize(
    ("source", "item"),
    [
        ("item.amount > 3", {}),
        ("item.amount > 3", {"amount": None}),
        ("item.amount > 3", {"amount": "4"}),
        ("item.amount > 3", {"amount": float("nan")}),
        ("item.amount != 3.0", {"amount": float("nan")}),
        ("!(item.amount > 3)", {"amount": float("nan")}),
        ("item.amount > 3", {"amount": float("inf")}),
        ("item.rows[0].v > 3", {"rows": [{"v": [float("nan")]}]}),
        ("item.amount", {"amount": 1}),
        ("item.name", {"name": "true"}),
        ("item.amount / 0 > 1", {"amount": 1}),
        ("item.amount * 9223372036854775807 > 1", {"amount": 9}),
        ("item.rows[3] == 1", {"rows": [1]}),
        ("item.amount > 3", {"amount": {1, 2}}),
        ("item.amount > 3", {"amount": object()}),
        ("item.name == 'x'", {"name": "\ud800"}),
        ("item.name.matches(item.pattern)", {"name": "a", "pattern": "(a{1000}){1000}"}),
        ("item.name.matches('(')", {"name": "a"}),
        ("timestamp(item.name) > timestamp(item.name)", {"name": "no time"}),
    ],
)
def test_whatever_cannot_be_said_is_broken_and_never_an_answer(source: str, item: dict[str, Any]) -> None:
    found = holds(source, item=item)
    assert isinstance(found, Broken)
    assert found.why
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(found)


def test_a_missing_variable_is_broken_and_named() -> None:
    found = Condition.compile("item.a > 1 && group.b == 'x'", NAMES).holds({"item": {"a": 2}})
    assert found == Broken("group is missing")


def test_a_bad_field_that_the_condition_does_not_read_does_not_matter() -> None:
    assert holds("item.amount > 3", item={"amount": 4, "other": float("nan"), "more": object()}) is True
    assert holds("item.amount > 3", item={"amount": 4, "list": [0] * 5000}) is True


HOSTILE = {
    "brackets": "(" * 200_000,
    "matched brackets": "(" * 400 + "1" + ")" * 400 + " > 0",
    "terms": "+".join(["1"] * 30_000) + " > 0",
    "members": "item" + ".a" * 30_000 + " > 0",
    "nested loops": "item.l.all(a, item.l.all(b, item.l.all(c, item.l.all(d, a + b + c + d > 0))))",
    "chained loops": "item.l" + ".map(x, x + x)" * 8 + ".all(x, x == '')",
    "string bomb": "size(item.l.map(x, x + x + x + x + x + x + x + x + x + x)) > 0",
    "spaced loops": "item.l . all ( a , item.l . exists ( b , a == b ) )",
    "commented loops": "item.l.all// x\n(a, item.l.exists// y\n(b, a == b))",
    "camel loops": "item.l.existsOne(a, item.l.existsOne(b, a == b))",
    "loop behind a raw string": r"r'\' == '' && item.l.all(a, item.l.all(b, r'\' == ''))",
    "loop name hides a value": "item.l.all(item, item > 0)",
    "patterns": "||".join(["item.a.matches('\\\\w{99}')"] * 30),
    "patterns in a loop": "item.l.all(a, a.matches('\\\\w{99}'))",
    "unknown value": "secrets.key == 'x'",
    "unknown function": "system('rm') == ''",
    "two-name loop": "item.l.transformList(i, v, v)",
    "root value": ".item.a > 1",
    "optional": "optional.none() == optional.none()",
    "null byte": "item.a == '\0'",
    "surrogate": "item.a == '\ud800'",
    "empty": "  ",
    "open text": "item.a == 'x",
    "syntax": "item.a >",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_refused_with_a_sentence(source: str) -> None:
    with pytest.raises(ConditionRefused) as caught:
        Condition.compile(source, NAMES)
    assert caught.value.code == "review.condition_refused"
    said = validate_condition(source, NAMES)
    assert said is not None
    assert said.endswith(".") or "cannot be read" in said


@pytest.mark.parametrize("name", ["brackets", "terms", "members"])
def test_the_compiling_process_takes_the_crash(name: str) -> None:
    """These get this far only if the limits above fail; the process that asks must live on."""
    assert compile_apart(HOSTILE[name]) is not None


def test_a_good_condition_is_valid_and_a_wrong_one_says_where() -> None:
    assert validate_condition("item.amount > 1000", NAMES) is None
    assert compile_apart("item.amount > 1000") is None
    assert "amuont" in (validate_condition("item.amuont > 1", {"item.amount", "item.name"}) or "")
    assert validate_condition("item.amount > 1 && has(item.name)", {"item.amount", "item.name"}) is None


@pytest.mark.parametrize(
    "source",
    [
        "!" * 990 + "true",
        "-" * 980 + "1 > 0",
        "1+" * 490 + "1 > 0",
        "(" * 32 + "true" + ")" * 32,
        "item" + ".a" * 490 + " > 0",
        "item" + "[0]" * 300 + " > 0",
        "[" * 32 + "]" * 32 + " == []",
    ],
)
def test_what_the_limits_let_through_compiles_in_this_process(source: str) -> None:
    one = Condition.compile(source, NAMES)
    assert isinstance(one.holds({"item": {"a": 1}}), bool | Broken)


@pytest.mark.parametrize(
    ("source", "item"),
    [
        ("item.l.all(x, size(" + "+".join(["item.l"] * 100) + ") > 0)", {"l": list(range(1000))}),
        ("(" + "+".join(["item.l"] * 100) + ").all(x, x >= 0)", {"l": list(range(1000))}),
        ("item.l.all(x, " + "+".join(["item.s"] * 100) + " != '')", {"l": list(range(1000)), "s": "a" * 100_000}),
        ("item.l.all(x, " + "+".join(["x"] * 400) + " != '')", {"l": ["a" * 20_000] * 1000}),
        ("item.l.all(x, x in item.l)", {"l": [f"{n:0100}" for n in range(1000)]}),
        ("item.l.all(x, x >= 0)", {"l": list(range(1001))}),
        ("size(item.s) > 1 && item.d == 1", {"s": "a" * 50_000_000, "d": 1}),
        ("item.l == 1", {"l": [[0] * 1000] * 1000}),
    ],
)
def test_values_that_would_take_long_are_broken_at_once(source: str, item: dict[str, Any]) -> None:
    started = time.perf_counter()
    assert isinstance(holds(source, item=item), Broken)
    assert time.perf_counter() - started < 0.5


def test_deep_values_are_broken() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert isinstance(holds("item.x == 1", item={"x": deep}), Broken)


@pytest.mark.parametrize(
    ("source", "item"),
    [
        ("item.l.all(x, size(" + "+".join(["item.l"] * 20) + ") > 0)", {"l": list(range(40))}),
        ("item.l.exists(x, x == item.a || x == item.b)", {"l": list(range(1000)), "a": 1, "b": -1}),
        ("item.text.contains('refund')", {"text": "a" * 5_000_000}),
    ],
)
def test_what_the_budget_lets_through_takes_at_most_seconds(source: str, item: dict[str, Any]) -> None:
    started = time.perf_counter()
    assert isinstance(holds(source, item=item), bool)
    assert time.perf_counter() - started < 2.0


def test_an_interrupt_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Condition.compile("item.a > 1", NAMES)

    class Stop:
        def execute(self, _values: object) -> bool:
            raise KeyboardInterrupt

    object.__setattr__(one, "_program", Stop())
    with pytest.raises(KeyboardInterrupt):
        one.holds({"item": {"a": 1}})
    monkeypatch.setattr(Stop, "execute", lambda *_: (_ for _ in ()).throw(BaseException("panic")))
    assert one.holds({"item": {"a": 1}}) == Broken("panic")
