"""Asks several people about an item, as long as another answer pays, and lets their truth become the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handrail.cycle.annotate import store
from handrail.cycle.annotate.events import AskedAgain, Disagreed, DrawPassedOn, OverlapSet, TruthAccepted
from handrail.cycle.annotate.model import MOST_OVERLAP_CHOICES, OverlapInvalid, OverlapRule
from handrail.cycle.annotate.store import overlap
from handrail.cycle.annotate.store.overlap import OverlapAnswer
from handrail.cycle.datasets import Datasets
from handrail.cycle.tasks import LEAD, Answer, NewTask, Task, Tasks
from handrail.cycle.tasks.urgency import passed_on
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage, UnitOfWork

if TYPE_CHECKING:
    from handrail.cycle.annotate.truth.report import CrowdReport

TRUTH = Actor.rule("truth")
_FIRST_FIT, _GROWTH, _MORE = 200, 0.02, 20


@dataclass(frozen=True)
class Settled:
    """What an answer made the label of its item: its value, who says so and why."""

    actor: Actor
    value: Any
    reason: str


class Overlapping:
    """The rules of overlap, the answers that they collect, and the model that weighs them."""

    def __init__(self, storage: Storage, journal: Journal, clock: Clock, datasets: Datasets, tasks: Tasks) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._datasets = datasets
        self._tasks = tasks

    def rule(self, uow: UnitOfWork, scope: Scope, question: str) -> OverlapRule | None:
        """Return the rule of a question, None where one answer is enough; raises QuestionUnknown."""
        self._datasets.schema(uow, scope).question(question)
        return overlap.get_rule(uow, scope, question)

    def set_rule(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, question: str, rule: OverlapRule | None
    ) -> OverlapRule | None:
        """Put a rule into force from the next answer on; None takes it away, the same again changes nothing.

        Raises QuestionUnknown, and OverlapInvalid for a question without choices or with more than 50.
        """
        asked = self._datasets.schema(uow, scope).question(question)
        if rule is not None and (asked.type != "choice" or len(asked.choices) > MOST_OVERLAP_CHOICES):
            raise OverlapInvalid(
                f"Only a question with up to {MOST_OVERLAP_CHOICES} choices can ask several people.",
                hint="One answer holds for every other question.",
            )
        if rule != overlap.get_rule(uow, scope, question):
            at, by = micros(self._clock.now()), f"{actor.kind}:{actor.id}"
            overlap.put_rule(uow, scope, question, rule, at=at, by=by)
            document = None if rule is None else rule.to_dict()
            self._journal.append(uow, actor, scope.project_id, OverlapSet(question=question, document=document))
        return rule

    def heard(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> Settled | None:
        """Weigh an answer with those before it; return what settles the item, None when somebody else was asked."""
        rule = overlap.get_rule(uow, scope, task.question)
        if rule is None:
            return Settled(actor, answer.value, answer.reason)
        assert task.item_id is not None
        one = OverlapAnswer(task.item_id, actor.id, actor.name, answer.value, task.id)
        before = overlap.answers_of_item(uow, scope, task.question, task.item_id)
        overlap.add_answer(uow, scope, task.question, one, micros(answer.answered_at))
        return self._weighed(uow, actor, scope, rule, task, [*before, one])

    def _weighed(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, rule: OverlapRule, task: Task, given: list[OverlapAnswer]
    ) -> Settled | None:
        # numpy and scipy come with it, and nothing needs them before the first overlapping answer.
        from handrail.cycle.annotate.truth.crowd_model import CrowdModel, without_a_fit
        from handrail.cycle.annotate.truth.next_answer import StopRule

        assert task.item_id is not None
        choices = self._datasets.schema(uow, scope).question(task.question).choices
        stored = overlap.get_model(uow, scope, task.question)
        model = without_a_fit(choices) if stored is None else CrowdModel.from_dict(stored[1], choices)
        weighed = model.weigh([(one.actor_id, one.value) for one in given])
        asks_on = len(given) < rule.most and rule.asks_all(scope.project_id, task.question, task.item_id)
        stop_rule = StopRule(rule.error, rule.least, rule.most, rule.price)
        why = None if asks_on else model.stops(stop_rule, weighed, len(given))
        if why is None:
            next_task = self._ask(uow, scope, task, actor)
            event = AskedAgain(
                item_id=task.item_id,
                task_id=task.id,
                next_task_id=next_task,
                question=task.question,
                answers=len(given),
                doubt=weighed.doubt,
            )
            self._journal.append(uow, TRUTH, scope.project_id, event)
            return None
        if why != "sure":
            self._adjudicate(uow, scope, task, given, weighed.doubt, why)
            return None
        accepted = TruthAccepted(
            item_id=task.item_id,
            task_id=task.id,
            question=task.question,
            value=weighed.label,
            answers=len(given),
            posterior=weighed.posterior,
            model_answers=0 if stored is None else stored[0],
        )
        self._journal.append(uow, TRUTH, scope.project_id, accepted)
        if len(given) == 1:
            return Settled(actor, weighed.label, "")
        return Settled(TRUTH, weighed.label, f"{len(given)} people's answers, {1 - weighed.doubt:.1%} sure")

    def _ask(self, uow: UnitOfWork, scope: Scope, task: Task, actor: Actor) -> str:
        """Open the same task for another person and move the draw on to it."""
        new = NewTask(
            kind="label",
            question=task.question,
            item_id=task.item_id,
            payload=task.payload,
            priority=task.worth,
            skill=task.skill,
            reason=task.reason,
            blind=task.blind,
            campaign_id=task.campaign_id,
            not_by=(*task.not_by, actor.id),
        )
        return self._moved(uow, scope, task, new)

    def _adjudicate(
        self, uow: UnitOfWork, scope: Scope, task: Task, given: list[OverlapAnswer], doubt: float, why: str
    ) -> None:
        said = [{"verb": "label", "value": one.value, "reason": ""} for one in given]
        new = NewTask(
            kind="adjudicate",
            question=task.question,
            item_id=task.item_id,
            payload={"answers": said, "overlap": {"doubt": doubt, "why": why}},
            skill=LEAD,
            reason=f"{len(given)} people do not agree",
            campaign_id=task.campaign_id,
            not_by=tuple(dict.fromkeys((*task.not_by, *(one.actor_id for one in given)))),
        )
        next_task = self._moved(uow, scope, task, new)
        assert task.item_id is not None
        event = Disagreed(
            item_id=task.item_id,
            task_id=task.id,
            next_task_id=next_task,
            question=task.question,
            answers=len(given),
            doubt=doubt,
            why=why,
        )
        self._journal.append(uow, TRUTH, scope.project_id, event)

    def pass_on(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Open the same label task for another person; when asked, or after the second who could not say, for the next
        skill of the project's chain, whose end are leads.
        """
        answered = 0
        if task.not_by and task.item_id is not None:
            answered = len(overlap.answers_of_item(uow, scope, task.question, task.item_id))
        climbs = answer.verb == "escalate" or len(task.not_by) > answered
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
        drawn = store.draw_of_task(uow, scope, task.id)
        event = DrawPassedOn(
            lot_id=None if drawn is None else drawn.lot_id,
            item_id=task.item_id,
            task_id=task.id,
            next_task_id=self._moved(uow, scope, task, new),
            verb_given=answer.verb,
            to="a lead" if skill == LEAD else f"somebody with the skill {skill}" if skill else "another person",
        )
        self._journal.append(uow, actor, scope.project_id, event)

    def hand_on(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Give an adjudicate task that a lead could not settle to another lead."""
        worth = passed_on(task.worth, escalated=answer.verb == "escalate")
        new = NewTask(
            kind="adjudicate",
            question=task.question,
            item_id=task.item_id,
            payload=task.payload,
            priority=worth,
            skill=task.skill,
            reason=task.reason,
            campaign_id=task.campaign_id,
            not_by=(*task.not_by, actor.id),
        )
        drawn = store.draw_of_task(uow, scope, task.id)
        event = DrawPassedOn(
            lot_id=None if drawn is None else drawn.lot_id,
            item_id=task.item_id,
            task_id=task.id,
            next_task_id=self._moved(uow, scope, task, new),
            verb_given=answer.verb,
            to="another lead",
        )
        self._journal.append(uow, actor, scope.project_id, event)

    def _moved(self, uow: UnitOfWork, scope: Scope, task: Task, new: NewTask) -> str:
        drawn = store.draw_of_task(uow, scope, task.id)
        (again,) = self._tasks.open_many(uow, scope, [new])
        if drawn is not None:
            store.pass_on(uow, scope, drawn, again.id)
        return again.id

    # The model

    def refit(self, scope: Scope, question: str) -> bool:
        """Fit the model of a question anew when the answers have grown by 2 % and 20 (the first time: 200 answers).

        Computed outside of any unit. Returns whether it did.
        """
        last, fitted = self._storage.read(
            lambda uow: (overlap.last_number(uow, scope, question), overlap.fitted_answers(uow, scope, question))
        )
        due = last >= _FIRST_FIT if fitted == 0 else last >= fitted * (1.0 + _GROWTH) + _MORE
        if not due:
            return False
        from handrail.cycle.annotate.truth.crowd_model import fitted_model

        given, choices, rule = self._storage.read(
            lambda uow: (
                overlap.all_answers(uow, scope, question),
                self._datasets.schema(uow, scope).question(question).choices,
                overlap.get_rule(uow, scope, question) or OverlapRule(),
            )
        )
        rows = [(one.item_id, one.actor_id, one.value) for one in given if one.value in choices]
        document = fitted_model(
            rows, choices, among=lambda item: rule.asks_all(scope.project_id, question, item)
        ).to_dict()
        now = micros(self._clock.now())
        self._storage.write(lambda uow: overlap.put_model(uow, scope, question, len(given), document, now))
        return True

    def report(self, scope: Scope, question: str) -> tuple[CrowdReport | None, dict[str, str]]:
        """Return what the answers to a question say about its people, and their names by id; None without any.

        Raises QuestionUnknown.
        """
        given, choices = self._storage.read(
            lambda uow: (
                overlap.all_answers(uow, scope, question),
                self._datasets.schema(uow, scope).question(question).choices,
            )
        )
        rows = [(one.item_id, one.actor_id, one.value) for one in given if one.value in choices]
        names = {one.actor_id: one.actor_name for one in given}
        if not rows:
            return None, names
        from handrail.cycle.annotate.truth.report import report

        return report(rows, choices), names


def is_overlap(task: Task) -> bool:
    """Return whether an adjudicate task is about people who do not agree on an item."""
    return task.decision_id is None and "overlap" in task.payload
