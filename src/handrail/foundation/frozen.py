"""Frozen dataclasses that are filled in one step.

The constructor that `dataclass(frozen=True)` writes sets each field by a call of its own, which for the fields of a
decision costs as much as inserting its row (bench/storage). Here it sets them all at once. Nothing else of the class
changes, and a type checker sees the dataclass that it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")


def at_once(kind: type[T]) -> type[T]:
    """Give a frozen dataclass a constructor that fills the instance in one step; for classes on a hot path.

    Raises TypeError for a class whose constructor does more than to keep its arguments: slots, fields made by a
    factory or left out of the constructor.
    """
    kept: tuple[Any, ...] = fields(kind)  # type: ignore[arg-type]  # T is a dataclass; typing has no word for that
    if any(one.default_factory is not MISSING or not one.init for one in kept) or "__slots__" in vars(kind):
        raise TypeError(f"{kind.__name__} cannot be filled at once: a field is made by a factory, or has a slot")
    written = kind.__init__
    given: dict[str, Any] = {f"_{one.name}": one.default for one in kept if one.default is not MISSING}
    arguments = ["self"]
    for one in sorted(kept, key=lambda one: one.kw_only):  # as dataclasses orders them
        if one.kw_only and "*" not in arguments:
            arguments.append("*")
        arguments.append(one.name if one.default is MISSING else f"{one.name}=_{one.name}")
    values = ", ".join(f"{one.name!r}: {one.name}" for one in kept)
    after = "\n    self.__post_init__()" if hasattr(kind, "__post_init__") else ""
    text = f"def __init__({', '.join(arguments)}):\n    _set(self, '__dict__', {{{values}}}){after}\n"
    made: dict[str, Any] = {}
    # As dataclasses does it, from names of fields alone, which Python has checked.
    exec(text, {"_set": object.__setattr__, **given}, made)  # noqa: S102
    constructor: Callable[..., None] = made["__init__"]
    constructor.__annotations__ = written.__annotations__
    constructor.__qualname__ = written.__qualname__
    constructor.__module__ = kind.__module__
    setattr(kind, "__init__", constructor)  # noqa: B010  # a type checker refuses the assignment
    return kind
