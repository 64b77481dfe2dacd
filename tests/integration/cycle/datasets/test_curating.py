from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest

from handrail.cycle.datasets import NewItem
from handrail.cycle.datasets.splits import SplitInvalid, SplitWish
from tests.integration.cycle.datasets.world import ANNA, World


def _put(world: World, *new: NewItem) -> list[str]:
    made = world.storage.write(lambda uow: world.datasets.put_items(uow, ANNA, world.scope, new))
    return [one.id for one in made]


def test_a_split_never_parts_a_person_or_a_hospital(world: World) -> None:
    _put(
        world,
        *(
            NewItem(
                f"case-{n}", {"area": float(n), "ward": "north"}, f"person-{n % 40}", {"site": f"site-{n % 40 // 4}"}
            )
            for n in range(120)
        ),
    )
    world.datasets.commit(ANNA, world.scope, "all")

    def parts(by: str, seed: int = 3) -> dict[str, str]:
        wish = SplitWish(seed, by=(by,))
        sent = b"".join(world.datasets.checkout_file(world.scope, "main", format="parquet", split=wish))
        table = pq.read_table(io.BytesIO(sent)).to_pylist()
        return {row["external_id"]: row["split"] for row in table}

    def shared(found: dict[str, str], people: int, width: int) -> set[int]:
        seen: dict[int, set[str]] = {}
        for name, part in found.items():
            seen.setdefault(int(name.removeprefix("case-")) % people // width, set()).add(part)
        return {len(some) for some in seen.values()}

    by_person, by_site = parts("subject"), parts("group.site")
    assert (shared(by_person, 40, 1), shared(by_site, 40, 4)) == ({1}, {1})
    assert set(by_person.values()) == {"train", "validation", "test"}
    assert parts("subject") == by_person
    assert parts("subject", 4) != by_person
    assert set(parts("ward").values()).issubset({"train", "validation", "test"})
    assert len(set(parts("ward").values())) == 1
    with pytest.raises(SplitInvalid):
        parts("colour")


def test_what_is_alike_on_both_sides_of_a_border_is_told_first(world: World) -> None:
    words = "the patient came with a small lump in the left breast and no pain at all for two weeks".split()
    near = " ".join([*words, "or", "so"])
    ids = _put(
        world,
        NewItem("a", {"area": 1.0, "note": " ".join(words)}),
        NewItem("b", {"area": 2.0, "note": near}),
        NewItem("c", {"area": 3.0, "note": "another story of another person with other words in it"}),
        NewItem("d", {"area": 3.0, "note": "another story of another person with other words in it"}),
    )
    world.label(ids[0], "benign", purpose="train")
    world.label(ids[1], "benign", purpose="holdout")
    world.datasets.commit(ANNA, world.scope, "all")
    found = world.datasets.alike(world.scope)
    assert (found.items, found.leaks) == (4, 1)
    assert [(one.kind, one.external_ids, one.sides) for one in found.groups] == [
        ("text", ("a", "b"), ("holdout", "train")),
        ("exact", ("c", "d"), ()),
    ]
