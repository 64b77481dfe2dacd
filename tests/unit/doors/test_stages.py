"""What the loop page says of each stage."""

from __future__ import annotations

import pytest

from handrail.doors import stages

NARROW = "\u202f"
MEASURED = {"value": 0.97, "low": 0.936, "high": 0.989, "level": 0.95, "n": 200}


def test_labels_of_all_questions_are_counted_with_their_noun() -> None:
    made = stages.prepare(12_569, {"diagnosis": 2_417, "site": 11}, 72)
    assert (made.figure, made.detail) == (f"2{NARROW}428 labels", f"of 12{NARROW}569 items, 2 questions")
    assert (made.state, made.state_text) == ("decided", f"2{NARROW}356 in a commit")


def test_an_empty_project_says_what_to_do() -> None:
    made = stages.prepare(0, {}, 0)
    assert (made.figure, made.state, made.state_text) == ("0 labels", "pending", "add items")
    assert stages.train(None, "", None, running=False).figure == "no model"


def test_the_champion_is_told_with_its_interval() -> None:
    made = stages.train("model 2", "7f72d34fed", MEASURED, running=False)
    assert made.figure == f"97{NARROW}% right"
    assert made.detail == f"model 2, 94\u201399{NARROW}% (95{NARROW}% interval), n = 200 held out"
    assert (made.state, made.state_text) == ("decided", "champion")
    assert stages.train("model 2", "7f72d34fed", None, running=True).detail.endswith("not measured on held-out items")


@pytest.mark.parametrize(("share", "said"), [(0.9996, "99.96"), (1.0, "100"), (0.0004, "0.04"), (0.0, "0")])
def test_rounding_never_makes_it_perfect(share: float, said: str) -> None:
    assert stages.percent(share, 0) == f"{said}{NARROW}%"


def test_a_blind_check_is_counted_as_a_label() -> None:
    made = stages.review({"review": 40, "audit": 5, "label": 12, "sign_off": 1, "compare": 0}, "shadow")
    assert (made.figure, made.detail) == ("58 open tasks", "40 reviews, 17 labels, 1 signature")
    assert (made.state, made.state_text) == ("pending", "people decide")
    assert stages.review({}, "braked").state == "braked"


def test_groups_are_told_apart_while_the_whole_is_on() -> None:
    made = stages.review({}, "auto", ["auto", "human", "auto"])
    assert (made.state, made.state_text) == ("auto", "2 groups automatic, 1 with people")
    held = stages.review({}, "auto", ["auto", "braked"])
    assert (held.state, held.state_text) == ("warned", "1 group automatic, 1 braked")
    warned = stages.review({}, "warned", ["auto", "warned", "human"])
    assert (warned.state, warned.state_text) == ("warned", "2 groups automatic, 1 of them warned, 1 with people")
    assert stages.review({}, "stopped", ["auto"]).state_text == "stopped by a person"


def test_verdicts_wait_for_a_commit() -> None:
    assert stages.feedback(1).figure == "1 verdict"
    assert (stages.feedback(0).state, stages.feedback(72).state) == ("decided", "pending")


def test_an_alarm_is_shown_until_its_campaign_is_over() -> None:
    under_way = stages.watch(1, "2 fields differ", (3, 12), days=9)
    assert (under_way.figure, under_way.detail, under_way.state) == ("1 alarm", "2 fields differ", "warned")
    assert under_way.state_text == "campaign, 3 of 12"
    assert stages.watch(2, "2 fields differ", None, days=9).state_text == "no campaign yet"
    quiet = stages.watch(0, "", None, days=13)
    assert (quiet.figure, quiet.detail, quiet.state) == ("0 alarms", "13 days profiled", "decided")
