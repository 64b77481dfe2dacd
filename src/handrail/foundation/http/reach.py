"""How this server is reached: names it answers to, path prefix, whether the line is encrypted, its cookie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reach:
    """The address of a server as its visitors see it.

    `prefix` is "" or "/path" without a slash at the end; `names` are lower-case host names beside the loopback ones;
    `loopback` tells that it listens on this computer only, so that no other address may be named by a visitor.
    """

    prefix: str = ""
    names: frozenset[str] = frozenset()
    loopback: bool = True
    secure: bool = False
    port: int = 0
    public_url: str = ""

    @property
    def cookie(self) -> str:
        """Return the name of the session cookie; browsers do not keep the cookies of two ports apart."""
        if self.secure and not self.prefix:
            return "__Host-handrail_session"
        return f"handrail_session_{self.port}" if self.port else "handrail_session"

    def answers_to(self, host: str) -> bool:
        """Return whether a `Host` header names this server.

        A page elsewhere can make its own name lead to this computer, never an address: so names must be known, and
        an address is believed when the server listens beyond this computer or the address is a loopback one.
        """
        name = host_name(host)
        if not name:
            return False
        if name == "localhost" or name in self.names:
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self.loopback

    def is_own_origin(self, origin: str, host: str) -> bool:
        """Return whether an `Origin` header is a page of this server, which the visitor reached as `host`."""
        if self.public_url and origin.lower() == _origin(self.public_url):
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower() != ""


def reach(
    *,
    host: str,
    port: int,
    prefix: str = "",
    public_url: str | None = None,
    tls: bool = False,
    names: Iterable[str] = (),
) -> Reach:
    """Return the reach of a server that listens on `host` and `port`; `public_url` is how visitors write it."""
    known = {name.lower().rstrip(".") for name in names}
    secure = tls
    if public_url:
        parts = urlsplit(public_url)
        known.add((parts.hostname or "").lower())
        secure = secure or parts.scheme == "https"
    known.discard("")
    bound = host_name(f"[{host}]" if ":" in host else host)
    loopback = bound == "localhost" or _is_loopback(bound)
    if not loopback and not _is_address(bound):
        known.add(bound)
    return Reach(prefix, frozenset(known), loopback, secure, port, public_url or "")


def host_name(host: str) -> str:
    """Return the lower-case name or address in a `Host` header, without port; "" when it is not one."""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return name.lower() if bracket and (not rest or _is_port(rest)) and _is_address(name) else ""
    name, colon, port = host.partition(":")
    if colon and not _is_port(":" + port):
        return ""
    return name.lower().removesuffix(".")


def _is_port(text: str) -> bool:
    return text[0] == ":" and len(text) <= 6 and (text[1:].isascii() and text[1:].isdigit())


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return _is_address(name) and ip_address(name).is_loopback


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
