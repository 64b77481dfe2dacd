"""Parts of a split share no key, and do not depend on the order of the rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cycle.datasets.duplicates import find
from handrail.cycle.datasets.splits import DEFAULT, SplitInvalid, split

rows = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=2), max_size=30)


@given(rows, st.integers(0, 9), st.randoms(use_true_random=False))
def test_no_key_stands_in_two_parts_whatever_the_order(keys: list[list[str]], seed: int, source) -> None:  # type: ignore[no-untyped-def]
    names = [f"case-{number}" for number in range(len(keys))]
    found = split(names, keys, seed=seed, shares=DEFAULT)
    for key in "abcdefgh":
        assert len({part for some, part in zip(keys, found, strict=True) if key in some}) <= 1
    order = list(range(len(keys)))
    source.shuffle(order)
    mixed = split([names[at] for at in order], [keys[at] for at in order], seed=seed, shares=DEFAULT)
    assert mixed == [found[at] for at in order]


def test_shares_come_near_what_was_asked_and_the_seed_draws_another_split() -> None:
    names = [f"case-{number}" for number in range(10_000)]
    bare: list[list[str]] = [[] for _ in names]
    found = split(names, bare, seed=1, shares=DEFAULT)
    # Five standard deviations of a share of 0.8 and of 0.1 among ten thousand.
    assert abs(found.count("train") / 10_000 - 0.8) < 0.02
    assert abs(found.count("test") / 10_000 - 0.1) < 0.015
    assert found != split(names, bare, seed=2, shares=DEFAULT)


@pytest.mark.parametrize("shares", [{}, {"train": 0.5}, {"train": 1.5, "test": -0.5}, {"": 1.0}])
def test_shares_that_make_no_whole_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(SplitInvalid):
        split(["a"], [[]], seed=1, shares=shares)


words = st.lists(st.sampled_from("one two three four five six seven eight".split()), min_size=0, max_size=6)


@given(st.lists(words, max_size=12))
def test_the_same_text_is_always_found(texts: list[list[str]]) -> None:
    items = [{"text": " ".join(one)} for one in texts]
    sides = ["train" if place % 2 else "test" for place in range(len(items))]
    found = find(items, ["text"], [], sides)
    exact = [one for one in found if one.kind == "exact"]
    expected = {tuple(p for p, one in enumerate(items) if one == two) for two in items}
    assert {one.places for one in exact} == {one for one in expected if len(one) > 1}
    for one in found:
        assert one.leaks == (len({sides[place] for place in one.places}) > 1)


def test_nearly_the_same_text_is_found_and_another_is_not() -> None:
    base = [f"word{number}" for number in range(60)]
    near = [*base[:59], "other"]
    far = [*base[:30], *(f"new{number}" for number in range(30))]
    rows = [{"text": " ".join(one)} for one in (base, near, far)]
    (one,) = find(rows, ["text"], [], ["train", "holdout", "train"])
    assert (one.kind, one.places, one.sides, one.leaks) == ("text", (0, 1), ("holdout", "train"), True)


def test_nearly_the_same_numbers_are_found_and_others_are_not() -> None:
    rows = [{"a": float(number), "b": number * number / 7} for number in range(50)]
    rows.append({"a": 20.0000001, "b": 400 / 7 + 1e-9})
    (one,) = find(rows, [], ["a", "b"], [""] * 51)
    assert (one.kind, one.places, one.leaks) == ("numbers", (20, 50), False)
