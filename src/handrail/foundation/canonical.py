"""JSON in one canonical form: sorted keys, no spaces, no NaN. Hashes are taken over these bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder as encoding
from typing import Any, NoReturn

_WORDS: dict[str, Any] = {"sort_keys": True, "separators": (",", ":"), "allow_nan": False, "ensure_ascii": False}


def _refuse(value: Any) -> NoReturn:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _encoder() -> Callable[[Any], str]:
    """Return the encoder; JSONEncoder.encode makes its C part anew for each value, here it is made once."""
    make: Any = getattr(encoding, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(**_WORDS).encode
    chunks = make(None, _refuse, encoding.encode_basestring, None, ":", ",", True, False, False)

    def encode(value: Any) -> str:
        try:
            return "".join(chunks(value, 0))
        except RecursionError:
            raise ValueError("the value is nested too deeply or holds itself") from None

    return encode


encode = _encoder()
"""Return the canonical JSON text of a value; raises ValueError for NaN and TypeError for what JSON cannot say."""
