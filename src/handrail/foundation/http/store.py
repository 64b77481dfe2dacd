"""The table of kept answers and its SQL: what an Idempotency-Key has been used for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam, delete, select, update

from handrail.foundation.storage import UnitOfWork, insert_or_ignore, metadata

kept = Table(
    "http_kept_answer",
    metadata,
    Column("actor_id", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    Index("http_kept_answer_time", "time"),
)

_RESERVE = insert_or_ignore(kept)
_FIND = select(kept.c.request, kept.c.status, kept.c.body).where(
    kept.c.actor_id == bindparam("by_actor"), kept.c.key == bindparam("by_key")
)
_FILL = (
    update(kept)
    .where(kept.c.actor_id == bindparam("by_actor"), kept.c.key == bindparam("by_key"))
    .values(body=bindparam("new_body"))
)
_FORGET = delete(kept).where(kept.c.time < bindparam("before"))


@dataclass(frozen=True)
class KeptAnswer:
    """The answer to the first call with a key; `request` is the digest of that call."""

    request: bytes
    status: int
    body: bytes


def reserve(
    uow: UnitOfWork, *, actor_id: str, key: str, request: bytes, status: int, body: bytes, time: int
) -> KeptAnswer | None:
    """Take the key for this call and return None, or return what it was used for before.

    On PostgreSQL a second call waits here until the first has ended its transaction.
    """
    taken = uow.run(_RESERVE, actor_id=actor_id, key=key, request=request, status=status, body=body, time=time)
    if taken.rowcount == 1:
        return None
    return find(uow, actor_id, key)


def find(uow: UnitOfWork, actor_id: str, key: str) -> KeptAnswer | None:
    """Return what the key was used for, or None."""
    row = uow.run(_FIND, by_actor=actor_id, by_key=key).first()
    return None if row is None else KeptAnswer(bytes(row[0]), row[1], bytes(row[2]))


def fill(uow: UnitOfWork, *, actor_id: str, key: str, body: bytes) -> None:
    """Keep the answer under a key that this unit has taken."""
    uow.add(_FILL, by_actor=actor_id, by_key=key, new_body=body)


def forget(uow: UnitOfWork, before: int) -> int:
    """Delete the answers kept before `before` (microseconds) and return how many there were."""
    return uow.run(_FORGET, before=before).rowcount
