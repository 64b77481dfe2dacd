"""Merging by row and question against a model so plain that it can be read: dictionaries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.datasets.delta import Key, Row, apply, differences
from handrail.cycle.datasets.merge import Merge, as_theirs, last_shared, three_way

Label = tuple[object, str | None]
Plain = dict[Key, Label]
NOTHING: Label = (None, None)
keys = st.tuples(st.sampled_from("abcde"), st.sampled_from(["diagnosis", "grade"]))
labels = st.tuples(st.sampled_from(["benign", "malignant", 1.0]), st.sampled_from(["train", "holdout"]))
versions = st.dictionaries(keys, labels, max_size=8)
edits = st.dictionaries(keys, st.one_of(labels, st.just(NOTHING)), max_size=8)


def _after(before: Plain, edit: Plain) -> Plain:
    return {key: label for key, label in (before | edit).items() if label != NOTHING}


def _rows(before: Plain, after: Plain, actor: str) -> list[Row]:
    return [
        Row(*key, old[0], new[0], old[1], new[1], "edit", None, actor, "why")
        for key in before.keys() | after.keys()
        if (old := before.get(key, NOTHING)) != (new := after.get(key, NOTHING))
    ]


def _merge(base: Plain, ours: Plain, theirs: Plain) -> Merge:
    changed = [
        {one.key: one for one in differences([], [_rows(base, side, actor)])}
        for side, actor in ((ours, "person:us"), (theirs, "person:them"))
    ]
    return three_way([(changed[0], changed[1])])


def _applied(ours: Plain, merge: Merge) -> Plain:
    state = {row.key: row for row in _rows({}, ours, "person:us")}
    apply(state, merge.rows)
    return {key: row.after for key, row in state.items()}


def _model(base: Plain, ours: Plain, theirs: Plain) -> tuple[Plain, set[Key]]:
    merged, clashes = dict(ours), set[Key]()
    for key in base.keys() | ours.keys() | theirs.keys():
        before, us, them = (side.get(key, NOTHING) for side in (base, ours, theirs))
        if us == before and them != NOTHING:
            merged[key] = them
        elif us == before:
            merged.pop(key, None)
        elif them not in (before, us):
            clashes.add(key)
    return merged, clashes


@given(versions, edits, edits)
def test_a_merge_is_what_the_model_says(base: Plain, us: Plain, them: Plain) -> None:
    ours, theirs = _after(base, us), _after(base, them)
    found = _merge(base, ours, theirs)
    merged, clashes = _model(base, ours, theirs)
    assert _applied(ours, found) == merged
    assert {one.key for one in found.clashes} == clashes
    for one in found.clashes:
        assert (one.base, one.ours, one.theirs) == tuple(side.get(one.key, NOTHING) for side in (base, ours, theirs))
        assert (one.ours_by.actor, one.theirs_by.actor) == ("person:us", "person:them")


@given(versions, edits)
def test_merging_what_is_there_or_nothing_new_changes_nothing(base: Plain, us: Plain) -> None:
    ours = _after(base, us)
    for theirs in (base, ours):
        found = _merge(base, ours, theirs)
        assert (found.rows, found.clashes) == ([], [])
    assert _applied(base, _merge(base, base, ours)) == ours


@given(versions, edits, edits)
def test_both_ways_come_to_the_same_where_nothing_clashes(base: Plain, us: Plain, them: Plain) -> None:
    ours, theirs = _after(base, us), _after(base, them)
    here, there = _merge(base, ours, theirs), _merge(base, theirs, ours)
    clashes = {one.key for one in here.clashes}
    assert clashes == {one.key for one in there.clashes}
    left, right = _applied(ours, here), _applied(theirs, there)
    assert {key: one for key, one in left.items() if key not in clashes} == {
        key: one for key, one in right.items() if key not in clashes
    }
    # Settled their way, a clash is what they have.
    settled = {row.key: row.after for row in map(as_theirs, here.clashes)}
    assert settled == {key: theirs.get(key, NOTHING) for key in clashes}


@given(versions, edits, edits)
def test_no_edit_is_lost(base: Plain, us: Plain, them: Plain) -> None:
    ours, theirs = _after(base, us), _after(base, them)
    found = _merge(base, ours, theirs)
    merged, clashes = _applied(ours, found), {one.key for one in found.clashes}
    for key in base.keys() | ours.keys() | theirs.keys():
        for side in (ours, theirs):
            if side.get(key, NOTHING) != base.get(key, NOTHING):
                assert key in clashes or merged.get(key, NOTHING) == side.get(key, NOTHING)


@given(versions, versions, edits, edits)
def test_with_two_shared_versions_only_what_both_lead_to_is_taken(
    one: Plain, other: Plain, us: Plain, them: Plain
) -> None:
    ours, theirs = _after(one, us), _after(other, them)
    ways = []
    for base in (one, other):
        mine = {row.key: row for row in differences([], [_rows(base, ours, "person:us")])}
        ways.append((mine, {row.key: row for row in differences([], [_rows(base, theirs, "person:them")])}))
    found = three_way(ways)
    results = [_model(base, ours, theirs) for base in (one, other)]
    clashes = {key for _, those in results for key in those}
    clashes |= {
        key
        for key in results[0][0].keys() | results[1][0].keys()
        if results[0][0].get(key, NOTHING) != results[1][0].get(key, NOTHING)
    }
    assert {one.key for one in found.clashes} == clashes
    merged = _applied(ours, found)
    for key in (results[0][0].keys() | results[1][0].keys()) - clashes:
        assert merged.get(key, NOTHING) == results[0][0].get(key, NOTHING)


parents = st.lists(st.sets(st.integers(0, 30), max_size=2), min_size=1, max_size=20)


@given(parents, st.data())
def test_the_last_shared_versions_are_those_that_no_later_shared_one_was_made_from(
    given_parents: list[set[int]], data: st.DataObject
) -> None:
    graph = {str(at): sorted({str(one % at) for one in some}) if at else [] for at, some in enumerate(given_parents)}
    a, b = (data.draw(st.sampled_from(sorted(graph))) for _ in range(2))

    def below(one: str) -> set[str]:
        return {one}.union(*(below(parent) for parent in graph[one]))

    shared = below(a) & below(b)
    expected = {one for one in shared if not any(one in below(other) for other in shared - {one})}
    assert set(last_shared(graph, a, b)) == expected
