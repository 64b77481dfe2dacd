"""Signatures of web hooks, and how long to wait after a failure. Pure.

Signed as Standard Webhooks say (standardwebhooks.com): HMAC-SHA256 with the secret over "ID.TIMESTAMP.BODY".
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256

PREFIX = "whsec_"
SECRET_BYTES = 24
GIVE_UP_S = 259_200.0
"""Seconds without one success after which a web hook is disabled: three days."""
_LONGEST_S = 3600.0


def secret_of(random: bytes) -> str:
    """Return the secret as the receiver keeps it, from 24 random bytes."""
    return PREFIX + b64encode(random).decode()


def headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery; `timestamp` in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(b64decode(secret.removeprefix(PREFIX)), signed, sha256).digest()
    return {
        "content-type": "application/json",
        "user-agent": "Handrail",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }


def pause_s(tries: int) -> float:
    """Return the seconds to wait after so many failures in a row: 2, 4, 8 and so on up to an hour."""
    return min(2.0 ** min(tries, 20), _LONGEST_S)
