"""Checks what comes in before anything is written: names, items, labels. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from handrail.cycle.datasets.model import (
    MAX_GROUPS,
    MAX_ITEM,
    MAX_REASON,
    LabelInvalid,
    NameInvalid,
    NewItem,
    NewLabel,
    ReadyItem,
)
from handrail.cycle.datasets.schema import ItemInvalid, Schema, refuse
from handrail.cycle.datasets.values import Problem, read_category, read_moment, read_text

_PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_POINTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def check_project_name(name: str) -> None:
    """Raise NameInvalid for a project name that could not stand in an address."""
    if not isinstance(name, str) or not _PROJECT_NAME.fullmatch(name) or _ID.fullmatch(name):
        raise NameInvalid(
            "A project's name is 1 to 64 small letters, digits, - and _, and begins with a letter or digit.",
            hint="Put the words that people should read into the description.",
        )


def check_pointer_name(name: str) -> None:
    """Raise NameInvalid for the name of a branch or tag that could be taken for a commit or a path."""
    if not isinstance(name, str) or not _POINTER_NAME.fullmatch(name) or re.fullmatch(r"[0-9a-f]{6,64}", name):
        raise NameInvalid(
            "A branch or tag is 1 to 100 letters, digits and . _ / -, and does not look like a commit's id.",
            hint="For example: main, release-2, trial/second-reader.",
        )


def ready(schema: Schema, new: NewItem) -> ReadyItem:
    """Return the item checked against the schema; raises ItemInvalid with every problem."""
    data, problems = schema.read(new.data) if isinstance(new.data, Mapping) else ({}, [_NO_OBJECT])
    problems += _name_problems(new.external_id, new.subject)
    group: dict[str, str] = {}
    if new.group:
        group, more = _groups(new.group)
        problems += more
    observed = None
    if new.observed_at is not None:
        observed, reason = read_moment(new.observed_at)
        if reason:
            problems.append(Problem("observed_at", reason))
    if problems:
        refuse(ItemInvalid, f"The item {str(new.external_id)[:80]}", problems)
    return ReadyItem(new.external_id, data, new.subject, group, observed)


_NO_OBJECT = Problem("data", "must be an object")


def _name_problems(external_id: Any, subject: Any) -> list[Problem]:
    problems = []
    reason = read_category(external_id)[1]
    if reason:
        problems.append(Problem("external_id", "is missing" if external_id is None else reason))
    if subject is not None and (reason := read_category(subject)[1]):
        problems.append(Problem("subject", reason))
    return problems


def _groups(given: Any) -> tuple[dict[str, str], list[Problem]]:
    if not isinstance(given, Mapping):
        return {}, [Problem("group", "must be an object")]
    if len(given) > MAX_GROUPS:
        return {}, [Problem("group", f"has more than {MAX_GROUPS} attributes")]
    kept: dict[str, str] = {}
    problems = []
    for name, value in given.items():
        reason = read_category(name)[1] or read_category(value)[1]
        if reason:
            problems.append(Problem(f"group.{str(name)[:80]}", reason))
        else:
            kept[name] = value
    return kept, problems


def check_size(content: str) -> None:
    """Raise ItemInvalid for an item of more than MAX_ITEM bytes."""
    if len(content) > MAX_ITEM // 4 and len(content.encode()) > MAX_ITEM:
        refuse(ItemInvalid, "The item", [Problem("data", f"is larger than {MAX_ITEM >> 20} MiB")])


def check_label(new: NewLabel) -> None:
    """Raise LabelInvalid for words that say where a label comes from and are none; its value is checked elsewhere."""
    problems = []
    if new.source not in ("draw", "review", "audit", "import", "edit"):
        problems.append(Problem("source", "must be draw, review, audit, import or edit"))
    if new.purpose not in ("train", "certify", "holdout", "feedback"):
        problems.append(Problem("purpose", "must be train, certify, holdout or feedback"))
    chance = new.probability
    if chance is not None and not (type(chance) in (int, float) and 0 < chance <= 1):
        problems.append(Problem("probability", "must be above 0 and at most 1"))
    reason = read_text(new.reason)[1] or ("is too long" if len(new.reason) > MAX_REASON else "")
    if reason:
        problems.append(Problem("reason", reason))
    if problems:
        refuse(LabelInvalid, "The label", problems)
