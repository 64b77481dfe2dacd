"""Train: fits model versions from commits, keeps them, serves their predictions, names the champion."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handrail.cycle.datasets import Datasets
from handrail.cycle.train import card, store
from handrail.cycle.train.events import ModelMade, Promoted, Rejected, Retired
from handrail.cycle.train.model import (
    ModelNotFound,
    ModelState,
    ModelVersion,
    NewModel,
    NotACandidate,
    Predictor,
    TrainingRows,
    may_promote,
)
from handrail.cycle.train.runs import Runs
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.blobs import Blobs
from handrail.foundation.clock import Clock, micros
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.storage import Storage, UnitOfWork
from handrail.foundation.work.compute import Compute
from handrail.foundation.work.station import Report, silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KEPT = 8
_FIT = "handrail.cycle.train.fitting:fit_table"


class Train:
    """Model versions of every project. `runs` keeps the jobs that make them."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        ids: Ids,
        blobs: Blobs,
        compute: Compute,
        datasets: Datasets,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._blobs = blobs
        self._compute = compute
        self._datasets = datasets
        self._predictors: OrderedDict[str, Predictor] = OrderedDict()
        self._loading = threading.Lock()
        self.runs = Runs(journal, clock, ids)

    def fit(
        self,
        actor: Actor,
        scope: Scope,
        commit_id: str,
        *,
        question: str,
        seed: int = 0,
        run_id: str | None = None,
        progress: Report | None = None,
        cancelled: Callable[[], bool] | None = None,
        note: str = "",
    ) -> ModelVersion:
        """Train on the labels of a commit, in a process of its own, and keep the model as a candidate.

        Only labels drawn or given for training count; those that certify or are held out never do. With a `run_id`
        that has made a model already, that model is returned: repeating is harmless. Raises NoTrainingRows,
        TooFewLabels, NothingToLearnFrom, OutOfMemory, TimedOut, Cancelled.
        """
        if run_id is not None:
            known = self._storage.read(lambda uow: store.model_of_run(uow, scope, run_id))
            if known is not None:
                return known
        from handrail.cycle.train.rows import training_rows

        rows = training_rows(self._storage, self._datasets, scope, commit_id, question)
        made = self._fit(rows, question, seed, run_id, progress or silent, cancelled, note)
        return self._storage.write(lambda uow: self._keep(uow, actor, scope, made))

    def model(self, uow: UnitOfWork, scope: Scope, model_id: str) -> ModelVersion:
        """Return one model version; raises ModelNotFound."""
        found = store.get_model(uow, scope, model_id)
        if found is None:
            raise ModelNotFound("No such model version in this project.", model_id=model_id)
        return found

    def models(self, uow: UnitOfWork, scope: Scope) -> list[ModelVersion]:
        """Return every model version of the project, oldest first."""
        return store.list_models(uow, scope)

    def champion(self, uow: UnitOfWork, scope: Scope, question: str) -> ModelVersion | None:
        """Return the model version that answers a question now, or None before the first promotion."""
        return store.get_champion(uow, scope, question)

    def set_champion(self, uow: UnitOfWork, actor: Actor, scope: Scope, model_id: str) -> ModelVersion:
        """Make a model version the champion of its question and retire the one before; again changes nothing.

        Raises NotACandidate for a rejected one.
        """
        model = self.model(uow, scope, model_id)
        may_promote(model)
        before = store.get_champion(uow, scope, model.question)
        if before is not None and before.id == model.id:
            return model
        at = micros(self._clock.now())
        if before is not None:
            self._end(uow, actor, scope, before, "retired", f"{model.name} took its place")
        store.set_model_state(uow, scope, model.id, "champion", at)
        said = Promoted(
            model_id=model.id,
            replaced_id=None if before is None else before.id,
            artefact_id=model.digest,
            number=model.number,
            question=model.question,
        )
        self._journal.append(uow, actor, scope.project_id, said)
        return self.model(uow, scope, model_id)

    def retire(self, uow: UnitOfWork, actor: Actor, scope: Scope, model_id: str, reason: str) -> ModelVersion:
        """Take a model version out of use; a champion leaves its question without one. Again changes nothing."""
        model = self.model(uow, scope, model_id)
        if model.state == "rejected":
            raise NotACandidate(f"The {model.name} was rejected already.")
        if model.state != "retired":
            self._end(uow, actor, scope, model, "retired", reason)
        return self.model(uow, scope, model_id)

    def reject(self, uow: UnitOfWork, actor: Actor, scope: Scope, model_id: str, reason: str) -> ModelVersion:
        """Decide against a candidate; it can never be promoted. Again changes nothing. Raises NotACandidate."""
        model = self.model(uow, scope, model_id)
        if model.state not in ("candidate", "rejected"):
            raise NotACandidate(f"The {model.name} is no candidate: it is {model.state}.")
        if model.state == "candidate":
            self._end(uow, actor, scope, model, "rejected", reason)
        return self.model(uow, scope, model_id)

    def predictor(self, model: ModelVersion) -> Predictor:
        """Return what predicts with this model; kept in memory, checked against its digest when it is loaded.

        Loading takes a second the first time in a process. Raises BlobDamaged, UntrustedArtefact.
        """
        from handrail.cycle.train import artefact, tabular
        from handrail.cycle.train.predictor import TabularPredictor
        from handrail.cycle.train.text_predictor import TextPredictor

        with self._loading:
            kept = self._predictors.get(model.digest)
            if kept is None:
                held = self._blobs.get(model.digest)
                parts = artefact.open_model(held, tabular.FORMAT, tabular.TEXT_FORMAT)
                reads_texts = parts["format"] == tabular.TEXT_FORMAT
                kept = TextPredictor(parts) if reads_texts else TabularPredictor(parts)
                self._predictors[model.digest] = kept
            self._predictors.move_to_end(model.digest)
            while len(self._predictors) > _KEPT:
                self._predictors.popitem(last=False)
            return kept

    def out_of_fold(self, model: ModelVersion) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return (calibrated confidence, error 0 or 1) of each training row, predicted without that row."""
        import numpy as np

        held = self._held_out(model)
        return held[0], held[1].astype(np.int64)

    def answers_out_of_fold(self, model: ModelVersion) -> list[tuple[Any, Any]]:
        """Return (predicted value, right value) of each training row, in the order of `out_of_fold`."""
        held = self._held_out(model)
        return [
            (model.classes[int(said)], model.classes[int(true)]) for said, true in zip(held[2], held[3], strict=True)
        ]

    def _held_out(self, model: ModelVersion) -> NDArray[np.float64]:
        import numpy as np

        with self._blobs.open(model.out_of_fold) as source:
            held: NDArray[np.float64] = np.load(source, allow_pickle=False)
        return held

    def training_items(self, model: ModelVersion) -> list[str]:
        """Return the ids of the items that the model learned from."""
        held: list[str] = json.loads(self._blobs.get(model.rows))
        return held

    def card_page(self, model: ModelVersion) -> str:
        """Return the model's card as Markdown."""
        return card.markdown(model.card, model.name)

    def _fit(
        self,
        rows: TrainingRows,
        question: str,
        seed: int,
        run_id: str | None,
        progress: Report,
        cancelled: Callable[[], bool] | None,
        note: str,
    ) -> NewModel:
        from handrail.cycle.train.rows import write_rows

        with self._compute.folder() as folder:
            write_rows(rows, folder / "table.arrow")
            args: dict[str, Any] = {
                "columns": [[column.name, column.kind] for column in rows.columns],
                "label": rows.label,
                "question": question,
                "seed": seed,
            }
            files = {"table": folder / "table.arrow"}
            done = self._compute.run(_FIT, args, out=folder, files=files, on_progress=progress, cancelled=cancelled)
            digest = self._blobs.put(folder / "model.skops")
            out_of_fold = self._blobs.put(folder / "out_of_fold.npy")
        metrics, kind = done.result["metrics"], _kind(rows)
        return NewModel(
            question=question,
            kind=kind,
            digest=digest,
            commit_id=rows.commit_id,
            run_id=run_id,
            seed=seed,
            classes=tuple(done.result["classes"]),
            metrics=metrics,
            card=card.build(
                question=question,
                meaning=rows.meaning,
                commit_id=rows.commit_id,
                kind=f"{kind}, logistic regression",
                seed=seed,
                digest=digest,
                columns=[column.name for column in rows.columns],
                unused=rows.unused,
                metrics=metrics,
                simulated=rows.simulated,
            ),
            out_of_fold=out_of_fold,
            rows=self._blobs.put(json.dumps(rows.items).encode()),
            note=note,
        )

    def _keep(self, uow: UnitOfWork, actor: Actor, scope: Scope, made: NewModel) -> ModelVersion:
        if made.run_id is not None:
            known = store.model_of_run(uow, scope, made.run_id)
            if known is not None:
                return known
        now = self._clock.now()
        model = ModelVersion(
            **{name: getattr(made, name) for name in made.__dataclass_fields__},
            id=self._ids.new(),
            project_id=scope.project_id,
            number=store.next_number(uow, scope),
            state="candidate",
            created_at=now,
            created_by=actor.id,
            changed_at=now,
        )
        store.insert_model(uow, model)
        said = ModelMade(
            model_id=model.id,
            run_id=model.run_id,
            commit_id=model.commit_id,
            artefact_id=model.digest,
            number=model.number,
            question=model.question,
            rows=model.metrics["rows"],
            accuracy=model.metrics["accuracy"],
        )
        self._journal.append(uow, actor, scope.project_id, said)
        return model

    def _end(
        self, uow: UnitOfWork, actor: Actor, scope: Scope, model: ModelVersion, state: ModelState, reason: str
    ) -> None:
        store.set_model_state(uow, scope, model.id, state, micros(self._clock.now()))
        kind = Retired if state == "retired" else Rejected
        said = kind(model_id=model.id, number=model.number, question=model.question, reason=reason)
        self._journal.append(uow, actor, scope.project_id, said)


def _kind(rows: TrainingRows) -> str:
    return "text" if any(column.kind == "text" for column in rows.columns) else "tabular"
