"""Keyset pages are the same on both databases: text sorts by its bytes, whatever the database's language."""

from __future__ import annotations

import itertools
import random

import pytest
from sqlalchemy import bindparam, insert, select

from handrail.foundation.canonical import encode
from handrail.foundation.journal import store
from handrail.foundation.storage import Storage, with_list
from tests.integration.foundation.storage.ledger import COUNT, NAMES, OPEN, account

_PARTS = ("", *"aAbBZzäÄéßiIıİ_- .12日😀", "e\u0301", "ss", "10", "\uffff", "\x7f", "\x01")
WORDS = sorted({one + two for one, two in itertools.product(_PARTS, _PARTS)} - {""}, key=lambda word: word.encode())

_PAGE = (
    select(store.cursor.c.reader)
    .where(store.cursor.c.reader > bindparam("last"))
    .order_by(store.cursor.c.reader)
    .limit(bindparam("most"))
)
_PAGE_DOWN = (
    select(store.cursor.c.reader)
    .where(store.cursor.c.reader < bindparam("last"))
    .order_by(store.cursor.c.reader.desc())
    .limit(bindparam("most"))
)
_PUT = insert(store.cursor)
_SMALLER = select(store.cursor.c.reader).where(store.cursor.c.idx == bindparam("one"))
_AMONG = with_list("names", lambda given: select(account.c.name).where(account.c.name.in_(given)))
_LISTED = select(account.c.name).where(account.c.name.in_(bindparam("names", expanding=True))).order_by(account.c.name)


def _fill(storage: Storage) -> None:
    shuffled = random.Random(3).sample(list(enumerate(WORDS)), len(WORDS))
    storage.write(lambda uow: uow.add_all(_PUT, [{"reader": word, "idx": at} for at, word in shuffled]))


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_pages_follow_the_bytes(storage: Storage, most: int) -> None:
    _fill(storage)

    def walk(down: bool) -> list[str]:
        found: list[str] = []
        last = "\U0010ffff" if down else ""
        while page := storage.read(lambda uow: uow.run(_PAGE_DOWN if down else _PAGE, last=last, most=most).all()):  # noqa: B023
            found += [word for (word,) in page]
            last = found[-1]
        return found

    assert walk(down=False) == WORDS
    assert walk(down=True) == WORDS[::-1]


def test_words_that_look_alike_are_different_keys(storage: Storage) -> None:
    _fill(storage)
    for at, word in enumerate(WORDS[::37]):
        assert storage.read(lambda uow, at=at: uow.run(_SMALLER, one=at * 37).scalar()) == word  # type: ignore[misc]


def test_a_list_of_texts_may_hold_anything(storage: Storage) -> None:
    hostile = ["a", "'; DROP TABLE test_account; --", '"', "\\", "日本", "%", "null", "[]", "a,b"]
    storage.write(lambda uow: uow.add_all(OPEN, [{"name": name, "amount": 0} for name in [*hostile, "other"]]))
    found = storage.read(lambda uow: uow.run(_AMONG, names=encode([*hostile, "absent"])).all())
    assert sorted(name for (name,) in found) == sorted(hostile)
    assert storage.read(lambda uow: uow.run(_AMONG, names="[]").all()) == []
    for chosen in ([], ["a"], hostile, hostile[:2], [*hostile[:3], "absent"], ["a"] * 300):
        listed = storage.read(lambda uow, chosen=chosen: uow.run(_LISTED, names=chosen).all())  # type: ignore[misc]
        there = sorted({*chosen} - {"absent"}, key=lambda name: name.encode())
        assert sorted((name for (name,) in listed), key=lambda name: name.encode()) == there
    assert storage.read(lambda uow: uow.run(COUNT).scalar()) == len(hostile) + 1
    assert len(storage.read(lambda uow: uow.run(NAMES).all())) == len(hostile) + 1
