"""Reads a Label Studio configuration: its tags become fields and questions, and every tag that cannot is named. Pure.

Facts about the language come from its public documentation of tags. What a schema does not say (colours, hotkeys,
layout) stays in the text of the configuration, which is kept beside the project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from handrail.cycle.datasets.formats.label_studio.asking import Seen, questions
from handrail.cycle.datasets.formats.label_studio.parts import Config, Shown
from handrail.cycle.datasets.formats.label_studio.tags import CONTROLS, LAYOUT, OBJECTS, SHOWS, UNSUPPORTED
from handrail.cycle.datasets.formats.markup import Tag, read_markup
from handrail.cycle.datasets.model import BadRow
from handrail.cycle.datasets.schema import GROUP_PREFIX, RESERVED

_FIELD = re.compile(r"\$([^\s$.\[\]{}]+)")
_SILENT = frozenset({"style", "hypertext"})
"""Tags whose inside is not part of the configuration: styles and HTML."""
_VIEWED = frozenset({"choice-selected", "choice-unselected", "region-selected", "no-region-selected"})


@dataclass
class _Reading:
    objects: list[Shown] = field(default_factory=list)
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    aside: set[str] = field(default_factory=set)

    def refuse(self, tag: Tag, reason: str) -> None:
        """Name a tag that is not supported; what it would ask is left aside."""
        self.bad.append(BadRow(tag.line, tag.name, reason))
        if tag.get("name"):
            self.aside.add(tag.get("name"))


def read_config(text: bytes | str) -> Config:
    """Return what a configuration shows and asks; raises MarkupInvalid for what is no safe XML."""
    reading = _Reading()
    _walk(reading, read_markup(text), None)
    controls, asked = questions(reading.seen, reading.objects, set(reading.fields), reading.refuse)
    return Config(
        objects=tuple(reading.objects),
        controls=tuple(controls),
        fields=tuple(reading.fields.values()),
        questions=tuple(asked),
        unsupported=tuple(sorted(reading.bad, key=lambda one: one.line)),
        aside=frozenset(reading.aside - {one.name for one in controls}),
    )


def _walk(reading: _Reading, tag: Tag, when: Tag | None) -> None:
    name = tag.name.lower()
    if tag.get("visibleWhen") in _VIEWED:
        when = tag
    if name in OBJECTS:
        _object(reading, tag, OBJECTS[name])
    elif name in SHOWS and tag.get("value").startswith("$"):
        _field_of(reading, tag, "text", required=False)
    elif name in CONTROLS:
        reading.seen.append(Seen(tag, when))
    elif name in UNSUPPORTED:
        reading.refuse(tag, UNSUPPORTED[name])
        return
    elif name not in LAYOUT and name not in SHOWS:
        reading.refuse(tag, "is not a tag that is known here")
    if name in _SILENT or name in CONTROLS:
        return
    for child in tag.children:
        _walk(reading, child, when)


def _object(reading: _Reading, tag: Tag, type_: str) -> None:
    if tag.get("valueList"):
        reading.refuse(tag, "shows a list of pictures (valueList), which is not supported; give each its own tag")
        return
    if "$" not in tag.get("value") and type_ in ("text", "html"):
        return  # words of the configuration itself: shown and, being the same for every task, never marked
    name, key = _field_of(reading, tag, type_, required=True)
    if not name:
        return
    reading.objects.append(
        Shown(
            name=tag.get("name"),
            tag=tag.name,
            key=key,
            field=name,
            type=type_,
            line=tag.line,
            role_key=tag.get("nameKey", "author"),
            text_key=tag.get("textKey", "text"),
            frame_rate=_number(tag.get("frameRate"), 24.0),
        )
    )


def _field_of(reading: _Reading, tag: Tag, type_: str, *, required: bool) -> tuple[str, str]:
    """Return the field that a tag shows and its key in a task; ("", "") where the tag shows no single field."""
    found = _FIELD.fullmatch(tag.get("value"))
    if found is None:
        reading.refuse(tag, f"shows {tag.get('value')[:40]!r}, which is not one field of the task, like $text")
        return "", ""
    key = name = found[1]
    while name in RESERVED or name.startswith(GROUP_PREFIX):
        name = "field_" + name
    made: dict[str, Any] = {"name": name, "type": type_}
    if not required:
        made["required"] = False
    known = reading.fields.get(name)
    if known is None or (required and known.get("required") is False):
        reading.fields[name] = made
    return name, key


def _number(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise
