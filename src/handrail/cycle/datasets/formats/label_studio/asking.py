"""Turns the controls of a Label Studio configuration into questions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handrail.cycle.datasets.formats.label_studio.parts import Control, Shown
from handrail.cycle.datasets.formats.label_studio.tags import CONTROLS, REGIONS, Kind
from handrail.cycle.datasets.formats.markup import Tag
from handrail.cycle.datasets.schema import GROUP_PREFIX, PURPOSE_SUFFIX, RESERVED

Refuse = Callable[[Tag, str], None]
_MEDIA = frozenset({"image", "video", "document"})
_OPTIONS = frozenset({"choice", "label", "relation", "timelinelabel"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A control as it stands, and the nearest tag around it, or itself, that says when it is shown."""

    tag: Tag
    when: Tag | None


@dataclass
class _Asking:
    seen: dict[str, Seen]
    objects: Sequence[Shown]
    taken: set[str]
    refuse: Refuse
    controls: list[Control]

    def named(self, name: str) -> Control | None:
        return next((one for one in self.controls if one.name == name), None)

    def shown(self, name: str) -> Shown | None:
        return next((one for one in self.objects if one.name == name), None)

    def take(self, name: str) -> str:
        """Return a free name for a question: the control's, with a line below where the schema needs another."""
        while {name, name + PURPOSE_SUFFIX} & self.taken or name in RESERVED or name.startswith(GROUP_PREFIX):
            name += "_"
        self.taken |= {name, name + PURPOSE_SUFFIX}
        return name


def questions(
    seen: Sequence[Seen], objects: Sequence[Shown], taken: set[str], refuse: Refuse
) -> tuple[list[Control], list[dict[str, Any]]]:
    """Return the controls that are questions, and those questions as JSON values; the others are refused by name."""
    asking = _Asking({}, objects, set(taken), refuse, [])
    for one in seen:
        made = _control(asking, one.tag)
        if made is None:
            continue
        if made.name in asking.seen:
            refuse(one.tag, f"has the name {made.name!r}, which stands twice")
            continue
        asking.seen[made.name] = one
        asking.controls.append(made)
    asking.controls = [replace(one, labels_from=_labels_from(asking, one)) for one in asking.controls]
    asking.controls = [placed for one in asking.controls for placed in _placed(asking, one)]
    carried = {one.labels_from for one in asking.controls}
    return asking.controls, [_asked(asking, one) for one in asking.controls if one.name not in carried]


# One control


def _control(asking: _Asking, tag: Tag) -> Control | None:
    kind = CONTROLS[tag.name.lower()]
    name = tag.get("name") or ("relations" if kind.question == "relation" else "")
    if not name:
        asking.refuse(tag, "has no name")
        return None
    if tag.get("value").startswith("$") and (kind.question in REGIONS or kind.question in ("choice", "taxonomy")):
        asking.refuse(tag, f"takes its choices from the task ({tag.get('value')[:40]}); write them out")
        return None
    if tag.get("apiUrl"):
        asking.refuse(tag, "loads its choices from an address; write them out")
        return None
    nested = kind.result == "choices" and any(_children(one) for one in _children(tag))
    multiple = tag.get("choice", "single") == "multiple"
    question = _type_of(asking, tag, kind, multiple=multiple, nested=nested)
    options = tuple(dict.fromkeys(_said(one) for one in _children(tag)))
    if question in ("choice", "multi_choice", "taxonomy") and not options:
        asking.refuse(tag, "has no choices")
        return None
    if not question:
        return None
    return Control(
        name=name,
        tag=tag.name,
        kind=Kind(question, kind.result, kind.key),
        question=asking.take(name),
        to_name=tag.get("toName"),
        line=tag.line,
        choices=options,
        multiple=multiple,
        nested=nested,
    )


def _type_of(asking: _Asking, tag: Tag, kind: Kind, *, multiple: bool, nested: bool) -> str:
    """Return the type of the question, by the object that the control marks; "" where there is none."""
    if kind.question == "relation":
        return kind.question
    targets = [asking.shown(name) for name in _names(tag.get("toName"))]
    if not targets or None in targets:
        asking.refuse(tag, f"marks {tag.get('toName')[:40]!r}, which is no object that is supported")
        return ""
    if kind.result == "choices":
        return "taxonomy" if nested else "multi_choice" if multiple else "choice"
    if kind.result == "labels" and targets[0] is not None and targets[0].type in ("audio", "time_series"):
        return "time_region"
    return kind.question


def _bare_labels(asking: _Asking, one: Control) -> bool:
    shown = asking.shown(one.to_name)
    return one.kind.result == "labels" and shown is not None and shown.type in _MEDIA


def _labels_from(asking: _Asking, one: Control) -> str:
    """Return the Labels control whose labels a bare geometry carries, or ""."""
    if one.kind.question not in REGIONS or one.kind.key:
        return ""
    fits = (other.name for other in asking.controls if _bare_labels(asking, other) and other.to_name == one.to_name)
    return next(fits, "")


def _placed(asking: _Asking, one: Control) -> list[Control]:
    """Return a control as it is, or once for each control of regions that it asks about."""
    tag = asking.seen[one.name].tag
    if tag.get("perRegion").lower() != "true":
        if _bare_labels(asking, one) and all(other.labels_from != one.name for other in asking.controls):
            asking.refuse(tag, f"labels {one.to_name}, where no Rectangle, Polygon, KeyPoint or Brush draws regions")
            return []
        return [one]
    makers = [
        other.name
        for other in asking.controls
        if other.kind.question in REGIONS and other.to_name == one.to_name and not _bare_labels(asking, other)
    ]
    when = asking.seen[one.name].when
    named = "" if when is None else when.get("whenTagName")
    if named in makers:
        makers = [named]
    elif _carries(asking, named):
        makers = [name for name in makers if name in _carries(asking, named)]
    if not makers:
        asking.refuse(tag, "is asked per region, and no control makes regions there")
        return []
    first, *others = makers
    return [replace(one, per_region=first)] + [
        replace(one, per_region=name, question=asking.take(f"{one.name}_{name}")) for name in others
    ]


def _carries(asking: _Asking, labels: str) -> list[str]:
    return [one.name for one in asking.controls if labels and one.labels_from == labels]


# What a question says


def _asked(asking: _Asking, one: Control) -> dict[str, Any]:
    tag, when = asking.seen[one.name].tag, asking.seen[one.name].when
    asked: dict[str, Any] = {"name": one.question, "type": one.kind.question} | _about(asking, one) | _extras(tag, one)
    labels = one.choices if one.kind.question in (*REGIONS, "relation") else ()
    if one.labels_from:
        found = asking.named(one.labels_from)
        labels = () if found is None else found.choices
    if labels:
        asked["labels"] = list(labels)
    if one.per_region:
        region = asking.named(one.per_region)
        asked["per_region"] = "" if region is None else region.question
    condition = None if when is None else _condition(asking, one, when)
    return asked | ({"when": condition} if condition else {})


def _about(asking: _Asking, one: Control) -> dict[str, Any]:
    if one.kind.question == "relation":
        carried = {other.labels_from for other in asking.controls}
        about = [
            other.question for other in asking.controls if other.kind.question in REGIONS and other.name not in carried
        ]
        return {"about": about} if about else {}
    if one.kind.question == "preference":
        return {}
    shown = asking.shown(_names(one.to_name)[0])
    return {} if shown is None else {"about": shown.field}


def _extras(tag: Tag, one: Control) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if one.kind.question in ("choice", "multi_choice"):
        extra["choices"] = list(one.choices)
    elif one.kind.question == "taxonomy":
        extra["tree"] = [_branch(child) for child in _children(tag)]
    elif one.kind.question == "rating":
        extra["max"] = _number(tag.get("maxRating")) or 5.0
    elif one.kind.question == "number":
        bounds = {"min": _number(tag.get("min")), "max": _number(tag.get("max"))}
        extra |= {word: value for word, value in bounds.items() if value is not None}
    return extra if tag.get("required").lower() == "true" else extra | {"required": False}


def _branch(tag: Tag) -> dict[str, Any]:
    inner = [_branch(child) for child in _children(tag)]
    return {"name": _said(tag), "children": inner} if inner else {"name": _said(tag)}


def _condition(asking: _Asking, one: Control, when: Tag) -> dict[str, Any] | None:
    word = when.get("visibleWhen")
    asked = asking.named(when.get("whenTagName"))
    if word == "choice-selected" and asked is not None and asked.kind.question in ("choice", "multi_choice"):
        return {"question": asked.question, "is": _names(when.get("whenChoiceValue")) or list(asked.choices)}
    if word == "region-selected" and one.per_region:
        labels = _names(when.get("whenLabelValue"))
        return {"region_label": labels} if labels else None
    if word in ("region-selected", "no-region-selected") and not one.per_region:
        return None  # shown while a region is, or none is, chosen: a matter of display
    asking.refuse(when, f"shows {one.name} when {word[:40]}, a condition that is not supported: it is always asked")
    return None


def _children(tag: Tag) -> list[Tag]:
    return [one for one in tag.children if one.name.lower() in _OPTIONS and _said(one)]


def _said(tag: Tag) -> str:
    """Return what a result says for a choice or label: its alias, where it has one."""
    return tag.get("alias") or tag.get("value")


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
