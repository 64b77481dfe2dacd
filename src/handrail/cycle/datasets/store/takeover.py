"""SQL of labels that a merge brings into the branch main."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, case, delete, literal_column, select, update

from handrail.cycle.datasets.model import Label
from handrail.cycle.datasets.store.held import hold, let_go_at
from handrail.cycle.datasets.store.labels import append_labels
from handrail.cycle.datasets.store.tables import commit, label, label_current
from handrail.foundation.actors import Scope
from handrail.foundation.storage import UnitOfWork, insert_or_ignore

_THIS = (
    label_current.c.project_id == bindparam("project"),
    label_current.c.question == bindparam("asked"),
    label_current.c.item_seq == bindparam("seq"),
)
# Written out, not bound: see the other queries of waiting rows.
_HOLDS = label_current.c.waiting == literal_column("0")
_INSERT = insert_or_ignore(label_current)
_TAKE = (
    update(label_current)
    .where(*_THIS)
    .values(
        committed_id=bindparam("now_committed"),
        # A label that came in meanwhile stays the current one and goes on waiting.
        label_id=case((_HOLDS, bindparam("now_current")), else_=label_current.c.label_id),
    )
)
_REMOVE = delete(label_current).where(*_THIS, _HOLDS)
_FORGET = update(label_current).where(*_THIS).values(committed_id=None)
_NAME_BY_LABEL = (
    select(label.c.actor_name)
    .where(
        label.c.project_id == bindparam("project"),
        label.c.actor_id == bindparam("who"),
        label.c.actor_kind == bindparam("kind"),
    )
    .limit(1)
)
_NAME_BY_COMMIT = (
    select(commit.c.actor_name)
    .where(
        commit.c.project_id == bindparam("project"),
        commit.c.actor_id == bindparam("who"),
        commit.c.actor_kind == bindparam("kind"),
    )
    .limit(1)
)


def take_over(uow: UnitOfWork, scope: Scope, labels: Sequence[tuple[Label, int]], number: int) -> None:
    """Append labels, each with the seq of its item, as those that the branch main holds from this commit on."""
    append_labels(uow, scope, [one for one, _ in labels])
    let_go_at(uow, scope, [(one.question, seq) for one, seq in labels], number)
    hold(uow, scope, [one.id for one, _ in labels], number)
    uow.add_all(
        _INSERT,
        [
            {
                "project_id": scope.project_id,
                "question": one.question,
                "item_seq": seq,
                "label_id": one.id,
                "committed_id": one.id,
                "waiting": 0,
            }
            for one, seq in labels
        ],
    )
    uow.add_all(
        _TAKE,
        [
            {
                "project": scope.project_id,
                "asked": one.question,
                "seq": seq,
                "now_committed": one.id,
                "now_current": one.id,
            }
            for one, seq in labels
        ],
    )


def take_away(uow: UnitOfWork, scope: Scope, keys: Sequence[tuple[str, int]], number: int) -> None:
    """Note that the branch main holds no label for these (question, seq of the item) from this commit on."""
    let_go_at(uow, scope, keys, number)
    rows = [{"project": scope.project_id, "asked": question, "seq": seq} for question, seq in keys]
    uow.add_all(_REMOVE, rows)
    uow.add_all(_FORGET, rows)


def names_of(uow: UnitOfWork, scope: Scope, actors: Sequence[str]) -> dict[str, str]:
    """Return "kind:id" -> name of those that made a label or a version before."""
    found: dict[str, str] = {}
    for one in actors:
        kind, _, who = one.partition(":")
        for query in (_NAME_BY_COMMIT, _NAME_BY_LABEL):
            if (name := uow.run(query, project=scope.project_id, who=who, kind=kind).scalar()) is not None:
                found[one] = str(name)
                break
    return found
