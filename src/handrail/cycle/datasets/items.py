"""Puts items in and finds them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handrail.cycle.datasets import store
from handrail.cycle.datasets.checking import check_size, ready
from handrail.cycle.datasets.events import ItemsAdded
from handrail.cycle.datasets.model import (
    Item,
    ItemDiffers,
    ItemNotFound,
    NewItem,
    Page,
    ReadyItem,
    item_content,
    item_digest,
)
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.schema import ItemInvalid, refuse
from handrail.cycle.datasets.values import Problem
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import Clock, from_micros, micros
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import UnitOfWork

_SALT = 16
_PAGE = 500


@dataclass(frozen=True)
class Put:
    """What became of rows, each in the order given: its item's (id, seq), and the places of those that differ."""

    found: list[tuple[str, int]]
    differ: list[int]


class Items:
    """The items of every project."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids, randomness: Randomness, projects: Projects) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._randomness = randomness
        self._projects = projects

    def put(self, uow: UnitOfWork, scope: Scope, items: Sequence[NewItem]) -> list[Item]:
        """Put items in and return them in order; see Datasets.put_items."""
        schema = self._projects.schema(uow, scope)
        checked = [ready(schema, one) for one in items]
        if len(checked) == 1:
            return [self._put_one(uow, scope, checked[0])]
        rows = [self.row(scope, one) for one in checked]
        put = self.put_rows(uow, scope, rows)
        for place in put.differ:
            raise _differs(checked[place].external_id, put.found[place][0])
        known = self.many(
            uow, scope, [item for row, (item, _) in zip(rows, put.found, strict=True) if item != row["id"]]
        )
        return [
            known[item] if item in known else _made(row, one, seq)
            for row, one, (item, seq) in zip(rows, checked, put.found, strict=True)
        ]

    def add(self, uow: UnitOfWork, actor: Actor, scope: Scope, items: Sequence[NewItem], origin: str) -> list[Item]:
        """Put items in and record it in the journal."""
        before = store.last_seq(uow, scope)
        made = self.put(uow, scope, items)
        new = {one.id: one for one in made if one.seq > before}
        self.record(uow, actor, scope, origin, list(new), len(made) - len(new))
        return made

    def record(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, origin: str, added: Sequence[str], known: int
    ) -> None:
        """Write into the journal that items came in, when any did."""
        if added:
            event = ItemsAdded(
                origin=origin, added=len(added), known=known, first_item_id=added[0], last_item_id=added[-1]
            )
            self._journal.append(uow, actor, scope.project_id, event)

    def row(self, scope: Scope, one: ReadyItem) -> dict[str, Any]:
        """Return the row of a new item, with its id, salt and digest."""
        item_id = self._ids.new()
        data, group = encode(one.data), encode(one.group) if one.group else "{}"
        content = item_content(item_id, one, data, group)
        check_size(content)
        salt = self._randomness.bytes(_SALT)
        return {
            "id": item_id,
            "project_id": scope.project_id,
            "external_id": one.external_id,
            "digest": item_digest(salt, content),
            "salt": salt,
            "data": data,
            "subject": one.subject,
            "groups": group,
            "observed_at": None if one.observed_at is None else micros(one.observed_at),
            "created_at": micros(self._clock.now()),
            "committed": 0,
        }

    def put_rows(self, uow: UnitOfWork, scope: Scope, rows: Sequence[dict[str, Any]]) -> Put:
        """Insert those rows whose external id is free, in one go, and find the items of the others."""
        assert all(row["project_id"] == scope.project_id for row in rows)  # rows may have waited in a file meanwhile
        store.insert_items(uow, rows)
        places: dict[str, tuple[str, int]] = {}
        for start in range(0, len(rows), _PAGE):
            names = [row["external_id"] for row in rows[start : start + _PAGE]]
            places |= store.places_of(uow, scope, names)
        found = [places[row["external_id"]] for row in rows]
        others = [place for place, row in enumerate(rows) if found[place][0] != row["id"]]
        known = self.many(uow, scope, [found[place][0] for place in others])
        return Put(found, [place for place in others if not same_row(known[found[place][0]], rows[place])])

    def keep(self, uow: UnitOfWork, scope: Scope, row: dict[str, Any]) -> str:
        """Insert a row and return the id of its item; see Datasets.keep_item."""
        assert row["project_id"] == scope.project_id
        if store.keep_item(uow, row):
            return str(row["id"])
        known = store.item_named(uow, scope, row["external_id"])
        assert known is not None  # the insert found it
        if known.data != json.loads(row["data"]) or not _agree(known.group, row["groups"]):
            raise _differs(known.external_id, known.id)
        return known.id

    def _put_one(self, uow: UnitOfWork, scope: Scope, one: ReadyItem) -> Item:
        row = self.row(scope, one)
        seq = store.insert_item(uow, row)
        if seq is not None:
            return _made(row, one, seq)
        known = store.item_named(uow, scope, one.external_id)
        assert known is not None  # the insert found it
        if not same_row(known, row):
            raise _differs(known.external_id, known.id)
        return known

    def get(self, uow: UnitOfWork, scope: Scope, item_id: str) -> Item:
        """Return an item; raises ItemNotFound."""
        found = store.get_item(uow, scope, item_id)
        if found is None:
            raise ItemNotFound("There is no such item in this project.", item_id=item_id)
        return found

    def many(self, uow: UnitOfWork, scope: Scope, ids: Iterable[str]) -> dict[str, Item]:
        """Return id -> item; raises ItemNotFound when one is not there."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Item] = {}
        for start in range(0, len(wanted), _PAGE):
            found |= store.items_of(uow, scope, wanted[start : start + _PAGE])
        for item_id in wanted:
            if item_id not in found:
                raise ItemNotFound("There is no such item in this project.", item_id=item_id)
        return found

    def page(self, uow: UnitOfWork, scope: Scope, after: int | None, limit: int) -> Page[Item]:
        """Return items in the order of insertion, those behind seq `after`."""
        if limit < 1:
            refuse(ItemInvalid, "The page", [Problem("limit", "must be at least 1")])
        found = store.page_of_items(uow, scope, after or 0, limit + 1)
        more = len(found) > limit
        return Page(found[:limit], found[limit - 1].seq if more else None)


def _made(row: dict[str, Any], one: ReadyItem, seq: int) -> Item:
    return Item(
        id=row["id"],
        seq=seq,
        external_id=one.external_id,
        digest=row["digest"],
        data=one.data,
        subject=one.subject,
        group=one.group,
        observed_at=one.observed_at,
        created_at=from_micros(row["created_at"]),
    )


def same_row(known: Item, row: dict[str, Any]) -> bool:
    """Return whether a known item says the same as a row that comes in."""
    return bool(
        known.data == json.loads(row["data"])
        and known.subject == row["subject"]
        and known.group == json.loads(row["groups"])
        and (None if known.observed_at is None else micros(known.observed_at)) == row["observed_at"]
    )


def _agree(known: Mapping[str, str], groups: str) -> bool:
    """Return whether group attributes that come in contradict none that is known; either may leave some unsaid."""
    return groups == "{}" or all(known.get(name, value) == value for name, value in json.loads(groups).items())


def _differs(external_id: str, item_id: str) -> ItemDiffers:
    return ItemDiffers(
        f"The item {external_id[:80]} is there already, with other content.",
        hint="An item never changes; send the new content under a new external_id.",
        external_id=external_id,
        item_id=item_id,
    )
