"""SQL of what other tools said: origins of items, answers given elsewhere, the configuration of a project."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from handrail.cycle.datasets.model import ImportedAnswer
from handrail.cycle.datasets.store.tables import imported_answer, item, item_origin, label_config
from handrail.foundation.actors import Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import micros
from handrail.foundation.storage import RowInsert, UnitOfWork, upsert

_COLUMNS = [
    imported_answer.c[name] for name in ["item_id", "format", "kind", "who", "answers", "score", "said_at", "counts"]
]
_PUT_ORIGIN = upsert(item_origin, key=["project_id", "item_id", "format"], set=["body"])
_NEW_ORIGIN = RowInsert(item_origin, "project_id item_id format body")
_ORIGINS = (
    select(item.c.seq, item_origin.c.body)
    .join_from(item_origin, item, item.c.id == item_origin.c.item_id)
    .where(
        item_origin.c.project_id == bindparam("project"),
        item_origin.c.format == bindparam("format_"),
        item.c.project_id == bindparam("project"),
        item.c.seq > bindparam("after"),
        item.c.seq <= bindparam("until"),
    )
)
_NEW_ANSWER = RowInsert(
    imported_answer,
    "id project_id item_id item_seq format kind who answers score said_at counts created_at",
)
_FORGET = delete(imported_answer).where(
    imported_answer.c.project_id == bindparam("project"),
    imported_answer.c.item_seq == bindparam("seq"),
    imported_answer.c.format == bindparam("format_"),
)
_ANSWERS = (
    select(imported_answer.c.item_seq, *_COLUMNS)
    .where(
        imported_answer.c.project_id == bindparam("project"),
        imported_answer.c.item_seq > bindparam("after"),
        imported_answer.c.item_seq <= bindparam("until"),
    )
    .order_by(imported_answer.c.item_seq, imported_answer.c.id)
)
_PUT_CONFIG = upsert(label_config, key=["project_id"], set=["text", "created_at"])
_CONFIG = select(label_config.c.text).where(label_config.c.project_id == bindparam("project"))


def put_origin(uow: UnitOfWork, scope: Scope, format_: str, item_id: str, body: str, *, new: bool) -> None:
    """Keep the JSON text of what a format said about an item beyond data and labels.

    One kept before is replaced; of a `new` item there is none.
    """
    if new:
        uow.later(_NEW_ORIGIN, (scope.project_id, item_id, format_, body))
    else:
        uow.add(_PUT_ORIGIN, project_id=scope.project_id, item_id=item_id, format=format_, body=body)


def origins_between(uow: UnitOfWork, scope: Scope, format_: str, after: int, until: int) -> dict[int, Any]:
    """Return seq -> what a format said, of items behind `after` up to `until`."""
    rows = uow.run(_ORIGINS, project=scope.project_id, format_=format_, after=after, until=until).all()
    return {row[0]: json.loads(row[1]) for row in rows}


def put_imported(
    uow: UnitOfWork,
    scope: Scope,
    format_: str,
    seq: int,
    rows: Sequence[tuple[str, ImportedAnswer]],
    at: datetime,
    *,
    new: bool,
) -> None:
    """Keep (id, answer) of one item; those that came in the same format before are replaced, of a `new` one none."""
    if not new:
        uow.run(_FORGET, project=scope.project_id, seq=seq, format_=format_)
    created = micros(at)
    for answer_id, one in rows:
        said = (one.kind, one.who, encode(dict(one.values)), one.score, one.at, int(one.counts))
        uow.later(_NEW_ANSWER, (answer_id, scope.project_id, one.item_id, seq, format_, *said, created))


def imported_between(uow: UnitOfWork, scope: Scope, after: int, until: int) -> dict[int, list[ImportedAnswer]]:
    """Return seq -> answers given in other tools, of items behind `after` up to `until`."""
    found: dict[int, list[ImportedAnswer]] = {}
    for row in uow.run(_ANSWERS, project=scope.project_id, after=after, until=until).all():
        seq, item_id, format_, kind, who, answers, score, at, counts = row
        made = ImportedAnswer(item_id, format_, kind, who, json.loads(answers), score, at, bool(counts))
        found.setdefault(seq, []).append(made)
    return found


def put_config(uow: UnitOfWork, scope: Scope, text: str, at: datetime) -> None:
    """Keep the configuration of a project."""
    uow.add(_PUT_CONFIG, project_id=scope.project_id, text=text, created_at=micros(at))


def get_config(uow: UnitOfWork, scope: Scope) -> str | None:
    """Return the configuration of a project, or None."""
    found: str | None = uow.run(_CONFIG, project=scope.project_id).scalar()
    return found
