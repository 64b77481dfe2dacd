"""Values and rules of drafts, histories of answers and comments. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handrail.cycle.datasets.values import read_text
from handrail.cycle.tasks.model import SHOWN_BLIND, Answer, Task, TaskInvalid
from handrail.foundation.actors import Actor
from handrail.foundation.canonical import encode
from handrail.foundation.errors import Conflict, Forbidden, NotFound

EDIT_S = 3600.0
"""Seconds for which people may give another answer in place of their own."""
MOST_DRAFT = 256 << 10
"""Bytes of a draft in JSON."""
MOST_COMMENT = 4000
MOST_REVISIONS = 100
MOST_COMMENTS = 500
"""Comments that are shown of an item, the newest."""


class NotYours(Forbidden):
    """The answer is somebody else's."""

    code = "tasks.not_yours"


class NotAnswered(Conflict):
    """The task has no answer that another could take the place of."""

    code = "tasks.not_answered"


class NotRevisable(Conflict):
    """An answer of this kind is not answered again: something was decided by it."""

    code = "tasks.not_revisable"


class EditOver(Conflict):
    """The time in which people may give another answer is over."""

    code = "tasks.edit_over"


class EntryNotFound(NotFound):
    """The history of the answer has no entry of this number."""

    code = "tasks.entry_not_found"


@dataclass(frozen=True)
class Draft:
    """What a person has not sent yet; nobody else ever sees it."""

    task_id: str
    value: Any
    reason: str
    saved_at: datetime


@dataclass(frozen=True)
class Entry:
    """One entry in the history of an answer: 0 is the answer itself. `restores`: the entry that it says again."""

    number: int
    value: Any
    reason: str
    actor_kind: str
    actor_id: str
    actor_name: str
    restores: int | None
    at: datetime

    @classmethod
    def first(cls, answer: Answer) -> Entry:
        """Return the entry that the answer itself is."""
        return cls(
            number=0,
            value=answer.value,
            reason=answer.reason,
            actor_kind=answer.actor_kind,
            actor_id=answer.actor_id,
            actor_name=answer.actor_name,
            restores=None,
            at=answer.answered_at,
        )


@dataclass(frozen=True)
class History:
    """Every entry of an answer, oldest first; the last one stands. `until`: how long its author may add one."""

    task_id: str
    entries: tuple[Entry, ...]
    until: datetime

    @property
    def standing(self) -> Entry:
        """The entry that holds."""
        return self.entries[-1]

    def entry(self, number: int) -> Entry:
        """Return an entry; raises EntryNotFound."""
        if not 0 <= number < len(self.entries):
            raise EntryNotFound(f"The history has the entries 0 to {len(self.entries) - 1}.", number=number)
        return self.entries[number]


@dataclass(frozen=True)
class Comment:
    """What somebody wrote about an item, or about a task without one."""

    id: str
    item_id: str | None
    task_id: str | None
    text: str
    actor_kind: str
    actor_id: str
    actor_name: str
    written_at: datetime


@dataclass(frozen=True)
class Thread:
    """The comments that a person may see; `withheld`: those of others are kept back until their own look is over."""

    comments: tuple[Comment, ...]
    withheld: bool


def history(task: Task, answer: Answer | None, later: Sequence[Entry]) -> History:
    """Return the history of an answer; raises NotAnswered."""
    if answer is None:
        raise NotAnswered("This task has no answer yet.", hint="Answer it.", task=task.id)
    until = answer.answered_at + timedelta(seconds=EDIT_S)
    return History(task.id, (Entry.first(answer), *later), until)


def check_revisable(task: Task, found: History, actor: Actor, now: datetime, *, lead: bool = False) -> None:
    """Raise when the actor may not add an entry: not theirs, too late, or no label that could be said again.

    Every task that looks like a label task is treated the same, or a refusal would tell an audit from a draw. A `lead`
    puts back an earlier entry of anybody at any time.
    """
    first = found.entries[0]
    if first.actor_id != actor.id and not lead:
        raise NotYours("This answer is somebody else's.", hint="A lead may put back an earlier entry.")
    if task.shown_kind != SHOWN_BLIND or first.value is None:
        raise NotRevisable(
            "This answer is not given again: it decided something or handed the task on.",
            hint="Reverse the decision, or comment on the item.",
        )
    if now > found.until and not lead:
        raise EditOver(
            f"Answers may be given again for {EDIT_S / 60:.0f} minutes, until {found.until:%Y-%m-%d %H:%M:%S} UTC.",
            hint="Comment on the item, or ask a lead.",
            until=found.until.isoformat(),
        )
    if len(found.entries) > MOST_REVISIONS:
        raise NotRevisable(f"This answer was given again {MOST_REVISIONS} times, the most there is.")


def check_draft(value: Any) -> str:
    """Return a draft in JSON; raises TaskInvalid for one that is no JSON or too large."""
    try:
        text = encode(value)
    except (TypeError, ValueError) as error:
        raise TaskInvalid(f"A draft is JSON: {error}.") from None
    if len(text) > MOST_DRAFT:
        raise TaskInvalid(f"A draft is at most {MOST_DRAFT >> 10} KiB of JSON.", size=len(text))
    return text


def check_comment(text: str) -> str:
    """Return a comment without spaces at its ends; raises TaskInvalid."""
    text = text.strip()
    problem = read_text(text)[1] or (
        "is empty" if not text else f"is longer than {MOST_COMMENT:,} characters" if len(text) > MOST_COMMENT else ""
    )
    if problem:
        raise TaskInvalid(f"The comment {problem}.")
    return text
