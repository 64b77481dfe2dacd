"""What a design was made from survives its file unchanged, and says which items lie in a region."""

from __future__ import annotations

from handrail.cycle.review.certificates import Grounds


def test_numbers_survive() -> None:
    made = Grounds(["a", "b"], ["yes", 2.5], [0.1 + 0.2, 5e-324], [1 / 3], [1])
    again = Grounds.from_bytes(made.to_bytes())
    assert again == made
    assert again.to_bytes() == made.to_bytes()
    assert again.training == ([1 / 3], [1])
    assert again.said == {"a": (0.1 + 0.2, "yes"), "b": (5e-324, 2.5)}


def test_a_region_takes_what_lies_at_or_above_it() -> None:
    made = Grounds(["a", "b", "c"], ["x", "y", "z"], [0.9, 0.5, 0.4], [], [])
    assert made.above(0.5) == ["a", "b"]
    assert made.above(None) == ["a", "b", "c"]
    assert Grounds([], [], [0.9], [], []).above(0.5) == [], "scores of training belong to no item"
