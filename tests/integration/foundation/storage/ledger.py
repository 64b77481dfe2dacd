"""Tables of the storage tests: accounts, and lines that name an account, at once or by the end of the transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from handrail.foundation.storage import PerDialect, RowInsert, Storage, UnitOfWork, metadata

account = Table(
    "test_account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("share", Double),
    Column("seal", LargeBinary),
    info={"test": True},
)
line = Table(
    "test_line",
    metadata,
    Column("account", Text, ForeignKey(account.c.name), primary_key=True),
    Column("number", Integer, primary_key=True),
    info={"test": True},
)
promise = Table(
    "test_promise",
    metadata,
    Column("name", Text, primary_key=True),
    Column("account", Text, ForeignKey(account.c.name, deferrable=True, initially="DEFERRED"), nullable=False),
    info={"test": True},
)

OPEN = insert(account)
OPENED = RowInsert(account, "name amount")
LINE = insert(line)
PROMISE = insert(promise)
AMOUNT = select(account.c.amount).where(account.c.name == bindparam("of"))
AMOUNT_LOCKED = AMOUNT.with_for_update()
WHOLE = select(account).where(account.c.name == bindparam("of"))
NAMES = select(account.c.name).order_by(account.c.name)
COUNT = select(func.count()).select_from(account)
LINES = select(line.c.account, func.count()).group_by(line.c.account)
_on_sqlite, _on_postgresql = sqlite_insert(account), postgresql_insert(account)
MORE = PerDialect(
    _on_sqlite.on_conflict_do_update(
        index_elements=["name"], set_={"amount": account.c.amount + _on_sqlite.excluded.amount}
    ),
    _on_postgresql.on_conflict_do_update(
        index_elements=["name"], set_={"amount": account.c.amount + _on_postgresql.excluded.amount}
    ),
)
ADD = update(account).where(account.c.name == bindparam("of")).values(amount=account.c.amount + bindparam("more"))


def opened(name: str, amount: int = 0) -> Callable[[UnitOfWork], str]:
    """Return a unit that opens an account and returns its name."""

    def unit(uow: UnitOfWork) -> str:
        uow.add(OPEN, name=name, amount=amount)
        return name

    return unit


def names(storage: Storage) -> list[str]:
    """Return every account, sorted."""
    return [name for (name,) in storage.read(lambda uow: uow.run(NAMES).all())]


def amount(storage: Storage, name: str) -> Any:
    """Return what is on an account, None when there is none."""
    return storage.read(lambda uow: uow.run(AMOUNT, of=name).scalar())


@contextmanager
def held(storage: Storage) -> Iterator[None]:
    """Keep SQLite's writer busy until the block ends, so that what the block asks for waits together."""
    entered, leave = threading.Event(), threading.Event()

    def unit(_: UnitOfWork) -> None:
        entered.set()
        leave.wait(30)

    holder = threading.Thread(target=storage.write, args=(unit,))
    holder.start()
    assert entered.wait(10)
    try:
        yield
    finally:
        leave.set()
        holder.join()


def until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    """Wait until something is true."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.005)
