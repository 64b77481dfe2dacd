"""Values and rules of human work: a task, a claim on it, an answer to it. No I/O, no clock.

open --claim--> claimed --answer--> answered
  ^  <--release, lease over--'           open | claimed --deadline--> expired
                                         open | claimed --withdraw--> withdrawn
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from handrail.cycle.datasets.values import read_text
from handrail.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from handrail.foundation.frozen import at_once

Kind = Literal["label", "review", "audit", "adjudicate", "compare", "approve", "appeal", "sign_off"]
Status = Literal["open", "claimed", "answered", "expired", "withdrawn"]
Verb = Literal[
    "approve", "correct", "reject", "override", "escalate", "abstain", "skip_ai", "reverse", "label", "sign", "refuse"
]  # fmt: skip

KINDS: tuple[str, ...] = get_args(Kind)
About = Literal["items", "models"]
ABOUT: dict[About, frozenset[str]] = {"items": frozenset(KINDS) - {"sign_off"}, "models": frozenset({"sign_off"})}
"""What a claim may be limited to. Nothing finer: whoever could ask for audits alone would know that it is one."""
MOST_CLAIMS = 5
"""Tasks that one call may claim: what a workbench loads ahead."""
LEASE_S = 600.0
MOST_LEASE_S = 86_400.0
SKIP_S = 600.0
"""Seconds for which a claim does not give a task again to those who gave it back; they may still take it by name."""
MOST_SKILLS = 32
MOST_PRIORITY = 1_000_000
MOST_REASON = 10_000
MOST_PAYLOAD = 1 << 20
"""Bytes of a task's payload in JSON."""
LEAD = "lead"
"""The skill of a task that others could not settle; who holds the permission tasks.lead has it."""
BLIND_REASON = "drawn at random for a look of your own"
"""What people are told of every blind task, so that an audit looks like any other."""
FIRST_REASON = "your own answer first, then the model's is shown"
"""What people are told of a blind-first task until their own answer is stored: the real reason may name the score."""
SHOWN_BLIND: Kind = "label"
"""The kind that people are told of every blind task, for the same reason."""

VERBS: Mapping[str, frozenset[str]] = {
    "label": frozenset({"label", "abstain", "escalate"}),
    "review": frozenset({"approve", "correct", "reject", "override", "escalate", "abstain", "skip_ai", "label"}),
    "audit": frozenset({"label", "correct", "escalate", "abstain"}),
    "adjudicate": frozenset({"label", "reject", "escalate", "abstain"}),
    "compare": frozenset({"label", "abstain"}),
    "approve": frozenset({"approve", "correct", "reject", "escalate"}),
    "appeal": frozenset({"approve", "reverse", "escalate"}),
    "sign_off": frozenset({"sign", "refuse"}),
}
"""Which verbs answer which kind of task."""

VALUELESS: frozenset[str] = frozenset({"escalate", "abstain", "skip_ai", "reject", "sign", "refuse"})
"""Verbs that carry no value."""
SEPARATE: frozenset[str] = frozenset({"audit", "adjudicate", "appeal"})
"""Kinds that need another person than those who answered an earlier task about the same decision."""

_MODEL_ANSWERS = frozenset({"prediction", "predictions", "score", "scores", "suggestion", "top", "explanation"})
_CLOCKS_DIFFER = timedelta(minutes=5)


class TaskNotFound(NotFound):
    """No such task in this project."""

    code = "tasks.not_found"


class NotAPerson(Forbidden):
    """Only a person claims and answers tasks; a machine token never counts as one."""

    code = "tasks.not_a_person"


class SkillMissing(Forbidden):
    """The task needs a skill that the person does not have."""

    code = "tasks.skill_missing"


class ClaimedByOther(Conflict):
    """Somebody else holds the task."""

    code = "tasks.claimed_by_other"


class ClaimOver(Conflict):
    """The lease on the task ran out, or was never there."""

    code = "tasks.claim_over"


class AlreadyAnswered(Conflict):
    """The task has its answer."""

    code = "tasks.already_answered"


class TaskClosed(Conflict):
    """The task expired or was withdrawn."""

    code = "tasks.closed"


class SecondLook(Conflict):
    """This task needs another person than the one who looked before."""

    code = "tasks.needs_another_person"


class FirstAnswerNeeded(Conflict):
    """This queue is blind-first: the person's own answer comes before the model's is shown."""

    code = "tasks.first_answer_needed"


class FirstAnswerGiven(Conflict):
    """The person's own answer to this task is stored and stays as it is."""

    code = "tasks.first_answer_given"


class NotBlindFirst(Conflict):
    """This task does not ask for a person's own answer first."""

    code = "tasks.not_blind_first"


class VerbNotAllowed(Invalid):
    """This verb does not answer this kind of task."""

    code = "tasks.verb_not_allowed"


class TaskInvalid(Invalid):
    """The task, claim or answer breaks a rule."""

    code = "tasks.invalid"


@dataclass(frozen=True)
class NewTask:
    """A piece of work to open. `payload` is shown with it: JSON values, and no model answer when `blind`.

    `subject_id` names what is decided when that is no item (a model version). `not_by` lists people who must not
    get it. `priority` is what a look is worth (see urgency.py): a higher one comes first, raised by age and deadline;
    every blind task has the same whatever is given. `skill` is what a person must have to get it, "" nothing special.
    `blind_first` keeps payload and reason from each person until their own answer is stored.
    """

    kind: Kind
    question: str
    item_id: str | None = None
    decision_id: str | None = None
    subject_id: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    skill: str = ""
    reason: str = ""
    blind: bool = False
    campaign_id: str | None = None
    deadline: datetime | None = None
    not_by: tuple[str, ...] = ()
    blind_first: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise TaskInvalid(f"{self.kind} is no kind of task.", hint=f"Kinds are {', '.join(KINDS)}.")
        if not self.question or len(self.question) > 128 or len(self.skill) > 64:
            raise TaskInvalid("A task names its question in up to 128 characters, its skill in up to 64.")
        if not -MOST_PRIORITY <= self.priority <= MOST_PRIORITY:
            raise TaskInvalid(f"A priority is a whole number up to {MOST_PRIORITY:,}, or down to the negative of it.")
        if self.deadline is not None and self.deadline.tzinfo is None:
            raise TaskInvalid("The deadline has no time zone.")
        check_reason(self.reason)
        if self.blind and self.payload and (told := _model_answer(self.payload)):
            raise TaskInvalid(f"A blind task must not carry the model's answer ({told}).", hint=f"Leave {told} out.")


@at_once
@dataclass(frozen=True)
class Task:
    """One piece of human work."""

    id: str
    project_id: str
    kind: Kind
    status: Status
    question: str
    item_id: str | None
    decision_id: str | None
    subject_id: str | None
    payload: dict[str, Any]
    priority: int
    skill: str
    reason: str
    blind: bool
    campaign_id: str | None
    not_by: tuple[str, ...]
    opened_at: datetime
    deadline: datetime | None
    claimed_by: str | None
    claimed_until: datetime | None
    blind_first: bool = False
    own: FirstAnswer | None = None
    worth: int = 0
    skipped: tuple[str, ...] = ()
    waits_since: datetime | None = None

    @property
    def heeded_deadline(self) -> datetime | None:
        """The deadline that moves the task forward in the queue; none for a blind task, or its place would tell."""
        return None if self.blind else self.deadline

    @property
    def shown_kind(self) -> Kind:
        """The kind that people are told: the same for every blind task, whatever it is opened for."""
        return SHOWN_BLIND if self.blind else self.kind

    def is_for(self, person: str, skills: Collection[str]) -> bool:
        """True when this person may answer it: nobody who looked before, and with the skill that it needs."""
        return person not in self.not_by and self.skill in skills

    @property
    def shown_reason(self) -> str:
        """The reason that people are told: the same for every blind task."""
        return BLIND_REASON if self.blind else self.reason

    def seen_with(self, own: FirstAnswer | None) -> Task:
        """Return the task as the person sees it who gave `own`: a blind-first one is sealed until there is one."""
        if not self.blind_first:
            return self
        return replace(self, own=own) if own is not None else replace(self, payload={}, reason=FIRST_REASON)

    @property
    def prediction(self) -> dict[str, Any] | None:
        """The model's answer that is shown with the task: value, score, scores, top; None when none is shown."""
        found = None if self.blind else self.payload.get("prediction")
        return found if isinstance(found, dict) else None

    def is_held(self, now: datetime) -> bool:
        """Return whether somebody's lease on the task runs now."""
        return self.status == "claimed" and self.claimed_until is not None and self.claimed_until > now


@dataclass(frozen=True)
class FirstAnswer:
    """A person's own answer to a blind-first task, given before the model's was shown; it is never changed."""

    task_id: str
    actor_id: str
    value: Any
    shown_at: datetime | None
    answered_at: datetime
    seconds: float | None


@dataclass(frozen=True)
class TaskPage:
    """Some open tasks in the order of the queue; `next` is the id to go on after, None at the end."""

    items: tuple[Task, ...]
    next: str | None


@dataclass(frozen=True)
class Answered:
    """What a person says: a verb, a value where the verb has one, a reason."""

    value: Any
    verb: Verb
    reason: str = ""
    shown_at: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """A person's answer as it is kept; `seconds` from shown to answered, None when the page did not say."""

    id: str
    task_id: str
    verb: Verb
    value: Any
    reason: str
    actor_kind: str
    actor_id: str
    actor_name: str
    shown_at: datetime | None
    answered_at: datetime
    seconds: float | None


def _model_answer(value: Any) -> str:
    """Return the name under which a payload holds what a model says, at any depth, or ""."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if str(name).lower() in _MODEL_ANSWERS:
                return str(name)
            if told := _model_answer(inner):
                return told
    elif isinstance(value, list | tuple):
        for inner in value:
            if told := _model_answer(inner):
                return told
    return ""


def switched(own: FirstAnswer | None, final: Any) -> bool | None:
    """Return whether the final answer differs from the person's own; None without either."""
    return None if own is None or final is None else own.value != final


def check_reason(reason: str) -> None:
    """Raise TaskInvalid for a reason that is too long or holds what no database keeps."""
    problem = read_text(reason)[1] or (
        f"is longer than {MOST_REASON:,} characters" if len(reason) > MOST_REASON else ""
    )
    if problem:
        raise TaskInvalid(f"The reason {problem}.")


def check_verb(one: Task, given: Answered) -> Answered:
    """Return the answer with the value that its verb means; the value itself is checked against the question later.

    To approve is to say what the model said, so it needs a model answer that was shown, and has its value. Raises
    VerbNotAllowed when the verb does not answer this task, TaskInvalid when verb and value do not go together.
    """
    allowed = VERBS[one.kind] & VERBS[SHOWN_BLIND] if one.blind else VERBS[one.kind]
    if given.verb not in allowed:
        raise VerbNotAllowed(
            f"{given.verb} does not answer this task.", hint=f"Use one of {', '.join(sorted(allowed))}."
        )
    check_reason(given.reason)
    if given.shown_at is not None and given.shown_at.tzinfo is None:
        raise TaskInvalid("shown_at has no time zone.", hint="Write it like 2026-01-31T12:00:00Z.")
    if given.verb == "skip_ai" and one.prediction is None:
        raise VerbNotAllowed("No model answer is shown that could be left out.", hint="Say the answer: label.")
    if given.verb in VALUELESS:
        if given.value is not None:
            raise TaskInvalid(f"{given.verb} carries no value.", hint="Send null, or another verb.")
        return given
    if given.verb == "approve" and one.kind == "review":
        shown = one.prediction
        if shown is None:
            raise VerbNotAllowed("No model answer was shown that could be approved.", hint="Say the answer: label.")
        if given.value is not None and given.value != shown["value"]:
            raise TaskInvalid("To approve is to say what the model said; this is another value.", hint="Use correct.")
        return replace(given, value=shown["value"])
    if given.value is None and given.verb != "approve":
        raise TaskInvalid(f"{given.verb} needs a value.", hint="Send the answer as value.")
    return given


def seconds_spent(shown_at: datetime | None, now: datetime) -> float | None:
    """Return the seconds from shown to answered; None when unknown, or when the page's clock is plainly wrong."""
    if shown_at is None or shown_at > now + _CLOCKS_DIFFER:
        return None
    return max(0.0, (now - shown_at).total_seconds())


@dataclass(frozen=True)
class LookTime:
    """How long people looked: the mean over `timed` answers whose time is known, None without one."""

    timed: int
    mean_s: float | None


def lease_end(now: datetime, lease_s: float) -> datetime:
    """Return when a lease of `lease_s` seconds ends; raises TaskInvalid."""
    if not 0 < lease_s <= MOST_LEASE_S:
        raise TaskInvalid(f"A lease lasts up to {MOST_LEASE_S:.0f} seconds.", lease_s=str(lease_s))
    return now + timedelta(seconds=lease_s)


def check_skills(given: Sequence[str]) -> tuple[str, ...]:
    """Return the skills of a claim, each once; raises TaskInvalid for none or too many."""
    skills = tuple(dict.fromkeys(given))
    if not 1 <= len(skills) <= MOST_SKILLS:
        raise TaskInvalid(f"A claim names 1 to {MOST_SKILLS} skills.", hint='No special skill is "".')
    return skills


def check_kinds(given: Collection[str] | None) -> Collection[str] | None:
    """Return the kinds of a claim, None for every kind; raises TaskInvalid for one that does not exist."""
    if given is None:
        return None
    unknown = sorted(set(given) - set(KINDS))
    if unknown or not given:
        raise TaskInvalid(f"No such kind of task: {', '.join(unknown)}.", hint=f"Kinds are {', '.join(KINDS)}.")
    return set(given)
