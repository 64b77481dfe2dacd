"""Names of versions: the log of a branch, branches, tags, and what a name stands for."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from handrail.cycle.datasets import store
from handrail.cycle.datasets.checking import check_pointer_name
from handrail.cycle.datasets.events import BranchMade, TagMade
from handrail.cycle.datasets.model import BranchNotFound, Commit, CommitNotFound, Pointer, PointerExists
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PREFIX = re.compile(r"[0-9a-f]{6,64}")


class Versions:
    """Branches and tags of every project."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def head(self, uow: UnitOfWork, scope: Scope, branch: str) -> str | None:
        """Return the commit of a branch, None before its first one; raises BranchNotFound."""
        head = store.head_of(uow, scope, branch)
        if head is None:
            raise BranchNotFound(f"There is no branch {branch!r}.", hint="List the branches, or make it first.")
        return head or None

    def log(self, uow: UnitOfWork, scope: Scope, branch: str, limit: int | None) -> list[Commit]:
        """Return the commits of a branch, newest first, `limit` at most; raises BranchNotFound."""
        at = self.head(uow, scope, branch)
        commits = store.all_commits(uow, scope)
        found: list[Commit] = []
        while at is not None and (limit is None or len(found) < limit):
            found.append(commits[at])
            at = found[-1].parents[0] if found[-1].parents else None
        return found

    def resolve(self, uow: UnitOfWork, scope: Scope, name: str) -> str:
        """Return the id of the commit that a branch, a tag, an id or the beginning of one names.

        BRANCH@TIME names what the branch stood at then (ISO 8601, with a time zone; a day alone is its end, UTC).
        Raises CommitNotFound when it names none, or the beginning of several.
        """
        if "@" in name:
            return self._at_time(uow, scope, *name.split("@", 1))
        if store.get_commit(uow, scope, name) is not None:
            return name
        found = store.head_of(uow, scope, name) or store.tagged(uow, scope, name)
        if found:
            return found
        begin = store.commits_beginning(uow, scope, name) if _PREFIX.fullmatch(name) else []
        if len(begin) == 1:
            return begin[0]
        raise CommitNotFound(
            f"More than one commit begins with {name}."
            if begin
            else f"No commit, branch or tag is named {name[:100]!r}.",
            hint="Give the first six or more digits of a commit's id, a branch or a tag.",
        )

    def _at_time(self, uow: UnitOfWork, scope: Scope, branch: str, text: str) -> str:
        try:
            at = moment(text)
        except ValueError as error:
            raise CommitNotFound(
                f"{text[:40]!r} is no time: {error}.", hint="Write main@2026-11-05T10:00:00Z, or main@2026-11-05."
            ) from None
        for one in self.log(uow, scope, branch, None):
            if one.created_at <= at:
                return one.id
        raise CommitNotFound(f"The branch {branch!r} had no version at {at.isoformat()}.")

    def make_branch(self, uow: UnitOfWork, actor: Actor, scope: Scope, name: str, at: str) -> Pointer:
        """Make a branch where `at` stands; raises NameInvalid, PointerExists, CommitNotFound."""
        commit_id = self._free(uow, scope, name, at)
        if not store.insert_branch(uow, scope, name, commit_id):
            raise _taken(name)
        self._journal.append(uow, actor, scope.project_id, BranchMade(commit_id=commit_id, name=name))
        return Pointer(name, commit_id)

    def make_tag(self, uow: UnitOfWork, actor: Actor, scope: Scope, name: str, at: str) -> Pointer:
        """Give a commit a name for good; raises NameInvalid, PointerExists, CommitNotFound."""
        commit_id = self._free(uow, scope, name, at)
        if not store.insert_tag(uow, scope, actor, name, commit_id, micros(self._clock.now())):
            raise _taken(name)
        self._journal.append(uow, actor, scope.project_id, TagMade(commit_id=commit_id, name=name))
        return Pointer(name, commit_id)

    def _free(self, uow: UnitOfWork, scope: Scope, name: str, at: str) -> str:
        check_pointer_name(name)
        # One name stands for one thing: a branch and a tag may not share it.
        if store.head_of(uow, scope, name) is not None or store.tagged(uow, scope, name) is not None:
            raise _taken(name)
        return self.resolve(uow, scope, at)


def moment(text: str) -> datetime:
    """Return the time that a text in ISO 8601 names, a day alone as its last microsecond in UTC; raises ValueError."""
    if _DAY.fullmatch(text):
        return datetime.combine(date.fromisoformat(text), time.max, tzinfo=UTC)
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("it has no time zone")
    return at


def _taken(name: str) -> PointerExists:
    return PointerExists(f"There is a branch or tag named {name} already.", hint="Choose another name.", name=name)
