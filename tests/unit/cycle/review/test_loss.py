"""The declared loss of a policy: read, priced, checked against the question, and compared with another one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handrail.cycle.review.loosening import compare
from handrail.cycle.review.loss import (
    MOST_ANSWERS,
    CostTable,
    PartsLoss,
    digest_of,
    document_of,
    loss_from,
    loss_of,
    loss_problems,
    read_loss,
)
from handrail.cycle.review.policy import Policy, PolicyInvalid

TABLE = {"kind": "costs", "costs": {"malignant": {"benign": 1.0}, "benign": {"malignant": 0.1}}, "default": 0.5}


def read(given: Any) -> Any:
    problems: list[str] = []
    made = read_loss(given, problems)
    assert not problems, problems
    return made


def problems_of(given: Any, **more: Any) -> str:
    with pytest.raises(PolicyInvalid) as caught:
        Policy.from_dict({"question": "finding", "loss": given, **more})
    return "; ".join(caught.value.facts["problems"])


def test_a_table_prices_each_mistake_by_what_is_right() -> None:
    table = read(TABLE)
    assert table.of("benign", "malignant") == 1.0
    assert table.of("malignant", "benign") == 0.1
    assert table.of("other", "benign") == 0.5
    assert table.of("benign", "unheard of") == 0.5
    assert {table.of(one, one) for one in ("benign", "malignant", "other")} == {0.0}


def test_without_a_loss_every_mistake_costs_one() -> None:
    assert (loss_of(None, "a", "a"), loss_of(None, "a", "b")) == (0.0, 1.0)
    assert (read({"kind": "costs"}).of("a", "b"), read(None)) == (1.0, None)


def test_an_answer_of_parts_costs_the_share_that_only_one_side_names() -> None:
    parts = read({"kind": "parts", "separator": "+"})
    assert parts.of("cough+fever", "fever + cough") == 0.0
    assert parts.of("cough", "cough+fever") == 0.5
    assert parts.of("cough", "rash") == 1.0
    assert parts.of("a+b", "b+c") == pytest.approx(2 / 3)


@pytest.mark.parametrize("given", [TABLE, {"kind": "parts", "separator": " | "}])
def test_a_loss_survives_its_document_and_its_policy(given: dict[str, Any]) -> None:
    made = read(given)
    kept = json.loads(json.dumps(document_of(made)))
    assert loss_from(kept) == made
    assert Policy.from_dict(json.loads(json.dumps(Policy(question="finding", loss=made).to_dict()))).loss == made
    assert len(digest_of(made)) == 64


def test_the_digest_is_of_the_meaning() -> None:
    same = {"kind": "costs", "costs": {"benign": {"malignant": 0.1, "benign": 0}, "malignant": {"benign": 1}}}
    assert digest_of(read({**same, "default": 0.5})) == digest_of(read(TABLE))
    assert digest_of(read(same)) != digest_of(read(TABLE))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("costs", "must be an object of kind costs or parts"),
        ({"kind": "spans"}, "spans need a question whose answers are spans"),
        ({"kind": "costs", "separator": "+"}, "separator is not a part of it"),
        ({"kind": "costs", "default": 1.2}, "default must be a number from 0 to 1"),
        ({"kind": "costs", "default": True}, "default must be a number from 0 to 1"),
        ({"kind": "costs", "costs": {"a": {"b": -0.1}}}, "b where a is right must cost a number from 0 to 1"),
        ({"kind": "costs", "costs": {"a": {"b": float("nan")}}}, "b where a is right must cost a number from 0 to 1"),
        ({"kind": "costs", "costs": {"a": {"a": 0.2}}}, "a where it is right costs 0"),
        ({"kind": "costs", "costs": {"a": 0.2}}, "costs must be right answer -> given answer -> cost"),
        ({"kind": "costs", "costs": {str(n): {} for n in range(MOST_ANSWERS + 1)}}, "of at most 200 answers each"),
        ({"kind": "parts"}, "separator must be 1 to 8 printable characters"),
    ],
)
def test_what_is_no_loss_is_refused_with_its_reason(given: Any, said: str) -> None:
    assert said in problems_of(given)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"groups": [{"name": "site=north"}], "groups_apart": True}, "groups are certified apart for right and wrong"),
        ({"certify_automate": 0.7}, "not for a share to automate"),
        ({"certificate_mode": "strict"}, "takes the place of mode strict"),
    ],
)
def test_what_a_loss_does_not_go_with_yet_is_refused(more: dict[str, Any], said: str) -> None:
    assert said in problems_of(TABLE, **more)
    assert Policy.from_dict({"question": "finding", **more}).loss is None


@pytest.mark.parametrize(
    ("loss", "choices", "said"),
    [
        (CostTable(), (), "loss: needs a question with choices"),
        (CostTable({"a": {"z": 1.0}}), ("a", "b"), "loss: the question has no answer 'z'"),
        (CostTable(default=0.05), ("a", "b"), "loss: no mistake costs more than alpha (0.05), so nothing would be"),
        (CostTable({"a": {"b": 0.0}, "b": {"a": 0.0}}), ("a", "b"), "loss: no mistake costs more than alpha"),
        (PartsLoss("+"), ("a", "b"), "loss: no choice has several parts between '+'"),
    ],
)
def test_a_loss_must_fit_the_question(loss: Any, choices: tuple[str, ...], said: str) -> None:
    (problem,) = loss_problems(loss, choices, 0.05)
    assert problem.startswith(said)


def test_a_loss_that_fits_has_no_problem() -> None:
    assert loss_problems(None, (), 0.05) == []
    assert loss_problems(read(TABLE), ("malignant", "benign"), 0.05) == []
    assert loss_problems(PartsLoss("+"), ("a", "b", "a+b"), 0.05) == []


@pytest.mark.parametrize(
    ("old", "new", "looser", "tighter"),
    [
        (None, CostTable(), [], []),
        (None, CostTable({"b": {"a": 0.4}}), ["loss: 'a' where 'b' is right costs less, 0.4 and not 1"], []),
        (CostTable({"b": {"a": 0.4}}), None, [], ["loss: 'a' where 'b' is right costs more, 1 and not 0.4"]),
        (
            CostTable({"b": {"a": 0.4}, "a": {"b": 0.6}}),
            CostTable({"b": {"a": 0.5}, "a": {"b": 0.5}}),
            ["loss: 'b' where 'a' is right costs less, 0.5 and not 0.6"],
            ["loss: 'a' where 'b' is right costs more, 0.5 and not 0.4"],
        ),
        (
            CostTable({"b": {"a": 0.4}}),
            CostTable({"b": {"a": 0.4}}, default=0.9),
            ["loss: 'b' where 'a' is right costs less, 0.9 and not 1, and so do 5 other kinds"],
            [],
        ),
        (None, PartsLoss("+"), ["loss: mistakes are counted in another way, and some may cost less"], []),
        (PartsLoss("+"), None, [], ["loss: an answer that is partly wrong counts as wrong"]),
        (PartsLoss("+"), PartsLoss("|"), ["loss: mistakes are counted in another way, and some may cost less"], []),
    ],
)
def test_a_cost_that_falls_anywhere_lowers_a_safeguard(
    old: Any, new: Any, looser: list[str], tighter: list[str]
) -> None:
    found = compare(Policy("finding", loss=old), Policy("finding", loss=new))
    assert (list(found.looser), list(found.tighter)) == (looser, tighter)
