"""The bytes of an entry: what its leaf in the tree is the hash of."""

from __future__ import annotations

from json.encoder import encode_basestring as _quoted


def entry_bytes(
    entry_id: str,
    time: int,
    actor: tuple[str, str, str],
    project_id: str | None,
    verb: str,
    objects: str,
    commitment: bytes,
) -> bytes:
    """Return the canonical JSON array of an entry; `objects` is the canonical JSON text of its object references.

    Written by hand because every decision pays for it; foundation/canonical gives the same bytes (a test holds it).
    """
    kind, actor_id, name = actor
    project = "null" if project_id is None else _quoted(project_id)
    return (
        f"[{_quoted(entry_id)},{time:d},{_quoted(kind)},{_quoted(actor_id)},{_quoted(name)},{project},{_quoted(verb)},"
        f'{objects},"{commitment.hex()}"]'
    ).encode()
