# Written by `make types` from the file of this name in ../aio; do not edit.
"""Calls about items, labels and versions of a project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from handrail.cycle.datasets.forms import (
    AlikeOut,
    CommitMadeOut,
    CommitOut,
    CompactedOut,
    CountsOut,
    DiffOut,
    EditIn,
    ImportOut,
    ItemIn,
    ItemOut,
    ItemsOut,
    LabelConfigOut,
    LabelOut,
    MergedOut,
    PointerOut,
    SchemaOut,
    VerifiedOut,
)
from handrail.cycle.datasets.model import ExportFormat, ImportFormat
from handrail.doors.sdk.sync.calls import Calls
from handrail.doors.sdk.wire import parsed

_AT_ONCE = 1000


class Datasets(Calls):
    """Items in, versions out."""

    def schema(self) -> SchemaOut:
        """Return the fields of an item and the questions about it."""
        return self._get(SchemaOut, "/schema")

    def counts(self) -> CountsOut:
        """Return how many items and labels there are, and how many no version holds yet."""
        return self._get(CountsOut, "/counts")

    def add_items(self, items: Sequence[ItemIn]) -> list[ItemOut]:
        """Put items in and return them; a thousand at a time, each thousand wholly or not at all."""
        made: list[ItemOut] = []
        for start in range(0, len(items), _AT_ONCE):
            part = [one.model_dump(mode="json") for one in items[start : start + _AT_ONCE]]
            made += (self._post(ItemsOut, "/items", {"items": part})).items
        return made

    def items(self) -> Iterator[ItemOut]:
        """Give every item in the order in which they came in."""
        for one in self._pages(ItemOut, "/items"):
            yield one

    def item(self, item_id: str) -> ItemOut:
        """Return an item; raises NotFound."""
        return self._get(ItemOut, f"/items/{item_id}")

    def import_file(
        self,
        file: str | Path,
        *,
        format: ImportFormat = "auto",  # noqa: A002
        on_error: Literal["refuse", "keep"] = "refuse",
        purpose: Literal["train", "holdout"] = "train",
    ) -> ImportOut:
        """Import items, with labels where the file has them, from CSV, JSON or what another tool exports.

        With on_error="refuse" one bad row refuses the whole file and the error's facts list the rows; with "keep" the
        good rows stay and the report lists the bad ones.
        """
        answer = self._wire.send(
            "POST",
            self._place + "/items/import",
            params={"format": format, "on_error": on_error, "purpose": purpose, "name": Path(file).name},
            content=self._wire.content(Path(file)),
            headers={"Content-Type": "application/octet-stream"},
        )
        report: ImportOut = parsed(ImportOut, answer)
        return report

    def export_file(self, place: str | Path, *, format: ExportFormat = "csv") -> int:  # noqa: A002
        """Write all items with their current labels into a file, in any format, and return its size in bytes."""
        return self._save(place, "/items/export", format=format)

    def label_config(self) -> LabelConfigOut:
        """Return the configuration in the language of Label Studio: the one kept, else one for the schema."""
        return self._get(LabelConfigOut, "/label-config")

    def set_label_config(self, text: str) -> LabelConfigOut:
        """Keep a configuration of Label Studio that says the same as the schema; returns its unsupported tags."""
        return self._post(LabelConfigOut, "/label-config", {"text": text})

    def labels(self, question: str) -> Iterator[LabelOut]:
        """Give the current label of every labelled item, in the order of the items."""
        for one in self._pages(LabelOut, "/labels", question=question):
            yield one

    def label_history(self, item_id: str, question: str) -> list[LabelOut]:
        """Return every label that an item ever had for a question, oldest first."""
        return self._list(LabelOut, f"/items/{item_id}/labels", question=question)

    def commit(self, message: str, *, branch: str = "main") -> CommitOut | None:
        """Make a version of what is new since the branch's last one; None when nothing is."""
        body = {"message": message, "branch": branch}
        return (self._post(CommitMadeOut, "/commits", body)).commit

    def edit(self, branch: str, message: str, edits: Sequence[EditIn]) -> CommitOut | None:
        """Change labels on a branch other than main, as one version; None when all stood so before."""
        body = {"branch": branch, "message": message, "edits": [one.model_dump(mode="json") for one in edits]}
        return (self._post(CommitMadeOut, "/edits", body)).commit

    def merge(
        self,
        theirs: str,
        *,
        into: str = "main",
        message: str = "",
        prefer: Literal["ask", "ours", "theirs"] = "ask",
    ) -> MergedOut:
        """Merge a version into a branch, by item and question.

        What both sides changed goes to people, one task each, and ours stands until they answer; with prefer="ours"
        or "theirs" that side is right.
        """
        body = {"theirs": theirs, "into": into, "message": message, "prefer": prefer}
        return self._post(MergedOut, "/merges", body)

    def log(self, branch: str = "main", *, limit: int = 50) -> list[CommitOut]:
        """Return the newest versions of a branch, newest first."""
        return self._list(CommitOut, "/commits", branch=branch, limit=limit)

    def diff(self, a: str | None, b: str, *, limit: int = 1000) -> DiffOut:
        """Return what differs from version `a` (None: the empty one) to `b`, row by row, with who and why."""
        return self._get(DiffOut, "/diff", a=a, b=b, limit=limit)

    def branches(self) -> list[PointerOut]:
        """Return the branches by name."""
        return self._list(PointerOut, "/branches")

    def branch(self, name: str, at: str = "main") -> PointerOut:
        """Make a branch at a version."""
        return self._post(PointerOut, "/branches", {"name": name, "at": at})

    def tags(self) -> list[PointerOut]:
        """Return the tags by name."""
        return self._list(PointerOut, "/tags")

    def tag(self, name: str, at: str = "main") -> PointerOut:
        """Give a version a name that never moves."""
        return self._post(PointerOut, "/tags", {"name": name, "at": at})

    def checkout(
        self,
        place: str | Path,
        version: str = "main",
        *,
        format: Literal["csv", "jsonl", "parquet"] = "csv",  # noqa: A002
        seed: int | None = None,
        shares: str = "train=0.8,validation=0.1,test=0.1",
        by: str = "subject",
    ) -> int:
        """Write a version into a file (items, fields, labels, their purposes) and return its size in bytes.

        With a seed the column split holds the part of each item. Items that share what `by` names (subject,
        group.NAME, fields, with commas) stand in one part; `shares` are those of such groups.
        """
        parts = {} if seed is None else {"seed": seed, "shares": shares, "by": by}
        return self._save(place, "/checkout", version=version, format=format, **parts)

    def alike(self, version: str = "main", *, limit: int = 1000) -> AlikeOut:
        """Return which items of a version are the same or nearly, first those on both sides of a border."""
        return self._get(AlikeOut, "/alike", version=version, limit=limit)

    def verify(self, version: str = "main") -> VerifiedOut:
        """Compute the ids of a version and of all before it again from their files."""
        return self._get(VerifiedOut, "/verify", version=version)

    def compact(self, version: str = "main") -> CompactedOut:
        """Make what lets a version and those before it be read fast; the system does it by itself now and then."""
        return self._post(CompactedOut, "/compactions", {"version": version})
