"""Annotating as the rest of the system sees it: draws at random, label tasks, campaigns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from handrail.cycle.annotate import store
from handrail.cycle.annotate.conflicts import Conflicts
from handrail.cycle.annotate.events import CampaignClosed, CampaignOpened, Drawn, DrawPassedOn
from handrail.cycle.annotate.model import (
    MOST_DRAWN,
    MOST_TARGET,
    Campaign,
    CampaignClosedAlready,
    CampaignNotFound,
    Draw,
    DrawBusy,
    DrawInvalid,
    Lot,
    Purpose,
    Sampled,
    SampleIncomplete,
    TooFewItems,
    pool_digest,
)
from handrail.cycle.datasets import Datasets, NewLabel
from handrail.cycle.tasks import LEAD, Answer, NewTask, Task, Tasks
from handrail.cycle.tasks.urgency import passed_on
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import Storage, UnitOfWork
from handrail.foundation.storage.failures import Duplicate

OnLabel = Callable[[UnitOfWork, Actor, Scope, str, Any], None]
With = Callable[[UnitOfWork, list[Draw]], None]
WithEach = Callable[[UnitOfWork, list[list[Draw]]], None]

_TRIES = 5


class Annotate:
    """Says what people label next. Only its draws, whose probability is known, certify or estimate anything."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        ids: Ids,
        randomness: Randomness,
        datasets: Datasets,
        tasks: Tasks,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._randomness = randomness
        self._datasets = datasets
        self._tasks = tasks
        self.conflicts = Conflicts(journal, datasets, tasks)
        self.on_certify_label: OnLabel = _nothing

    # Draws

    def draw(
        self,
        actor: Actor,
        scope: Scope,
        *,
        question: str,
        n: int,
        purpose: Purpose,
        reason: str,
        campaign_id: str | None = None,
        among: Sequence[str] | None = None,
        along: With | None = None,
    ) -> list[Draw]:
        """Draw `n` items uniformly without replacement and open a blind label task for each.

        The pool is every item without a label for the question that was never drawn for it, or those of `among`, as
        of one moment, in the order in which they came in; each has the same chance n/N, which is logged. A draw for a
        campaign takes no more than its target. `along` is called in the unit that keeps the draw. Raises DrawInvalid,
        TooFewItems, QuestionUnknown, CampaignNotFound, CampaignClosedAlready, DrawBusy; nothing is drawn then.
        """

        def each(uow: UnitOfWork, made: list[list[Draw]]) -> None:
            if along is not None:
                along(uow, made[0])

        (made,) = self.draw_each(
            actor,
            scope,
            question=question,
            lots=[(n, among)],
            purpose=purpose,
            reason=reason,
            campaign_id=campaign_id,
            along=each,
        )
        return made

    def draw_each(
        self,
        actor: Actor,
        scope: Scope,
        *,
        question: str,
        lots: Sequence[tuple[int, Sequence[str] | None]],
        purpose: Purpose,
        reason: str,
        campaign_id: str | None = None,
        along: WithEach,
    ) -> list[list[Draw]]:
        """Draw several lots, each (n, among) as `draw` does, no item in two of them; in one unit, all or none."""
        if wrong := [n for n, _ in lots if not 1 <= n <= MOST_DRAWN]:
            raise DrawInvalid(f"A draw takes from 1 to {MOST_DRAWN:,} items.", n=wrong[0])
        for _ in range(_TRIES):
            ready: list[tuple[Lot, list[str]]] = []
            for place, (n, among) in enumerate(lots, start=1):
                last, pool = self._storage.read(lambda uow: self._pool(uow, scope, question, among))  # noqa: B023
                if len(pool) < n:
                    raise TooFewItems(
                        f"Only {len(pool)} items wait for a label, {n} were to be drawn.",
                        hint="Import more items, or draw fewer.",
                        waiting=len(pool),
                    )
                # Chosen outside the unit, which may be run twice and must then write the same.
                chosen = [pool[index] for index in self._randomness.choose(len(pool), n)]
                ready.append((self._lot(scope, question, last + place, purpose, n, pool, reason, campaign_id), chosen))

            def unit(uow: UnitOfWork) -> list[list[Draw]]:
                made = [self._keep(uow, actor, scope, lot, chosen) for lot, chosen in ready]  # noqa: B023
                along(uow, made)
                return made

            try:
                return self._storage.write(unit)
            except Duplicate:
                continue  # somebody else drew meanwhile, so the pool is another one
        raise DrawBusy("Others draw items for this question at the same time.", hint="Try again.")

    def _pool(self, uow: UnitOfWork, scope: Scope, question: str, among: Sequence[str] | None) -> tuple[int, list[str]]:
        self._datasets.schema(uow, scope).item_question(question)
        waiting = self._datasets.unlabelled_ids(uow, scope, question=question)
        drawn = store.drawn_ids(uow, scope, question)
        wanted = None if among is None else set(among)
        pool = [one for one in waiting if one not in drawn and (wanted is None or one in wanted)]
        return store.last_lot(uow, scope, question), pool

    def _lot(
        self,
        scope: Scope,
        question: str,
        number: int,
        purpose: Purpose,
        n: int,
        pool: Sequence[str],
        reason: str,
        campaign_id: str | None,
    ) -> Lot:
        return Lot(
            id=self._ids.new(),
            project_id=scope.project_id,
            question=question,
            number=number,
            purpose=purpose,
            drawn=n,
            among=len(pool),
            pool=pool_digest(pool),
            seed="" if self._randomness.seed is None else str(self._randomness.seed),
            reason=reason,
            campaign_id=campaign_id,
            drawn_at=self._clock.now(),
        )

    def _keep(self, uow: UnitOfWork, actor: Actor, scope: Scope, lot: Lot, chosen: Sequence[str]) -> list[Draw]:
        if lot.campaign_id is not None:
            self._draw_for(uow, scope, lot, lot.campaign_id)
        tasks = self._tasks.open_many(uow, scope, [_label_task(lot, item_id) for item_id in chosen])
        made = [
            Draw(
                id=self._ids.new(),
                project_id=scope.project_id,
                item_id=item_id,
                question=lot.question,
                purpose=lot.purpose,
                probability=lot.probability,
                position=position,
                campaign_id=lot.campaign_id,
                task_id=task.id,
                lot_id=lot.id,
            )
            for position, (item_id, task) in enumerate(zip(chosen, tasks, strict=True))
        ]
        store.add_lot(uow, scope, lot, made)
        event = Drawn(
            lot_id=lot.id,
            campaign_id=lot.campaign_id,
            question=lot.question,
            purpose=lot.purpose,
            drawn=lot.drawn,
            among=lot.among,
            probability=lot.probability,
            pool=lot.pool,
            seed=lot.seed,
            reason=lot.reason,
            items=list(chosen),
            tasks=[task.id for task in tasks],
        )
        self._journal.append(uow, actor, scope.project_id, event)
        return made

    def _draw_for(self, uow: UnitOfWork, scope: Scope, lot: Lot, campaign_id: str) -> None:
        one = self._locked(uow, scope, campaign_id)
        if one.state != "open":
            raise CampaignClosedAlready("This campaign has its answers.", hint="Open another one.")
        if one.question != lot.question:
            raise DrawInvalid("The campaign asks another question.", question=one.question)
        if one.drawn + lot.drawn > one.target:
            # More than the target would end the campaign with its first answers: the quick ones, not a random part.
            raise DrawInvalid(
                f"The campaign asks for {one.target} answers and {one.drawn} items are drawn already.",
                hint=f"Draw at most {one.target - one.drawn}.",
            )
        store.put_campaign(uow, scope, replace(one, drawn=one.drawn + lot.drawn))

    def drawable(self, uow: UnitOfWork, scope: Scope, question: str, among: Sequence[str]) -> list[str]:
        """Return those of `among` that a draw could take: without a label, and never drawn for the question."""
        return self._pool(uow, scope, question, among)[1]

    def lots(self, uow: UnitOfWork, scope: Scope, question: str) -> list[Lot]:
        """Return every drawing for a question, oldest first."""
        return store.lots(uow, scope, question)

    def draws(self, uow: UnitOfWork, scope: Scope, lot_id: str) -> list[Draw]:
        """Return the draws of a lot, in the order of the draw."""
        return store.draws_of_lot(uow, scope, lot_id)

    def certification_sample(
        self, uow: UnitOfWork, scope: Scope, question: str, *, since: datetime | None = None
    ) -> list[Sampled]:
        """Return (item, value, probability) of everything drawn to certify since a time, in the order of the draws.

        The value is what was answered for the draw itself, whatever the item's label became later. Raises
        SampleIncomplete while a drawn item has no label.
        """
        after = 0 if since is None else micros(since)
        found, missing = store.sample(uow, scope, question, "certify", after)
        if missing:
            raise SampleIncomplete(
                f"{missing} of {missing + len(found)} drawn items have no label yet.",
                hint="Every drawn item needs its label, also the hard ones.",
                missing=missing,
            )
        return found

    # Answers

    def on_label(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Turn the answer to a label task into the item's label; who cannot say hands the task on."""
        drawn = store.draw_of_task(uow, scope, task.id)
        if answer.verb != "label":
            self._pass_on(uow, actor, scope, task, answer, drawn)
            return
        assert task.item_id is not None
        label = NewLabel(
            item_id=task.item_id,
            question=task.question,
            value=answer.value,
            source="review" if drawn is None else "draw",
            purpose="feedback" if drawn is None else drawn.purpose,
            probability=None if drawn is None else drawn.probability,
            task_id=task.id,
            reason=answer.reason,
        )
        self._datasets.put_label(uow, actor, scope, label)
        if drawn is not None:
            store.label(uow, scope, drawn, answer.value, micros(answer.answered_at))
            if drawn.purpose == "certify":
                self.on_certify_label(uow, actor, scope, task.item_id, answer.value)
        if task.campaign_id is not None:
            self._count(uow, actor, scope, task.campaign_id)

    def _pass_on(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer, drawn: Draw | None
    ) -> None:
        """Open the same task for another person; when asked, or after the second who could not say, for the next skill
        of the project's chain, whose end are leads.
        """
        climbs = answer.verb == "escalate" or bool(task.not_by)
        skill = self._tasks.staffing.next_skill(uow, scope, task.skill) if climbs else task.skill
        new = NewTask(
            kind="label",
            question=task.question,
            item_id=task.item_id,
            payload=task.payload,
            priority=passed_on(task.worth, escalated=answer.verb == "escalate"),
            skill=skill,
            reason=task.reason,
            blind=task.blind,
            campaign_id=task.campaign_id,
            not_by=(*task.not_by, actor.id),
        )
        (again,) = self._tasks.open_many(uow, scope, [new])
        if drawn is not None:
            store.pass_on(uow, scope, drawn, again.id)
        event = DrawPassedOn(
            lot_id=None if drawn is None else drawn.lot_id,
            item_id=task.item_id,
            task_id=task.id,
            next_task_id=again.id,
            verb_given=answer.verb,
            to="a lead" if skill == LEAD else f"somebody with the skill {skill}" if skill else "another person",
        )
        self._journal.append(uow, actor, scope.project_id, event)

    # Campaigns

    def open_campaign(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        *,
        reason: str,
        question: str,
        target: int,
        alarm_id: str | None = None,
    ) -> Campaign:
        """Open a campaign that ends when `target` answers are in; its tasks are drawn with `draw`.

        Raises DrawInvalid, QuestionUnknown.
        """
        if not 1 <= target <= MOST_TARGET:
            raise DrawInvalid(f"A campaign asks for 1 to {MOST_TARGET:,} answers.", target=target)
        self._datasets.schema(uow, scope).item_question(question)
        made = Campaign(
            id=self._ids.new(),
            project_id=scope.project_id,
            question=question,
            reason=reason,
            target=target,
            drawn=0,
            answered=0,
            state="open",
            alarm_id=alarm_id,
            opened_at=self._clock.now(),
            closed_at=None,
        )
        store.add_campaign(uow, scope, made)
        event = CampaignOpened(campaign_id=made.id, alarm_id=alarm_id, question=question, reason=reason, target=target)
        self._journal.append(uow, actor, scope.project_id, event)
        return made

    def campaign(self, uow: UnitOfWork, scope: Scope, campaign_id: str) -> Campaign:
        """Return a campaign; raises CampaignNotFound."""
        return _there(store.get_campaign(uow, scope, campaign_id))

    def campaigns(self, uow: UnitOfWork, scope: Scope) -> list[Campaign]:
        """Return the project's campaigns, newest first."""
        return store.campaigns(uow, scope)

    def _locked(self, uow: UnitOfWork, scope: Scope, campaign_id: str) -> Campaign:
        return _there(store.get_campaign(uow, scope, campaign_id, lock=True))

    def _count(self, uow: UnitOfWork, actor: Actor, scope: Scope, campaign_id: str) -> None:
        """Count one answer; the one that reaches the target closes the campaign."""
        before = self._locked(uow, scope, campaign_id)
        now = replace(before, answered=before.answered + 1)
        if now.state == "open" and now.answered >= now.target:
            now = replace(now, state="done", closed_at=self._clock.now())
            event = CampaignClosed(campaign_id=campaign_id, alarm_id=now.alarm_id, answered=now.answered)
            self._journal.append(uow, actor, scope.project_id, event)
        store.put_campaign(uow, scope, now)


def _label_task(lot: Lot, item_id: str) -> NewTask:
    asked: dict[str, Any] = {"question": lot.question, "reason": lot.reason, "campaign_id": lot.campaign_id}
    return NewTask(kind="label", item_id=item_id, blind=True, **asked)


def _there(found: Campaign | None) -> Campaign:
    if found is None:
        raise CampaignNotFound("No such campaign in this project.")
    return found


def _nothing(uow: UnitOfWork, actor: Actor, scope: Scope, item_id: str, value: Any) -> None:
    del uow, actor, scope, item_id, value
