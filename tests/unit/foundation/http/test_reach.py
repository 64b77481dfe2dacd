from __future__ import annotations

import pytest

from handrail.foundation.http import Reach, reach


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8731",
        "LOCALHOST:1",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1:8731",
        "127.9.9.9",
        "[::1]",
        "[::1]:80",
    ],
)
def test_this_computer_is_answered_to(host: str) -> None:
    assert reach(host="127.0.0.1", port=8731).answers_to(host)


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8731", "192.168.1.4",
        "10.0.0.1:8731", "localhost:8731:1", "localhost:", "localhost:x", "localhost@evil.example", "localhost/",
        "[::1", "[::1]x", "[evil]", "[]", "127.1", "0x7f.1", "2130706433", "localhost:123456", "localhost:٣",
        " localhost", "0.0.0.0",
    ],
)  # fmt: skip
def test_other_names_are_not_on_loopback(host: str) -> None:
    assert not reach(host="127.0.0.1", port=8731).answers_to(host)


def test_the_public_name_and_the_listed_ones_are_answered_to() -> None:
    public = reach(
        host="127.0.0.1", port=1, public_url="https://Handrail.example/review", prefix="/review", names=["B.example"]
    )
    assert public.answers_to("handrail.example")
    assert public.answers_to("handrail.example:443")
    assert public.answers_to("b.example")
    assert not public.answers_to("a.handrail.example")
    assert public.secure


def test_beyond_this_computer_every_address_is_answered_to_and_no_unknown_name() -> None:
    wide = reach(host="0.0.0.0", port=1)
    assert wide.answers_to("192.168.1.4:8731")
    assert wide.answers_to("[2001:db8::1]")
    assert not wide.answers_to("evil.example")
    assert reach(host="box.lan", port=1).answers_to("box.lan")


def test_an_origin_is_ours_when_it_is_where_the_request_went() -> None:
    ours = reach(host="127.0.0.1", port=8731, public_url="https://handrail.example")
    assert ours.is_own_origin("http://localhost:8731", "localhost:8731")
    assert ours.is_own_origin("https://handrail.example", "127.0.0.1:8731")
    for origin in ("null", "", "http://localhost:5173", "http://evil.example", "file://localhost:8731", "http://[x"):
        assert not ours.is_own_origin(origin, "localhost:8731"), origin
    assert not ours.is_own_origin("http://", "")


def test_the_cookie_is_bound_to_host_and_port() -> None:
    assert Reach(secure=True).cookie.startswith("__Host-")
    assert not Reach(secure=True, prefix="/review").cookie.startswith("__Host-")
    assert Reach(port=1).cookie != Reach(port=2).cookie
