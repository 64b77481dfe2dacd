"""Errors with a stable code, a human sentence and a hint.

Seven families map to an HTTP status once; each stage subclasses a family beside its own rules and sets `code`.
"""

from __future__ import annotations

from typing import Any, ClassVar


class HandrailError(Exception):
    """The root of every error Handrail raises on purpose.

    `code` never changes once published; `sentence` says what happened; `hint` says what to do next; `facts` are
    JSON values that a program may read (a line number, an id).
    """

    code: ClassVar[str] = "handrail.error"
    status: ClassVar[int] = 500

    def __init__(self, sentence: str, *, hint: str = "", **facts: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        self.facts = facts


class Invalid(HandrailError):
    """The request or the data breaks a rule; nothing was written."""

    code = "request.invalid"
    status = 422


class Unauthenticated(HandrailError):
    """Nobody is signed in, or the session or token is not known."""

    code = "identity.unauthenticated"
    status = 401


class Forbidden(HandrailError):
    """The actor is known and may not do this."""

    code = "identity.forbidden"
    status = 403


class NotFound(HandrailError):
    """No such object in the actor's reach."""

    code = "request.not_found"
    status = 404


class Conflict(HandrailError):
    """The state of an object does not allow this any more."""

    code = "request.conflict"
    status = 409


class TooLarge(HandrailError):
    """The request is over a stated limit."""

    code = "request.too_large"
    status = 413


class Busy(HandrailError):
    """Try again later; nothing was written."""

    code = "system.busy"
    status = 503


class Broken(HandrailError):
    """Stored data or a part of the system is damaged; a person must look."""

    code = "system.broken"
    status = 500
