"""Deltas make up states, and differences between states are exactly what differs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.datasets.delta import Row, State, apply, commit_id, differences

ITEMS = [character * 64 for character in "abc"]
VALUES = [None, "benign", "malignant", 1.0]
PURPOSES = ["train", "holdout"]

wishes = st.dictionaries(
    st.tuples(st.sampled_from(ITEMS), st.sampled_from(["diagnosis", "grade"])),
    st.tuples(st.sampled_from(VALUES), st.sampled_from(PURPOSES)),
    max_size=5,
)
histories = st.lists(wishes, max_size=5)
Plain = dict[tuple[str, str], tuple[object, str | None]]


def _delta(state: State, wish: Plain) -> list[Row]:
    rows = []
    for (item, question), (value, purpose) in wish.items():
        known = state.get((item, question))
        old = (None, None) if known is None else known.after
        new = (None, None) if value is None else (value, purpose)
        if old != new:
            rows.append(Row(item, question, old[0], new[0], old[1], new[1], "review", None, "person:anna", "why"))
    return rows


def _run(state: State, history: list[Plain]) -> list[list[Row]]:
    deltas = []
    for wish in history:
        rows = _delta(state, wish)
        apply(state, rows)
        deltas.append(rows)
    return deltas


def _plain(state: State) -> Plain:
    return {key: row.after for key, row in state.items()}


@given(histories)
def test_applying_deltas_gives_the_state_that_was_wished_for(history: list[Plain]) -> None:
    state: State = {}
    _run(state, history)
    expected: Plain = {}
    for wish in history:
        for key, value in wish.items():
            if value[0] is None:
                expected.pop(key, None)
            else:
                expected[key] = value
    assert _plain(state) == expected


@given(histories, histories, histories)
def test_differences_are_exactly_what_differs(shared: list[Plain], left: list[Plain], right: list[Plain]) -> None:
    start: State = {}
    _run(start, shared)
    a, b = dict(start), dict(start)
    left_deltas, right_deltas = _run(a, left), _run(b, right)
    found = list(differences(left_deltas, right_deltas))
    assert (found == []) == (_plain(a) == _plain(b))
    changed = _plain(a)
    for one in found:
        assert changed.get(one.key, (None, None)) == one.old
        if one.new[0] is None:
            del changed[one.key]
        else:
            changed[one.key] = one.new
    assert changed == _plain(b)
    back = {one.key: (one.new, one.old) for one in differences(right_deltas, left_deltas)}
    assert back == {one.key: (one.old, one.new) for one in found}


@given(histories, st.randoms(use_true_random=False))
def test_the_id_of_a_version_does_not_depend_on_order_but_on_content(history: list[Plain], shuffled) -> None:  # type: ignore[no-untyped-def]
    state: State = {}
    seen: dict[str, list[Row]] = {}
    for rows in _run(state, history):
        items = [row.item for row in rows]
        mixed, mixed_items = list(rows), list(items)
        shuffled.shuffle(mixed)
        shuffled.shuffle(mixed_items)
        made = commit_id(["p"], "s", items, rows)
        assert commit_id(["p"], "s", mixed_items, mixed) == made
        same = seen.setdefault(made, sorted(rows, key=lambda row: row.key))
        assert same == sorted(rows, key=lambda row: row.key)
