"""Checks a condition that somebody wants to save, in a process of its own: some texts crash the CEL compiler."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection

from handrail.cycle.review.condition import Condition, ConditionRefused, measure

_PATIENCE_S = 10.0

# Reads the condition from standard input; a crash, too much memory or no answer is a refusal too.
_CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
import cel
try:
    cel.compile(sys.stdin.buffer.read().decode())
except BaseException as error:
    sys.stdout.write(str(error)[:300])
    sys.exit(3)
"""


def validate_condition(source: str, variables: Collection[str]) -> str | None:
    """Return what is wrong with a condition that somebody wants to save, None when it is fine.

    Compiles it in a process of its own (about 0.2 s), because some texts crash the compiler; call it when saving.
    """
    try:
        measure(source, variables)
        wrong = compile_apart(source)
        if wrong is None:
            Condition.compile(source, variables)
    except ConditionRefused as refused:
        return f"{refused.sentence} {refused.hint}".strip()
    return wrong


def compile_apart(source: str) -> str | None:
    """Compile in a process of its own; return what went wrong, None when nothing did."""
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, a fixed program, the text on standard input
            [sys.executable, "-I", "-c", _CHILD],
            input=source.encode("utf-8", "replace"),
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "The condition takes too long to compile."
    if done.returncode == 3:
        return f"The condition cannot be read: {done.stdout.decode('utf-8', 'replace').partition(chr(10))[0]}"
    return None if done.returncode == 0 else "The condition crashes the compiler."
