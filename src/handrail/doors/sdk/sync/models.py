# Written by `make types` from the file of this name in ../aio; do not edit.
"""Calls about models: train, evaluate, propose, sign."""

from __future__ import annotations

import time

from handrail.cycle.evaluate.routes import EvaluationOut, ProposalOut, StartedOut
from handrail.cycle.train.routes import ModelDetailOut, ModelOut, RunOut
from handrail.doors.sdk.sync.calls import Calls
from handrail.doors.sdk.wire import StillRunning

_LOOK_S = 0.1


class Models(Calls):
    """Model versions and the runs that make them."""

    def train(self, question: str, *, seed: int = 0, note: str = "") -> StartedOut:
        """Start a run: commit what waits, fit, evaluate, compare with the champion, propose.

        While one for the question is under way, that one is returned.
        """
        return self._post(StartedOut, "/runs", {"question": question, "seed": seed, "note": note})

    def runs(self, *, limit: int = 50) -> list[RunOut]:
        """Return the newest runs, newest first."""
        return self._list(RunOut, "/runs", limit=limit)

    def run(self, run_id: str) -> RunOut:
        """Return a run: how far it is, and what came out."""
        return self._get(RunOut, f"/runs/{run_id}")

    def wait_for_run(self, run_id: str, *, timeout_s: float = 600.0) -> RunOut:
        """Return a run once it has ended, whichever way; raises StillRunning."""
        ends = time.monotonic() + timeout_s
        while True:
            found = self.run(run_id)
            if found.state not in ("queued", "running"):
                return found
            if time.monotonic() > ends:
                raise StillRunning(f"The run is at {found.progress:.0%} after {timeout_s:.0f} s.", run_id=run_id)
            self._wire.sleep(_LOOK_S)

    def cancel(self, run_id: str) -> StartedOut:
        """Cancel a run; its heavy step is ended."""
        return self._post(StartedOut, f"/runs/{run_id}/cancel")

    def models(self) -> list[ModelOut]:
        """Return the model versions, oldest first."""
        return self._list(ModelOut, "/models")

    def model(self, model_id: str) -> ModelDetailOut:
        """Return a model version with its card."""
        return self._get(ModelDetailOut, f"/models/{model_id}")

    def evaluate(self, model_id: str) -> EvaluationOut:
        """Measure a model on every held-out label; on the same labels the evaluation that is there is returned."""
        return self._post(EvaluationOut, "/evaluations", {"model_id": model_id})

    def evaluations(self, model_id: str) -> list[EvaluationOut]:
        """Return the evaluations of a model, newest first."""
        return self._list(EvaluationOut, "/evaluations", model_id=model_id)

    def propose(self, model_id: str) -> ProposalOut:
        """Compare a candidate with the champion and put it before a person to sign; again returns the same one."""
        return self._post(ProposalOut, "/proposals", {"model_id": model_id})

    def proposals(self) -> list[ProposalOut]:
        """Return what was proposed for promotion, oldest first, each with what the person who signs is shown."""
        return self._list(ProposalOut, "/proposals")
