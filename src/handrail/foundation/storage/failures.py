"""Failures that both databases tell in the same words; a driver's exception never leaves storage."""

from __future__ import annotations

from typing import ClassVar

from handrail.foundation.errors import Broken, Busy, Conflict, Invalid


class UnknownDatabase(Invalid):
    """The database URL names no database that Handrail speaks."""

    code = "storage.unknown_database"


class Duplicate(Conflict):
    """A row with this key is there already; `facts` name the `table` and its `columns` where the driver tells."""

    code = "storage.duplicate"


class ReferenceBroken(Conflict):
    """A row names another one that is not there, or is named by another one and may not go."""

    code = "storage.reference_broken"


class ValueRefused(Invalid):
    """A value that the column cannot hold: a number over 64 bits, text that is no UTF-8 or holds a zero character."""

    code = "storage.value_refused"


class AppendOnly(Broken):
    """Something tried to change, remove or write over a row of a table that only grows."""

    code = "storage.append_only"


class TryAgain(Busy):
    """The unit lost against others each time it was run; nothing of it was kept."""

    code = "storage.try_again"


class Full(Busy):
    """The disk is full; nothing was kept."""

    code = "storage.full"


class Unavailable(Busy):
    """The database cannot be reached or is being closed; nothing was kept."""

    code = "storage.unavailable"


class OutcomeUnknown(Broken):
    """The connection was lost while the unit was being committed: it was kept, or it was not."""

    code = "storage.outcome_unknown"


class Damaged(Broken):
    """The database says that its own file is damaged."""

    code = "storage.damaged"


class WriterStopped(Broken):
    """The thread that writes ended; nothing of what waited was kept."""

    code = "storage.writer_stopped"


class StorageFailed(Broken):
    """Any other failure of a statement: a mistake in the program."""

    code = "storage.failed"


class Lost(Exception):
    """The transaction was lost through no fault of its unit; `tries` says how often it is worth trying again."""

    tries: ClassVar[int] = 10
