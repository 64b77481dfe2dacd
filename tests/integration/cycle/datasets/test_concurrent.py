from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from handrail.cycle.datasets import NewItem, NewLabel
from handrail.foundation.errors import Busy
from tests.integration.cycle.datasets.world import ANNA, World


def test_writers_and_committers_at_once_lose_and_double_nothing(world: World) -> None:
    """Six threads put the same items and label them while two others commit; every version verifies."""
    world.put(0.0)

    def write(thread: int) -> None:
        for number in range(30):
            new = NewItem(external_id=f"case-{number}", data={"area": number})
            (item,) = world.storage.write(lambda uow, new=new: world.datasets.put_items(uow, ANNA, world.scope, [new]))  # type: ignore[misc]
            value = "benign" if (number + thread) % 2 else "malignant"
            label = NewLabel(item.id, "diagnosis", value, "review", "train", reason=str(thread))
            world.storage.write(lambda uow, label=label: world.datasets.put_label(uow, ANNA, world.scope, label))  # type: ignore[misc]

    def commit(_: int) -> None:
        for _round in range(8):
            try:
                world.datasets.commit(ANNA, world.scope, "meanwhile")
            except Busy:
                continue

    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(write, thread) for thread in range(6)] + [
            pool.submit(commit, thread) for thread in range(2)
        ]
    for one in work:
        one.result()
    world.datasets.commit(ANNA, world.scope, "the rest")
    labels = world.storage.read(lambda uow: world.datasets.labels(uow, world.scope, question="diagnosis"))
    items = world.storage.read(lambda uow: world.datasets.items(uow, world.scope)).items
    names = {item.id: item.external_id for item in items}
    assert sorted(names.values()) == sorted(f"case-{number}" for number in range(30))
    table = world.datasets.checkout(world.scope, "main").to_pylist()
    assert {row["external_id"]: row["diagnosis"] for row in table} == {names[one.item_id]: one.value for one in labels}
    counts = world.storage.read(lambda uow: world.datasets.counts(uow, world.scope))
    assert (counts.items_waiting, counts.labels_waiting) == (0, 0)
    history = sum(
        len(
            world.storage.read(lambda uow, item=item: world.datasets.label_history(uow, world.scope, item, "diagnosis"))
        )  # type: ignore[misc]
        for item in names
    )
    assert history == 6 * 30
    world.datasets.verify(world.scope, "main")
