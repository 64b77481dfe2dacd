"""Classes that are filled at once are the dataclasses that they look like."""

from __future__ import annotations

import copy
import inspect
from dataclasses import FrozenInstanceError, asdict, dataclass, field, replace
from typing import ClassVar

import pytest

from handrail.foundation.frozen import at_once


@dataclass(frozen=True)
class Shape:
    """What both classes hold."""

    word: ClassVar[str] = "plain"
    name: str
    parts: tuple[int, ...]
    size: int = 3
    note: str | None = None

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("below 0")


@dataclass(frozen=True)
class Plain(Shape):
    """A class as dataclasses makes it."""


@at_once
@dataclass(frozen=True)
class Quick(Shape):
    """The same, filled at once."""


@at_once
@dataclass(frozen=True, kw_only=True)
class Named:
    """A class that takes names only."""

    first: int
    second: int = 2


def test_it_takes_what_a_dataclass_takes_and_keeps_it() -> None:
    one = Quick("a", (1, 2), note="n")
    assert vars(one) == vars(Plain("a", (1, 2), note="n"))
    assert one == Quick(name="a", parts=(1, 2), size=3, note="n")
    assert hash(one) == hash(copy.copy(one))
    assert repr(one) == "Quick(name='a', parts=(1, 2), size=3, note='n')"
    assert asdict(one) == {"name": "a", "parts": (1, 2), "size": 3, "note": "n"}
    assert replace(one, size=4).size == 4
    assert inspect.signature(Quick).parameters.keys() == inspect.signature(Plain).parameters.keys()
    assert Named(first=1) == Named(first=1, second=2)


def test_two_instances_share_nothing() -> None:
    one, other = Quick("a", ()), Quick("b", ())
    assert (one.name, other.name) == ("a", "b")


@pytest.mark.parametrize("wrong", [lambda: Quick("a"), lambda: Quick("a", (), 3, None, 5), lambda: Quick("a", (), x=1)])
def test_it_refuses_what_a_dataclass_refuses(wrong: object) -> None:
    with pytest.raises(TypeError):
        wrong()  # type: ignore[operator]
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[misc]


def test_it_is_frozen_and_checks_itself() -> None:
    one = Quick("a", ())
    with pytest.raises(FrozenInstanceError):
        one.name = "b"
    with pytest.raises(FrozenInstanceError):
        del one.name
    with pytest.raises(ValueError, match="below 0"):
        Quick("a", (), size=-1)


def test_a_class_whose_constructor_does_more_is_refused() -> None:
    @dataclass(frozen=True)
    class Made:
        parts: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Slotted:
        name: str

    @dataclass(frozen=True)
    class Derived:
        name: str = field(init=False, default="")

    for kind in (Made, Slotted, Derived):
        with pytest.raises(TypeError, match="cannot be filled at once"):
            at_once(kind)
