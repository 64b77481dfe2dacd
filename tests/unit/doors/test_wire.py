"""How refusals come back, and when a call is tried again."""

from __future__ import annotations

import httpx
import pytest

from handrail.doors.sdk.wire import NotHandrail, Unreachable, Wire, coded, query, refusal
from handrail.foundation.errors import Broken, Busy, Conflict, Invalid, NotFound


@pytest.mark.parametrize(
    ("status", "family"), [(404, NotFound), (409, Conflict), (429, Busy), (422, Invalid), (415, Invalid), (500, Broken)]
)
def test_an_error_is_of_the_family_of_its_status_and_keeps_its_code(status: int, family: type[Exception]) -> None:
    found = coded(status, "things.taken", "The name is in use.", "Take another.", {"name": "x", "hint": "other"})
    assert type(found) is family
    assert (found.code, found.sentence, found.hint, found.facts) == (
        "things.taken", "The name is in use.", "Take another.", {"name": "x"},
    )  # fmt: skip
    assert family.code != "things.taken"


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"code": "a"}', b"\xff"])
def test_an_answer_that_is_no_problem_is_told_as_such(content: bytes) -> None:
    assert isinstance(refusal(502, content), NotHandrail)


def test_query_parameters_that_are_none_are_left_out() -> None:
    assert query({"a": None, "b": True, "c": 1.5, "d": "x"}) == {"b": "true", "c": "1.5", "d": "x"}


class _Flaky(httpx.BaseTransport):
    def __init__(self, failures: list[httpx.Response | Exception]) -> None:
        self.failures = failures
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if not self.failures:
            return httpx.Response(200, json={"ok": True})
        failure = self.failures.pop(0)
        if isinstance(failure, Exception):
            raise failure
        return failure


def _wire(*failures: httpx.Response | Exception) -> tuple[Wire, _Flaky]:
    transport = _Flaky(list(failures))
    wire = Wire("http://127.0.0.1", transport, {})
    wire.sleep = lambda seconds: None  # type: ignore[method-assign]
    return wire, transport


def test_a_lost_call_is_repeated_under_the_same_key() -> None:
    wire, transport = _wire(httpx.ReadError("gone"), httpx.Response(503, headers={"Retry-After": "1"}))
    assert wire.send("POST", "/x", json={}) == b'{"ok":true}'
    keys = {one.headers["idempotency-key"] for one in transport.seen}
    assert len(transport.seen) == 3
    assert len(keys) == 1


def test_a_call_that_must_not_be_repeated_is_not() -> None:
    wire, transport = _wire(httpx.ReadError("gone"))
    with pytest.raises(Unreachable):
        wire.send("POST", "/x", repeat=False, json={})
    assert len(transport.seen) == 1


def test_a_server_that_stays_away_is_told() -> None:
    wire, transport = _wire(*[httpx.ConnectError("refused") for _ in range(9)])
    with pytest.raises(Unreachable, match="refused"):
        wire.send("GET", "/x")
    assert len(transport.seen) == 4


def test_a_refusal_is_not_repeated() -> None:
    problem = {"code": "a.b", "detail": "No.", "hint": ""}
    wire, transport = _wire(httpx.Response(409, json=problem))
    with pytest.raises(Conflict, match="No"):
        wire.send("POST", "/x", json={})
    assert len(transport.seen) == 1
