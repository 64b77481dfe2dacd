"""The steps that this version knows."""

from __future__ import annotations

from handrail.foundation.errors import Conflict

KNOWN = ("0001",)
"""Every step, oldest first."""


class NewerDatabase(Conflict):
    """A later version of Handrail has used this database."""

    code = "storage.newer_database"


def check_known(version: str | None) -> None:
    """Raise NewerDatabase for a step that this version does not know; None is a database without tables."""
    if version is not None and version not in KNOWN:
        raise NewerDatabase(
            f"The database is at step {version}; this version of Handrail knows the steps up to {KNOWN[-1]}.",
            hint="Install the version of Handrail that wrote it, or a later one.",
        )
