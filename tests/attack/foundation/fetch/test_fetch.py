"""Requests that try to reach the inside of the network, and answers that try to hurt the reader."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from handrail.foundation.errors import HandrailError
from handrail.foundation.fetch import (
    BadUrl,
    DangerousAddress,
    Fetch,
    HostNotAllowed,
    Rules,
    TooBig,
    TooManyRedirects,
    TooSlow,
    Unreachable,
)

Answer = Callable[[str, socket.socket], None]


@dataclass
class Server:
    """A bare server: every request text it got, and a function that answers."""

    port: int
    listener: socket.socket
    answer: Answer
    requests: list[str] = field(default_factory=list)

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                text = ""
                while "\r\n\r\n" not in text:
                    got = connection.recv(65536)
                    if not got:
                        break
                    text += got.decode("latin-1")
                self.requests.append(text)
                with contextlib.suppress(OSError):
                    self.answer(text, connection)


def reply(status: str = "200 OK", body: bytes = b"ok", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@pytest.fixture
def server() -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    made = Server(listener.getsockname()[1], listener, lambda _text, connection: connection.sendall(reply()))
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def open_rules(server: Server, **changes: object) -> Rules:
    made: dict[str, object] = {
        "hosts": ("*",), "networks": ("127.0.0.0/8",), "schemes": ("http",), "ports": (server.port,), "timeout_s": 5.0,
    }  # fmt: skip
    return Rules(**(made | changes))  # type: ignore[arg-type]


def to_loopback(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def test_nothing_is_reachable_by_default() -> None:
    def never(host: str, port: int) -> list[str]:
        raise AssertionError("a name that is not allowed must not even be looked up")

    with pytest.raises(HostNotAllowed):
        Fetch(Rules(), resolve=never).send("GET", "https://example.org/")


def test_hosts_are_named_exactly_or_below_a_star() -> None:
    fetch = Fetch(Rules(hosts=("hooks.example.org", "*.inside.example")), resolve=lambda _h, _p: ["127.0.0.1"])
    for allowed in ("hooks.example.org", "HOOKS.example.org.", "a.b.inside.example"):
        with pytest.raises(DangerousAddress):
            fetch.send("GET", f"https://{allowed}/")
    for other in ("example.org", "xhooks.example.org", "hooks.example.org.evil", "inside.example", "xinside.example"):
        with pytest.raises(HostNotAllowed):
            fetch.send("GET", f"https://{other}/")


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0x7f000001", "[::1]", "[::]",
     "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "169.254.169.254", "0", "[fe80::1]",
     "①②⑦.⓪.⓪.①", "127。0。0。1"],
)  # fmt: skip
def test_every_way_to_write_the_inside_is_refused_by_real_name_resolution(host: str, server: Server) -> None:
    fetch = Fetch(Rules(hosts=("*",), schemes=("http",), ports=(server.port,)))
    with pytest.raises((DangerousAddress, BadUrl, Unreachable)) as caught:
        fetch.send("GET", f"http://{host}:{server.port}/")
    assert server.requests == []
    if host in ("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        assert isinstance(caught.value, DangerousAddress)


def test_one_bad_address_among_good_ones_is_enough() -> None:
    fetch = Fetch(Rules(hosts=("*",)), resolve=lambda _h, _p: ["1.1.1.1", "10.0.0.1"])
    with pytest.raises(DangerousAddress, match="private"):
        fetch.send("GET", "https://two-faced.example/")


def test_a_name_that_changes_its_mind_is_asked_once_and_the_checked_address_is_used(server: Server) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    got = Fetch(open_rules(server), resolve=rebinding).send("GET", f"http://rebind.example:{server.port}/x?y=1#z")
    assert got.status == 200
    assert asked == ["rebind.example"]
    assert server.requests[0].startswith("GET /x?y=1 HTTP/1.1\r\n")
    assert f"host: rebind.example:{server.port}" in server.requests[0].lower()


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "file" + ":///etc/passwd",
        "gopher://127.0.0.1/",
        "//10.0.0.1/",
    ],
)
def test_every_redirect_is_checked_again(server: Server, target: str) -> None:
    server.answer = lambda _text, connection: connection.sendall(reply("302 Found", location=target))
    fetch = Fetch(
        open_rules(server, ports=(server.port, 80)),
        resolve=lambda host, _p: ["127.0.0.1"] if host == "ok.example" else [host],
    )
    with pytest.raises((DangerousAddress, BadUrl)):
        fetch.send("GET", f"http://ok.example:{server.port}/")
    assert len(server.requests) == 1


def test_a_redirect_to_a_host_that_is_not_named_is_refused(server: Server) -> None:
    server.answer = lambda _text, connection: connection.sendall(reply("302 Found", location="http://other.example/"))
    fetch = Fetch(open_rules(server, hosts=("ok.example",), ports=(server.port, 80)), resolve=to_loopback)
    with pytest.raises(HostNotAllowed):
        fetch.send("GET", f"http://ok.example:{server.port}/")


def test_redirects_end_and_secrets_do_not_travel_to_another_host(server: Server) -> None:
    def onward(text: str, connection: socket.socket) -> None:
        place = "second.example" if "host: first" in text.lower() else "first.example"
        connection.sendall(reply("307 Temporary Redirect", location=f"http://{place}:{server.port}/"))

    server.answer = onward
    with pytest.raises(TooManyRedirects):
        Fetch(open_rules(server), resolve=to_loopback).send(
            "GET", f"http://first.example:{server.port}/", headers={"Authorization": "Bearer secret", "X-Other": "1"}
        )
    assert len(server.requests) == 4
    assert "bearer secret" in server.requests[0].lower()
    assert all("bearer" not in text.lower() for text in server.requests[1:])
    assert all("x-other: 1" in text.lower() for text in server.requests)


def test_a_post_is_never_sent_on(server: Server) -> None:
    server.answer = lambda _text, connection: connection.sendall(reply("307 Temporary Redirect", location="/again"))
    got = Fetch(open_rules(server), resolve=to_loopback).send("POST", f"http://a.example:{server.port}/", content=b"{}")
    assert got.status == 307
    assert len(server.requests) == 1


@pytest.mark.parametrize("declared", [True, False])
def test_a_long_answer_is_cut_off(server: Server, declared: bool) -> None:
    def flood(_text: str, connection: socket.socket) -> None:
        length = "content-length: 100000000\r\n" if declared else ""
        connection.sendall(f"HTTP/1.1 200 OK\r\n{length}connection: close\r\n\r\n".encode())
        for _ in range(100):
            connection.sendall(b"x" * 1_000_000)

    server.answer = flood
    with pytest.raises(TooBig):
        Fetch(open_rules(server, max_bytes=50_000), resolve=to_loopback).send(
            "GET", f"http://a.example:{server.port}/", max_bytes=10**12
        )


def test_a_compressed_answer_is_refused_before_it_is_unpacked(server: Server) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    server.answer = lambda _text, connection: connection.sendall(reply(body=bomb, content_encoding="gzip"))
    with pytest.raises(TooBig):
        Fetch(open_rules(server), resolve=to_loopback).send("GET", f"http://a.example:{server.port}/")
    assert "accept-encoding: identity" in server.requests[0].lower()


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_drip_does_not_outlast_the_clock(server: Server, where: str) -> None:
    def drip(_text: str, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n" + (b"\r\n" if where == "body" else b"x: "))
        for _ in range(100):
            connection.sendall(b"a")
            time.sleep(0.05)

    server.answer = drip
    began = time.monotonic()
    with pytest.raises(TooSlow):
        Fetch(open_rules(server, timeout_s=0.4), resolve=to_loopback).send("GET", f"http://a.example:{server.port}/")
    assert time.monotonic() - began < 2


def test_a_name_server_that_never_answers_does_not_outlast_the_clock() -> None:
    began = time.monotonic()
    with pytest.raises(TooSlow):
        Fetch(Rules(hosts=("*",), timeout_s=0.3), resolve=lambda _h, _p: time.sleep(5) or []).send(
            "GET", "https://a.example/"
        )
    assert time.monotonic() - began < 2


def test_a_broken_answer_is_a_clear_error(server: Server) -> None:
    for wrong in (b"", b"not http at all\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
                  b"HTTP/1.1 200 OK\r\ncontent-length: minus\r\n\r\n"):  # fmt: skip
        server.answer = lambda _text, connection, wrong=wrong: connection.sendall(wrong)  # type: ignore[misc]
        with pytest.raises(Unreachable):
            Fetch(open_rules(server), resolve=to_loopback).send("GET", f"http://a.example:{server.port}/")


def test_nobody_listens(server: Server) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(Unreachable):
        Fetch(open_rules(server, ports=(port,)), resolve=to_loopback).send("GET", f"http://a.example:{port}/")


@pytest.mark.parametrize(
    "url",
    ["", "ftp://a.example/", "http://a.example/", "https://user:pass@a.example/", "https://a.example:8443/", "https:///x",
     "https://a.example\\@127.0.0.1/", "https://a.example/\r\nHost: b", "https://a b.example/", "https://a_b!.example/",
     "//a.example/", "a.example", "https://" + "a" * 3000, "https://a.example:99999/", "https://a.example:x/",
     "javascript:1"],
)  # fmt: skip
def test_addresses_that_may_not_be_used_at_all(url: str) -> None:
    with pytest.raises(BadUrl):
        Fetch(Rules(hosts=("*",)), resolve=lambda _h, _p: ["1.1.1.1"]).send("GET", url)


def test_header_injection_is_refused(server: Server) -> None:
    with pytest.raises((HandrailError, ValueError)):
        Fetch(open_rules(server), resolve=to_loopback).send(
            "GET", f"http://a.example:{server.port}/", headers={"X-A": "1\r\nX-Evil: 2"}
        )
    assert all("x-evil" not in text.lower() for text in server.requests)


def test_the_caller_cannot_set_the_host_header(server: Server) -> None:
    Fetch(open_rules(server), resolve=to_loopback).send(
        "GET", f"http://a.example:{server.port}/", headers={"Host": "inside.example"}
    )
    assert "inside.example" not in server.requests[0]


def test_proxies_of_the_environment_are_not_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert Fetch(open_rules(server), resolve=to_loopback).send("GET", f"http://a.example:{server.port}/").body == b"ok"


def test_the_certificate_must_be_the_one_of_the_name(tmp_path: Path) -> None:
    authority, served = certificates(tmp_path, "a.example")
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    names: list[str] = []
    served.sni_callback = lambda _socket, name, _context: names.append(name)  # type: ignore[assignment]

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), served.wrap_socket(plain, server_side=True) as connection:
                connection.recv(65536)
                connection.sendall(reply())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    rules = Rules(hosts=("*",), networks=("127.0.0.0/8",), ports=(port,))
    assert Fetch(rules, resolve=to_loopback, verify=authority).send("GET", f"https://a.example:{port}/").body == b"ok"
    with pytest.raises(Unreachable, match="certificate"):
        Fetch(rules, resolve=to_loopback, verify=authority).send("GET", f"https://b.example:{port}/")
    with pytest.raises(Unreachable, match="certificate"):
        Fetch(rules, resolve=to_loopback).send("GET", f"https://a.example:{port}/")
    assert names == ["a.example", "b.example", "a.example"]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def certificates(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a client needs to trust one test certificate for `name`, and what the server shows."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "certificate").write_bytes(pem)
    authority = ssl.create_default_context(cadata=pem.decode())
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(folder / "certificate", folder / "key")
    return authority, served
