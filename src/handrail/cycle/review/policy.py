"""The policy of a project and its rules: a versioned document, every part of it checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from handrail.cycle.review import four_eyes
from handrail.cycle.review.certificates.plan import Mode
from handrail.cycle.review.controls import MOST_CONTROLS
from handrail.cycle.review.four_eyes import MOST_EYES, SecondLook, is_eyes
from handrail.cycle.review.groups import Group, read_groups
from handrail.cycle.review.loss import Loss, clashes, read_loss
from handrail.cycle.review.policy_lists import deadline_defaults, listed_reasons
from handrail.foundation.errors import Conflict, Invalid

OverQueue = Literal["block", "deadline"]


class PolicyInvalid(Invalid):
    """The policy document breaks a rule; every problem is listed."""

    code = "review.policy_invalid"


class PolicyLooser(Conflict):
    """The policy lowers safeguards of the one in force, and nobody said that it is meant; each is listed."""

    code = "review.policy_looser"


@dataclass(frozen=True)
class Rule:
    """A hard rule: when the CEL condition holds, a person decides or the item is blocked, whatever the score.

    `eyes`: how many people must agree where the rule sends the item to people, 1 or 2.
    """

    name: str
    when: str
    then: Literal["human", "block"]
    reason: str = ""
    eyes: int = 1


@dataclass(frozen=True)
class Policy:
    """The versioned document that routes.

    `alpha`: highest share of wrong automatic decisions. `delta`: chance that a certificate is wrong.
    `certificate_mode`: its test, closed or strict, see docs/explanation/certificates.md. `audit_rate`: nominal share
    of automatic decisions that a person checks. `brake_delta`: chance of one false stop in `brake_lifetime` audits.
    `reviewer_error`: upper bound of the chance that an audit calls a right answer wrong, second opinions included.
    `second_opinion`: an audit that disagrees with the model counts once another person, blind too, confirms it; a
    third decides where they differ. `audit_due_days`: an audit without a verdict is overdue after so many days.
    `certify_labels` and `certify_share`: how many labels a new model's certificate draws from the stream, and the
    probability with which each item is drawn meanwhile (0 labels: no certificate is planned by itself).
    `certify_automate`: in place of a number of labels, the share of the traffic that a new model is to automate: labels
    are drawn until that is certified (0: not); where groups are certified apart, that share of each.
    `retrain_after`: verdicts that start a training run (0: never by itself). `deadline_defaults`: the answers that a
    passed deadline may give where the certificate covers the item; `reasons`: those a verdict chooses from.
    `eyes`: how many people must agree about a decision that is not automatic, 1 or 2; a rule or the caller may demand
    more. `second_look`: whether the second person sees the model's answer (shown) or not (blind); nobody sees the
    first's. `author_answers`: whether the person who asked for a decision may also answer it.
    `queue_limit`: how many reviews may wait for people (0: any number). What is to join them beyond that is blocked, or
    gets a deadline of `queue_deadline_s` seconds after which it expires (`over_queue`); the threshold never moves.
    `blind_first`: people give an answer of their own before the model's is shown. `seed_share`: share of seeds, cases
    of known truth, among the review tasks (0: none; 0.02 to 0.05 is recommended), see docs/explanation/oversight.md.
    `control_share`: share of control items, cases of known truth, among the audits (0: none); a new certificate's brake
    then takes the reviewers' error from them in place of `reviewer_error`, see docs/explanation/audits.md.
    `groups`: groups of items, each with its own alpha, that the brake watches and may stop alone. `groups_apart`: each
    of them also gets a threshold of its own, at delta over their number; items of no named group then go to people.
    `loss`: what a wrong answer costs, from 0 to 1; alpha is then the highest mean loss of automatic decisions, and
    `reviewer_error` bounds the chance that an audit reports more loss than there was. None: every error costs 1.
    """

    question: str
    alpha: float = 0.05
    delta: float = 0.10
    certificate_mode: Mode = "closed"
    rules: tuple[Rule, ...] = ()
    audit_rate: float = 0.10
    brake_delta: float = 0.05
    brake_lifetime: int = 4000
    reviewer_error: float = 0.0
    second_opinion: bool = False
    audit_due_days: int = 14
    certify_labels: int = 0
    certify_share: float = 1.0
    certify_automate: float = 0.0
    retrain_after: int = 0
    deadline_defaults: tuple[Any, ...] = ()
    eyes: int = 1
    second_look: SecondLook = "blind"
    author_answers: bool = True
    queue_limit: int = 0
    over_queue: OverQueue = "deadline"
    queue_deadline_s: int = 86_400
    reasons: tuple[str, ...] = ()
    blind_first: bool = False
    seed_share: float = 0.0
    control_share: float = 0.0
    groups: tuple[Group, ...] = ()
    groups_apart: bool = False
    loss: Loss | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the document as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Policy:
        """Read a document; raises PolicyInvalid with every problem, unknown keys included."""
        problems: list[str] = []
        known = {one.name: one for one in fields(cls)}
        problems += [f"{str(name)[:80]}: not a part of a policy" for name in document if name not in known]
        values = {name: value for name, value in document.items() if name in known and name not in _LISTS}
        rules = _rules(document.get("rules", ()), problems)
        defaults = deadline_defaults(document.get("deadline_defaults", ()), problems)
        reasons = listed_reasons(document.get("reasons", ()), problems)
        groups = read_groups(document.get("groups", ()), problems, LEAST_SHARE)
        problems += _apart_problems(values, groups)
        loss = read_loss(document.get("loss"), problems)
        problems += clashes(
            loss,
            apart=bool(values.get("groups_apart")),
            automate=bool(values.get("certify_automate")),
            strict=values.get("certificate_mode") == "strict",
            controls=bool(values.get("control_share")),
        )
        for name, low, high in _SHARES:
            if name in values and not _is_number(values[name], low, high):
                problems.append(f"{name}: must be a number from {low} to {high}")
        if not _is_number(values.get("reviewer_error", 0.0), 0.0, 0.2):
            problems.append("reviewer_error: must be a number from 0 to 0.2")
        for name, most in (("seed_share", MOST_SEEDS), ("control_share", MOST_CONTROLS)):
            if not _is_number(values.get(name, 0.0), 0.0, most):
                problems.append(f"{name}: must be a number from 0 to {most}")
        if not _is_number(values.get("certify_automate", 0.0), 0.0, 1.0):
            problems.append("certify_automate: must be a number from 0 to 1")
        if values.get("certify_automate") and values.get("certify_labels"):
            problems.append(
                "certify_automate: a certificate is planned for a share or for a number of labels, not both"
            )
        if not isinstance(values.get("blind_first", False), bool):
            problems.append("blind_first: must be true or false")
        for name, least in _COUNTS:
            value = values.get(name, least)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 1_000_000:
                problems.append(f"{name}: must be a whole number from {least} to 1000000")
        if not isinstance(values.get("second_opinion", False), bool):
            problems.append("second_opinion: must be true or false")
        if values.get("certificate_mode", "closed") not in get_args(Mode):
            problems.append(f"certificate_mode: must be one of {', '.join(get_args(Mode))}")
        problems += four_eyes.problems(values)
        if values.get("over_queue", "block") not in get_args(OverQueue):
            problems.append(f"over_queue: must be one of {', '.join(get_args(OverQueue))}")
        if not isinstance(document.get("question"), str) or not 1 <= len(document["question"]) <= 128:
            problems.append("question: must name a question of the schema")
        refuse_policy(problems)
        return cls(rules=rules, deadline_defaults=defaults, reasons=reasons, groups=groups, loss=loss, **values)


def refuse_policy(problems: Sequence[str]) -> None:
    """Raise PolicyInvalid when there are problems; it lists the first hundred."""
    if problems:
        first = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise PolicyInvalid(
            f"The policy has {len(problems)} problem{'s' if len(problems) > 1 else ''}: {first}.",
            hint="Nothing was changed. Mend the document and send it again.",
            problems=list(problems[:100]),
        )


# A smaller alpha or delta asks for more labels than anybody has, and sums over them would not end.
LEAST_SHARE = 1e-5
_SHARES = (
    ("alpha", LEAST_SHARE, 0.5),
    ("delta", LEAST_SHARE, 0.5),
    ("audit_rate", LEAST_SHARE, 1.0),
    ("brake_delta", LEAST_SHARE, 0.5),
    ("certify_share", LEAST_SHARE, 1.0),
)
_LISTS = ("rules", "deadline_defaults", "reasons", "groups", "loss")
MOST_SEEDS = 0.2
"""Highest share of seeds: more would cost people's time for nothing that is decided."""
MOST_RULES = 100
LONGEST_NAME = 64
LONGEST_REASON = 1000
_COUNTS = (
    ("brake_lifetime", 100),
    ("audit_due_days", 1),
    ("certify_labels", 0),
    ("retrain_after", 0),
    ("queue_limit", 0),
    ("queue_deadline_s", 1),
)


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _apart_problems(values: Mapping[str, Any], groups: Sequence[Group]) -> list[str]:
    apart = values.get("groups_apart", False)
    if not isinstance(apart, bool):
        return ["groups_apart: must be true or false"]
    return ["groups_apart: there are no groups to certify apart"] if apart and not groups else []


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0


def _rules(given: Any, problems: list[str]) -> tuple[Rule, ...]:
    if not isinstance(given, list | tuple) or len(given) > MOST_RULES:
        problems.append(f"rules: must be a list of at most {MOST_RULES}")
        return ()
    made: list[Rule] = []
    for position, one in enumerate(given):
        found = len(problems)
        document = asdict(one) if isinstance(one, Rule) else one
        if not isinstance(document, Mapping):
            problems.append(f"rules[{position}]: must be an object")
            continue
        problems += [f"rules[{position}]: {problem}" for problem in _rule_problems(document)]
        if len(problems) == found:
            made.append(Rule(**document))
    names = [rule.name for rule in made]
    if len(set(names)) != len(names):
        problems.append("rules: two rules have the same name")
    return tuple(made)


def _rule_problems(document: Mapping[str, Any]) -> list[str]:
    known = {"name", "when", "then", "reason", "eyes"}
    found = [f"{str(name)[:80]} is not a part of a rule" for name in document if name not in known]
    name, reason = document.get("name"), document.get("reason", "")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or ":" in name:
        found.append(f"name must be 1 to {LONGEST_NAME} printable characters without a colon")
    if not isinstance(document.get("when"), str) or not document["when"]:
        found.append("when must be a condition")
    if document.get("then") not in ("human", "block"):
        found.append("then must be human or block")
    if not is_eyes(document.get("eyes", 1)):
        found.append(f"eyes must be a whole number from 1 to {MOST_EYES}")
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON or not (reason.isprintable() or not reason):
        found.append(f"reason must be a text of at most {LONGEST_REASON} printable characters")
    return found
