"""The only outgoing HTTP client: what may be reached is decided here, before and at every hop.

A name is resolved once, every address it has is checked, and the connection goes to a checked address, so that a
second, different answer of the name server changes nothing. Nothing is reachable unless the rules name it.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx

from handrail.foundation.errors import Busy, Forbidden, HandrailError, Invalid, TooLarge
from handrail.foundation.fetch.addresses import networks, why_dangerous

Resolve = Callable[[str, int], list[str]]
_REDIRECTS = (301, 302, 303, 307, 308)
_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}
_OUR_HEADERS = {"host", "accept-encoding", "connection", "content-length", "transfer-encoding"}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]|[0-9a-f:.]+")


class BadUrl(Invalid):
    """The address of an outgoing request is not one that may be used at all."""

    code = "fetch.bad_url"


class HostNotAllowed(Forbidden):
    """The settings do not name this host."""

    code = "fetch.host_not_allowed"


class DangerousAddress(Forbidden):
    """The host leads to an address inside the network, to the machine itself or to a special range."""

    code = "fetch.dangerous_address"


class TooBig(TooLarge):
    """The answer is longer than the limit."""

    code = "fetch.too_big"


class TooSlow(Busy):
    """The whole exchange took longer than the limit."""

    code = "fetch.too_slow"


class Unreachable(Busy):
    """The other side could not be reached or broke off."""

    code = "fetch.unreachable"


class TooManyRedirects(Invalid):
    """The other side kept sending the request elsewhere."""

    code = "fetch.too_many_redirects"


@dataclass(frozen=True)
class Rules:
    """What outgoing requests may reach; the default is nothing.

    `hosts`: exact names, `*.example.org` for every name below it, or `*` for every public host.
    `networks`: non-public networks (`10.1.0.0/16`) that may be reached all the same.
    """

    hosts: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("https",)
    ports: tuple[int, ...] = (443,)
    redirects: int = 3
    max_bytes: int = 10 << 20
    timeout_s: float = 10.0


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end; `headers` have lower-case names, the last one of a name counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True)
class _Hop:
    """One checked request: where to connect, and what the other side is called."""

    url: httpx.URL
    host: str
    port: int
    addresses: list[str] = field(default_factory=list)


class Fetch:
    """Sends requests to the hosts that `rules` allow. `resolve` turns (host, port) into numeric addresses.

    Proxies, cookies, netrc and other settings of the environment are never used.
    """

    def __init__(self, rules: Rules, *, resolve: Resolve | None = None, verify: ssl.SSLContext | None = None) -> None:
        self._rules = rules
        self._networks = networks(rules.networks)
        self._resolve = resolve or system_resolve
        self._verify = verify

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        max_bytes: int | None = None,
        timeout_s: float | None = None,
    ) -> Reply:
        """Send one request and return the answer; blocks. Limits may be set lower than the rules, never higher.

        Raises BadUrl, HostNotAllowed, DangerousAddress, TooBig, TooSlow, Unreachable, TooManyRedirects.
        """
        return asyncio.run(
            self.asend(method, url, headers=headers, content=content, max_bytes=max_bytes, timeout_s=timeout_s)
        )

    async def asend(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        max_bytes: int | None = None,
        timeout_s: float | None = None,
    ) -> Reply:
        """Send one request and return the answer, for event-loop callers; raises what `send` raises."""
        limit_bytes = min(max_bytes or self._rules.max_bytes, self._rules.max_bytes)
        limit_s = min(timeout_s or self._rules.timeout_s, self._rules.timeout_s)
        sent = {name.lower(): value for name, value in (headers or {}).items() if name.lower() not in _OUR_HEADERS}
        try:
            # One clock over names, connections, every redirect and the whole body: slow drips end here too.
            async with asyncio.timeout(limit_s):
                return await self._follow(method.upper(), url, sent, content, limit_bytes)
        except TimeoutError:
            raise TooSlow(f"No complete answer within {limit_s:g} s.", url=url) from None

    async def _follow(self, method: str, url: str, headers: dict[str, str], content: bytes, limit: int) -> Reply:
        hop = await self._check(url)
        for _ in range(self._rules.redirects + 1):
            reply = await self._exchange(method, hop, headers, content, limit)
            target = reply.headers.get("location")
            # A request that changes something is never replayed at an address the other side chose.
            if reply.status not in _REDIRECTS or target is None or method not in ("GET", "HEAD"):
                return reply
            before, hop = hop, await self._check(urljoin(reply.url, target))
            if before.url.scheme == "https" and hop.url.scheme != "https":
                raise BadUrl("The other side sent the request on to an unencrypted address.", url=str(hop.url))
            if (before.host, before.port, before.url.scheme) != (hop.host, hop.port, hop.url.scheme):
                headers = {name: value for name, value in headers.items() if name not in _SECRET_HEADERS}
        raise TooManyRedirects(f"More than {self._rules.redirects} redirects.", url=url)

    async def _check(self, url: str) -> _Hop:
        hop = _read_url(url, self._rules)
        if not _named(hop.host, self._rules.hosts):
            raise HostNotAllowed(
                f"Handrail may not send requests to {hop.host}.",
                hint="Add the host to HANDRAIL_OUTGOING_HOSTS if you trust it.",
                host=hop.host,
            )
        addresses = await _in_thread(self._resolve, hop.host.strip("[]"), hop.port)
        if not addresses:
            raise Unreachable(f"The name {hop.host} has no address.", host=hop.host)
        for address in addresses:
            # One bad address among good ones is how a name slips past: all must be fit.
            if why := why_dangerous(address, self._networks):
                raise DangerousAddress(
                    f"{hop.host} leads to {address}, which is {why}.",
                    hint="Name the network in HANDRAIL_OUTGOING_NETWORKS if this is meant.",
                    host=hop.host,
                    address=address,
                )
        return _Hop(hop.url, hop.host, hop.port, addresses)

    async def _exchange(self, method: str, hop: _Hop, headers: dict[str, str], content: bytes, limit: int) -> Reply:
        failure: Exception | None = None
        async with httpx.AsyncClient(
            verify=self._verify or _tls(), trust_env=False, follow_redirects=False, timeout=self._rules.timeout_s
        ) as client:
            for address in hop.addresses:
                request = client.build_request(
                    method,
                    hop.url.copy_with(host=address),
                    headers={**headers, "host": _authority(hop), "accept-encoding": "identity"},
                    content=content or None,
                    # The certificate must be the one of the name, though the connection goes to the number.
                    extensions={"sni_hostname": hop.host.strip("[]")},
                )
                try:
                    answer = await client.send(request, stream=True)
                except httpx.ConnectError as error:
                    failure = error
                    continue
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    raise Unreachable(f"{hop.host} did not answer properly: {error}", host=hop.host) from error
                return await _read(answer, hop, limit)
        raise Unreachable(f"{hop.host} could not be reached: {failure}", host=hop.host) from failure


async def _read(answer: httpx.Response, hop: _Hop, limit: int) -> Reply:
    try:
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise TooBig("The answer is compressed although that was refused; its true size is unknown.", host=hop.host)
        if int(answer.headers.get("content-length", "0") or "0") > limit:
            raise _too_big(hop, limit)
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > limit:
                raise _too_big(hop, limit)
    except (httpx.HTTPError, ValueError) as error:
        raise Unreachable(f"{hop.host} broke off its answer: {error}", host=hop.host) from error
    finally:
        await answer.aclose()
    return Reply(answer.status_code, dict(answer.headers.items()), bytes(body), str(hop.url))


def _read_url(text: str, rules: Rules) -> _Hop:
    try:
        if len(text) > 2000 or any(character <= " " or character == "\\" for character in text):
            raise ValueError("it is too long or holds spaces, control characters or backslashes")
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii").lower().rstrip(".")
        port = url.port or {"https": 443, "http": 80}.get(url.scheme, 0)
    except (httpx.InvalidURL, ValueError, UnicodeError, TypeError) as error:
        raise BadUrl(f"This address cannot be used: {error}.", url=text[:200]) from None
    if url.scheme not in rules.schemes:
        raise BadUrl(f"Only {' or '.join(rules.schemes)} addresses may be used.", url=text[:200])
    if url.userinfo:
        raise BadUrl("An address with a user name or password in it may not be used.")
    if not _HOST.fullmatch(host):
        raise BadUrl("The address names no proper host.", url=text[:200])
    if port not in rules.ports:
        raise BadUrl(f"Port {port} may not be used.", hint="Allowed: " + ", ".join(map(str, rules.ports)))
    return _Hop(url.copy_with(fragment=None), host, port)


def _named(host: str, patterns: tuple[str, ...]) -> bool:
    for pattern in (pattern.lower() for pattern in patterns):
        if pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:])):
            return True
    return False


def _authority(hop: _Hop) -> str:
    host = f"[{hop.host}]" if ":" in hop.host and not hop.host.startswith("[") else hop.host
    return host if hop.port == {"https": 443, "http": 80}[hop.url.scheme] else f"{host}:{hop.port}"


def _too_big(hop: _Hop, limit: int) -> HandrailError:
    return TooBig(f"The answer of {hop.host} is longer than {limit:,} bytes.", host=hop.host, limit=limit)


def system_resolve(host: str, port: int) -> list[str]:
    """Return every numeric address of `host` in the order of preference; an unknown name gives an empty list."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run a blocking call in a daemon thread: a name server that never answers must not hold the caller at exit."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error is not None else done.set_result(value)

    def work() -> None:
        value: Any = None
        failure: BaseException | None = None
        try:
            value = function(*arguments)
        except Exception as error:  # noqa: BLE001  the edge of a thread: handed to the caller
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value, failure)

    threading.Thread(target=work, daemon=True, name="handrail-resolve").start()
    return await done


_tls_lock = threading.Lock()
_tls_context: list[ssl.SSLContext] = []


def _tls() -> ssl.SSLContext:
    """Return the TLS settings, made once: reading the root certificates costs tens of milliseconds."""
    with _tls_lock:
        if not _tls_context:
            _tls_context.append(httpx.create_ssl_context(trust_env=False))
        return _tls_context[0]
