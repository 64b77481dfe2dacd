"""Evaluate: models on held-out items, champion against challenger, and what is put before a person to sign."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from handrail.cycle.datasets import Datasets
from handrail.cycle.evaluate import metrics, store
from handrail.cycle.evaluate.events import Evaluated, Proposed, Refused, Signed
from handrail.cycle.evaluate.figures import figures
from handrail.cycle.evaluate.model import (
    HELD_OUT,
    Comparison,
    DifferentQuestions,
    Evaluation,
    NotACandidate,
    NotAPerson,
    NothingHeldOut,
    NotSignedYet,
    Proposal,
    ProposalClosed,
    ProposalNotFound,
    ProposalStale,
    ProposalState,
    judge,
    sentence,
)
from handrail.cycle.tasks import LEAD, Answer, NewTask, Task, Tasks
from handrail.cycle.tasks.urgency import POINTS
from handrail.cycle.train import ModelVersion, Prediction, Train
from handrail.cycle.train.model import class_key
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.canonical import encode
from handrail.foundation.clock import Clock, micros
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage, UnitOfWork

_SEED = 20_260_101  # of the paired bootstrap; the same rows give the same interval


@dataclass(frozen=True)
class _HeldOut:
    """Held-out rows in the order of their items; `digest` names exactly these labels."""

    rows: list[dict[str, Any]]
    labels: list[Any]
    excluded: int
    digest: str


class Evaluate:
    """Measures models and proposes them."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        ids: Ids,
        datasets: Datasets,
        train: Train,
        tasks: Tasks,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._datasets = datasets
        self._train = train
        self._tasks = tasks

    def evaluate(self, actor: Actor, scope: Scope, model_id: str) -> Evaluation:
        """Measure a model on every held-out label and keep the result; the same labels give the same evaluation.

        Held out are labels drawn at random to certify or to hold out, of items (and of people, where items name
        them) that the model has not learned from. Raises NothingHeldOut, ModelNotFound.
        """
        model = self._storage.read(lambda uow: self._train.model(uow, scope, model_id))
        held = self._held_out(scope, [model])
        known = self._storage.read(lambda uow: store.evaluation_of(uow, scope, model_id, held.digest))
        if known is not None:
            return known
        found = figures(self._predictions(model, held), held.labels, model.classes)
        return self._storage.write(lambda uow: self._keep(uow, actor, scope, model, held, found))

    def evaluations(self, uow: UnitOfWork, scope: Scope, model_id: str) -> list[Evaluation]:
        """Return the evaluations of a model, newest first."""
        return store.evaluations_of(uow, scope, model_id)

    def compare(self, actor: Actor, scope: Scope, champion_id: str, challenger_id: str) -> Comparison:
        """Return both models on the same held-out items, which neither has learned from.

        The difference comes with the interval of a paired bootstrap and McNemar's exact p-value. Raises
        NothingHeldOut, DifferentQuestions, ModelNotFound.
        """
        del actor  # reading writes nothing; the proposal that carries the comparison is in the journal
        champion, challenger = self._storage.read(
            lambda uow: (self._train.model(uow, scope, champion_id), self._train.model(uow, scope, challenger_id))
        )
        if champion.question != challenger.question:
            raise DifferentQuestions(f"{champion.name} and {challenger.name} answer different questions.")
        held = self._held_out(scope, [champion, challenger])
        truth = [class_key(value) for value in held.labels]
        first, second = (self._given(model, held) for model in (champion, challenger))
        found = metrics.compare(truth, first, second, seed=_SEED)
        change = found.difference
        verdict = judge(change.low, change.high)
        return Comparison(
            champion_id=champion_id,
            challenger_id=challenger_id,
            question=champion.question,
            rows=found.n,
            excluded=held.excluded,
            labels_digest=held.digest,
            champion_accuracy=found.champion.to_dict(),
            challenger_accuracy=found.challenger.to_dict(),
            difference=change.to_dict(),
            only_champion=found.only_champion,
            only_challenger=found.only_challenger,
            p_value=found.p_value,
            verdict=verdict,
            sentence=sentence(verdict, change.value, change.low, change.high, found.n),
        )

    def propose(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, model_id: str, comparison: Comparison | None
    ) -> Task:
        """Open the sign-off task of a candidate, or return the one that is there. Its payload is what a person sees.

        A candidate for the same question that still waits for its signature is rejected: it has been overtaken.
        `comparison` is None before the first champion, and while nothing is held out.
        """
        known = store.proposal_of_model(uow, scope, model_id)
        if known is not None:
            return self._tasks.task(uow, scope, known.task_id)
        model = self._train.model(uow, scope, model_id)
        champion = self._train.champion(uow, scope, model.question)
        replaced_id = None if champion is None else champion.id
        self._supersede(uow, actor, scope, model)
        document = self._document(uow, scope, model, champion, comparison)
        task = self._tasks.open(
            uow,
            actor,
            scope,
            NewTask(
                kind="sign_off",
                question=model.question,
                subject_id=model.id,
                payload=document,
                priority=POINTS,
                skill=LEAD,
                reason=f"{model.name} is proposed" + ("" if champion is None else f" in place of {champion.name}"),
            ),
        )
        proposal = Proposal(
            id=self._ids.new(),
            project_id=scope.project_id,
            model_id=model_id,
            replaced_id=replaced_id,
            task_id=task.id,
            state="open",
            document=document,
            created_at=self._clock.now(),
            decided_at=None,
            decided_by="",
        )
        store.insert_proposal(uow, proposal)
        said = Proposed(
            model_id=model_id,
            replaced_id=replaced_id,
            task_id=task.id,
            question=model.question,
            comparison=None if comparison is None else comparison.to_dict(),
        )
        self._journal.append(uow, actor, scope.project_id, said)
        return task

    def put_forward(self, actor: Actor, scope: Scope, model_id: str) -> Proposal:
        """Compare a candidate with the champion and propose it; a model that was proposed keeps its proposal.

        Raises ModelNotFound, NotACandidate for a champion, retired or rejected model that was never proposed.
        """
        model, champion, known = self._storage.read(lambda uow: self._rivals(uow, scope, model_id))
        if known is not None:
            return known
        if model.state != "candidate":
            raise NotACandidate(f"{model.name} is {model.state}.", hint="Train a new model from the commit you want.")
        comparison = None
        if champion is not None:
            with suppress(NothingHeldOut):  # the document says so
                comparison = self.compare(actor, scope, champion.id, model_id)

        def unit(uow: UnitOfWork) -> Proposal:
            task = self.propose(uow, actor, scope, model_id, comparison)
            return self.proposal_of_task(uow, scope, task.id)

        return self._storage.write(unit)

    def _rivals(
        self, uow: UnitOfWork, scope: Scope, model_id: str
    ) -> tuple[ModelVersion, ModelVersion | None, Proposal | None]:
        model = self._train.model(uow, scope, model_id)
        champion = self._train.champion(uow, scope, model.question)
        return model, champion, store.proposal_of_model(uow, scope, model_id)

    def proposals(self, uow: UnitOfWork, scope: Scope) -> list[Proposal]:
        """Return every proposal of the project, oldest first."""
        return store.list_proposals(uow, scope)

    def proposal_of_task(self, uow: UnitOfWork, scope: Scope, task_id: str) -> Proposal:
        """Return the proposal that a sign-off task is about; raises ProposalNotFound."""
        found = store.proposal_of_task(uow, scope, task_id)
        if found is None:
            raise ProposalNotFound("No proposal belongs to this task.", task_id=task_id)
        return found

    def on_sign_off(self, uow: UnitOfWork, actor: Actor, scope: Scope, task: Task, answer: Answer) -> None:
        """Take the answer to a sign-off task: `sign` lets the promotion start, `refuse` rejects the candidate.

        Raises NotAPerson, ProposalClosed, and ProposalStale when the champion is no longer the one that
        the candidate was compared with.
        """
        if not actor.is_human:
            raise NotAPerson("Only a person may sign the promotion of a model.")
        proposal = self.proposal_of_task(uow, scope, task.id)
        if proposal.state != "open":
            raise _closed(proposal)
        model = self._train.model(uow, scope, proposal.model_id)
        signs = answer.verb == "sign"
        if signs:
            champion = self._train.champion(uow, scope, model.question)
            if (None if champion is None else champion.id) != proposal.replaced_id:
                raise ProposalStale(
                    f"Another model became the champion since {model.name} was proposed.",
                    hint="Refuse this proposal and train again: the comparison no longer applies.",
                )
        at = micros(self._clock.now())
        state: ProposalState = "signed" if signs else "refused"
        if not store.decide_proposal(uow, scope, proposal.id, state, at=at, who=actor.id):
            raise _closed(proposal)
        kind = Signed if signs else Refused
        said = kind(model_id=model.id, task_id=task.id, question=model.question, reason=answer.reason)
        self._journal.append(uow, actor, scope.project_id, said)
        if not signs:
            self._train.reject(uow, actor, scope, model.id, answer.reason or "the promotion was refused")

    def promote(self, uow: UnitOfWork, actor: Actor, scope: Scope, task_id: str) -> ModelVersion:
        """Make the model of a signed sign-off task the champion; again changes nothing.

        Raises ProposalNotFound, NotSignedYet.
        """
        proposal = self.proposal_of_task(uow, scope, task_id)
        if proposal.state != "signed":
            raise NotSignedYet("The promotion has not been signed.", task_id=task_id, state=proposal.state)
        return self._train.set_champion(uow, actor, scope, proposal.model_id)

    # Parts

    def _supersede(self, uow: UnitOfWork, actor: Actor, scope: Scope, newer: ModelVersion) -> None:
        for one in store.list_proposals(uow, scope):
            if one.state != "open" or one.document["question"] != newer.question:
                continue
            at = micros(self._clock.now())
            if store.decide_proposal(uow, scope, one.id, "superseded", at=at, who=actor.id):
                why = f"{newer.name} was proposed after it"
                self._tasks.withdraw(uow, actor, scope, one.task_id, why)
                self._train.reject(uow, actor, scope, one.model_id, why)

    def _held_out(self, scope: Scope, models: Sequence[ModelVersion]) -> _HeldOut:
        question = models[0].question
        learned = {item for model in models for item in self._train.training_items(model)}

        def unit(uow: UnitOfWork) -> _HeldOut:
            labels = [
                one
                for purpose in HELD_OUT
                for one in self._datasets.labels(uow, scope, question=question, purpose=purpose)
            ]
            items = self._datasets.items_by_id(uow, scope, [one.item_id for one in labels])
            people = set()
            if any(item.subject is not None for item in items.values()):
                known = self._datasets.items_by_id(uow, scope, learned).values()
                people = {item.subject for item in known if item.subject is not None}
            kept = [one for one in labels if one.item_id not in learned and items[one.item_id].subject not in people]
            kept.sort(key=lambda one: items[one.item_id].seq)
            return _HeldOut(
                rows=[dict(items[one.item_id].data) for one in kept],
                labels=[one.value for one in kept],
                excluded=len(labels) - len(kept),
                digest=sha256(encode([[one.item_id, one.value] for one in kept]).encode()).hexdigest(),
            )

        held = self._storage.read(unit)
        if not held.rows:
            raise NothingHeldOut(
                f"No label for {question} is held out from {' and '.join(model.name for model in models)}.",
                hint="Draw items at random with the purpose holdout and label them.",
                excluded=held.excluded,
            )
        return held

    def _predictions(self, model: ModelVersion, held: _HeldOut) -> list[Prediction]:
        return self._train.predictor(model).predict(held.rows)

    def _given(self, model: ModelVersion, held: _HeldOut) -> list[str]:
        return [class_key(one.value) for one in self._predictions(model, held)]

    def _keep(
        self,
        uow: UnitOfWork,
        actor: Actor,
        scope: Scope,
        model: ModelVersion,
        held: _HeldOut,
        found: dict[str, Any],
    ) -> Evaluation:
        known = store.evaluation_of(uow, scope, model.id, held.digest)
        if known is not None:
            return known
        made = Evaluation(
            id=self._ids.new(),
            project_id=scope.project_id,
            model_id=model.id,
            question=model.question,
            rows=len(held.labels),
            excluded=held.excluded,
            labels_digest=held.digest,
            figures=found,
            created_at=self._clock.now(),
        )
        store.insert_evaluation(uow, made)
        said = Evaluated(
            evaluation_id=made.id,
            model_id=model.id,
            question=model.question,
            rows=made.rows,
            accuracy=found["accuracy"],
        )
        self._journal.append(uow, actor, scope.project_id, said)
        return made

    def _document(
        self,
        uow: UnitOfWork,
        scope: Scope,
        model: ModelVersion,
        champion: ModelVersion | None,
        comparison: Comparison | None,
    ) -> dict[str, Any]:
        """Return what the person who signs is shown."""
        latest = next(iter(store.evaluations_of(uow, scope, model.id)), None)
        held = None
        if latest is not None:
            held = {"id": latest.id, "rows": latest.rows, "excluded": latest.excluded, "accuracy": latest.accuracy}
        return {
            "question": model.question,
            "model": {
                "id": model.id,
                "name": model.name,
                "digest": model.digest,
                "commit_id": model.commit_id,
                "rows": model.metrics["rows"],
                "note": model.note,
            },
            "champion": None if champion is None else {"id": champion.id, "name": champion.name},
            "cross_validation": {"method": model.metrics["method"], "accuracy": model.metrics["accuracy"]},
            "evaluation": held,
            "comparison": None if comparison is None else comparison.to_dict(),
            "summary": _summary(model, held, comparison),
        }


def _closed(proposal: Proposal) -> ProposalClosed:
    return ProposalClosed("This proposal has been decided already.", state=proposal.state)


def _summary(model: ModelVersion, held: dict[str, Any] | None, comparison: Comparison | None) -> str:
    if comparison is not None:
        return comparison.sentence
    if held is not None:
        share = held["accuracy"]
        return (
            f"There is no champion to compare with. Right on {share['value']:.1%} [{share['low']:.1%}, "
            f"{share['high']:.1%}] of {held['rows']} held-out items."
        )
    share = model.metrics["accuracy"]
    return (
        f"Nothing is held out yet. In cross-validation on {model.metrics['rows']} training rows it was right on "
        f"{share['value']:.1%} [{share['low']:.1%}, {share['high']:.1%}]."
    )
