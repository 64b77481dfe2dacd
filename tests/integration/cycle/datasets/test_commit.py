from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from handrail.cycle.datasets import NewItem, delta, parquet, purpose_column
from handrail.cycle.datasets.checking import NameInvalid
from handrail.cycle.datasets.commit import Commits
from handrail.cycle.datasets.files import Files
from handrail.cycle.datasets.model import (
    BranchNotFound,
    CommitNotFound,
    DatasetBroken,
    LabelInvalid,
    PointerExists,
)
from handrail.foundation.actors import Scope
from tests.integration.cycle.datasets.world import ANNA, World, make


def _commit(world: World, message: str = "more", branch: str = "main") -> str:
    made = world.datasets.commit(ANNA, world.scope, message, branch=branch)
    assert made is not None
    return made.id


def _labels(world: World, commit_id: str, question: str = "diagnosis") -> dict[str, tuple[object, object]]:
    table = world.datasets.checkout(world.scope, commit_id)
    return {
        name: (value, purpose)
        for name, value, purpose in zip(
            table.column("external_id").to_pylist(),
            table.column(question).to_pylist(),
            table.column(purpose_column(question)).to_pylist(),
            strict=True,
        )
        if value is not None
    }


def test_an_empty_delta_makes_no_commit(world: World) -> None:
    assert world.datasets.commit(ANNA, world.scope, "nothing") is None
    (one,) = world.put(1.0)
    world.label(one.id, "benign")
    _commit(world)
    assert world.datasets.commit(ANNA, world.scope, "again") is None
    world.label(one.id, "malignant")
    world.label(one.id, "benign")
    assert world.datasets.commit(ANNA, world.scope, "changed and changed back") is None
    assert world.storage.read(lambda uow: world.datasets.labels_waiting(uow, world.scope)) == 0


def test_commits_and_checkouts_tell_the_labels_as_they_were(world: World) -> None:
    one, two = world.put(1.0, 2.0)
    world.label(one.id, "benign")
    world.label(one.id, 2, question="grade", purpose="holdout")
    first = _commit(world, "first")
    (three,) = world.put(3.0)
    world.label(one.id, "malignant", purpose="feedback", reason="second look")
    world.label(three.id, "benign", purpose="certify", probability=0.5, source="draw")
    second = _commit(world, "second")
    world.label(two.id, "benign")

    assert _labels(world, first) == {"case-1": ("benign", "train")}
    assert _labels(world, first, "grade") == {"case-1": (2.0, "holdout")}
    assert _labels(world, second) == {"case-1": ("malignant", "feedback"), "case-3": ("benign", "certify")}
    assert _labels(world, second, "grade") == {"case-1": (2.0, "holdout")}
    log = world.storage.read(lambda uow: world.datasets.log(uow, world.scope, "main"))
    assert [(one.number, one.message, one.items, one.labels) for one in log] == [
        (2, "second", 1, 2),
        (1, "first", 2, 2),
    ]
    assert [one.id for one in log] == [second, first]
    assert log[0].parents == (first,)
    world.datasets.verify(world.scope, second)


def test_a_checkout_has_every_field_in_its_type(world: World) -> None:
    seen = datetime(2026, 5, 1, 7, 30, 0, 5, tzinfo=UTC)
    data = {"area": 1.5, "note": "größer", "seen": seen, "urgent": True, "ward": "north"}
    items = [
        NewItem(external_id="full", data=data, subject="patient", group={"sex": "f"}, observed_at=seen),
        NewItem(external_id="bare", data={"area": -0.0}),
    ]
    world.storage.write(lambda uow: world.datasets.put_items(uow, ANNA, world.scope, items))
    commit = _commit(world)
    table = world.datasets.checkout(world.scope, commit)
    assert table.column_names == [
        "item", "external_id", "observed_at", "area", "note", "ward", "seen", "urgent",
        "diagnosis", "diagnosis.purpose", "grade", "grade.purpose", "remark", "remark.purpose",
    ]  # fmt: skip
    full, bare = table.to_pylist()
    assert {name: full[name] for name in data} == data
    assert full["observed_at"] == seen
    assert [bare[name] for name in ("area", "note", "ward", "seen", "urgent", "diagnosis")] == [0.0] + [None] * 5
    world.datasets.verify(world.scope, commit)


def test_diff_tells_every_change_with_old_new_actor_and_reason(world: World) -> None:
    one, two = world.put(1.0, 2.0)
    world.label(one.id, "benign")
    world.label(two.id, "benign")
    first = _commit(world)
    world.label(one.id, "malignant", reason="second look")
    middle = _commit(world)
    world.label(two.id, "malignant", purpose="feedback", reason="audit")
    world.label(one.id, "benign", reason="third look")
    (three,) = world.put(3.0)
    last = _commit(world)

    (change,) = world.datasets.diff(world.scope, first, middle)
    assert (change.kind, change.item_id, change.external_id, change.question) == (
        "label",
        one.id,
        "case-1",
        "diagnosis",
    )
    assert (change.old, change.new, change.actor, change.reason) == (
        "benign",
        "malignant",
        "person:p-anna",
        "second look",
    )
    added, relabelled = world.datasets.diff(world.scope, first, last)
    assert (added.kind, added.item_id) == ("item_added", three.id)
    assert (relabelled.item_id, relabelled.old_purpose, relabelled.new_purpose) == (two.id, "train", "feedback")
    back = world.datasets.diff(world.scope, last, first)
    assert [(one.kind, one.old, one.new) for one in back] == [
        ("item_removed", None, None),
        ("label", "malignant", "benign"),
    ]
    assert world.datasets.diff(world.scope, last, last) == []
    assert len(world.datasets.diff(world.scope, None, first)) == 4


def test_branches_and_tags_are_names_for_commits(world: World) -> None:
    (one,) = world.put(1.0)
    read, write = world.storage.read, world.storage.write
    with pytest.raises(CommitNotFound):
        write(lambda uow: world.datasets.tag(uow, ANNA, world.scope, "v1", "main"))
    first = _commit(world)
    write(lambda uow: world.datasets.branch(uow, ANNA, world.scope, "trial", first[:8]))
    write(lambda uow: world.datasets.tag(uow, ANNA, world.scope, "v1", "main"))
    world.label(one.id, "benign")
    second = _commit(world)
    pointers = read(lambda uow: world.datasets.branches(uow, world.scope))
    assert {one.name: one.commit_id for one in pointers} == {"main": second, "trial": first}
    assert [(one.name, one.commit_id) for one in read(lambda uow: world.datasets.tags(uow, world.scope))] == [
        ("v1", first)
    ]
    for name in ("trial", "v1", first[:6], first):
        assert read(lambda uow, name=name: world.datasets.commit_of(uow, world.scope, name)).id == first
        assert world.datasets.checkout(world.scope, name).num_rows == 1
    for name in ("nothing", first[:5], "0" * 64, "../../etc"):
        with pytest.raises(CommitNotFound):
            world.datasets.checkout(world.scope, name)
    for name in ("trial", "v1", "main"):
        with pytest.raises(PointerExists):
            write(lambda uow, name=name: world.datasets.branch(uow, ANNA, world.scope, name))
        with pytest.raises(PointerExists):
            write(lambda uow, name=name: world.datasets.tag(uow, ANNA, world.scope, name))
    for name in ("", "../x", "abcdef12", "a b"):
        with pytest.raises(NameInvalid):
            write(lambda uow, name=name: world.datasets.branch(uow, ANNA, world.scope, name))
    with pytest.raises(BranchNotFound):
        world.datasets.commit(ANNA, world.scope, "x", branch="elsewhere")
    with pytest.raises(LabelInvalid):
        world.datasets.commit(ANNA, world.scope, "x" * 3000)


def test_another_branch_commits_what_it_lacks_and_leaves_main_alone(world: World) -> None:
    one, two = world.put(1.0, 2.0)
    world.label(one.id, "benign")
    first = _commit(world)
    world.storage.write(lambda uow: world.datasets.branch(uow, ANNA, world.scope, "trial"))
    world.label(two.id, "malignant")
    world.label(one.id, "malignant")
    world.put(3.0)
    on_trial = _commit(world, branch="trial")
    assert world.datasets.commit(ANNA, world.scope, "again", branch="trial") is None
    assert world.storage.read(lambda uow: world.datasets.labels_waiting(uow, world.scope)) == 2
    on_main = _commit(world)
    # The same content on the same parent is the same version, whichever way it was found.
    assert on_main == on_trial
    assert len(world.datasets.diff(world.scope, first, "trial")) == 3
    heads = world.storage.read(lambda uow: world.datasets.branches(uow, world.scope))
    assert {one.commit_id for one in heads} == {on_main}
    world.datasets.verify(world.scope, "trial")


def test_branches_that_went_apart_differ_by_what_each_did(world: World) -> None:
    one, two = world.put(1.0, 2.0)
    world.label(one.id, "benign")
    _commit(world)
    world.storage.write(lambda uow: world.datasets.branch(uow, ANNA, world.scope, "trial"))
    world.label(one.id, "malignant")
    _commit(world)
    world.label(two.id, "benign", reason="on trial")
    world.put(3.0)
    _commit(world, branch="trial")
    changes = world.datasets.diff(world.scope, "main", "trial")
    assert [(one.kind, one.external_id) for one in changes] == [("item_added", "case-3"), ("label", "case-2")]
    assert (changes[1].new, changes[1].reason) == ("benign", "on trial")
    undone = world.datasets.diff(world.scope, "trial", "main")[1]
    assert (undone.old, undone.new, undone.reason) == ("benign", None, "on trial")
    world.label(one.id, "benign", reason="on trial too")
    _commit(world, branch="trial")
    (_, both, _) = world.datasets.diff(world.scope, "main", "trial")
    assert (both.old, both.new, both.reason) == ("malignant", "benign", "on trial too")


def test_a_label_that_comes_in_while_the_files_are_written_waits_for_the_next_commit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = world.put(1.0)
    world.label(one.id, "benign")
    keep = Files.keep_manifest

    def late(self: Files, *given: object) -> None:
        monkeypatch.setattr(Files, "keep_manifest", keep)
        world.label(one.id, "malignant")
        world.put(2.0)
        keep(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Files, "keep_manifest", late)
    first = _commit(world)
    assert _labels(world, first) == {"case-1": ("benign", "train")}
    second = _commit(world)
    assert _labels(world, second) == {"case-1": ("malignant", "train")}
    assert len(world.datasets.diff(world.scope, first, second)) == 2


def test_a_commit_that_lost_the_race_collects_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = world.put(1.0)
    _commit(world, "the root")
    world.label(one.id, "benign")
    other = world.datasets.__class__(
        world.storage,
        world.datasets._journal,
        world.clock,
        world.datasets._items._ids,
        world.datasets._items._randomness,
        world.folder,
    )
    keep = Files.keep_manifest

    def overtaken(self: Files, *given: object) -> None:
        monkeypatch.setattr(Files, "keep_manifest", keep)
        assert other.commit(ANNA, world.scope, "the other one") is not None
        world.label(one.id, "malignant")
        keep(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Files, "keep_manifest", overtaken)
    last = _commit(world, "this one")
    log = world.storage.read(lambda uow: world.datasets.log(uow, world.scope))
    assert [one.message for one in log] == ["this one", "the other one", "the root"]
    assert _labels(world, last) == {"case-1": ("malignant", "train")}
    world.datasets.verify(world.scope, last)


def test_an_item_that_the_database_shows_late_is_in_the_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL a unit that began earlier may end later: its item has a smaller seq than those already seen."""
    late, _ = world.put(1.0, 2.0)
    last = world.storage.read(lambda uow: world.datasets.last_seq(uow, world.scope))
    hide = text("UPDATE item SET seq = seq + 1000 WHERE id = :item")
    show = text("UPDATE item SET seq = seq - 1000 WHERE id = :item")
    world.storage.write(lambda uow: uow.run(hide, item=late.id))
    keep = Files.keep_manifest

    def shown_late(self: Files, *given: object) -> None:
        monkeypatch.setattr(Files, "keep_manifest", keep)
        world.storage.write(lambda uow: uow.run(show, item=late.id))
        keep(self, *given)  # type: ignore[arg-type]

    look = Commits._look

    def without_it(self: Commits, *given: object) -> object:
        head, number, schema, _, labels = look(self, *given)  # type: ignore[arg-type]
        return head, number, schema, last, labels

    monkeypatch.setattr(Commits, "_look", without_it)
    monkeypatch.setattr(Files, "keep_manifest", shown_late)
    commit = _commit(world)
    assert sorted(world.datasets.checkout(world.scope, commit).column("external_id").to_pylist()) == [
        "case-1",
        "case-2",
    ]
    assert world.storage.read(lambda uow: world.datasets.counts(uow, world.scope)).items_waiting == 0


def test_two_projects_do_not_see_each_others_versions(world: World) -> None:
    world.put(1.0)
    first = _commit(world)
    other = make(world.storage, world.clock, world.folder, name="other")
    for name in (first, first[:10]):
        with pytest.raises(CommitNotFound):
            other.datasets.checkout(other.scope, name)
    with pytest.raises(BranchNotFound):
        world.datasets.commit(ANNA, Scope("nowhere"), "x")


@pytest.mark.parametrize("kind", ["commits", "items", "labels"])
@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "empty"])
def test_verify_names_the_broken_file(world: World, kind: str, harm: str) -> None:
    (one,) = world.put(1.0)
    world.label(one.id, "benign")
    _commit(world)
    world.label(one.id, "malignant")
    world.put(2.0)
    last = _commit(world)
    world.datasets.verify(world.scope, last)
    for place in sorted((world.files / kind).iterdir()):
        whole = place.read_bytes()
        harmed = {"flip": bytes([whole[0] ^ 1]) + whole[1:], "cut": whole[:-9], "empty": b""}
        if harm == "remove":
            place.unlink()
        else:
            place.write_bytes(harmed[harm])
        with pytest.raises(DatasetBroken) as caught:
            world.datasets.verify(world.scope, last)
        assert caught.value.facts["file"] == f"{kind}/{place.name}"
        with pytest.raises(DatasetBroken):
            world.datasets.checkout(world.scope, last)
        place.write_bytes(whole)
    world.datasets.verify(world.scope, last)


def test_verify_notices_a_history_that_was_rewritten_with_care(world: World) -> None:
    (one,) = world.put(1.0)
    world.label(one.id, "benign")
    last = _commit(world)
    files = Files(world.folder, world.scope)
    manifest = files.manifest(last)
    assert manifest.labels is not None
    assert manifest.items is not None
    with files.opened("labels", manifest.labels.file, last) as source:
        (row,) = parquet.read_changes(source)
    forged = row._replace(new="malignant")
    name, _ = files.keep("labels", lambda sink: parquet.write_changes(sink, [forged]))
    other = delta.Manifest(manifest.parents, manifest.schema, manifest.items, delta.Part(name, 1))
    files.keep_manifest(last, other)
    with pytest.raises(DatasetBroken, match="does not make up the id"):
        world.datasets.verify(world.scope, last)


def test_an_erased_item_leaves_a_version_that_still_verifies(world: World) -> None:
    one, _ = world.put(1.0, 2.0)
    world.label(one.id, "benign")
    last = _commit(world)
    files = Files(world.folder, world.scope)
    manifest = files.manifest(last)
    assert manifest.items is not None
    with files.opened("items", manifest.items.file, last) as source:
        table = pq.ParquetFile(source).read()

    def left(*names: str) -> None:
        rows = table.to_pylist()
        rows[0] = {name: value if name in names else None for name, value in rows[0].items()}
        erased = pa.Table.from_pylist(rows, schema=table.schema)
        name, _ = files.keep("items", lambda sink: pq.write_table(erased, sink))
        files.keep_manifest(last, delta.Manifest((), manifest.schema, delta.Part(name, 2), manifest.labels))

    left("digest")
    world.datasets.verify(world.scope, last)
    assert world.datasets.checkout(world.scope, last).column("external_id").to_pylist() == [None, "case-2"]
    left("digest", "salt")
    with pytest.raises(DatasetBroken, match=r"cannot be read|not what its digest says"):
        world.datasets.verify(world.scope, last)
    left("digest", "area")
    with pytest.raises(DatasetBroken, match="has content but no salt"):
        world.datasets.verify(world.scope, last)


def test_a_rebuild_gives_the_same_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, item in enumerate(world.put(*range(1, 50))):
        world.label(item.id, "benign" if place % 3 else "malignant", reason=f"look {place % 2}")

    def files() -> dict[str, bytes]:
        return {one.relative_to(world.files).as_posix(): one.read_bytes() for one in world.files.rglob("*.*")}

    def killed(*_: object) -> None:
        raise RuntimeError("killed before the transaction")

    with monkeypatch.context() as patch:
        patch.setattr(Commits, "_record", killed)
        with pytest.raises(RuntimeError):
            _commit(world)
    first = files()
    assert len(first) == 3
    shutil.rmtree(world.files)
    commit = _commit(world)
    assert files() == first
    assert f"commits/{commit}.json" in first
