"""Datasets as the rest of the system sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from handrail.cycle.datasets import exporting, store
from handrail.cycle.datasets.foreign import Foreign
from handrail.cycle.datasets.importing import Imports
from handrail.cycle.datasets.items import Items
from handrail.cycle.datasets.labels import Labels
from handrail.cycle.datasets.model import (
    EVERY,
    MAIN,
    BadRow,
    Change,
    Commit,
    Counts,
    Edit,
    Imported,
    ImportReport,
    Item,
    Label,
    Merged,
    NewItem,
    NewLabel,
    OnError,
    Page,
    Pointer,
    Project,
    Purpose,
    ReadyItem,
)
from handrail.cycle.datasets.projects import Projects
from handrail.cycle.datasets.recalling import Recalls
from handrail.cycle.datasets.schema import Schema
from handrail.cycle.datasets.splits import SplitWish
from handrail.cycle.datasets.versions import Versions
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork

if TYPE_CHECKING:
    import pyarrow as pa

    from handrail.cycle.datasets.commit import Commits
    from handrail.cycle.datasets.compaction import Compacted
    from handrail.cycle.datasets.curating import AlikeReport
    from handrail.cycle.datasets.editing import Edits
    from handrail.cycle.datasets.history import History
    from handrail.cycle.datasets.merging import Along, Merges, Prefer


class Datasets:
    """Projects, items, labels and the versions of each project's dataset. `folder` holds the files of the versions."""

    def __init__(
        self, storage: Storage, journal: Journal, clock: Clock, ids: Ids, randomness: Randomness, folder: Path
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._folder = folder
        self._projects = Projects(journal, clock, ids)
        self._items = Items(journal, clock, ids, randomness, self._projects)
        self._labels = Labels(journal, clock, ids, self._projects)
        self._versions = Versions(journal, clock)
        self._foreign = Foreign(journal, clock, ids, self._projects)
        self.recalls = Recalls(journal, clock, ids)
        self._imports = Imports(storage, journal, self._projects, self._items, self._labels, self._foreign)

    # Projects

    def create_project(
        self, uow: UnitOfWork, actor: Actor, name: str, schema: Schema, description: str = ""
    ) -> Project:
        """Make a project; raises NameInvalid, ProjectExists."""
        return self._projects.create(uow, actor, name, schema, description)

    def project(self, uow: UnitOfWork, name_or_id: str) -> Project:
        """Return the project of this name or id; raises ProjectUnknown."""
        return self._projects.get(uow, name_or_id)

    def projects(self, uow: UnitOfWork) -> list[Project]:
        """Return every project, oldest first."""
        return self._projects.all(uow)

    def schema(self, uow: UnitOfWork, scope: Scope) -> Schema:
        """Return the schema of the project; raises ProjectUnknown."""
        return self._projects.schema(uow, scope)

    def counts(self, uow: UnitOfWork, scope: Scope) -> Counts:
        """Return how many items and labels the project holds, and how many of them no commit holds yet."""
        return self._labels.counts(uow, scope)

    # Items

    def put_items(self, uow: UnitOfWork, actor: Actor, scope: Scope, items: Sequence[NewItem]) -> list[Item]:
        """Put items in and return them in order: all or none.

        The same external id with the same content is the item that is there. The journal is the caller's: its own
        entry names the items; `add_items` is for callers that have none.
        Raises ItemInvalid with every problem, ItemDiffers for a known external id with other content.
        """
        return self._items.put(uow, scope, items)

    def add_items(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, items: Sequence[NewItem], origin: str = "by hand"
    ) -> list[Item]:
        """Do as put_items, with an entry in the journal."""
        return self._items.add(uow, actor, scope, items, origin)

    def item_row(self, scope: Scope, one: ReadyItem) -> dict[str, Any]:
        """Return the row of an item that was checked, for `keep_item`; made before the transaction, it is made once.

        Raises ItemInvalid for an item that is too large.
        """
        return self._items.row(scope, one)

    def keep_item(self, uow: UnitOfWork, scope: Scope, row: dict[str, Any]) -> str:
        """Insert a row of `item_row` and return the id of the item.

        An item of the same external id and data is the one that is meant; it keeps the time of its own observation.
        Raises ItemDiffers for a known external id with other data, or with another value of a group attribute: what is
        certified and braked by group goes by the group that the item is kept with.
        """
        return self._items.keep(uow, scope, row)

    def item(self, uow: UnitOfWork, scope: Scope, item_id: str) -> Item:
        """Return an item; raises ItemNotFound."""
        return self._items.get(uow, scope, item_id)

    def items_by_id(self, uow: UnitOfWork, scope: Scope, ids: Iterable[str]) -> dict[str, Item]:
        """Return id -> item of many items; raises ItemNotFound."""
        return self._items.many(uow, scope, ids)

    def item_named(self, uow: UnitOfWork, scope: Scope, external_id: str) -> Item | None:
        """Return the item of this external id, or None."""
        return store.item_named(uow, scope, external_id)

    def items(self, uow: UnitOfWork, scope: Scope, after: int | None = None, limit: int = 100) -> Page[Item]:
        """Return a page of items in the order in which they came in; go on with `after` = the page's `next`."""
        return self._items.page(uow, scope, after, limit)

    def last_seq(self, uow: UnitOfWork, scope: Scope) -> int:
        """Return the seq of the newest item, 0 when there is none: later items have a greater one."""
        return store.last_seq(uow, scope)

    def unlabelled(self, uow: UnitOfWork, scope: Scope, *, question: str, until_seq: int | None = None) -> list[Item]:
        """Return the items that have no label for the question, in the order of insertion, up to `until_seq`."""
        return store.unlabelled(uow, scope, question, until_seq)

    def unlabelled_ids(
        self, uow: UnitOfWork, scope: Scope, *, question: str, until_seq: int | None = None
    ) -> list[str]:
        """Return the ids of those items, in the same order."""
        return store.unlabelled_ids(uow, scope, question, until_seq)

    # Files

    def import_file(
        self,
        actor: Actor,
        scope: Scope,
        source: Path | str | IO[bytes],
        *,
        format: str = "auto",  # noqa: A002 - the word of every door
        on_error: OnError = "refuse",
        purpose: Purpose = "train",
        name: str = "",
    ) -> ImportReport:
        """Import items, and labels that stand beside them, from CSV, JSON Lines, a JSON list or another tool's format.

        `source`: a path or an open file of bytes; `name` is what the journal calls it. Columns: external_id (or id),
        the fields, and if wanted subject, observed_at, group.NAME, and a question's name for labels, which get the
        `purpose` train or holdout. With on_error "refuse" nothing is written when any row is bad; with "keep" the good
        rows are kept, a thousand per transaction. Every bad row is in the report with line, field and reason.

        The formats of other tools are those of `ImportFormat`. A label comes where people agree or one answer counts as
        the truth; what each person and model said is kept beside the item (`imported_answers`).

        Raises ImportRefused (its `report` lists the rows), FileUnreadable for a file that is empty, of no known format
        or with columns that do not fit, FormatUnfit, ArchiveRefused, ImportOptionInvalid, ProjectUnknown.
        """
        return self._imports.take(actor, scope, source, format_=format, on_error=on_error, purpose=purpose, name=name)

    def export_items(self, scope: Scope, *, format: str = "csv") -> Iterator[bytes]:  # noqa: A002
        """Yield the items and their current labels as a file in one of `ExportFormat`, in the order of insertion.

        In CSV a cell that a spreadsheet would take for a formula begins with an apostrophe. Raises
        ExportFormatUnknown, FormatUnfit and Unsaid (a value that the format has no words for) before the first part.
        """
        return exporting.lines(self._storage, self._projects, self._foreign, scope, format)

    def label_config(self, uow: UnitOfWork, scope: Scope) -> tuple[str, list[BadRow]]:
        """Return the Label Studio configuration kept, else one for the schema, and what of it is not supported."""
        config, text = self._foreign.config(uow, scope)
        return text, list(config.unsupported)

    def put_label_config(self, uow: UnitOfWork, actor: Actor, scope: Scope, text: str) -> list[BadRow]:
        """Keep the Label Studio configuration of the project and return the tags that are not supported, with lines.

        Raises MarkupInvalid for what is no safe XML, FormatUnfit where it and the schema differ.
        """
        return list(self._foreign.put_config(uow, actor, scope, text).unsupported)

    def imported_answers(self, uow: UnitOfWork, scope: Scope, after: int, until: int) -> Imported:
        """Return seq -> what people and models said in other tools, of items behind seq `after` up to `until`."""
        return store.imported_between(uow, scope, after, until)

    # Labels

    def put_label(self, uow: UnitOfWork, actor: Actor, scope: Scope, label: NewLabel) -> Label:
        """Set a label, the one before stays; raises ItemNotFound, QuestionUnknown, AnswerInvalid, LabelInvalid."""
        return self._labels.put(uow, actor, scope, label)

    def check_answer(self, uow: UnitOfWork, scope: Scope, item_id: str | None, question: str, value: Any) -> Any:
        """Return an answer about an item as it is kept; raises QuestionUnknown, AnswerInvalid."""
        return self._labels.check(uow, scope, item_id, question, value)

    def labels(self, uow: UnitOfWork, scope: Scope, *, question: str, purpose: Purpose | None = None) -> list[Label]:
        """Return the current labels of a question, of one purpose or of all, in the order of their items."""
        return self._labels.current(uow, scope, question, purpose)

    def labels_page(
        self, uow: UnitOfWork, scope: Scope, *, question: str, after: int | None = None, limit: int = 100
    ) -> Page[Label]:
        """Return a page of the current labels of a question, in the order of their items."""
        return self._labels.page(uow, scope, question, after, limit)

    def label(self, uow: UnitOfWork, scope: Scope, item_id: str, question: str) -> Label | None:
        """Return the current label of one item and question, or None."""
        return store.current_label(uow, scope, item_id, question)

    def label_history(self, uow: UnitOfWork, scope: Scope, item_id: str, question: str) -> list[Label]:
        """Return every label that the item ever had for the question, oldest first."""
        return store.label_history(uow, scope, item_id, question)

    def labels_waiting(
        self, uow: UnitOfWork, scope: Scope, *, question: str | None = None, purpose: Purpose | None = None
    ) -> int:
        """Return how many current labels the branch main does not hold yet."""
        return self._labels.waiting(uow, scope, question, purpose)

    # Versions

    def commit(self, actor: Actor, scope: Scope, message: str, *, branch: str = MAIN) -> Commit | None:
        """Make a version of what is new on the branch since its last one; None when nothing is.

        Safe to run again after a crash: the same content has the same id. Raises BranchNotFound, CommitBusy.
        """
        return self._commits.make(actor, scope, message, branch)

    def edit(self, actor: Actor, scope: Scope, branch: str, message: str, edits: Sequence[Edit]) -> Commit | None:
        """Make a version of a branch with labels changed, all or none; None when all stood so before.

        Live labels do not change. Raises EditInvalid with every problem, BranchIsLive, BranchNotFound, CommitBusy.
        """
        return self._branching[0].make(actor, scope, branch, message, edits)

    def merge(
        self,
        actor: Actor,
        scope: Scope,
        theirs: str,
        *,
        into: str = MAIN,
        message: str = "",
        prefer: Prefer = "ask",
        along: Along | None = None,
    ) -> Merged:
        """Merge a version into a branch, by item and question; the version made has both as parents.

        Of what both changed differently ours stands and is told as a conflict, unless `prefer` says that one side is
        right. What waits on main is committed before a merge into main, and what is merged becomes the live label.
        `along` is called in the unit that makes the version count. Raises NothingToMerge, BranchNotFound,
        CommitNotFound, DatasetBroken, CommitBusy.
        """
        said = message or f"Merge {theirs[:100]} into {into}"
        return self._branching[1].make(actor, scope, theirs, into, said, prefer, along)

    def log(self, uow: UnitOfWork, scope: Scope, branch: str = MAIN, *, limit: int | None = None) -> list[Commit]:
        """Return the commits of a branch, newest first, `limit` at most; raises BranchNotFound."""
        return self._versions.log(uow, scope, branch, limit)

    def commit_of(self, uow: UnitOfWork, scope: Scope, name: str) -> Commit:
        """Return the commit that a branch, a tag, an id or the beginning of one names; raises CommitNotFound."""
        found = store.get_commit(uow, scope, self._versions.resolve(uow, scope, name))
        assert found is not None  # resolve() found it
        return found

    def diff(self, scope: Scope, a: str | None, b: str) -> list[Change]:
        """Return what differs from version `a` to version `b`; None is the empty version before the first.

        Empty exactly when both hold the same items and labels. Raises CommitNotFound, DatasetBroken.
        """
        return self._history(scope).diff(None if a is None else self._resolved(scope, a), self._resolved(scope, b))

    def checkout(self, scope: Scope, commit_id: str) -> pa.Table:
        """Return a version as a table, read from files alone; raises CommitNotFound, DatasetBroken.

        Columns: item, external_id, observed_at, the fields, then for each question its value and its purpose
        (`purpose_column`); null where there is no label. Rows in the order in which the items came in. Subjects and
        group attributes are kept apart and stand in no checkout.
        """
        return self._history(scope).checkout(self._resolved(scope, commit_id))

    def checkout_file(
        self,
        scope: Scope,
        version: str,
        *,
        format: str = "csv",  # noqa: A002
        split: SplitWish | None = None,
    ) -> Iterator[bytes]:
        """Return the parts of a checkout as csv (formulas neutralised), jsonl or parquet; `split` adds that column.

        Raises CommitNotFound, DatasetBroken, SplitInvalid, ExportFormatUnknown before the first part.
        """
        from handrail.cycle.datasets.curating import parted

        history, commit_id = self._history(scope), self._resolved(scope, version)
        table = history.checkout(commit_id) if split is None else parted(history, commit_id, split)
        return history.table_file(commit_id, table, format)

    def alike(self, scope: Scope, version: str = MAIN) -> AlikeReport:
        """Return which items of a version are the same or nearly; raises CommitNotFound, DatasetBroken."""
        from handrail.cycle.datasets.curating import alike

        return alike(self._history(scope), self._resolved(scope, version))

    def verify(self, scope: Scope, commit_id: str) -> None:
        """Compute the id of a version and of every one before it from their files; raises DatasetBroken."""
        from handrail.cycle.datasets.history import History

        History(self._folder, scope, wary=True).verify(self._resolved(scope, commit_id))

    def compact(self, scope: Scope, version: str = MAIN) -> Compacted:
        """Make what lets a version and those before it be read fast; no id changes. Raises CommitNotFound."""
        from handrail.cycle.datasets.compaction import compact

        return compact(self._history(scope), self._resolved(scope, version))

    def compact_due(self, scope: Scope, commit_id: str) -> bool:
        """Do as compact when it is this version's turn; return whether it was."""
        due = self._storage.read(lambda uow: self.commit_of(uow, scope, commit_id)).number % EVERY == 0
        return due and self.compact(scope, commit_id).bases > 0

    def branch(self, uow: UnitOfWork, actor: Actor, scope: Scope, name: str, at: str = MAIN) -> Pointer:
        """Make a branch at the commit that `at` names; raises NameInvalid, PointerExists, CommitNotFound."""
        return self._versions.make_branch(uow, actor, scope, name, at)

    def branches(self, uow: UnitOfWork, scope: Scope) -> list[Pointer]:
        """Return every branch by name."""
        return store.branches(uow, scope)

    def tag(self, uow: UnitOfWork, actor: Actor, scope: Scope, name: str, at: str = MAIN) -> Pointer:
        """Give a commit a name that never moves; raises NameInvalid, PointerExists, CommitNotFound."""
        return self._versions.make_tag(uow, actor, scope, name, at)

    def tags(self, uow: UnitOfWork, scope: Scope) -> list[Pointer]:
        """Return every tag by name."""
        return store.tags(uow, scope)

    @cached_property
    def _commits(self) -> Commits:
        from handrail.cycle.datasets.commit import Commits

        return Commits(self._storage, self._journal, self._clock, self._folder, self._projects, self._versions)

    @cached_property
    def _branching(self) -> tuple[Edits, Merges]:
        from handrail.cycle.datasets.editing import Edits
        from handrail.cycle.datasets.merging import Merges

        rest = (self._folder, self._projects, self._versions, self._commits)
        return Edits(self._storage, *rest), Merges(self._storage, self._clock, self._ids, *rest)

    def _history(self, scope: Scope) -> History:
        from handrail.cycle.datasets.history import History

        def find(seqs: Sequence[int]) -> dict[str, tuple[str, str]]:
            return self._storage.read(lambda uow: store.names_at(uow, scope, seqs))

        return History(self._folder, scope, find=find)

    def _resolved(self, scope: Scope, name: str) -> str:
        if self._history(scope).has(name):
            return name
        return self._storage.read(lambda uow: self._versions.resolve(uow, scope, name))
