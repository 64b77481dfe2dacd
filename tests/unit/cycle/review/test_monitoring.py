"""handrail.Monitor: late and shuffled verdicts, saving, groups, and that it never knows more than it was told."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.cycle.review import brake
from handrail.cycle.review.audit_draw import AuditPlanInvalid
from handrail.cycle.review.audit_terms import Draw
from handrail.cycle.review.brake import BrakeInvalid
from handrail.cycle.review.monitoring import MonitorInvalid

SCORES = [0.3 + 0.7 * place / 400 for place in range(400)]
ERRORS = [float(place % 7 == 0 and place < 200) for place in range(400)]


def monitor(**more: Any) -> handrail.Monitor:
    return handrail.Monitor(**{"alpha": 0.05, "horizon": 400, "rate": 0.3, "scores": SCORES, "errors": ERRORS, **more})


def audited(one: handrail.Monitor, number: int, group: str = "") -> list[int]:
    """Decide until so many decisions were drawn for an audit, at scores all over; returns their numbers."""
    found: list[int] = []
    for place in range(10_000):
        planned = one.decide(SCORES[place * 37 % 400], group)
        found += [planned.number] if planned.audited else []
        if len(found) == number:
            return found
    raise AssertionError("hardly anything is drawn")


def test_draws_repeat_with_the_seed_and_have_the_probability_that_is_said() -> None:
    one, same, other = monitor(seed=4), monitor(seed=4), monitor(seed=5)
    seen = [[each.decide(SCORES[place * 37 % 400]) for place in range(2000)] for each in (one, same, other)]
    assert seen[0] == seen[1] != seen[2]
    expected = sum(planned.probability for planned in seen[0])
    spread = sum(planned.probability * (1 - planned.probability) for planned in seen[0]) ** 0.5
    assert abs(sum(planned.audited for planned in seen[0]) - expected) < 4 * spread
    assert expected == pytest.approx(0.3 * 2000, rel=0.1)


def test_the_order_of_the_verdicts_does_not_matter_and_what_is_open_counts_as_right() -> None:
    straight, shuffled, never = monitor(), monitor(), monitor()
    numbers = audited(straight, 80)
    for each in (shuffled, never):
        assert audited(each, 80) == numbers
    wrong = {number for place, number in enumerate(numbers) if place % 19 == 3}
    for number in numbers:
        straight.verdict(number, number in wrong)
    mixed = numbers[:]
    random.Random(3).shuffle(mixed)
    for number in mixed:
        shuffled.verdict(number, number in wrong)
        assert shuffled.e_value <= straight.brake.lifetime
    assert shuffled.brake == straight.brake
    for number in numbers:
        if number not in wrong:
            never.verdict(number, False)
    assert never.open == tuple(sorted(wrong))
    assert never.e_value < straight.e_value


def test_saved_and_loaded_in_the_middle_it_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = monitor(seed=9, groups={"sex=f": 0.05, "sex=m": 0.08})
    parts = monitor(seed=9, groups={"sex=f": 0.05, "sex=m": 0.08})
    for place in range(300):
        if place % 60 == 30:
            parts.save(tmp_path / "monitor.json")
            parts = handrail.Monitor.load(tmp_path / "monitor.json")
        group = ("sex=f", "sex=m", "unknown")[place % 3]
        both = [each.decide(SCORES[place * 37 % 400], group) for each in (whole, parts)]
        assert both[0] == both[1]
        if both[0].audited and place % 11:  # some stay open
            assert whole.verdict(both[0].number, place % 23 == 0) == parts.verdict(both[0].number, place % 23 == 0)
    assert whole.to_dict() == parts.to_dict()
    assert whole.interval == parts.interval
    assert whole.brake.audits > 50
    assert handrail.Monitor.from_dict(json.loads(json.dumps(whole.to_dict()))).to_dict() == whole.to_dict()


def test_it_warns_audits_more_and_brakes() -> None:
    one = monitor(horizon=200)
    before = one.decide(0.5).probability
    states = []
    for number in audited(one, 60):
        states.append(one.verdict(number, True))
        if states[-1] == "warned" and "warned" not in states[:-1]:
            assert one.decide(0.5).probability > before
    assert [states[0], "warned" in states, states[-1]] == ["auto", True, "braked"]
    assert one.e_value >= 1 / one.brake.delta
    assert one.verdict(audited(one, 1)[0], False) == "braked", "for good"


def test_after_its_lifetime_a_new_certificate_is_due() -> None:
    one = handrail.Monitor(0.05, horizon=100)
    assert [one.update(False, 0.1) for _ in range(100)][-2:] == ["auto", "expired"]


def test_a_group_that_fails_is_named() -> None:
    one = monitor(horizon=100, groups={"a": 0.05, "b": 0.05}, rate=1.0)
    for place in range(120):
        group = "ab"[place % 2]
        one.verdict(one.decide(0.9, group, audited=True).number, group == "b" and place % 8 == 1)
        if one.state == "braked":
            break
    assert one.state == "braked"
    assert set(one.brake.named) <= {"b"}
    assert one.braked_groups in ((), ("b",))


def test_update_gives_what_the_brake_gives() -> None:
    one, state = handrail.Monitor(0.05, 0.1, 300), brake.start(alpha=0.05, delta=0.1, lifetime=300)
    total = 0.0
    for place in range(60):
        wrong, chance = place % 9 == 0, (0.05, 0.1)[place % 2]
        total += chance
        state = brake.update(state, wrong, Draw(chance, total / (place + 1)))
        one.update(wrong, chance)
    assert one.brake == state
    assert one.estimate.n == 60
    assert one.estimate.low < 7 / 60 < one.estimate.high


def test_expected_errors_count_with_the_decisions_between() -> None:
    one = handrail.Monitor(0.05, rate=0.1)
    for place in range(200):
        one.update(False if place % 10 == 0 else None, 0.1, eta=(0.02, 0.08)[place % 2])
    kept = [each.draw for each in one._audits]
    assert len(kept) == 20
    assert all(draw.control is not None and 0 < draw.control <= 0.15 for draw in kept)
    assert all(draw.idle[""][1] > 0 for draw in kept[1:])


def test_an_overdue_audit_widens_what_is_said_and_never_brakes() -> None:
    one = monitor()
    numbers = audited(one, 60)
    for number in numbers[1:]:
        one.verdict(number, False)
    assert one.interval.n == 0, "the first one may still come"
    before, evidence = one.estimate, one.e_value
    one.overdue(numbers[0])
    assert (one.interval.n, one.interval.overdue) == (60, 1)
    assert one.estimate.high > before.high
    assert (one.estimate.low, one.estimate.value, one.e_value) == (before.low, before.value, evidence)
    one.verdict(numbers[0], False)
    assert one.interval.overdue == 0


def test_a_higher_bound_of_the_reviewers_counts_from_then_on() -> None:
    plain, careful = monitor(), monitor()
    first = audited(plain, 20)
    assert audited(careful, 20) == first
    careful.trust_reviewers(0.05)
    later = audited(plain, 20)
    assert audited(careful, 20) == later
    for number in first:
        assert plain.verdict(number, True) == careful.verdict(number, True)
    assert plain.brake == careful.brake
    for number in later:
        plain.verdict(number, False)
        careful.verdict(number, True)
    assert careful.brake.wrong == 40
    assert [one.draw.reviewer_error for one in careful._audits][19:21] == [None, 0.05]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: handrail.Monitor(0.0), BrakeInvalid),
        (lambda: handrail.Monitor(0.05, rate=2.0), AuditPlanInvalid),
        (lambda: handrail.Monitor(0.05, scores=[0.5], errors=[]), AuditPlanInvalid),
        (lambda: handrail.Monitor(0.05).update(True, 0.0), MonitorInvalid),
        (lambda: handrail.Monitor(0.05).update(True, 0.1, eta=1.0), MonitorInvalid),
        (lambda: handrail.Monitor(0.05).verdict(1, True), MonitorInvalid),
        (lambda: handrail.Monitor(0.05).trust_reviewers(1.0), MonitorInvalid),
        (lambda: handrail.Monitor.from_dict({"format": "else"}), MonitorInvalid),
    ],
)
def test_what_makes_no_sense_is_refused(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_a_verdict_is_final_and_the_same_again_changes_nothing() -> None:
    one = monitor()
    (number,) = audited(one, 1)
    one.verdict(number, True)
    before = one.to_dict()
    one.verdict(number, True)
    assert one.to_dict() == before
    with pytest.raises(MonitorInvalid):
        one.verdict(number, False)


def test_it_needs_numpy_alone() -> None:
    code = (
        "import sys, handrail; m = handrail.Monitor(0.05); m.decide(0.9); m.update(True, 0.1); m.estimate; m.interval;"
        "sys.exit('scipy' in sys.modules or 'sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_verdict_may_be_a_loss() -> None:
    one = handrail.Monitor(0.05, rate=0.1)
    state = brake.start(alpha=0.05, delta=0.05, lifetime=4000)
    for place in range(60):
        number, lost = one.decide(0.9, audited=True).number, (0.0, 0.25, 1.0)[place % 3]
        one.verdict(number, lost)
        state = brake.update(state, lost, one._audits[-1].draw)
    assert one.brake.wealths == state.wealths
    assert (one.brake.audits, one.brake.wrong) == (60, 40)
    assert one.estimate.value == pytest.approx(1.25 / 3, abs=0.02)  # weighted: a few were likelier
    with pytest.raises(MonitorInvalid, match="impossible"):
        one.verdict(one.decide(0.9, audited=True).number, 1.5)
