"""Conditions of a policy's rules, written in CEL, safe to keep and to evaluate although anybody may have written them.

The evaluator has no limits of its own and its compiler can crash the process, so: the text is measured before it is
compiled, it is compiled in a process of its own when it is saved (`check_condition`), and the work it could do on
the values at hand is bounded before it runs. Whatever goes wrong with an evaluation, a missing field included, gives
`Broken`, which means that a person decides; it can never be mistaken for true or false.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import cel

from handrail.foundation.errors import Invalid

LONGEST = 1_000  # characters
DEEPEST = 32  # brackets within brackets, and containers within containers
LONGEST_LIST = 1_000
LARGEST = 100_000  # elements of one value, all levels together
MOST_WORK = 20_000_000  # copies of a list element or character, about half a second
MOST_PATTERNS = 4  # compiling one costs up to 60 ms

_LOOPS = ("all", "exists", "exists_one", "existsOne", "filter", "map")
_LOOP = re.compile(rf"\.\s*({'|'.join(_LOOPS)})\s*\(\s*([A-Za-z_]\w*)?")
_STRING = re.compile(
    r"//[^\n]*"
    r"|[bB]?[rR][bB]?(?:\"\"\".*?\"\"\"|'''.*?'''|\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')",
    re.DOTALL,
)
_FUNCTIONS = frozenset(
    {
        "size", "contains", "startsWith", "endsWith", "matches", "string", "int", "uint", "double", "type",
        "timestamp", "duration", "getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth", "getDate",
        "getDayOfWeek", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
    }
)  # fmt: skip


class ConditionRefused(Invalid):
    """A condition is not safe to evaluate, or not a condition."""

    code = "review.condition_refused"


@dataclass(frozen=True)
class Broken:
    """The condition could not be evaluated on these values: a person decides. `why` is a part of a sentence."""

    why: str

    def __bool__(self) -> bool:
        raise TypeError("A broken condition is neither true nor false; check for Broken first.")


@dataclass(frozen=True)
class _Use:
    """How a condition uses one variable: which members, None for the whole of it, and how often each."""

    members: tuple[tuple[str, int], ...] | None
    count: int


@dataclass(frozen=True)
class Condition:
    """A compiled condition. `variables`: the names it reads."""

    source: str
    variables: frozenset[str]
    _uses: tuple[tuple[str, _Use], ...] = field(repr=False)
    _loop: int = field(repr=False)  # uses of the loop's name, 0 without a loop
    _commas: int = field(repr=False)
    _sums: int = field(repr=False)
    _program: Any = field(repr=False, compare=False)

    @classmethod
    def compile(cls, source: str, variables: Collection[str]) -> Condition:
        """Compile a condition that `validate_condition` has passed before.

        `variables`: the names it may read; "item.amount" allows only that member of item, "item" every member.
        Raises `ConditionRefused`.
        """
        masked = measure(source, variables)
        try:
            program: Any = cel.compile(source)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the compiler panics with a BaseException
            raise ConditionRefused(f"The condition cannot be read: {_first_line(error)}") from None
        bound = {name for _, name in _LOOP.findall(masked) if name}
        repeats = sum(len(list(_mentions(masked, name))) - 1 for name in bound)
        names = frozenset(program.variables()) - bound
        unknown = sorted(names - {name.partition(".")[0] for name in variables})
        if unknown:
            raise ConditionRefused(
                f"The condition reads {', '.join(unknown)}, which is not known here.",
                hint=f"It may read {', '.join(sorted(variables)) or 'nothing'}.",
            )
        strange = sorted(name for name in program.functions() if name.isidentifier() and name not in _FUNCTIONS)
        if strange:
            raise ConditionRefused(
                f"The condition calls {', '.join(strange)}, which does not exist here.",
                hint=f"It may call {', '.join(sorted(_FUNCTIONS))}, has, all, exists, exists_one and filter.",
            )
        uses = tuple((name, _use(masked, name)) for name in sorted(names))
        loop = max(1, repeats) if bound else 0
        return cls(source, names, uses, loop, masked.count(","), masked.count("+"), program)

    def holds(self, values: Mapping[str, Any]) -> bool | Broken:
        """Return whether the condition holds for these values, or Broken where that cannot be said.

        `values`: one entry per variable; numbers, texts, lists, mappings, times. Never raises for bad values.
        """
        given: dict[str, Any] = {}
        longest, amount = 0, 0
        for name, use in self._uses:
            if name not in values:
                return Broken(f"{name} is missing")
            value = values[name]
            if use.members is not None and isinstance(value, Mapping):
                parts = [(member, value[member], times) for member, times in use.members if member in value]
                given[name] = {member: part for member, part, _ in parts}
            else:
                parts = [(name, value, use.count)]
                given[name] = value
            for part_name, part, times in parts:
                size = _Size()
                problem = size.add(part)
                if problem:
                    return Broken(f"{part_name} {problem}")
                longest, amount = longest + times * size.longest, amount + times * size.total
        # Each round of a loop may copy everything that it names once for each sum.
        rounds = (self._commas + 1 + longest) * self._loop if self._loop else 1
        if rounds * (len(self.source) + (self._sums + 1) * amount) > MOST_WORK:
            return Broken("the values are too large to evaluate it safely")
        try:
            result = self._program.execute(given)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the evaluator may panic with a BaseException
            return Broken(_reason(error))
        if isinstance(result, bool):
            return result
        return Broken(f"it gives a {type(result).__name__}, not true or false")


def measure(source: str, variables: Collection[str]) -> str:
    """Return the text with strings and comments blanked out; raises ConditionRefused over any limit."""
    if not source.strip():
        raise ConditionRefused("The condition is empty.")
    if len(source) > LONGEST:
        raise ConditionRefused(f"The condition has {len(source)} characters, {LONGEST} are allowed.")
    if not source.isprintable() and any(not char.isprintable() and char not in "\n\t\r" for char in source):
        raise ConditionRefused("The condition holds characters that cannot be printed.")
    masked = _STRING.sub(lambda found: '""' + " " * (len(found[0]) - 2), source)
    if set(masked.replace('""', "")) & {'"', "'"}:
        raise ConditionRefused("A text in the condition has no end.", hint="Close every quote.")
    depth = 0
    for char in masked:
        depth += (char in "([{") - (char in ")]}")
        if depth > DEEPEST:
            raise ConditionRefused(f"The condition nests more than {DEEPEST} brackets.")
    loops = _LOOP.findall(masked)
    if len(loops) > 1:
        raise ConditionRefused(
            f"The condition has {len(loops)} loops, one is allowed.", hint=f"Loops are {', '.join(_LOOPS)}."
        )
    patterns = len(re.findall(r"\bmatches\s*\(", masked))
    if patterns > (0 if loops else MOST_PATTERNS):
        raise ConditionRefused(
            f"The condition has {patterns} patterns, {MOST_PATTERNS} are allowed, and none beside a loop.",
            hint="Use contains, startsWith or endsWith.",
        )
    for kind, name in loops:
        if kind == "map":
            raise ConditionRefused("map builds lists and decides nothing.", hint="Use all, exists or filter.")
        if name in {one.partition(".")[0] for one in variables}:
            raise ConditionRefused(f"The loop's name {name} is the name of a value too.", hint="Choose another name.")
    _check_members(masked, variables)
    return masked


def _check_members(masked: str, variables: Collection[str]) -> None:
    """Refuse `item.amout` where the allowed names spell members out and this is none of them."""
    for root in {name.partition(".")[0] for name in variables if "." in name} - set(variables):
        for member, _ in _mentions(masked, root):
            if member is not None and f"{root}.{member}" not in variables:
                raise ConditionRefused(
                    f"The condition reads {root}.{member}, which does not exist.",
                    hint=f"It may read {', '.join(sorted(variables))}.",
                )


def _mentions(masked: str, name: str) -> Iterator[tuple[str | None, str]]:
    """Yield each use of a variable as (member, text), member None where the whole value is used."""
    for found in re.finditer(rf"(?<![\w.]){re.escape(name)}\b(?:\s*\.\s*([A-Za-z_]\w*)(?!\w)(?!\s*\())?", masked):
        yield found[1], found[0]


def _use(masked: str, name: str) -> _Use:
    found = [member for member, _ in _mentions(masked, name)]
    members = {member: found.count(member) for member in found if member is not None}
    whole = None in found or not found
    return _Use(None if whole else tuple(sorted(members.items())), max(1, len(found)))


class _Size:
    """Adds up what a value holds: its longest list or mapping, and all elements and characters."""

    def __init__(self) -> None:
        self.longest = 0
        self.elements = 0
        self.characters = 0

    @property
    def total(self) -> int:
        """Elements and characters."""
        return self.elements + self.characters

    def add(self, value: Any, depth: int = 0) -> str | None:
        """Count a value; return what is wrong with it."""
        self.elements += 1
        if isinstance(value, str | bytes):
            self.characters += len(value)
        elif isinstance(value, float):
            return None if math.isfinite(value) else "is not a finite number"
        elif isinstance(value, Mapping | list | tuple):
            if len(value) > LONGEST_LIST:
                return f"holds {len(value)} elements, {LONGEST_LIST} are allowed"
            if depth >= DEEPEST or self.elements > LARGEST:
                return f"nests more than {DEEPEST} levels or holds more than {LARGEST} elements"
            self.longest = max(self.longest, len(value))
            inside = [*value.keys(), *value.values()] if isinstance(value, Mapping) else value
            for one in inside:
                problem = self.add(one, depth + 1)
                if problem:
                    return problem
        return None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"a field is missing: {_first_line(error)}"
    if isinstance(error, ZeroDivisionError):
        return "it divides by zero"
    return _first_line(error)
