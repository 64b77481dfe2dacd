"""Changes labels on a branch of its own, beside what people answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handrail.cycle.datasets import store
from handrail.cycle.datasets.commit import TRIES, Commits, Draft, Moved, busy, check_message
from handrail.cycle.datasets.delta import Row, State
from handrail.cycle.datasets.history import History
from handrail.cycle.datasets.model import EDIT, MAIN, MAX_REASON, BranchIsLive, Commit, Edit, EditInvalid, Item
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.schema import AnswerInvalid, QuestionUnknown, Schema, needs, refuse, together
from handrail.cycle.datasets.values import Problem, read_text
from handrail.cycle.datasets.versions import Versions
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.storage import Storage, UnitOfWork

MOST_EDITS = 100_000


class Edits:
    """Makes versions of branches out of edits."""

    def __init__(
        self, storage: Storage, folder: Path, projects: Projects, versions: Versions, commits: Commits
    ) -> None:
        self._storage = storage
        self._folder = folder
        self._projects = projects
        self._versions = versions
        self._commits = commits

    def make(self, actor: Actor, scope: Scope, branch: str, message: str, edits: Sequence[Edit]) -> Commit | None:
        """Make a version of the branch with these labels changed; see Datasets.edit."""
        check_message(message)
        if branch == MAIN:
            raise BranchIsLive(
                "The branch main takes its labels from people's answers.",
                hint="Make a branch, edit there, and merge it into main.",
            )
        with self._commits.turn:
            for _ in range(TRIES):
                draft = self._draft(actor, scope, branch, edits)
                if draft is None:
                    return None
                try:
                    return self._commits.keep(actor, scope, message, draft, _nothing_else)
                except Moved:
                    continue
        raise busy()

    def _draft(self, actor: Actor, scope: Scope, branch: str, edits: Sequence[Edit]) -> Draft | None:
        def look(uow: UnitOfWork) -> tuple[str | None, int, Schema, dict[str, Item]]:
            head = self._versions.head(uow, scope, branch)
            parent = None if head is None else store.get_commit(uow, scope, head)
            items = _items(uow, scope, [one.item for one in edits])
            return head, 1 if parent is None else parent.number + 1, self._projects.schema(uow, scope), items

        head, number, schema, items = self._storage.read(look)
        history = History(self._folder, scope)
        held = history.named(head, {one.digest for one in items.values()})
        here = {word: one for word, one in items.items() if one.digest in held}
        values = _checked(schema, edits, here)
        state = history.state(history.chain(head))
        _check_fit(schema, edits, values, here, state)
        by = f"{actor.kind}:{actor.id}"
        rows = [_row(state, items[one.item].digest, one, value, by) for one, value in zip(edits, values, strict=True)]
        rows = [row for row in rows if row.before != row.after]
        seqs = {one.digest: one.seq for one in items.values()}
        parents = () if head is None else (head,)
        return Draft(branch, parents, number, schema, rows, seqs=seqs) if rows else None


def _items(uow: UnitOfWork, scope: Scope, words: Sequence[str]) -> dict[str, Item]:
    """Return the item of each word that is an id or an external id."""
    found = store.items_of(uow, scope, words)
    places = store.places_of(uow, scope, [word for word in words if word not in found])
    named = store.items_of(uow, scope, [item_id for item_id, _ in places.values()])
    return found | {word: named[item_id] for word, (item_id, _) in places.items()}


def _checked(schema: Schema, edits: Sequence[Edit], items: Mapping[str, Item]) -> list[Any]:
    """Return the value of each edit as it is kept; raises EditInvalid with every problem."""
    problems: list[Problem] = []
    if not 1 <= len(edits) <= MOST_EDITS:
        problems.append(Problem("edits", f"must be 1 to {MOST_EDITS:,}"))
    values: list[Any] = []
    seen: set[tuple[str, str]] = set()
    for place, one in enumerate(edits):
        item = items.get(one.item)
        reasons = ["names an item that the branch does not hold"] if item is None else []
        value, reason = _value(schema, one, None if item is None else item.data)
        reasons += [reason] if reason else []
        if read_text(one.reason)[1] or len(one.reason) > MAX_REASON:
            reasons.append(f"has a reason that is not a text of up to {MAX_REASON:,} characters")
        if item is not None and (item.id, one.question) in seen:
            reasons.append("changes a label that another edit changes too")
        seen.add(("" if item is None else item.id, one.question))
        values.append(value)
        problems += [Problem(f"edits[{place}]", reason) for reason in reasons]
    refuse(EditInvalid, "The list of edits", problems)
    return values


def _check_fit(
    schema: Schema, edits: Sequence[Edit], values: Sequence[Any], items: Mapping[str, Item], state: State
) -> None:
    """Raise EditInvalid where answers about an item would not fit each other; those not edited stand as they are."""
    after: dict[str, dict[str, Any]] = {}
    for one, value in zip(edits, values, strict=True):
        after.setdefault(items[one.item].digest, {})[one.question] = value
    problems: list[Problem] = []
    for place, (one, value) in enumerate(zip(edits, values, strict=True)):
        digest, question = items[one.item].digest, schema.question(one.question)
        if value is None or not (asked := needs(schema, question)):
            continue
        held = {name: row.after[0] for name in asked if (row := state.get((digest, name))) is not None}
        known = {name: kept for name, kept in {**held, **after[digest]}.items() if kept is not None}
        problems += [
            Problem(f"edits[{place}].{wrong.field}", wrong.reason)
            for wrong in together(schema, {one.question: value}, known)
        ]
    refuse(EditInvalid, "The list of edits", problems)


def _value(schema: Schema, one: Edit, data: Mapping[str, Any] | None) -> tuple[Any, str]:
    try:
        question = schema.question(one.question)
        return (None, "") if one.value is None else (question.check(one.value, data), "")
    except (QuestionUnknown, AnswerInvalid) as error:
        return None, f"cannot be kept: {error.sentence}"


def _row(state: State, digest: str, one: Edit, value: Any, by: str) -> Row:
    known = state.get((digest, one.question))
    old, old_purpose = (None, None) if known is None else known.after
    purpose = None if value is None else one.purpose or old_purpose or "train"
    # What an edit says was not drawn at random, whatever the label before it was.
    return Row(digest, one.question, old, value, old_purpose, purpose, EDIT, None, by, one.reason)


def _nothing_else(uow: UnitOfWork, made: Commit) -> None:
    del uow, made
