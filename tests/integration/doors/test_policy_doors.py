"""A policy on the command line and in the Python client: tried on recorded decisions, then put into force."""

from __future__ import annotations

from pathlib import Path

import pytest

import handrail
from handrail.cycle.datasets import Schema
from handrail.doors.cli.policy_text import read_yaml
from handrail.doors.cli.terminal import BadFile
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


def test_a_policy_in_yaml_means_what_it_says(terminal: Terminal) -> None:
    with handrail.connect(terminal.home) as client:
        client.create_project("pay", Schema.from_dict(SCHEMA))
    text = """
        # Card payments
        question: fraud
        alpha: 0.02
        rules:
          - name: large
            when: item.amount > 3.0
            then: block
    """
    made = terminal.json("policy set", terminal.file("policy.yaml", text), "-p", "pay")
    assert made["document"]["alpha"] == 0.02
    assert made["document"]["rules"][0]["when"] == "item.amount > 3.0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alpha: 0.1\nalpha: 0.2\n", "line 2"),
        ("rules:\n - {name: a, name: b}\n", "line 2"),
        ("a: &x [1]\nb: *x\n", "anchors"),
        ("a: !!python/object:os.system {}\n", "tags"),
        ("a: [", "cannot be read as YAML"),
        ("a: 1\n--- \nb: 2\n", "cannot be read as YAML"),
        ("? [1]\n: 2\n", "no text"),
        ("[" * 3000 + "]" * 3000, "cannot be read as YAML"),
        ("a" * (1 << 20) + "a", "longer"),
    ],
)
def test_what_yaml_would_hide_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadFile) as caught:
        read_yaml(text, "policy.yaml")
    assert said in caught.value.sentence


def test_conditions_of_a2i_become_a_policy_that_can_be_tried(terminal: Terminal) -> None:
    conditions = {
        "Conditions": [
            {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 20}},
            {"ConditionType": "MissingImportantFormKey", "ConditionParameters": {"ImportantFormKey": "Amount (EUR)"}},
            {"ConditionType": "FaceCheck", "ConditionParameters": {}},
        ]
    }
    with handrail.connect(terminal.home) as client:
        client.create_project("pay", Schema.from_dict(SCHEMA)).set_policy(POLICY)
    file, out = terminal.file("a2i.json", conditions), str(terminal.folder / "policy.json")
    more = ("-p", "pay", "--question", "fraud", "--value", "Amount (EUR)=amount", "--out", out)
    told = terminal.json("policy import-a2i", file, *more)
    assert [one["path"] for one in told["unsupported"]] == ["$.Conditions[2]"]
    assert (told["policy"]["audit_rate"], len(told["policy"]["rules"])) == (pytest.approx(0.2), 1)
    code, said, _ = terminal.type("policy import-a2i", file, *more, "--home", str(terminal.home))
    assert code == 0
    assert "Not supported: $.Conditions[2]" in said
    assert terminal.json("policy try", out, "-p", "pay")["tighter"] != []
