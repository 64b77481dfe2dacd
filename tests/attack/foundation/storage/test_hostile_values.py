"""Hostile values as parameters: they are data, whatever they look like."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from handrail.foundation.storage import Storage
from handrail.foundation.storage.failures import ValueRefused
from tests.integration.foundation.storage.ledger import AMOUNT, COUNT, OPEN, WHOLE, names

INJECTIONS = [
    "x'; DROP TABLE test_account; --",
    'x"; DROP TABLE test_account; --',
    "x') OR ('1'='1",
    "x' UNION SELECT sql FROM sqlite_master --",
    "$1", "?1", ":name", "%(name)s", "\\'; --", "$$; DROP TABLE test_account; $$", "/* */ --",
    "x\n;\nDELETE FROM test_account",
]  # fmt: skip


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_value_is_never_a_statement(storage: Storage, value: str) -> None:
    storage.write(lambda uow: uow.run(OPEN, name="there", amount=1))
    storage.write(lambda uow: uow.run(OPEN, name=value, amount=2))
    assert storage.read(lambda uow: uow.run(AMOUNT, of=value).scalar()) == 2
    assert names(storage) == sorted(["there", value], key=lambda name: name.encode())
    assert storage.read(lambda uow: uow.run(AMOUNT, of="x").scalar()) is None


def test_one_statement_at_a_time(storage: Storage) -> None:
    storage.write(lambda uow: uow.run(OPEN, name="there", amount=1))
    with pytest.raises(Exception, match=r"one statement|multiple commands"):
        storage.write(lambda uow: uow.run(text("SELECT 1; DELETE FROM test_account")))
    assert names(storage) == ["there"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.text(max_size=30),
    st.integers(-(2**70), 2**70),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.binary(max_size=50),
)
def test_any_value_comes_back_as_it_was_or_is_refused(
    storage: Storage, name: str, amount: int, share: float | None, seal: bytes | None
) -> None:
    storage.write(lambda uow: uow.run(text("DELETE FROM test_account")))
    fits = -(2**63) <= amount < 2**63
    if fits and "\0" not in name and not any(0xD800 <= ord(one) < 0xE000 for one in name):
        storage.write(lambda uow: uow.run(OPEN, name=name, amount=amount, share=share, seal=seal))
        assert storage.read(lambda uow: uow.run(WHOLE, of=name).one()) == (name, amount, share, seal)
        return
    with pytest.raises(ValueRefused):
        storage.write(lambda uow: uow.run(OPEN, name=name, amount=amount, share=share, seal=seal))
    assert storage.read(lambda uow: uow.run(COUNT).scalar()) == 0
