"""JSON in one canonical form: sorted keys, no spaces, no NaN. Hashes are taken over these bytes."""

from __future__ import annotations

import json

encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode
"""Return the canonical JSON text of a value; raises ValueError for NaN and TypeError for what JSON cannot say."""
