"""A policy on the command line and in the Python client: tried on recorded decisions, then put into force."""

from __future__ import annotations

from pathlib import Path

import pytest

import handrail
from handrail.cycle.datasets import Schema
from handrail.foundation.errors import Conflict
from tests.integration.doors.test_cli import POLICY, SCHEMA, Terminal

STRICT = {**POLICY, "rules": [{"name": "large", "when": "item.amount > 3.0", "then": "block"}]}


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


def test_a_policy_is_tried_and_a_looser_one_is_acknowledged(terminal: Terminal) -> None:
    with handrail.connect(terminal.home) as client:
        project = client.create_project("pay", Schema.from_dict(SCHEMA))
        project.set_policy(POLICY)
        for number in range(6):
            project.decide(f"p-{number}", {"amount": float(number)})
        found = project.try_policy(STRICT, look_cost=2.5)
        assert (found.policy.total.blocked, found.policy.total.people) == (2, 4)
        assert found.in_force is not None
        assert found.in_force.total.people == 6
        assert found.policy.cost.look_cost == pytest.approx(10.0)
        project.set_policy(STRICT)
        with pytest.raises(Conflict) as caught:
            project.set_policy(POLICY)
        assert caught.value.code == "review.policy_looser"
        assert caught.value.facts["looser"] == ["rule large: is gone"]

    strict, loose = terminal.file("strict.json", STRICT), terminal.file("loose.json", POLICY)
    told = terminal.json("policy try", loose, "-p", "pay", "--limit", "5", "--since", "2020-01-01")
    assert (told["decisions"], told["more"], told["looser"]) == (5, True, ["rule large: is gone"])
    code, out, _ = terminal.type(
        "policy try", strict, "-p", "pay", "--home", str(terminal.home), "--look-cost", "2", "--error-cost", "9"
    )
    assert code == 0
    assert "Unknown: No certificate has been issued yet" in out
    assert "large" in out
    code, _, err = terminal.type("policy set", loose, "-p", "pay", "--home", str(terminal.home))
    assert code == 1
    assert "rule large: is gone" in err
    assert terminal.json("policy set", loose, "-p", "pay", "--loosens")["version"] == 3
