"""The outermost layer: refuses wrong host names, adds the security headers, lets no internal error out."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handrail.foundation.http.problem import BadHost, broken, problem
from handrail.foundation.http.reach import Reach

PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "object-src 'none'",
    )
)
# What the API sends is data: opened as a page it gets an origin of its own and runs nothing.
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
_HEADERS = (
    (b"content-security-policy", _DATA_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cache-control", b"no-store"),
)
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


class Shield:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, reach: Reach) -> None:
        self._app = app
        self._reach = reach
        self._headers = (*_HEADERS, _STRICT_TRANSPORT) if reach.secure else _HEADERS
        self._hosts: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answer it here when its host is wrong or something unexpected happens."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        if self._reach.prefix:
            # The router takes the prefix off a path that has it; a proxy may have done so before.
            scope["root_path"] = self._reach.prefix
        started = False

        async def send_safely(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = message.get("headers", ())
                names = {name for name, _ in given}
                message["headers"] = [*given, *(header for header in self._headers if header[0] not in names)]
            await send(message)

        if not self._answers_to(scope):
            refusal = BadHost(
                "This server does not answer to the name that the request was sent to.",
                hint="Use the printed address, or name the host in HANDRAIL_PUBLIC_URL or HANDRAIL_ALLOWED_HOSTS.",
            )
            await problem(refusal)(scope, receive, send_safely)
            return
        try:
            await self._app(scope, receive, send_safely)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the edge of a request
            answer = broken(f"{scope['method']} {scope['path']}", error)
            if started:
                return  # half an answer is out; closing the line tells the visitor
            await answer(scope, receive, send_safely)

    def _answers_to(self, scope: Scope) -> bool:
        host = ""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
                break
        if host in self._hosts:
            return True
        if not self._reach.answers_to(host):
            return False
        if len(self._hosts) < 256:
            self._hosts.add(host)
        return True
