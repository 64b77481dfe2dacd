"""Errors as problem+json (RFC 9457): a stable code, a human sentence, a hint, never an internal."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from handrail.foundation.errors import Broken, HandrailError, Invalid, NotFound, TooLarge

log = logging.getLogger("handrail.http")

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "Not understood",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    408: "Too slow",
    409: "Conflict",
    413: "Too large",
    415: "Wrong kind of content",
    421: "Wrong address",
    422: "Not valid",
    429: "Too many attempts",
    500: "Broken",
    503: "Busy",
}


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Path of the field, such as `items.0.data`; empty for the whole.")
    message: str = Field(description="What is wrong with it.")
    place: str = Field(default="body", description="Where it stood: body, query, path or header.")


class Problem(BaseModel):
    """Why a request was not carried out."""

    type: str = "about:blank"
    title: str = Field(description="The kind of error, for people.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="The stable name of this error, for programs.")
    detail: str = Field(description="What happened, one sentence.")
    hint: str = Field(default="", description="What to do next.")
    facts: dict[str, Any] = Field(default_factory=dict, description="Values a program may read.")
    errors: list[FieldProblem] = Field(default_factory=list, description="One entry for each field that is wrong.")


class WrongContentType(Invalid):
    """The body is of a kind that this address does not take."""

    code = "request.wrong_content_type"
    status = 415


class NotJson(Invalid):
    """The body is not a JSON text (NaN and Infinity are not JSON)."""

    code = "request.not_json"


class BodyTooLarge(TooLarge):
    """The body is over the limit of this address."""

    code = "request.body_too_large"


class BodyTooSlow(Invalid):
    """The body did not arrive in time."""

    code = "request.body_too_slow"
    status = 408


class BadHost(Invalid):
    """The request names a host that this server does not answer for (a page elsewhere may have sent it)."""

    code = "request.bad_host"
    status = 421


class NoSuchPath(NotFound):
    """The API has no such address."""

    code = "request.no_such_path"


class NoSuchMethod(Invalid):
    """The address exists and does not take this method."""

    code = "request.method_not_allowed"
    status = 405


def problem(
    error: HandrailError, errors: Sequence[FieldProblem] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return the response for an error that was raised on purpose."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(error.status, "Error"),
        "status": error.status,
        "code": error.code,
        "detail": error.sentence,
        "hint": error.hint,
        "facts": error.facts,
        "errors": [one.model_dump() for one in errors],
    }
    text = json.dumps(content, default=str, ensure_ascii=False, separators=(",", ":"))
    sent = dict(headers or {})
    if error.status == 401:
        sent["WWW-Authenticate"] = "Bearer"
    if error.status in (429, 503):
        sent["Retry-After"] = str(max(1, int(error.facts.get("retry_after_s", 1))))
    return Response(text.encode("utf-8", "replace"), error.status, sent, MEDIA_TYPE)


def json_response(content: Any) -> Response:
    """Return a JSON document."""
    return Response(json.dumps(content, ensure_ascii=False, separators=(",", ":")), media_type="application/json")


def broken(request_line: str, error: BaseException) -> Response:
    """Return the response for an error nobody expected: an incident number, the same as in the log, nothing more."""
    incident = secrets.token_hex(5)
    log.error("incident %s while answering %s", incident, request_line, exc_info=error)
    return problem(
        Broken(
            "Something went wrong inside Handrail.",
            hint=f"The server's log has the details under incident {incident}.",
            incident=incident,
        )
    )


async def on_handrail_error(request: Request, error: Exception) -> Response:
    """Answer an error that was raised on purpose; damage is also logged."""
    assert isinstance(error, HandrailError)
    if error.status >= 500 and error.status != 503:
        log.error("%s %s: %s", request.method, error.code, error.sentence, exc_info=error)
    return problem(error)


async def on_fields(_request: Request, error: Exception) -> Response:
    """Answer a request whose fields are wrong; the values themselves are not repeated."""
    assert isinstance(error, RequestValidationError)
    found = [_field(one) for one in error.errors()[:50]]
    first = f"{found[0].field or 'the ' + found[0].place}: {found[0].message}" if found else "unknown"
    count = "One field is" if len(found) == 1 else f"{len(found)} fields are"
    return problem(Invalid(f"{count} not valid. {first}.", hint="Each field is listed under errors."), found)


def _field(error: Mapping[str, Any]) -> FieldProblem:
    place, *path = [str(part) for part in error["loc"]] or ["body"]
    return FieldProblem(field=".".join(path), message=str(error["msg"]), place=place)


async def on_http(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: an unknown address, a method that an address does not take."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem(
            NoSuchPath("The API has no such address.", hint="The addresses are listed in /api/v1/openapi.json.")
        )
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow", "")
        named = f" It takes {allow}." if allow else ""
        return problem(NoSuchMethod(f"This address does not take {request.method}.{named}"), headers=error.headers)
    refused = Invalid(str(error.detail))
    refused.status = error.status_code  # type: ignore[misc]
    return problem(refused, headers=error.headers)
