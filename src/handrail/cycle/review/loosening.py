"""Which safeguards a new policy lowers and which it raises, read from the two documents. Pure.

A safeguard is what stands between an item and a wrong automatic answer. What the documents alone do not settle (a
rule whose condition was rewritten) counts as lowered: a person says that it is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handrail.cycle.review.groups import levels
from handrail.cycle.review.loss import changes
from handrail.cycle.review.policy import Policy, Rule


@dataclass(frozen=True)
class Compared:
    """What a new policy lowers (`looser`) and raises (`tighter`), a sentence each."""

    looser: tuple[str, ...]
    tighter: tuple[str, ...]


# Field, what it is, whether a larger value is the looser one.
_NUMBERS = (
    ("alpha", "the highest error that a certificate allows", True),
    ("delta", "the chance that a certificate is wrong", True),
    ("audit_rate", "the share of automatic decisions that people check", False),
    ("brake_delta", "the chance of a false stop, and with it how soon the brake acts,", False),
    ("brake_lifetime", "the number of audits that the brake's evidence is divided by", True),
    ("eyes", "the number of people who must agree", False),
    ("reviewer_error", "the error that is put down to reviewers", True),
)
# Field, what its change means, the looser value.
_CHOICES = (
    ("second_look", "whether the second person sees the model's answer", "shown"),
    ("second_opinion", "whether an error that an audit finds is confirmed by a second person", False),
    ("blind_first", "whether people answer before they see the model's answer", False),
    ("author_answers", "whether the person who asked for a decision may also answer it", True),
    ("groups_apart", "whether each group is certified apart", False),
)


def compare(old: Policy, new: Policy) -> Compared:
    """Return what `new` lowers and raises against `old`."""
    looser: list[str] = []
    tighter: list[str] = []
    for name, what, larger_is_looser in _NUMBERS:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            side = looser if (after > before) == larger_is_looser else tighter
            side.append(f"{name}: {what} goes from {before} to {after}")
    for name, what, looser_one in _CHOICES:
        if getattr(old, name) != getattr(new, name):
            (looser if getattr(new, name) == looser_one else tighter).append(f"{name}: {what}")
    for answer in new.deadline_defaults:
        if answer not in old.deadline_defaults:
            looser.append(f"deadline_defaults: a passed deadline may answer {answer!r}")
    looser += _lost(old.rules, new.rules)
    tighter += _gained(old.rules, new.rules)
    _compare_groups(old, new, looser, tighter)
    less, more = changes(old.loss, new.loss)
    looser += less
    tighter += more
    return Compared(tuple(looser), tuple(tighter))


def _compare_groups(old: Policy, new: Policy, looser: list[str], tighter: list[str]) -> None:
    """Say which groups are watched no more, newly, or at another level."""
    before, after = levels(old.groups, old.alpha), levels(new.groups, new.alpha)
    for name, level in before.items():
        if name not in after:
            looser.append(f"groups: {name} is watched on its own no more")
        elif after[name] != level:
            side = looser if after[name] > level else tighter
            side.append(f"groups: the highest error of {name} goes from {level} to {after[name]}")
    tighter += [f"groups: {name} is watched on its own" for name in after if name not in before]


def _lost(old: Sequence[Rule], new: Sequence[Rule]) -> list[str]:
    """Return what rules of `old` caught and `new` may not; a rule is known by its condition, not by its name."""
    found = []
    for place, rule in enumerate(old):
        kept = next((at for at, one in enumerate(new) if _same(rule, one) and _as_strict(rule, one)), None)
        if kept is None:
            found.append(_gone(rule, new))
        elif rule.then == "block":
            before = [one for one in old[:place] if one.then == "human"]
            for one in new[:kept]:
                if one.then == "human" and not any(_same(one, known) for known in before):
                    found.append(f"rule {rule.name}: {one.name} comes first now and sends to people what it blocked")
    return found


def _gained(old: Sequence[Rule], new: Sequence[Rule]) -> list[str]:
    """Return the rules that are new, or block what people decided on before."""
    found = []
    for rule in new:
        same = next((one for one in old if _same(rule, one)), None)
        if same is None:
            found.append(f"rule {rule.name}: is new")
        elif not _as_strict(rule, same):
            blocks = rule.then != same.then
            more = "blocks what people decided" if blocks else f"{rule.eyes} people must agree, not {same.eyes}"
            found.append(f"rule {rule.name}: {more}")
    return found


def _gone(rule: Rule, new: Sequence[Rule]) -> str:
    same = next((one for one in new if _same(rule, one)), None)
    if same is not None:
        if rule.then == same.then:
            return f"rule {rule.name}: {same.eyes} of {rule.eyes} people must agree now"
        return f"rule {rule.name}: blocks no more, people decide"
    if any(one.name == rule.name for one in new):
        return f"rule {rule.name}: has another condition; what it no longer catches may become automatic"
    return f"rule {rule.name}: is gone"


def _same(one: Rule, other: Rule) -> bool:
    return one.when.strip() == other.when.strip()


def _as_strict(old: Rule, new: Rule) -> bool:
    return new.then == "block" or (old.then == new.then and old.eyes <= new.eyes)
