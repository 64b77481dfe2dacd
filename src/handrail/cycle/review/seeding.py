"""Plants seeds and hears their answers. Nothing else of the product reads a seed: it has no decision and makes no
label, so training, commits, figures, tallies, deadlines, certificates and profiles never see one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from handrail.cycle.datasets import Datasets
from handrail.cycle.review import seeds, store
from handrail.cycle.review.events import SeedAnswered
from handrail.cycle.review.model import Decision
from handrail.cycle.review.policy import Policy
from handrail.cycle.review.steering import Steering
from handrail.cycle.review.store.seeds import SeedRow
from handrail.cycle.tasks import Answer, NewTask, Task, Tasks
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock, micros
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import UnitOfWork

_LATER = timedelta(hours=1)
_RECENT = 200  # decisions among which a seed finds the one that it looks like


class Seeding:
    """Opens the seeds that decide() drew, each at a time of its own, and keeps what their answers show."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        randomness: Randomness,
        datasets: Datasets,
        tasks: Tasks,
        steering: Steering,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._randomness = randomness
        self._datasets = datasets
        self._tasks = tasks
        self._steering = steering

    def plant_due(self, uow: UnitOfWork, now: datetime) -> int:
        """Open the seeds of every project that are due and return how many; one without material waits an hour."""
        opened = 0
        for seed_id, project_id, question, share in store.seeds_due(uow, micros(now)):
            scope = Scope(project_id)
            policy = self._steering.policy(uow, scope)
            if policy.question != question or not policy.seed_share:
                store.drop_seed(uow, scope, seed_id)
            elif self._open(uow, scope, policy, seed_id, share, now):
                opened += 1
            else:
                store.postpone_seed(uow, scope, seed_id, micros(now + _LATER))
        return opened

    def heard(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Keep what the answer to a seed shows, and reveal the seed in the journal; a task that is none is left."""
        found = store.seed_of_task(uow, scope, task.id)
        if found is None:
            return
        made = replace(
            found,
            outcome=seeds.outcome(found.shown, found.shown_value, answer.verb, answer.value),
            value=answer.value,
            own=None if task.own is None else task.own.value,
            person_id=actor.id,
            person_name=actor.name,
            seconds=answer.seconds,
            answered_at=answer.answered_at,
        )
        store.answer_seed(uow, scope, made)
        assert made.outcome is not None
        event = SeedAnswered(
            seed_id=made.id,
            task_id=task.id,
            item_id=made.item_id,
            shown=made.shown,
            truth=made.truth,
            shown_value=made.shown_value,
            value=made.value,
            outcome=made.outcome,
            share=made.share,
            opened_at=made.opened_at.isoformat(),
        )
        self._journal.append(uow, actor, scope.project_id, event)

    def answered(self, uow: UnitOfWork, scope: Scope) -> list[SeedRow]:
        """Return the answered seeds of a project, oldest answer first."""
        return store.answered_seeds(uow, scope)

    def _open(self, uow: UnitOfWork, scope: Scope, policy: Policy, seed_id: str, share: float, now: datetime) -> bool:
        like = self._like(uow, scope, policy)
        known = known_cases(self._datasets, uow, scope, policy.question)
        if like is None or len(known) < seeds.LEAST_KNOWN:
            return False
        used = store.seeded_items(uow, scope)
        fresh = [one for one in known if one.item_id not in used] or known
        one = fresh[self._randomness.choose(len(fresh), 1)[0]]
        decision, task = like
        assert decision.prediction is not None
        choices = self._datasets.schema(uow, scope).question(policy.question).classes
        made = seeds.plant(
            one.truth, choices, seeds.Like(decision.prediction, decision.reasons[0]), self._randomness.uniform
        )
        deadline = None if decision.expires_at is None else now + (decision.expires_at - decision.created_at)
        new = NewTask(
            kind="review",
            question=policy.question,
            item_id=one.item_id,
            payload={"prediction": made.prediction},
            priority=task.worth,
            reason=made.reason,
            deadline=deadline,
            not_by=tuple(sorted({one.by} | store.people_who_know(uow, scope, one.item_id))),
            blind_first=policy.blind_first,
        )
        # Like every review task it begins without a skill, wherever the one that it imitates has climbed to since.
        # Not journalled here: an entry would tell who reads it. The answer's entry says when it was opened.
        (opened,) = self._tasks.open_many(uow, scope, [new])
        row = SeedRow(
            seed_id, policy.question, share, opened.id, one.item_id, made.shown, one.truth, made.prediction["value"],
            now, None, None, None, None, None, None, None,
        )  # fmt: skip
        store.open_seed(uow, scope, row)
        return True

    def _like(self, uow: UnitOfWork, scope: Scope, policy: Policy) -> tuple[Decision, Task] | None:
        """Return a recent decision that a person was asked about with the model's answer, and its first task."""
        found = [
            one
            for one in store.recent_decisions(uow, scope, before=None, limit=_RECENT)
            if one.route == "human"
            and one.prediction is not None
            and one.certificate_id is None  # drawn ones are blind
            and (one.question, one.sealed) == (policy.question, policy.blind_first)
        ]
        if not found:
            return None
        one = found[self._randomness.choose(len(found), 1)[0]]
        return one, self._tasks.of_decision(uow, scope, one.id)[0]


def known_cases(datasets: Datasets, uow: UnitOfWork, scope: Scope, question: str) -> list[seeds.Known]:
    """Return the cases of known truth: labels that were drawn to certify or held out. No model learns from them."""
    return [
        seeds.Known(one.item_id, one.value, one.actor_id)
        for purpose in ("certify", "holdout")
        for one in datasets.labels(uow, scope, question=question, purpose=purpose)
    ]
