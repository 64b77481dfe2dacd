"""What one version changes, the identity of a version, and how versions differ. Pure.

A commit's id is SHA-256 over canonical bytes of (parents, schema digest, sorted digests of the items it adds, sorted
rows of the labels it changes). Files hold the same in a compact form; the id does not depend on how they hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from handrail.foundation.canonical import encode

Key = tuple[str, str]
"""(digest of the item, question)."""


class Row(NamedTuple):
    """The change of one label. `old` is None where there was none; `actor` is "kind:id"."""

    item: str
    question: str
    old: Any
    new: Any
    old_purpose: str | None
    new_purpose: str | None
    source: str
    probability: float | None
    actor: str
    reason: str

    @property
    def key(self) -> Key:
        """Say which label it is."""
        return self.item, self.question

    @property
    def before(self) -> tuple[Any, str | None]:
        """The value and purpose before."""
        return self.old, self.old_purpose

    @property
    def after(self) -> tuple[Any, str | None]:
        """The value and purpose after."""
        return self.new, self.new_purpose


State = dict[Key, Row]
"""The labels of one version: for each, the row that set it last."""


class DoesNotFit(ValueError):
    """A row changes a label from a value that it did not have."""


def sorted_rows(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of one version in their canonical order."""
    return sorted(rows, key=lambda row: row.key)


def commit_id(parents: Sequence[str], schema_digest: str, items: Iterable[str], rows: Iterable[Row]) -> str:
    """Return the id of a version, 64 hex digits, whatever the order in which items and rows are given."""
    seen = sha256(b"handrail commit 1\n")
    seen.update(f"{encode([list(parents), schema_digest])}\n".encode())
    for digest in sorted(items):
        seen.update(f"{digest}\n".encode())
    for row in sorted_rows(rows):
        seen.update(f"{encode(list(row))}\n".encode())
    return seen.hexdigest()


def apply(state: State, rows: Iterable[Row]) -> None:
    """Change `state` by the rows of one version; raises DoesNotFit."""
    for row in rows:
        known = state.get(row.key)
        if (known.after if known is not None else (None, None)) != row.before:
            raise DoesNotFit(f"the label of {row.item[:12]}… for {row.question} was not what the change says it was")
        if row.new is None:
            del state[row.key]
        else:
            state[row.key] = row


def fold(versions: Iterable[Iterable[Row]]) -> dict[Key, tuple[Row, Row]]:
    """Return for each label that the versions touch the first and the last row about it."""
    touched: dict[Key, tuple[Row, Row]] = {}
    for rows in versions:
        for row in rows:
            first = touched.get(row.key)
            touched[row.key] = (row if first is None else first[0], row)
    return touched


class Difference(NamedTuple):
    """How a label differs between two versions; `by` is the row that made the newer value, or the one undone."""

    key: Key
    old: tuple[Any, str | None]
    new: tuple[Any, str | None]
    by: Row


def differences(left: Iterable[Iterable[Row]], right: Iterable[Iterable[Row]]) -> Iterator[Difference]:
    """Yield the labels that differ between two versions, by what each changed since the last one they share."""
    before, after = fold(left), fold(right)
    for key in sorted(before.keys() | after.keys()):
        mine, theirs = before.get(key), after.get(key)
        old = mine[1].after if mine is not None else _first(theirs).before
        new = theirs[1].after if theirs is not None else _first(mine).before
        if old != new:
            by = theirs[1] if theirs is not None else _last(mine)
            yield Difference(key, old, new, by)


def _first(pair: tuple[Row, Row] | None) -> Row:
    assert pair is not None
    return pair[0]


def _last(pair: tuple[Row, Row] | None) -> Row:
    assert pair is not None
    return pair[1]


@dataclass(frozen=True)
class Part:
    """One file of a version: its name without ending (the SHA-256 of its bytes) and how many rows it holds."""

    file: str
    rows: int


@dataclass(frozen=True)
class Manifest:
    """What stands in the file of a version: all that its id is taken over, with the rows in files of their own."""

    parents: tuple[str, ...]
    schema: Mapping[str, Any]
    items: Part | None
    labels: Part | None

    def to_text(self) -> str:
        """Return the canonical text of the file."""
        parts = {
            word: None if part is None else {"file": part.file, "rows": part.rows}
            for word, part in (("items", self.items), ("labels", self.labels))
        }
        return encode({"format": 1, "parents": list(self.parents), "schema": self.schema, **parts}) + "\n"

    @classmethod
    def from_dict(cls, document: Any) -> Manifest:
        """Return the manifest of a parsed file; raises ValueError, KeyError or TypeError for anything else."""
        if not isinstance(document, dict) or set(document) != {"format", "parents", "schema", "items", "labels"}:
            raise ValueError("not a manifest")
        if document["format"] != 1 or not isinstance(document["schema"], dict):
            raise ValueError("a manifest of another format")
        parents = tuple(document["parents"])
        if not all(isinstance(one, str) for one in parents):
            raise ValueError("a parent is not a text")
        parts = [_part(document[word]) for word in ("items", "labels")]
        return cls(parents, document["schema"], parts[0], parts[1])


@dataclass(frozen=True)
class Base:
    """A version in files that need no other version: its items in order, and the snapshot of its labels.

    It is no part of the version's id: made later, made anew or gone, it changes nothing but the time to read.
    """

    items: tuple[Part, ...]
    labels: Part

    def to_text(self) -> str:
        """Return the canonical text of the file."""
        items = [{"file": one.file, "rows": one.rows} for one in self.items]
        labels = {"file": self.labels.file, "rows": self.labels.rows}
        return encode({"format": 1, "items": items, "labels": labels}) + "\n"

    @classmethod
    def from_dict(cls, document: Any) -> Base:
        """Return the base of a parsed file; raises ValueError, KeyError or TypeError for anything else."""
        if not isinstance(document, dict) or set(document) != {"format", "items", "labels"} or document["format"] != 1:
            raise ValueError("not a base")
        labels = _part(document["labels"])
        items = tuple(_part(one) for one in document["items"])
        if labels is None or None in items:
            raise ValueError("a part is missing")
        return cls(tuple(one for one in items if one is not None), labels)


def _part(given: Any) -> Part | None:
    if given is None:
        return None
    if set(given) != {"file", "rows"} or type(given["rows"]) is not int or not isinstance(given["file"], str):
        raise ValueError("not a part of a manifest")
    return Part(given["file"], given["rows"])
