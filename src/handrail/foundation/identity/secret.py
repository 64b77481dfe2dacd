"""Secrets that are 256 random bits: sessions, tokens, one-time links. Only their digest is kept."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import sha256

from handrail.foundation.randomness import Randomness

TOKEN_PREFIX = "hr_"  # noqa: S105 - how every token begins
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret(randomness: Randomness, prefix: str = "") -> str:
    """Return a new secret: 43 characters after `prefix`."""
    return prefix + urlsafe_b64encode(randomness.bytes(32)).decode().rstrip("=")


def has_form(secret: str, prefix: str = "") -> bool:
    """Return whether a text could be such a secret, so that others need no look into the database."""
    return secret.startswith(prefix) and _FORM.fullmatch(secret, len(prefix)) is not None


def digest(secret: str) -> str:
    """Return what is kept of a secret, and looked up by: comparing digests tells nothing about the secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
