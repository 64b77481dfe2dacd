"""handrail.Monitor beside the server: on the same log both hold the same evidence. On both databases."""

from __future__ import annotations

from typing import Any

import pytest

import handrail
from handrail.cycle.review import brake
from tests.integration.cycle.review.test_brake import audits, certificate, check, stream
from tests.integration.cycle.review.ward import Ward


def close(one: Any, other: Any) -> bool:
    """Compare two states: numbers up to the rounding of sums, which a database adds in an order of its own."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(close, one, other))
    return bool(one == pytest.approx(other, rel=1e-9)) if isinstance(one, float) else bool(one == other)


@pytest.mark.parametrize("late", [0, 4])
async def test_the_notebook_and_the_server_agree_on_the_same_log(ward: Ward, late: int) -> None:
    row = ward.automatic(audit_rate=0.3)
    await stream(ward, 90)
    tasks = audits(ward)
    order = [*tasks[late:], *tasks[:late]]
    truth = {str(task.decision_id): place % 7 == 2 for place, task in enumerate(order)}
    monitor = handrail.Monitor(row.alpha, 0.05, 4000, plan=row.document["audit_plan"])
    numbers = {}
    for one in sorted((one for one in ward.decisions() if one.route == "auto"), key=lambda one: one.id):
        assert one.score is not None
        assert one.prediction is not None
        planned = monitor.decide(one.score, one.prediction["value"], audited=one.audited)
        assert planned.probability == one.audit_probability
        numbers[one.id] = planned.number
    assert len(order) > 15
    for task in order:
        check(ward, task, wrong=truth[str(task.decision_id)])
        monitor.verdict(numbers[str(task.decision_id)], truth[str(task.decision_id)])
        assert close(monitor.brake.to_dict(), certificate(ward, row.id).brake)
    assert max(monitor.brake.wealths) > 1
    assert monitor.brake != brake.start(alpha=row.alpha)
