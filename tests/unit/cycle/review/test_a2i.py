"""Activation conditions of A2I as a policy: what is mapped means the same, and what is not is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.cycle.review.a2i import FormFields, Imported, NotA2I, import_a2i
from handrail.cycle.review.check_condition import compile_apart
from handrail.cycle.review.condition import Condition
from handrail.cycle.review.model import Given
from handrail.cycle.review.routing import CONDITION_VARIABLES, condition_values

FIELDS = FormFields(
    values={"Mail address": "mail", "Phone Number": "phone"},
    confidences={"Mail address": "mail confidence", "Phone Number": "phone_confidence"},
)
MAIL_SURE: dict[str, Any] = {
    "ConditionType": "ImportantFormKeyConfidenceCheck",
    "ConditionParameters": {
        "ImportantFormKey": "Mail Address:",
        "ImportantFormKeyAliases": ["Mail address", "Mailing Add:"],
        "KeyValueBlockConfidenceLessThan": 90,
        "WordBlockConfidenceLessThan": 85.5,
    },
}
MISSING: dict[str, Any] = {
    "ConditionType": "MissingImportantFormKey",
    "ConditionParameters": {"ImportantFormKey": "Phone Number", "ImportantFormKeyAliases": ["Phone number:"]},
}
SUGGESTIVE: dict[str, Any] = {
    "ConditionType": "ModerationLabelConfidenceCheck",
    "ConditionParameters": {"ModerationLabelName": "Suggestive", "ConfidenceLessThan": 98, "ConfidenceGreaterThan": 50},
}
SAMPLED: dict[str, Any] = {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 5}}


def made(*conditions: Any, fields: FormFields = FIELDS) -> Imported:
    return import_a2i({"Conditions": list(conditions)}, "ok", fields)


def caught(found: Imported, item: dict[str, Any] | None = None, scores: dict[str, float] | None = None) -> bool:
    values = condition_values("auto", item or {}, {}, Given("x", 0.9, scores or {}))
    held = [Condition.compile(rule.when, CONDITION_VARIABLES).holds(values) for rule in found.policy.rules]
    assert all(isinstance(one, bool) for one in held), held
    return any(held)


def test_a_form_document_with_an_or_becomes_a_rule_for_each_branch_and_an_audit_rate() -> None:
    found = made({"Or": [MAIL_SURE, MISSING]}, SAMPLED)
    assert [rule.reason for rule in found.policy.rules] == ["A2I Conditions[0].Or[0]", "A2I Conditions[0].Or[1]"]
    assert {rule.then for rule in found.policy.rules} == {"human"}
    assert found.policy.audit_rate == pytest.approx(0.05)
    assert found.unsupported == ()
    fine = {"mail": "a", "mail confidence": 95, "phone": "1", "phone_confidence": 99.0}
    assert not caught(found, fine)
    assert caught(found, {**fine, "mail confidence": 89.9})
    assert caught(found, {**fine, "phone": None})
    assert caught(found, {**fine, "phone": ""})
    assert caught(found, {name: value for name, value in fine.items() if name != "phone"})


def test_moderation_labels_compare_their_own_score_in_percent() -> None:
    found = made(SUGGESTIVE)
    assert caught(found, scores={"Suggestive": 0.97})
    assert not caught(found, scores={"Suggestive": 0.98})
    assert not caught(found, scores={"Suggestive": 0.5})
    assert not caught(found, scores={"Violence": 0.7})
    anything = {**SUGGESTIVE, "ConditionParameters": {"ModerationLabelName": "*", "ConfidenceGreaterThanEquals": 60}}
    assert caught(made(anything), scores={"Violence": 0.6})
    assert not caught(made(anything), scores={"Violence": 0.59})


def test_and_and_or_nest() -> None:
    found = made({"And": [{"Or": [MAIL_SURE, MISSING]}, SUGGESTIVE]})
    assert len(found.policy.rules) == 1
    low = {"mail confidence": 10, "phone": "1"}
    assert caught(found, low, {"Suggestive": 0.7})
    assert not caught(found, low, {"Suggestive": 0.99})
    assert not caught(found, {"mail confidence": 99, "phone": "1"}, {"Suggestive": 0.7})


def test_every_key_stands_for_every_field_that_was_named() -> None:
    every = {
        "ConditionType": "ImportantFormKeyConfidenceCheck",
        "ConditionParameters": {"ImportantFormKey": "*", "KeyValueBlockConfidenceLessThanEquals": 70},
    }
    assert caught(made(every), {"mail confidence": 90, "phone_confidence": 70})
    assert not caught(made(every), {"mail confidence": 90, "phone_confidence": 71})


def test_samplings_that_each_suffice_add_up() -> None:
    half = {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 50}}
    assert made(half, {"Or": [half, MISSING]}).policy.audit_rate == pytest.approx(0.75)
    assert made(MISSING).policy.audit_rate == pytest.approx(0.1)  # no sampling: what a policy audits by default


@pytest.mark.parametrize(
    ("condition", "path", "why", "effect"),
    [
        ({"And": [MAIL_SURE, SAMPLED]}, "$.Conditions[0].And[1]", "random share", "more goes to people"),
        ({"Or": [MISSING, {"Not": []}]}, "$.Conditions[0].Or[1]", "neither And nor Or", "may become automatic"),
        ({**MAIL_SURE, "ConditionType": "FaceCheck"}, "$.Conditions[0]", "'FaceCheck' is not known", "may become"),
        (
            {**MISSING, "ConditionParameters": {"ImportantFormKey": "Name"}},
            "$.Conditions[0]",
            "no field of the item is named for the value of the form key 'Name'",
            "may become automatic",
        ),
        (
            {**SAMPLED, "ConditionParameters": {"RandomSamplingPercentage": 500}},
            "$.Conditions[0]",
            "RandomSamplingPercentage",
            "may become automatic",
        ),
        (
            {**SUGGESTIVE, "ConditionParameters": {"ModerationLabelName": "Suggestive", "ConfidenceNear": 3}},
            "$.Conditions[0]",
            "ConfidenceNear",
            "may become automatic",
        ),
        ({"And": [], "Or": []}, "$.Conditions[0]", "neither", "may become automatic"),
        (7, "$.Conditions[0]", "neither", "may become automatic"),
    ],
)
def test_what_has_no_counterpart_is_named_with_its_place(condition: Any, path: str, why: str, effect: str) -> None:
    (one,) = made(condition).unsupported
    assert one.path == path
    assert why in one.why
    assert effect in one.effect


def test_a_condition_that_is_too_long_for_a_rule_is_named() -> None:
    label = {"ModerationLabelName": "x" * 600, "ConfidenceLessThan": 3}
    long = {"ConditionType": "ModerationLabelConfidenceCheck", "ConditionParameters": label}
    found = made({"And": [long, MISSING]})
    assert found.policy.rules == ()
    assert "cannot be a rule" in found.unsupported[0].why


@pytest.mark.parametrize("document", [None, 3, "{", "[]", {}, {"Conditions": {}}, {"Conditions": [], "More": 1}])
def test_what_is_no_document_of_conditions_is_refused(document: Any) -> None:
    with pytest.raises(NotA2I):
        import_a2i(document, "ok", FIELDS)


def test_the_text_as_the_service_keeps_it_is_read_too() -> None:
    text = json.dumps({"Conditions": [MISSING]})
    wrapped = {"HumanLoopActivationConditions": text}
    assert import_a2i(text, "ok", FIELDS) == import_a2i(wrapped, "ok", FIELDS) == made(MISSING)


def test_the_conditions_pass_the_check_of_a_saved_policy() -> None:
    found = made({"And": [MAIL_SURE, MISSING]}, SUGGESTIVE)
    assert [compile_apart(rule.when) for rule in found.policy.rules] == [None, None]


LEAVES = st.sampled_from([MAIL_SURE, MISSING, SUGGESTIVE])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda word, parts: {word: parts}, st.sampled_from(["And", "Or"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(TREES, st.booleans(), st.booleans(), st.booleans())
def test_a_tree_means_what_it_says(tree: Any, low: bool, gone: bool, between: bool) -> None:
    def meant(one: Any) -> bool:
        if "And" in one:
            return all(meant(part) for part in one["And"])
        if "Or" in one:
            return any(meant(part) for part in one["Or"])
        return {"I": low, "M": gone}.get(one["ConditionType"][0], between) if one is not SUGGESTIVE else between

    found = made(tree)
    if found.unsupported:
        assert all("cannot be a rule" in one.why for one in found.unsupported)
        return
    item = {"mail confidence": 10 if low else 95, **({} if gone else {"phone": "1"})}
    assert caught(found, item, {"Suggestive": 0.7 if between else 0.99}) == meant(tree)
