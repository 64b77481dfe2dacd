"""Batches of requests in JSON lines."""

from __future__ import annotations

from pydantic import ValidationError

from handrail.cycle.review.decisions.forms import DecideIn, DecisionOut
from handrail.cycle.review.model import Request as Wanted
from handrail.cycle.review.service import Review
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.canonical import encode
from handrail.foundation.errors import HandrailError, Invalid

BATCH = 1000


async def decide_lines(review: Review, who: Actor, scope: Scope, body: bytes) -> list[str]:
    """Return one line of JSON for each line of a batch: the decision or why there is none."""
    raw = [line for line in body.split(b"\n") if line.strip()]
    if len(raw) > BATCH:
        raise Invalid(f"A batch holds at most {BATCH} lines.", hint="Send several batches.", lines=len(raw))
    out = [""] * len(raw)
    wanted: list[Wanted] = []
    places: list[int] = []
    for place, line in enumerate(raw):
        try:
            wanted.append(DecideIn.model_validate_json(line).wanted())
            places.append(place)
        except ValidationError as error:
            what = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            out[place] = _error("request.invalid", f"Line {place + 1}: {what}")
        except HandrailError as refused:
            out[place] = _error(refused.code, f"Line {place + 1}: {refused.sentence}", refused.hint)
    for place, made in zip(places, await review.decide_many(who, scope, wanted), strict=True):
        if isinstance(made, HandrailError):
            out[place] = _error(made.code, f"Line {place + 1}: {made.sentence}", made.hint)
        else:
            out[place] = DecisionOut.of(made).model_dump_json()
    return out


def _error(code: str, sentence: str, hint: str = "") -> str:
    return encode({"error": {"code": code, "detail": sentence, "hint": hint}})
