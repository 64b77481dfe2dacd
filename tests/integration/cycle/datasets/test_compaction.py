from __future__ import annotations

import json
import shutil

import pytest

from handrail.cycle.datasets import Edit, compaction, parquet
from handrail.cycle.datasets.files import Files
from handrail.cycle.datasets.history import History
from handrail.cycle.datasets.model import EVERY, DatasetBroken
from tests.integration.cycle.datasets.world import ANNA, World


def _commit(world: World, branch: str = "main") -> str:
    made = world.datasets.commit(ANNA, world.scope, "more", branch=branch)
    assert made is not None
    return made.id


def _grown(world: World, versions: int) -> list[str]:
    """Make versions that add items, set labels, change them and take some away."""
    found, ids = [], [one.id for one in world.put(*range(1, 8))]
    for number in range(versions):
        if number % 3 == 0:
            ids += [one.id for one in world.put(100 + number)]
        world.label(ids[number % len(ids)], ("benign", "malignant")[number % 2], reason=f"look {number}")
        world.label(ids[-1], 1 + number % 3, question="grade", purpose="holdout")
        if number % 4 == 0:
            world.label(ids[number % 5], f"text {number}", question="remark")
        found.append(_commit(world))
    return found


def _all(world: World, versions: list[str]) -> list[object]:
    return [world.datasets.checkout(world.scope, one).to_pylist() for one in versions]


def test_a_version_reads_the_same_with_and_without_bases(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_FILES", 3)
    versions = _grown(world, 2 * EVERY + 3)
    before = _all(world, versions)
    differences = [world.datasets.diff(world.scope, versions[3], one) for one in versions]
    done = world.datasets.compact(world.scope)
    assert (done.made, done.bases) == (2, 2)
    assert _all(world, versions) == before
    assert [world.datasets.diff(world.scope, versions[3], one) for one in versions] == differences
    world.datasets.verify(world.scope, "main")
    again = world.datasets.compact(world.scope)
    assert (again.made, again.bases) == (0, 2)
    assert world.storage.read(lambda uow: world.datasets.commit_of(uow, world.scope, "main")).id == versions[-1]
    base = Files(world.folder, world.scope).base(versions[2 * EVERY - 1])
    assert base is not None
    adding = sum(number % 3 == 0 for number in range(2 * EVERY))
    assert len(base.items) < adding
    # Without their bases all versions are still there.
    shutil.rmtree(world.files / "bases")
    shutil.rmtree(world.files / "snapshots")
    assert _all(world, versions) == before


def test_work_goes_on_upon_a_base_on_every_branch(world: World) -> None:
    versions = _grown(world, EVERY)
    world.datasets.compact(world.scope)
    world.storage.write(lambda uow: world.datasets.branch(uow, ANNA, world.scope, "trial"))
    world.datasets.edit(
        ANNA, world.scope, "trial", "edits", [Edit("case-1", "remark", "seen"), Edit("case-2", "grade", 3)]
    )
    (new,) = world.put(500)
    world.label(new.id, "benign")
    _commit(world)
    world.datasets.merge(ANNA, world.scope, "trial")
    rows = {row["external_id"]: row for row in world.datasets.checkout(world.scope, "main").to_pylist()}
    assert (rows["case-1"]["remark"], rows["case-2"]["grade"], rows["case-500"]["diagnosis"]) == ("seen", 3.0, "benign")
    world.datasets.verify(world.scope, "main")
    (one, other) = world.datasets.diff(world.scope, versions[-1], "trial")
    assert (one.external_id, other.external_id) == ("case-1", "case-2")


def test_a_base_is_made_when_it_is_due(world: World) -> None:
    versions = _grown(world, EVERY)
    due = [world.datasets.compact_due(world.scope, one) for one in versions]
    assert due == [False] * (EVERY - 1) + [True]
    assert Files(world.folder, world.scope).base(versions[-1]) is not None


@pytest.mark.parametrize("harm", ["value", "items", "file", "form"])
def test_verify_notices_a_base_that_is_not_its_version(world: World, harm: str) -> None:
    last = _grown(world, EVERY)[-1]
    world.datasets.compact(world.scope)
    history = History(world.folder, world.scope)
    files = history.files
    base = files.base(last)
    assert base is not None
    place = files.base_place(last)
    document = json.loads(place.read_text())
    if harm == "value":
        stand = history.stand(last)
        table = history.snapshot(stand, history.items_of(stand, ("digest",)))
        rows = table.to_pylist()
        rows[0]["diagnosis"] = '"benign"' if rows[0]["diagnosis"] != '"benign"' else '"malignant"'
        other = type(table).from_pylist(rows, schema=table.schema)
        name, _ = files.keep("snapshots", lambda sink: parquet.write_snapshot(sink, other))
        document["labels"]["file"] = name
        place.write_text(json.dumps(document))
    elif harm == "items":
        document["items"] = document["items"][:-1]
        place.write_text(json.dumps(document))
    elif harm == "file":
        files.place("snapshots", base.labels.file).write_bytes(b"harm")
    else:
        place.write_text("{}")
    with pytest.raises(DatasetBroken):
        world.datasets.verify(world.scope, "main")


def test_names_are_found_without_the_database_too(world: World) -> None:
    versions = _grown(world, 5)
    by_files = History(world.folder, world.scope).diff(versions[0], versions[4])
    assert by_files == world.datasets.diff(world.scope, versions[0], versions[4])
    # A hint that leads to another item is no name.
    misled = History(world.folder, world.scope, find=lambda _: {"0" * 64: ("x", "y")})
    assert misled.diff(versions[0], versions[4]) == by_files
