"""The durable jobs: retraining (commit, fit, evaluate, compare, propose) and promotion after the signature.

No job waits for a person. Retraining ends when the sign-off task is open; the signature is a fact in the journal, and
that fact starts the promotion. Every step may run twice (a process can die between the step and the note that it is
done), so each one first looks for what it may have made before.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from handrail.cycle.evaluate.model import Comparison, NothingHeldOut, NotSignedYet
from handrail.cycle.evaluate.service import Evaluate
from handrail.cycle.feedback import Feedback
from handrail.cycle.train import NoTrainingRows, Run, Train
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.errors import HandrailError
from handrail.foundation.storage import Storage, UnitOfWork
from handrail.foundation.work.jobs import JobRun, Jobs
from handrail.foundation.work.station import Report

RETRAIN = "retrain"
PROMOTE = "promote"
_RULE = Actor.rule("training pipeline")
_REPORT_S = 1.0


class Pipelines:
    """Asks for, starts, cancels and carries out the jobs around a model.

    Call `register` after `Jobs.configure`, and `resume` after `Jobs.launch`. Where the jobs do not work, a run that is
    asked for waits until a worker takes it up.
    """

    def __init__(self, jobs: Jobs, storage: Storage, feedback: Feedback, train: Train, evaluate: Evaluate) -> None:
        self._jobs = jobs
        self._storage = storage
        self._feedback = feedback
        self._train = train
        self._evaluate = evaluate

    def register(self) -> None:
        """Name the jobs to the engine."""
        self._jobs.register(RETRAIN, self._retrain)
        self._jobs.register(PROMOTE, self._promote)

    def resume(self) -> int:
        """Start every run that was asked for and that the engine does not know yet; those it knows go on by themselves.

        Closes the gap between the transaction that asks for a run and the start of its job, and is how a worker hears
        of runs. Returns how many it started.
        """
        if not self._jobs.works:
            return 0
        waiting = [run for run in self._storage.read(self._train.runs.unfinished) if not self._jobs.knows(run.id)]
        for run in waiting:
            self._start(run)
        return len(waiting)

    def retrain(
        self,
        actor: Actor,
        scope: Scope,
        question: str,
        *,
        seed: int = 0,
        note: str = "",
        commit_id: str | None = None,
        run_id: str | None = None,
    ) -> Run:
        """Ask for a retraining and start it; returns the run.

        While one for the question is under way, that one is returned. `commit_id`: learn from this commit instead
        of committing what waits. `run_id`: the id of the fact that asks for it, so that hearing of it twice starts
        one run.
        """

        def unit(uow: UnitOfWork) -> Run:
            under_way = self._train.runs.under_way(uow, scope, RETRAIN, question)
            if under_way is not None:
                return under_way
            args = {"seed": seed, "note": note, "commit_id": commit_id}
            return self._train.runs.ask(
                uow, actor, scope, workflow=RETRAIN, question=question, args=args, run_id=run_id
            )

        run = self._storage.write(unit)
        self._start(run)
        return run

    def promote(self, actor: Actor, scope: Scope, task_id: str) -> Run:
        """Start the promotion that a signed sign-off task asks for; again returns the same run.

        Raises ProposalNotFound, NotSignedYet.
        """

        def unit(uow: UnitOfWork) -> Run:
            proposal = self._evaluate.proposal_of_task(uow, scope, task_id)
            if proposal.state != "signed":
                raise NotSignedYet("The promotion has not been signed.", task_id=task_id)
            question = str(proposal.document["question"])
            return self._train.runs.ask(
                uow,
                actor,
                scope,
                workflow=PROMOTE,
                question=question,
                args={"model_id": proposal.model_id, "task_id": task_id},
                run_id=task_id,
            )

        run = self._storage.write(unit)
        self._start(run)
        return run

    def under_way(self, uow: UnitOfWork) -> bool:
        """Return whether a run of any project has not ended."""
        return bool(self._train.runs.unfinished(uow))

    def cancel(self, actor: Actor, scope: Scope, run_id: str) -> Run:
        """Cancel a run: its heavy step is killed. Raises RunNotFound, RunHasEnded."""
        run = self._storage.write(lambda uow: self._train.runs.cancel(uow, actor, scope, run_id))
        if self._jobs.knows(run_id):
            self._jobs.cancel(run_id)
        return run

    def _start(self, run: Run) -> None:
        if self._jobs.works and run.state in ("queued", "running"):
            args = {"project_id": run.project_id, "question": run.question, **run.args}
            self._jobs.start(run.workflow, run.id, args)

    # The jobs

    def _retrain(self, run: JobRun, args: dict[str, Any]) -> dict[str, Any]:
        scope, question = Scope(args["project_id"]), str(args["question"])

        def steps() -> dict[str, Any]:
            commit_id = args["commit_id"] or run.step("commit", self._commit, run, scope)
            model_id = run.step("fit", self._fit, run, scope, question, commit_id, args["seed"], args["note"])
            evaluation_id = run.step("evaluate", self._measure, run, scope, model_id)
            comparison = run.step("compare", self._compare, run, scope, question, model_id)
            task_id = run.step("propose", self._propose, run, scope, model_id, comparison)
            return {
                "commit_id": commit_id,
                "model_id": model_id,
                "evaluation_id": evaluation_id,
                "task_id": task_id,
            }

        return self._carried_out(run, scope, steps)

    def _promote(self, run: JobRun, args: dict[str, Any]) -> dict[str, Any]:
        scope = Scope(args["project_id"])

        def steps() -> dict[str, Any]:
            model_id = run.step("promote", self._make_champion, run, scope, args["task_id"])
            return {"model_id": model_id, "task_id": args["task_id"]}

        return self._carried_out(run, scope, steps)

    def _carried_out(self, run: JobRun, scope: Scope, steps: Any) -> dict[str, Any]:
        """Do the steps and end the run: done with their result, or failed with a sentence for people."""
        try:
            result: dict[str, Any] = steps()
        except Exception as error:
            sentence = error.sentence if isinstance(error, HandrailError) else str(error)
            if not isinstance(error, HandrailError):
                logging.getLogger("handrail.train").exception("A run failed for a reason nobody foresaw.")
            run.step("end", self._end, run, scope, "failed", {}, sentence)
            raise
        run.step("end", self._end, run, scope, "done", result, "")
        return result

    # Their steps: each may run twice

    def _commit(self, run: JobRun, scope: Scope) -> str:
        self._begin(run, scope)(0.02, "committing what people decided")
        made = self._feedback.commit_verdicts(_RULE, scope)
        commit_id = made.id if made is not None else self._feedback.head(scope)
        if commit_id is None:
            raise NoTrainingRows(
                "The project has no item and no label to learn from.",
                hint="Draw items at random and label them first.",
            )
        return commit_id

    def _fit(self, run: JobRun, scope: Scope, question: str, commit_id: str, seed: int, note: str) -> str:
        say = self._begin(run, scope)
        say(0.05, "training")
        model = self._train.fit(
            _RULE,
            scope,
            commit_id,
            question=question,
            seed=seed,
            run_id=run.id,
            progress=lambda fraction, note: say(0.05 + 0.75 * fraction, f"training: {note}"),
            cancelled=run.cancelled,
            note=note,
        )
        return model.id

    def _measure(self, run: JobRun, scope: Scope, model_id: str) -> str | None:
        self._begin(run, scope)(0.82, "evaluating on held-out items")
        try:
            return self._evaluate.evaluate(_RULE, scope, model_id).id
        except NothingHeldOut:
            # Before the first certificate nothing is held out; the proposal says so.
            return None

    def _compare(self, run: JobRun, scope: Scope, question: str, model_id: str) -> dict[str, Any] | None:
        self._begin(run, scope)(0.9, "comparing with the champion")
        champion = self._storage.read(lambda uow: self._train.champion(uow, scope, question))
        if champion is None or champion.id == model_id:
            return None
        try:
            return self._evaluate.compare(_RULE, scope, champion.id, model_id).to_dict()
        except NothingHeldOut:
            return None

    def _propose(self, run: JobRun, scope: Scope, model_id: str, comparison: dict[str, Any] | None) -> str:
        self._begin(run, scope)(0.97, "opening the sign-off task")
        known = None if comparison is None else Comparison.from_dict(comparison)
        return self._storage.write(lambda uow: self._evaluate.propose(uow, _RULE, scope, model_id, known)).id

    def _make_champion(self, run: JobRun, scope: Scope, task_id: str) -> str:
        self._begin(run, scope)(0.5, "promoting")
        return self._storage.write(lambda uow: self._evaluate.promote(uow, _RULE, scope, task_id)).id

    def _end(self, run: JobRun, scope: Scope, state: Any, result: dict[str, Any], error: str) -> None:
        self._storage.write(
            lambda uow: self._train.runs.end(uow, _RULE, scope, run.id, state, result=result, error=error)
        )
        run.progress(1.0, state)

    def _begin(self, run: JobRun, scope: Scope) -> Report:
        """Begin a step, unless the run was cancelled; return what keeps progress on its row, at most once a second."""
        self._storage.read(lambda uow: self._train.runs.check_wanted(uow, scope, run.id))
        next_report = 0.0

        def say(fraction: float, note: str) -> None:
            nonlocal next_report
            run.progress(fraction, note)
            now = time.monotonic()
            if now >= next_report:
                next_report = now + _REPORT_S
                self._storage.write(lambda uow: self._train.runs.report(uow, scope, run.id, fraction, note))

        return say
