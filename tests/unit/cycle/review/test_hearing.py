"""When an audit counts as wrong, and how verdicts in any order give the brake of the order of the decisions."""

import itertools

import pytest

from handrail.cycle.review import brake
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.hearing import MOST_OPEN, confirmed, replayed
from handrail.cycle.review.loss import CostTable
from handrail.cycle.review.model import AuditRow


@pytest.mark.parametrize(
    ("values", "alone", "second"),
    [
        (["a"], False, False),
        (["b"], True, None),
        (["b", "b"], True, True),
        (["b", "c"], True, True),
        (["b", "a"], True, None),
        (["b", "a", "b"], True, True),
        (["b", "a", "a"], True, False),
    ],
)
def test_an_error_is_confirmed(values: list[str], alone: bool, second: bool | None) -> None:
    assert confirmed("a", values[:1], second_opinion=False) == alone
    assert confirmed("a", values, second_opinion=True) == second


def ring(*wrong: bool | None) -> list[AuditRow]:
    return [AuditRow(f"d{place:04}", "c", Draw(0.1, 0.1), True, (), one, False, 0) for place, one in enumerate(wrong)]


NEW = brake.start(alpha=0.05, lifetime=200)


def test_what_is_settled_is_folded_up_to_the_oldest_open_audit() -> None:
    now, kept, folded = replayed(NEW, ring(False, True, None, True))
    assert (now.audits, now.wrong, kept.audits, kept.wrong, folded) == (4, 2, 2, 1, 2)
    assert replayed(NEW, ring(None, True))[1:] == (NEW, 0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_of_the_verdicts_does_not_matter(order: tuple[int, ...]) -> None:
    truth = (True, False, True, True)
    state, open_ = NEW, list(ring(None, None, None, None))
    for place in order:
        open_ = [
            one if one.decision_id != f"d{place:04}" else ring(*[truth[place]] * (place + 1))[place] for one in open_
        ]
        _, state, folded = replayed(state, open_)
        open_ = open_[folded:]
    straight = brake.replay(NEW, [(wrong, Draw(0.1, 0.1)) for wrong in truth])
    assert (state, open_) == (straight, [])


def test_an_open_audit_counts_as_right_and_a_late_error_brakes_at_the_moment_it_belongs_to() -> None:
    small = brake.start(alpha=0.02, lifetime=100)
    waiting = replayed(small, ring(*[None] * 6, *[False] * 400))[0]
    assert not waiting.braked
    late = replayed(small, ring(*[True] * 6, *[False] * 400))[0]
    assert late.braked
    assert late.braked_at is not None
    assert late.braked_at <= 6
    assert late.e_value < 1 / late.delta, "the end alone would not brake"


def test_beyond_the_ring_the_oldest_open_audit_counts_as_right_for_good() -> None:
    _, kept, folded = replayed(NEW, ring(*[None] * (MOST_OPEN + 3)))
    assert (kept.audits, kept.wrong, folded) == (3, 0, 3)


@pytest.mark.parametrize(
    ("values", "alone", "second"),
    [
        (["a"], 0.0, 0.0),
        (["harmless"], 0.0, 0.0),
        (["b"], 0.2, None),
        (["b", "c"], 0.2, 0.2),
        (["c", "b"], 0.9, 0.2),
        (["c", "harmless"], 0.9, None),
        (["c", "a", "b"], 0.9, 0.2),
        (["b", "a", "harmless"], 0.2, 0.0),
    ],
)
def test_a_loss_is_confirmed_as_far_as_two_people_found_it(
    values: list[str], alone: float, second: float | None
) -> None:
    costs = CostTable({"b": {"a": 0.2}, "c": {"a": 0.9}, "harmless": {"a": 0.0}})
    assert confirmed("a", values[:1], second_opinion=False, loss=costs) == alone
    assert confirmed("a", values, second_opinion=True, loss=costs) == second
