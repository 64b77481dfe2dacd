"""Reads the HumanLoopActivationConditions of Amazon A2I into rules and an audit rate. Pure.

A condition that sends an inference to people becomes a rule; Sampling, a random share of everything, becomes the audit
rate: the same look at random, at a logged probability. Whatever has no counterpart is named with its place in the
document and what leaving it out means; nothing is dropped in silence.

Source: the published JSON schema for human loop activation conditions (Conditions, And, Or, ConditionType,
ConditionParameters) of the Textract and Rekognition integrations. Confidences there are percent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handrail.cycle.review.condition import LONGEST, ConditionRefused, measure
from handrail.cycle.review.policy import LEAST_SHARE, MOST_RULES, Policy, PolicyInvalid, Rule
from handrail.cycle.review.routing import CONDITION_VARIABLES

_LOGIC = {"And": " && ", "Or": " || "}
_COMPARED = {
    "LessThan": "<",
    "LessThanEquals": "<=",
    "Equals": "==",
    "GreaterThan": ">",
    "GreaterThanEquals": ">=",
}
_DEEPEST = 8
_NARROWER = "left out: what it alone would have sent to people may become automatic"
_WIDER = "left out of its And: the rule catches more, so more goes to people"


class NotA2I(PolicyInvalid):
    """The document is not one of human loop activation conditions."""

    code = "review.not_a2i"


@dataclass(frozen=True)
class FormFields:
    """Where an item holds what a form key means there.

    `values`: form key -> the item's field with its value. `confidences`: form key -> the item's field with its
    confidence, in percent as Textract gives it.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    confidences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Unsupported:
    """A part of the document without a counterpart: its JSON path, why, and what that means for the policy."""

    path: str
    why: str
    effect: str


@dataclass(frozen=True)
class Imported:
    """The policy that came out, and everything that did not come along."""

    policy: Policy
    unsupported: tuple[Unsupported, ...]


def import_a2i(document: Any, question: str, fields: FormFields) -> Imported:
    """Return the policy of a document (an object, or its text in JSON); raises NotA2I.

    Each condition of the list, and each branch of an Or at its top, is a rule of its own: any of them suffices.
    """
    reader = _Reader(fields)
    for number, one in enumerate(_conditions(document)):
        reader.top(one, f"$.Conditions[{number}]", 0)
    if len(reader.rules) > MOST_RULES:
        raise NotA2I(f"The document makes {len(reader.rules)} rules, a policy has {MOST_RULES} at most.")
    sampled = round(1.0 - reader.unsampled, 12)  # 20 percent is 0.2, not the next float
    rate = {} if sampled <= 0.0 else {"audit_rate": min(1.0, max(LEAST_SHARE, sampled))}
    rules = tuple(Rule(f"a2i-{number}", when, "human", why) for number, (when, why) in enumerate(reader.rules, start=1))
    return Imported(Policy.from_dict({"question": question, "rules": rules, **rate}), tuple(reader.unsupported))


def _conditions(document: Any) -> Sequence[Any]:
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            raise NotA2I("The activation conditions are not JSON.", hint="Send the object, or its text.") from None
    if isinstance(document, Mapping) and set(document) == {"HumanLoopActivationConditions"}:
        return _conditions(document["HumanLoopActivationConditions"])
    found = document.get("Conditions") if isinstance(document, Mapping) else None
    if not isinstance(found, list) or not isinstance(document, Mapping) or set(document) != {"Conditions"}:
        raise NotA2I("An object with the one list Conditions is expected.", hint="See the schema of A2I.")
    return found


class _Reader:
    """Collects rules, the chance that no sampling draws an item, and what has no counterpart."""

    def __init__(self, fields: FormFields) -> None:
        self._fields = fields
        self.rules: list[tuple[str, str]] = []
        self.unsampled = 1.0
        self.unsupported: list[Unsupported] = []

    def top(self, one: Any, path: str, depth: int) -> None:
        """Read a condition that suffices on its own."""
        if isinstance(one, Mapping) and set(one) == {"Or"} and isinstance(one["Or"], list) and depth < _DEEPEST:
            for number, part in enumerate(one["Or"]):
                self.top(part, f"{path}.Or[{number}]", depth + 1)
            return
        if isinstance(one, Mapping) and one.get("ConditionType") == "Sampling" and _is_simple(one):
            self._sample(one["ConditionParameters"], path)
            return
        when = self._expression(one, path, _NARROWER, depth)
        if when is None:
            return
        try:
            measure(when, CONDITION_VARIABLES)
        except ConditionRefused as refused:
            why = f"the condition of {len(when)} characters (of {LONGEST}) cannot be a rule: {refused.sentence}"
            self.unsupported.append(Unsupported(path, why, _NARROWER))
            return
        self.rules.append((when, f"A2I {path.removeprefix('$.')}"))

    def _sample(self, parameters: Mapping[str, Any], path: str) -> None:
        percent = parameters.get("RandomSamplingPercentage")
        if set(parameters) != {"RandomSamplingPercentage"} or not _is_percent(percent):
            why = "Sampling needs RandomSamplingPercentage, a number from 0 to 100, and nothing else"
            self.unsupported.append(Unsupported(path, why, _NARROWER))
            return
        self.unsampled *= 1.0 - float(parameters["RandomSamplingPercentage"]) / 100.0

    def _expression(self, one: Any, path: str, effect: str, depth: int) -> str | None:
        """Return a condition in CEL, None when nothing of it has a counterpart."""
        if isinstance(one, Mapping) and len(one) == 1 and depth < _DEEPEST:
            (word,) = one
            if word in _LOGIC and isinstance(one[word], list) and one[word]:
                inner = _WIDER if word == "And" else _NARROWER
                parts = [
                    self._expression(part, f"{path}.{word}[{number}]", inner, depth + 1)
                    for number, part in enumerate(one[word])
                ]
                kept = [part for part in parts if part is not None]
                return _LOGIC[word].join(f"({part})" if len(kept) > 1 else part for part in kept) or None
        why: str | None = "it is neither And nor Or with a list, nor ConditionType with ConditionParameters"
        if isinstance(one, Mapping) and _is_simple(one):
            made, why = self._simple(one["ConditionType"], one["ConditionParameters"])
            if why is None:
                return made
        self.unsupported.append(Unsupported(path, str(why), effect))
        return None

    def _simple(self, kind: Any, parameters: Mapping[str, Any]) -> tuple[str, str | None]:
        """Return (CEL, None), or ("", why there is none)."""
        if kind == "ModerationLabelConfidenceCheck":
            return _moderation(parameters)
        if kind == "ImportantFormKeyConfidenceCheck":
            return self._form_confidence(parameters)
        if kind == "MissingImportantFormKey":
            return self._form_missing(parameters)
        if kind == "Sampling":
            return (
                "",
                "a random share of what another condition catches has no counterpart: audits draw from all",
            )
        return "", f"the condition type {str(kind)[:80]!r} is not known"

    def _form_confidence(self, parameters: Mapping[str, Any]) -> tuple[str, str | None]:
        rest = {name: value for name, value in parameters.items() if name not in _KEY_NAMES}
        places, why = self._places(parameters, self._fields.confidences, "confidence")
        if why:
            return "", why
        # Each kind of block has a range of its own; either one out of place is a reason to look.
        found = []
        for block in ("KeyValueBlockConfidence", "WordBlockConfidence"):
            own = {name: value for name, value in rest.items() if name.startswith(block)}
            if own:
                compared, why = _compared(own, block)
                if why:
                    return "", why
                found.append(compared)
        strange = sorted(name for name in rest if not name.startswith(("KeyValueBlock", "WordBlock")))
        if strange or not found:
            return (
                "",
                f"it needs thresholds of block confidence and nothing else{': ' if strange else ''}{strange or ''}",
            )
        tests = []
        for place in places:
            number = f"double(item[{_text(place)}])"
            either = [" && ".join(f"{number} {sign} {limit}" for sign, limit in one) for one in dict.fromkeys(found)]
            tests.append(f"{_text(place)} in item && ({' || '.join(either)})")
        return " || ".join(f"({one})" if len(tests) > 1 else one for one in tests), None

    def _form_missing(self, parameters: Mapping[str, Any]) -> tuple[str, str | None]:
        strange = sorted(name for name in parameters if name not in _KEY_NAMES)
        if strange:
            return "", f"the parameters {', '.join(strange)[:200]} are not known"
        places, why = self._places(parameters, self._fields.values, "value")
        if why:
            return "", why
        tests = [f"!({_text(one)} in item) || item[{_text(one)}] == null || item[{_text(one)}] == ''" for one in places]
        return " || ".join(tests), None

    def _places(
        self, parameters: Mapping[str, Any], known: Mapping[str, str], what: str
    ) -> tuple[list[str], str | None]:
        """Return the item's fields that a form key stands for."""
        key, aliases = parameters.get("ImportantFormKey"), parameters.get("ImportantFormKeyAliases", [])
        if not isinstance(key, str) or not isinstance(aliases, list) or not all(isinstance(a, str) for a in aliases):
            return [], "ImportantFormKey must be a text and ImportantFormKeyAliases a list of texts"
        if "*" in (key, *aliases):
            found = sorted(set(known.values()))
        else:
            found = [known[name] for name in dict.fromkeys((key, *aliases)) if name in known][:1]
        if not found:
            return [], f"no field of the item is named for the {what} of the form key {key[:80]!r}"
        if any(not place.isprintable() for place in found):
            return [], "the name of the item's field has characters that cannot be printed"
        return found, None


_KEY_NAMES = frozenset({"ImportantFormKey", "ImportantFormKeyAliases"})


def _is_simple(one: Mapping[str, Any]) -> bool:
    return set(one) == {"ConditionType", "ConditionParameters"} and isinstance(one["ConditionParameters"], Mapping)


def _is_percent(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100


def _compared(parameters: Mapping[str, Any], block: str, unit: float = 1.0) -> tuple[tuple[tuple[str, str], ...], str]:
    """Return ((sign, limit), ...) that must all hold, and what is wrong, or ""."""
    made = []
    for name, value in sorted(parameters.items()):
        sign = _COMPARED.get(name.removeprefix(block))
        if sign is None or not _is_percent(value):
            return (), f"{name[:80]} is not a known comparison with a number from 0 to 100"
        made.append((sign, repr(float(value) / unit)))
    return tuple(made), ""


def _moderation(parameters: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return a test of the prediction's score of a label; a label without a score was not found, as in Rekognition."""
    label = parameters.get("ModerationLabelName")
    if not isinstance(label, str) or not label or not label.isprintable():
        return "", "ModerationLabelName must be a text"
    rest = {name: value for name, value in parameters.items() if name != "ModerationLabelName"}
    compared, why = _compared(rest, "Confidence", 100.0)
    if why or not compared:
        return "", why or "it has no threshold of confidence"
    if label == "*":
        test = " && ".join(f"prediction.scores[label] {sign} {limit}" for sign, limit in compared)
        return f"prediction.scores.exists(label, {test})", None
    name = _text(label)
    test = " && ".join(f"prediction.scores[{name}] {sign} {limit}" for sign, limit in compared)
    return f"{name} in prediction.scores && {test}", None


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
