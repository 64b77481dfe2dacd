"""A person puts items in, labels, commits, branches; every version must tell the labels as they were."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from sqlalchemy import create_engine

from handrail.cycle.datasets import purpose_column
from handrail.foundation.clock import FixedClock
from handrail.foundation.storage import metadata, open_storage
from tests.integration.cycle.datasets.world import ANNA, make

Snapshot = tuple[frozenset[str], frozenset[tuple[str, str, object, str]]]
QUESTIONS = {"diagnosis": ("benign", "malignant"), "grade": (1.0, 2.0)}
PURPOSES = st.sampled_from(["train", "holdout"])
BRANCHES = ("main", "trial")


class VersionsMachine(RuleBasedStateMachine):
    items = Bundle("items")
    commits = Bundle("commits")

    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        url = f"sqlite:///{self.home / 'handrail.db'}"
        self.storage = open_storage(url)
        engine = create_engine(url)
        metadata.create_all(engine)
        engine.dispose()
        self.world = make(self.storage, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)), self.home / "datasets")
        self.external: dict[str, str] = {}
        self.labels: dict[tuple[str, str], tuple[object, str]] = {}
        self.heads: dict[str, Snapshot] = {"main": (frozenset(), frozenset())}
        self.known: dict[str, Snapshot] = {}

    def teardown(self) -> None:
        if hasattr(self, "storage"):
            self.storage.close()
            shutil.rmtree(self.home)

    def _now(self) -> Snapshot:
        labels = ((self.external[item], asked, *given) for (item, asked), given in self.labels.items())
        return frozenset(self.external.values()), frozenset(labels)  # type: ignore[arg-type]

    @rule(target=items)
    def put(self) -> str:
        (one,) = self.world.put(float(len(self.external)))
        self.external[one.id] = one.external_id
        return one.id

    @rule(item=items, asked=st.sampled_from(list(QUESTIONS)), which=st.integers(0, 1), purpose=PURPOSES)
    def label(self, item: str, asked: str, which: int, purpose: str) -> None:
        value = QUESTIONS[asked][which]
        self.world.label(item, value, question=asked, purpose=purpose, reason="why")
        self.labels[item, asked] = (value, purpose)

    @rule()
    def branch(self) -> None:
        if "trial" in self.heads or self.heads["main"] == (frozenset(), frozenset()):
            return
        self.storage.write(lambda uow: self.world.datasets.branch(uow, ANNA, self.world.scope, "trial"))
        self.heads["trial"] = self.heads["main"]

    @rule(target=commits, branch=st.sampled_from(BRANCHES))
    def commit(self, branch: str):  # type: ignore[no-untyped-def]
        if branch not in self.heads:
            return multiple()
        made = self.world.datasets.commit(ANNA, self.world.scope, "a version", branch=branch)
        assert (made is None) == (self.heads[branch] == self._now())
        if made is None:
            return multiple()
        self.heads[branch] = self.known[made.id] = self._now()
        return made.id

    @rule(commit=commits)
    def check_out(self, commit: str) -> None:
        table = self.world.datasets.checkout(self.world.scope, commit).to_pylist()
        found = {
            (row["external_id"], asked, row[asked], row[purpose_column(asked)])
            for row in table
            for asked in QUESTIONS
            if row[asked] is not None
        }
        assert (frozenset(row["external_id"] for row in table), found) == self.known[commit]
        self.world.datasets.verify(self.world.scope, commit)

    @rule(a=commits, b=commits)
    def differ(self, a: str, b: str) -> None:
        changes = self.world.datasets.diff(self.world.scope, a, b)
        assert (changes == []) == (self.known[a] == self.known[b])
        items, labels = map(set, self.known[a])
        for one in changes:
            if one.kind != "label":
                (items.add if one.kind == "item_added" else items.remove)(one.external_id)
                continue
            if one.old is not None:
                labels.remove((one.external_id, one.question, one.old, one.old_purpose))
            if one.new is not None:
                labels.add((one.external_id, one.question, one.new, one.new_purpose))
        assert (frozenset(items), frozenset(labels)) == self.known[b]

    @invariant()
    def what_waits_is_what_main_lacks(self) -> None:
        if not hasattr(self, "heads"):
            return
        counts = self.storage.read(lambda uow: self.world.datasets.counts(uow, self.world.scope))
        items, labels = self.heads["main"]
        assert counts.items_waiting == len(self._now()[0]) - len(items)
        assert counts.labels_waiting >= len(self._now()[1] - labels)


TestVersions = VersionsMachine.TestCase
TestVersions.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
