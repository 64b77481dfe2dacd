"""Tasks as the rest of the system sees them: open, claim, answer, release, expire."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from handrail.cycle.datasets import Datasets
from handrail.cycle.tasks import store
from handrail.cycle.tasks.events import FirstAnswered, TaskAnswered, TaskExpired, TaskOpened, TaskWithdrawn
from handrail.cycle.tasks.holding import check_first, opened
from handrail.cycle.tasks.model import (
    LEASE_S,
    MOST_CLAIMS,
    MOST_PAYLOAD,
    SEPARATE,
    SKIP_S,
    AlreadyAnswered,
    Answer,
    Answered,
    ClaimOver,
    FirstAnswer,
    FirstAnswerGiven,
    LookTime,
    NewTask,
    NotAPerson,
    NotBlindFirst,
    Status,
    Task,
    TaskInvalid,
    TaskNotFound,
    TaskPage,
    check_kinds,
    check_skills,
    check_verb,
    lease_end,
    seconds_spent,
)
from handrail.cycle.tasks.reviewed import Reviewed
from handrail.cycle.tasks.taking import Staffing, room
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import Clock, micros
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import UnitOfWork

OnAnswer = Callable[[UnitOfWork, Actor, Scope, Task, Answer], None]
OnExpire = Callable[[UnitOfWork, Actor, Scope, Task], None]
Take = Callable[[UnitOfWork, Scope], None]

_TIMEKEEPER = Actor.rule("timekeeper")
_START = (2**31 - 1, "")
_NO_SKILL = ("",)


class Tasks:
    """The queue of human work. A task goes to one person at a time, by a lease that ends by itself."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids, datasets: Datasets) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._datasets = datasets
        self.staffing = Staffing(journal, clock, datasets)
        self._on_answer: dict[str, OnAnswer] = {}
        self._on_expire: dict[str, OnExpire] = {}
        self._before_answer: dict[str, Take] = {}

    # What other stages do when a task of theirs is answered or expires; set once by the composition root

    def on_answer(self, kind: str, handler: OnAnswer) -> None:
        """Call `handler` in the unit of every answer to this kind of task."""
        self._on_answer[kind] = handler

    def on_expire(self, kind: str, handler: OnExpire) -> None:
        """Call `handler` in the unit in which a task of this kind passes its deadline."""
        self._on_expire[kind] = handler

    def before_answer(self, kind: str, take: Take) -> None:
        """Call `take` before anything is locked or written for an answer to this kind of task: it takes what the
        handler will change. On PostgreSQL the journal orders units by their first lock or write.
        """
        self._before_answer[kind] = take

    # Opening and closing

    def open(self, uow: UnitOfWork, actor: Actor, scope: Scope, new: NewTask, *, payload: str | None = None) -> Task:
        """Open a task; a decision's own journal entry names it, any other is journalled here.

        A task that needs another person than those before goes to none of those who answered about its decision.
        `payload` is the task's payload in canonical JSON, where the caller has it. Raises TaskInvalid for a bad one.
        """
        if new.kind in SEPARATE and new.decision_id is not None:
            before = store.answered_by(uow, scope, new.decision_id)
            new = replace(new, not_by=(*new.not_by, *(one for one in before if one not in new.not_by)))
        made, text = self._made(scope, new, payload)
        store.add(uow, scope, made, text)
        if new.decision_id is None:
            event = TaskOpened(
                task_id=made.id, item_id=made.item_id, kind=made.kind, question=made.question, reason=made.reason
            )
            self._journal.append(uow, actor, scope.project_id, event)
        return made

    def open_many(self, uow: UnitOfWork, scope: Scope, new: Sequence[NewTask]) -> list[Task]:
        """Open tasks that the caller's own journal entry names (a draw), and return them in order."""
        made = [self._made(scope, one) for one in new]
        store.add_many(uow, scope, made)
        return [one for one, _ in made]

    def withdraw(self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str, why: str) -> None:
        """Close an unanswered task that is not needed any more; again changes nothing."""
        one = self._locked(uow, scope, task_id)
        if one.status in ("open", "claimed"):
            store.set_status(uow, scope, one, store.WITHDRAWN)
            self._journal.append(uow, actor, scope.project_id, TaskWithdrawn(task_id=one.id, kind=one.kind, why=why))

    def expire(self, uow: UnitOfWork, now: datetime) -> int:
        """Reopen tasks whose lease ran out and expire those past their deadline; returns how many changed."""
        changed = store.take_back(uow, micros(now))
        for one in store.deadlines_over(uow, micros(now)):
            scope = Scope(one.project_id)
            store.set_status(uow, scope, one, store.EXPIRED)
            event = TaskExpired(task_id=one.id, decision_id=one.decision_id, kind=one.kind)
            self._journal.append(uow, _TIMEKEEPER, scope.project_id, event)
            if (handler := self._on_expire.get(one.kind)) is not None:
                handler(uow, _TIMEKEEPER, scope, replace(one, status="expired", claimed_by=None, claimed_until=None))
            changed += 1
        return changed

    def raise_due(self, uow: UnitOfWork, now: datetime) -> int:
        """Give the tasks whose priority changes about now (500 at most) their new one; returns how many there were."""
        return store.raise_due(uow, now)

    # Claims

    def claim(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        *,
        n: int = 1,
        kinds: Collection[str] | None = None,
        skills: Sequence[str] = _NO_SKILL,
        lease_s: float = LEASE_S,
    ) -> list[Task]:
        """Give the actor up to `n` (at most 5) open tasks for `lease_s` seconds, the most urgent of all `skills` first.

        To `skills` come those that the project gives to the actor. Tasks whose lease ran out are open again before.
        Raises NotAPerson for a machine, LimitReached, GateClosed when the project's rules allow no more, TaskInvalid.
        """
        self._check_person(actor)
        if not 1 <= n <= MOST_CLAIMS:
            raise TaskInvalid(f"A call claims 1 to {MOST_CLAIMS} tasks.", n=n)
        until = lease_end(now := self._clock.now(), lease_s)
        store.take_back(uow, micros(now))
        rules = self.staffing.open_to(uow, scope, actor, asked := check_kinds(kinds))
        claimed = store.claim(
            uow,
            scope,
            actor_id=actor.id,
            most=room(uow, scope, rules, actor, n, now),
            skills=check_skills((*skills, *rules.skills_of(actor.id))),
            kinds=asked,
            now=micros(now),
            until=micros(until),
        )
        return [self._seen(uow, actor, scope, one) for one in claimed]

    def claim_one(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        task_id: str,
        *,
        skills: Sequence[str] | None = None,
        lease_s: float = LEASE_S,
    ) -> Task:
        """Give the actor this task, or renew their lease on it; `skills` None is every skill.

        Raises NotAPerson, TaskNotFound, ClaimedByOther, AlreadyAnswered, TaskClosed, SecondLook, SkillMissing,
        GateClosed, LimitReached.
        """
        self._check_person(actor)
        until = lease_end(now := self._clock.now(), lease_s)
        one = self._locked(uow, scope, task_id)
        self.staffing.check_free(uow, scope, one, actor, now, skills)
        store.lease(uow, scope, one, actor.id, micros(until))
        return self._seen(uow, actor, scope, replace(one, status="claimed", claimed_by=actor.id, claimed_until=until))

    def renew(self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str, *, lease_s: float = LEASE_S) -> Task:
        """Lengthen the actor's lease while they work; raises ClaimOver when it ran out."""
        until = lease_end(now := self._clock.now(), lease_s)
        one = self._locked(uow, scope, task_id)
        if one.claimed_by != actor.id or not one.is_held(now):
            raise ClaimOver("You do not hold this task any more.", hint="Claim it again.")
        store.lease(uow, scope, one, actor.id, micros(until))
        return self._seen(uow, actor, scope, replace(one, claimed_until=until))

    def release(self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str) -> None:
        """Give a held task back: for ten minutes claims pass it over for who gave it back, but not a claim by name."""
        one = self._locked(uow, scope, task_id)
        if one.status == "claimed" and one.claimed_by == actor.id:
            now = self._clock.now()
            store.give_back(uow, scope, one, actor.id, micros(now), micros(now + timedelta(seconds=SKIP_S)))

    # Answers

    def first(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        task_id: str,
        given: Answered,
        *,
        skills: Sequence[str] | None = None,
    ) -> Task:
        """Store a person's own answer to a blind-first task; return the task, held by them, with the model's answer.

        It is never changed. Raises NotBlindFirst, FirstAnswerGiven, TaskInvalid, AnswerInvalid, what claiming raises.
        """
        self._check_person(actor)
        one = self._locked(uow, scope, task_id)
        if not one.blind_first:
            raise NotBlindFirst("This task asks for no answer before the model's.", hint="Send the answer itself.")
        given = self._read(uow, scope, one, check_verb(replace(one, blind=True), replace(given, verb="label")))
        now = self._clock.now()
        self.staffing.check_free(uow, scope, one, actor, now, skills)
        own = store.first_of(uow, scope, one.id, actor.id)
        if own is not None and own.value != given.value:
            raise FirstAnswerGiven("Your own answer is stored already.", hint="Keep it or switch in the final answer.")
        if own is None:
            spent = seconds_spent(given.shown_at, now)
            own = FirstAnswer(one.id, actor.id, given.value, given.shown_at, now, spent)
            store.add_first(uow, scope, own)
            self._journal.append(uow, actor, scope.project_id, FirstAnswered.of(one, own))
        return self.claim_one(uow, actor, scope, task_id, skills=skills)

    def answer(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        task_id: str,
        given: Answered,
        *,
        skills: Sequence[str] | None = None,
    ) -> Answer:
        """Store a person's answer and let the stage that opened the task act on it, in the same unit.

        When nobody holds it, the answer claims it too; the same said again is the stored answer. Raises NotAPerson,
        VerbNotAllowed, TaskInvalid, AnswerInvalid, and what claiming raises.
        """
        self._check_person(actor)
        if self._before_answer and (take := self._before_answer.get(self.task(uow, scope, task_id).kind)):
            take(uow, scope)
        one = self._locked(uow, scope, task_id)
        own = store.first_of(uow, scope, one.id, actor.id) if one.blind_first else None
        check_first(one, given, own)
        given = self._read(uow, scope, one, check_verb(one, given))
        if one.status == "answered":
            return self._repeated(uow, actor, scope, one, given)
        now = self._clock.now()
        self.staffing.check_free(uow, scope, one, actor, now, skills)
        made = Answer(
            id=self._ids.new(),
            task_id=one.id,
            verb=given.verb,
            value=given.value,
            reason=given.reason,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            shown_at=given.shown_at,
            answered_at=now,
            seconds=seconds_spent(given.shown_at, now),
        )
        known = self.staffing.judging.known(uow, scope, one, made)
        store.set_status(uow, scope, one, store.ANSWERED, actor.id)
        store.add_answer(uow, scope, made)
        one = replace(one, status="answered", claimed_by=actor.id, claimed_until=None, own=own)
        self._journal.append(uow, actor, scope.project_id, TaskAnswered.of(one, made))
        self.staffing.judging.heard(uow, scope, one, made, known)
        if (handler := self._on_answer.get(one.kind)) is not None:
            handler(uow, actor, scope, one, made)
        return made

    # Reading

    def task(self, uow: UnitOfWork, scope: Scope, task_id: str) -> Task:
        """Return a task; raises TaskNotFound."""
        found = store.get(uow, scope, task_id)
        if found is None:
            raise TaskNotFound("No such task in this project.", task=task_id)
        return found

    def answer_of(self, uow: UnitOfWork, scope: Scope, task_id: str) -> Answer | None:
        """Return the answer of a task, or None."""
        return store.answer_of(uow, scope, task_id)

    def first_of(self, uow: UnitOfWork, scope: Scope, task_id: str, actor_id: str) -> FirstAnswer | None:
        """Return what a person said of a blind-first task before the model's answer was shown, or None."""
        return store.first_of(uow, scope, task_id, actor_id)

    def reviewed(self, uow: UnitOfWork, scope: Scope, question: str, most: int) -> list[Reviewed]:
        """Return the newest answers to review tasks on which a model's answer was shown; seeds are not among them."""
        return store.reviewed(uow, scope, question, most)

    def judged(self, uow: UnitOfWork, scope: Scope, actor_id: str, decisions: Collection[str]) -> frozenset[str]:
        """Return those of the decisions about which a person has said a value, first or final."""
        return frozenset(store.judged(uow, scope, actor_id, decisions))

    def of_decision(self, uow: UnitOfWork, scope: Scope, decision_id: str) -> list[Task]:
        """Return every task about a decision, oldest first."""
        return store.of_decision(uow, scope, decision_id)

    def open_tasks(
        self,
        uow: UnitOfWork,
        scope: Scope,
        after: str | None = None,
        limit: int = 50,
        kinds: Collection[str] | None = None,
    ) -> TaskPage:
        """Return a page of open tasks in the order of the queue; go on with `after` = the page's `next`."""
        place = _START
        if after is not None:
            last = self.task(uow, scope, after)
            place = (last.priority, last.id)
        rows = store.page(uow, scope, place, limit + 1, check_kinds(kinds))
        following = rows[limit - 1].id if len(rows) > limit else None
        return TaskPage(tuple(one.seen_with(None) for one in rows[:limit]), following)

    def held(self, uow: UnitOfWork, actor: Actor, scope: Scope) -> list[Task]:
        """Return the tasks that the actor holds now, the most urgent first."""
        return [
            self._seen(uow, actor, scope, one) for one in store.held_by(uow, scope, actor.id, micros(self._clock.now()))
        ]

    def next_for(self, uow: UnitOfWork, actor: Actor, scope: Scope, *, skills: Sequence[str] = _NO_SKILL) -> str | None:
        """Return the task that the actor goes on with: one they hold, else what a claim would give; None when done."""
        now = micros(self._clock.now())
        if (held := store.first_held(uow, scope, actor.id, now)) is not None:
            return held
        have = check_skills(self.staffing.skills(uow, scope, actor, skills))
        return store.peek(uow, scope, actor_id=actor.id, skills=have, kinds=None, now=now)

    def look_time(self, uow: UnitOfWork, scope: Scope, *, question: str, since: datetime | None) -> LookTime:
        """Return how long people took to answer reviews and audits of a question, since a time or ever."""
        timed, seconds = store.looks(uow, scope, question, 0 if since is None else micros(since))
        return LookTime(timed, seconds / timed if timed else None)

    def counts(self, uow: UnitOfWork, scope: Scope) -> dict[str, dict[Status, int]]:
        """Return kind -> status -> number of tasks, without what there is none of."""
        return store.counts(uow, scope)

    # Rules that need the database or the clock

    def _made(self, scope: Scope, new: NewTask, payload: str | None = None) -> tuple[Task, str]:
        """Return the task and its payload in JSON."""
        if payload is None:
            try:
                payload = encode(new.payload) if new.payload else "{}"
            except (TypeError, ValueError) as error:
                raise TaskInvalid(f"The payload of a task is JSON: {error}.") from None
        if len(payload) > MOST_PAYLOAD:
            raise TaskInvalid(f"The payload of a task is at most {MOST_PAYLOAD >> 20} MiB of JSON.", size=len(payload))
        made = opened(new, task_id=self._ids.new(), project_id=scope.project_id, at=self._clock.now())
        return made, payload

    def _seen(self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Task) -> Task:
        return one.seen_with(store.first_of(uow, scope, one.id, actor.id)) if one.blind_first else one

    def _check_person(self, actor: Actor) -> None:
        if not actor.is_human:
            raise NotAPerson("Only a person claims and answers tasks.", hint="Sign in; a token never counts as one.")

    def _locked(self, uow: UnitOfWork, scope: Scope, task_id: str) -> Task:
        found = store.get(uow, scope, task_id, lock=True)
        if found is None:
            raise TaskNotFound("No such task in this project.", task=task_id)
        return found

    def _read(self, uow: UnitOfWork, scope: Scope, one: Task, given: Answered) -> Answered:
        if given.value is None:
            return given
        checked: Any = self._datasets.check_answer(uow, scope, one.item_id, one.question, given.value)
        return replace(given, value=checked)

    def _repeated(self, uow: UnitOfWork, actor: Actor, scope: Scope, one: Task, given: Answered) -> Answer:
        known = store.answer_of(uow, scope, one.id)
        if known is not None and (known.actor_id, known.verb, known.value) == (actor.id, given.verb, given.value):
            return known
        raise AlreadyAnswered("This task has its answer.", hint="Take the next one.")
