"""Writes docs/reference/{settings,errors,commands,events}.md from the code, so that they cannot be out of date."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import typer.main
from pydantic import SecretStr
from pydantic.fields import FieldInfo

import handrail
from handrail.foundation.errors import HandrailError
from handrail.foundation.journal.event import Event
from handrail.foundation.settings import PREFIX, Settings
from tools.tree import ROOT

T = TypeVar("T")
FOLDER = "docs/reference"
_NOTE = "<!-- Written by `make docs` from the code; do not edit. -->\n"


def load_everything() -> None:
    """Import every module of the package, so that each error and event is known."""
    for found in pkgutil.walk_packages(handrail.__path__, "handrail."):
        importlib.import_module(found.name)


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    load_everything()
    return {"settings.md": settings(), "errors.md": errors(), "events.md": events(), "commands.md": commands()}


def subclasses(root: type[T]) -> Iterator[type[T]]:
    """Yield every class of the package below `root`, once."""
    seen = set()
    waiting = [root]
    while waiting:
        for child in waiting.pop().__subclasses__():
            if child not in seen and child.__module__.startswith("handrail."):
                seen.add(child)
                waiting.append(child)
                yield child


def first_sentence(thing: Any) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def settings() -> str:
    """Return the page of settings."""
    rows = [
        (f"`{PREFIX}{name.upper()}`", _default(field), _limits(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    text = (
        "Each setting is an environment variable, or a command-line option of the same name, which wins. "
        "A dangerous combination refuses to start and names everything that is wrong."
    )
    head = ("Variable", "Default", "Values", "Meaning")
    return f"# Settings\n\n{_NOTE}\n{text}\n\n{_table(head, rows)}"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value == () or value == "" or isinstance(value, SecretStr):
        return "not set"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _limits(field: FieldInfo) -> str:
    kind = _kind(field.annotation)
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    said = [
        f"{sign} {getattr(rule, name)}"
        for rule in field.metadata
        for name, sign in signs.items()
        if getattr(rule, name, None) is not None
    ]
    return f"{kind} {', '.join(said)}".strip()


def _kind(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    words = {"bool": "true or false", "int": "whole number", "float": "number", "str": "text", "Path": "path"}
    for name in ("typing.", "pathlib.", "pydantic.types.", " | None"):
        text = text.replace(name, "")
    if text.startswith("Literal["):
        return ", ".join(f"`{part.strip().strip(chr(39))}`" for part in text[8:-1].split(","))
    if text.startswith("tuple["):
        return "words with commas between them"
    return words.get(text, {"SecretStr": "text, kept secret"}.get(text, text))


def errors() -> str:
    """Return the page of error codes."""
    rows = sorted(
        (f"`{kind.code}`", str(kind.status), first_sentence(kind))
        for kind in subclasses(HandrailError)
        if "code" in vars(kind)
    )
    text = (
        "Every error carries a stable code, a sentence for people and a hint. Over HTTP it is a problem document "
        "(RFC 9457) with the status below; in Python it is the exception; the command line prints the sentence and "
        "the hint and exits with a code that is not 0."
    )
    return f"# Error codes\n\n{_NOTE}\n{text}\n\n{_table(('Code', 'HTTP', 'What happened'), rows)}"


def events() -> str:
    """Return the page of journal events."""
    rows = []
    for kind in sorted(subclasses(Event), key=lambda kind: kind.verb):
        if not kind.verb or not is_dataclass(kind):
            continue
        names = [field.name for field in fields(kind)]
        proved = ", ".join(f"`{name}`" for name in names if name.endswith("_id"))
        erasable = ", ".join(f"`{name}`" for name in names if not name.endswith("_id"))
        rows.append((f"`{kind.verb}`", first_sentence(kind), proved, erasable))
    text = (
        "Every change is an entry of the journal, written in the transaction of the change. Object references stand in "
        "the entry that is proved; the other fields stand in a salted payload beside it, which can be erased without "
        "breaking the proof."
    )
    head = ("Verb", "What happened", "In the entry", "In the erasable payload")
    return f"# Journal events\n\n{_NOTE}\n{text}\n\n{_table(head, rows)}"


def commands() -> str:
    """Return the page of the command line."""
    cli = importlib.import_module("handrail.doors.cli.commands")
    root: Any = typer.main.get_command(cli.app)
    text = "\n".join(_command(root, "handrail", 2))
    return f"# Commands\n\n{_NOTE}\n{text}"


def _command(command: Any, name: str, level: int) -> list[str]:
    lines = [f"{'#' * min(level, 4)} `{name}`\n", f"{' '.join((command.help or '').split())}\n"]
    options = [_parameter(one) for one in command.params if not getattr(one, "hidden", False)]
    options = [option for option in options if not re.search("--(help|install-completion|show-completion)", option[0])]
    if options:
        lines.append(_table(("Option", "Default", "Meaning"), options))
    for below in sorted(getattr(command, "commands", {})):
        child = command.commands[below]
        if not child.hidden:
            lines += _command(child, f"{name} {below}", level + 1)
    return lines


def _parameter(one: Any) -> tuple[str, str, str]:
    named = ", ".join(f"`{option}`" for option in [*one.opts, *one.secondary_opts])
    if one.param_type_name == "argument":
        named = f"`{one.name.upper()}`"
    default = one.default() if callable(one.default) else one.default
    if one.required:
        shown = "required"
    elif default in (None, (), [], ""):
        shown = ""
    else:
        shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
    return named, shown, " ".join((getattr(one, "help", "") or "").split())


def main(root: Path = ROOT) -> int:
    """Write every page."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (root / FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
