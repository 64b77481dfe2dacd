from __future__ import annotations

from datetime import timedelta

import pytest

from handrail.cycle.datasets import Commit, Edit, Merged, purpose_column
from handrail.cycle.datasets.files import Files
from handrail.cycle.datasets.model import (
    BranchIsLive,
    CommitNotFound,
    EditInvalid,
    NothingToMerge,
)
from handrail.foundation.actors import Actor
from tests.integration.cycle.datasets.world import ANNA, World

BEN = Actor(kind="person", id="p-ben", name="Ben")


def _branch(world: World, name: str = "trial", at: str = "main") -> None:
    world.storage.write(lambda uow: world.datasets.branch(uow, ANNA, world.scope, name, at))


def _edit(world: World, *edits: Edit, branch: str = "trial") -> Commit:
    made = world.datasets.edit(BEN, world.scope, branch, "second reading", edits)
    assert made is not None
    return made


def _merge(world: World, theirs: str = "trial", into: str = "main", **more: str) -> Merged:
    return world.datasets.merge(ANNA, world.scope, theirs, into=into, **more)  # type: ignore[arg-type]


def _labels(world: World, version: str, question: str = "diagnosis") -> dict[str, object]:
    rows = world.datasets.checkout(world.scope, version).to_pylist()
    return {row["external_id"]: row[question] for row in rows if row[question] is not None}


def _live(world: World) -> dict[str, object]:
    found = world.storage.read(lambda uow: world.datasets.labels(uow, world.scope, question="diagnosis"))
    items = world.storage.read(lambda uow: world.datasets.items(uow, world.scope)).items
    names = {one.id: one.external_id for one in items}
    return {names[one.item_id]: one.value for one in found}


def _start(world: World) -> list[str]:
    items = world.put(1.0, 2.0, 3.0)
    for one in items[:2]:
        world.label(one.id, "benign", purpose="holdout")
    assert world.datasets.commit(ANNA, world.scope, "first") is not None
    _branch(world)
    return [one.id for one in items]


def test_edits_change_their_branch_alone(world: World) -> None:
    ids = _start(world)
    made = _edit(
        world,
        Edit(ids[0], "diagnosis", "malignant", "looked again"),
        Edit("case-2", "diagnosis", None),
        Edit("case-3", "grade", 2),
        Edit("case-3", "diagnosis", "benign"),
    )
    assert (made.branch, made.labels, made.actor_id) == ("trial", 4, "p-ben")
    assert _labels(world, "trial") == {"case-1": "malignant", "case-3": "benign"}
    assert _labels(world, "trial", "grade") == {"case-3": 2.0}
    assert _labels(world, "main") == {"case-1": "benign", "case-2": "benign"} == _live(world)
    row = world.datasets.checkout(world.scope, "trial").to_pylist()[0]
    assert row[purpose_column("diagnosis")] == "holdout"  # an edit never moves an item into training
    world.datasets.verify(world.scope, "trial")
    again = world.datasets.edit(BEN, world.scope, "trial", "again", [Edit(ids[0], "diagnosis", "malignant")])
    assert again is None


def test_edits_are_refused_with_every_problem(world: World) -> None:
    ids = _start(world)
    world.put(4.0)
    with pytest.raises(BranchIsLive):
        world.datasets.edit(BEN, world.scope, "main", "no", [Edit(ids[0], "diagnosis", "malignant")])
    with pytest.raises(EditInvalid) as refused:
        _edit(
            world,
            Edit(ids[0], "diagnosis", "dangerous"),
            Edit("case-9", "diagnosis", "benign"),
            Edit("case-4", "diagnosis", "benign"),
            Edit("case-1", "colour", "red"),
            Edit(ids[1], "diagnosis", "malignant"),
            Edit("case-2", "diagnosis", "benign"),
        )
    wrong = [one["field"] for one in refused.value.facts["problems"]]
    assert wrong == ["edits[0]", "edits[1]", "edits[2]", "edits[3]", "edits[5]"]
    assert _labels(world, "trial") == _labels(world, "main")


def test_what_was_edited_on_a_branch_is_not_undone_by_what_is_live(world: World) -> None:
    ids = _start(world)
    _edit(world, Edit(ids[0], "diagnosis", "malignant"))
    world.label(ids[1], "malignant")
    made = world.datasets.commit(ANNA, world.scope, "what people said", branch="trial")
    assert made is not None
    assert made.labels == 1
    assert _labels(world, "trial") == {"case-1": "malignant", "case-2": "malignant"}


def test_a_merge_takes_what_one_side_changed_into_live_labels(world: World) -> None:
    ids = _start(world)
    _edit(world, Edit(ids[0], "diagnosis", "malignant", "looked again"), Edit("case-2", "diagnosis", None))
    world.label(ids[2], "benign")
    found = _merge(world)
    assert found.conflicts == ()
    assert len(found.commit.parents) == 2
    assert _labels(world, "main") == {"case-1": "malignant", "case-3": "benign"} == _live(world)
    assert world.storage.read(lambda uow: world.datasets.labels_waiting(uow, world.scope)) == 0
    assert world.datasets.commit(ANNA, world.scope, "nothing is new") is None
    history = world.storage.read(lambda uow: world.datasets.label_history(uow, world.scope, ids[0], "diagnosis"))
    last = history[-1]
    assert (last.source, last.actor_id, last.actor_name, last.reason) == ("edit", "p-ben", "Ben", "looked again")
    changes = world.datasets.diff(world.scope, found.commit.parents[0], "main")
    assert [(one.old, one.new, one.actor, one.reason) for one in changes] == [
        ("benign", "malignant", "person:p-ben", "looked again"),
        ("benign", None, "person:p-ben", ""),
    ]
    world.datasets.verify(world.scope, "main")
    # Life goes on: labels and commits after the merge tell the same story.
    world.label(ids[1], "malignant")
    world.label(ids[0], "benign")
    assert world.datasets.commit(ANNA, world.scope, "after") is not None
    assert _labels(world, "main") == {"case-1": "benign", "case-2": "malignant", "case-3": "benign"}
    world.datasets.verify(world.scope, "main")


def test_what_both_changed_is_told_and_ours_stands(world: World) -> None:
    ids = _start(world)
    _edit(world, Edit(ids[0], "diagnosis", "malignant", "theirs"), Edit(ids[2], "diagnosis", "malignant"))
    world.label(ids[0], "benign", reason="ours", purpose="feedback")
    seen: list[Merged] = []
    found = world.datasets.merge(
        ANNA, world.scope, "trial", along=lambda uow, merged: seen.append(merged), message="bring in"
    )
    assert seen[-1] == found
    (one,) = found.conflicts
    assert (one.external_id, one.question, one.base, one.ours, one.theirs) == (
        "case-1",
        "diagnosis",
        "benign",
        "benign",
        "malignant",
    )
    assert (one.ours_actor, one.theirs_actor) == ("person:p-anna", "person:p-ben")
    assert (one.ours_reason, one.theirs_reason) == ("ours", "theirs")
    assert _labels(world, "main")["case-1"] == "benign"
    with pytest.raises(NothingToMerge):
        _merge(world)  # the conflict was told once; the versions are one now


@pytest.mark.parametrize(("prefer", "kept"), [("ours", "benign"), ("theirs", "malignant")])
def test_a_side_may_be_right_from_the_start(world: World, prefer: str, kept: str) -> None:
    ids = _start(world)
    _edit(world, Edit(ids[0], "diagnosis", "malignant"))
    world.label(ids[0], "benign", purpose="feedback")
    found = _merge(world, prefer=prefer)
    assert found.conflicts == ()
    assert _labels(world, "main")["case-1"] == kept == _live(world)["case-1"]
    world.datasets.verify(world.scope, "main")


def test_branches_merge_into_each_other_again_and_again(world: World) -> None:
    ids = _start(world)
    _branch(world, "other")
    world.put(4.0)
    world.label(ids[1], "malignant")
    assert world.datasets.commit(ANNA, world.scope, "new on main") is not None
    _edit(world, Edit(ids[0], "diagnosis", "malignant"))
    _edit(world, Edit("case-3", "diagnosis", "benign"), branch="other")
    into_trial = _merge(world, "main", "trial")
    assert (into_trial.commit.items, into_trial.commit.labels, into_trial.conflicts) == (1, 1, ())
    _merge(world, "other", "trial")
    both = {"case-1": "malignant", "case-2": "malignant", "case-3": "benign"}
    assert _labels(world, "trial") == both
    _edit(world, Edit("case-4", "diagnosis", "benign"))
    _merge(world)
    assert _labels(world, "main") == {**both, "case-4": "benign"} == _live(world)
    _merge(world, "main", "other")
    assert _labels(world, "other") == _labels(world, "main")
    for name in ("main", "trial", "other"):
        world.datasets.verify(world.scope, name)
    # The second parent is verified too.
    second = into_trial.commit.parents[0]
    files = Files(world.folder, world.scope)
    part = files.manifest(second).labels
    assert part is not None
    files.place("labels", part.file).write_bytes(b"harm")
    with pytest.raises(Exception, match="broken"):
        world.datasets.verify(world.scope, "main")


def test_a_label_that_comes_in_during_a_merge_stays_and_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = _start(world)
    _edit(world, Edit(ids[0], "diagnosis", "malignant"), Edit(ids[1], "diagnosis", None))
    keep = Files.keep_manifest

    def late(self: Files, *args: object) -> None:
        monkeypatch.setattr(Files, "keep_manifest", keep)
        keep(self, *args)  # type: ignore[arg-type]
        world.label(ids[0], "benign", reason="meanwhile", purpose="feedback")
        world.label(ids[1], "malignant", reason="meanwhile")

    monkeypatch.setattr(Files, "keep_manifest", late)
    _merge(world)
    assert _labels(world, "main") == {"case-1": "malignant"}
    assert _live(world) == {"case-1": "benign", "case-2": "malignant"}
    assert world.storage.read(lambda uow: world.datasets.labels_waiting(uow, world.scope)) == 2
    assert world.datasets.commit(ANNA, world.scope, "after") is not None
    assert _labels(world, "main") == _live(world)
    world.datasets.verify(world.scope, "main")


def test_nothing_is_merged_that_is_there(world: World) -> None:
    _start(world)
    with pytest.raises(NothingToMerge):
        _merge(world)
    with pytest.raises(CommitNotFound):
        _merge(world, "nowhere")


def test_a_version_is_found_by_its_time(world: World) -> None:
    ids = _start(world)
    begin = world.clock.now()
    first = world.storage.read(lambda uow: world.datasets.commit_of(uow, world.scope, "main")).id
    world.clock.advance(seconds=3 * 86_400)
    world.label(ids[0], "malignant")
    second = world.datasets.commit(ANNA, world.scope, "later")
    assert second is not None

    def at(text: str) -> str:
        return world.storage.read(lambda uow: world.datasets.commit_of(uow, world.scope, text)).id

    assert at(f"main@{begin.isoformat()}") == first
    assert at(f"main@{(begin + timedelta(days=2)).date()}") == first
    assert at(f"main@{(begin + timedelta(days=3)).date()}") == second.id
    assert _labels(world, f"main@{begin.date()}")["case-1"] == "benign"
    for wrong in (f"main@{(begin - timedelta(days=1)).date()}", "main@yesterday", "main@2026-01-01T10:00:00"):
        with pytest.raises(CommitNotFound):
            at(wrong)
