"""Where the circle closes: each fact in the journal starts the next stage.

    an item is decided ......... counted by day and route
    a person's verdict ......... enough of them start a training run: commit, fit, evaluate, compare, propose
    a signature ................ promotes the model that was signed
    a promotion ................ ends the old certificate and plans the new model's
    the last certifying label .. lets the certificate speak: automation, or a refusal with what is missing
    a day is over .............. its profile is made; an alarm opens a campaign
    an alarm ................... opens a campaign: items of that day, drawn at random, go to people
    a version is made .......... now and then gets a base, so that it is read fast
    a conflict is settled ...... goes into the branch that was merged into
    several people answered .... their model is fitted anew, now and then
    a campaign is done ......... starts a training run with what people found

Stages import downwards only and know nothing of each other's reactions; this file is the only one that does. The
journal is read in the order of its tree. Counting and the place up to which was read are one transaction; every other
reaction may be called again after a crash and finds what it made before, or is a job whose id is that of the entry:
either way it happens once. What a rule forbids is logged and left; what fails otherwise is tried again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from handrail.cycle.annotate import Annotate
from handrail.cycle.datasets import Datasets
from handrail.cycle.evaluate.jobs import Pipelines
from handrail.cycle.feedback import Feedback
from handrail.cycle.monitor import Monitor
from handrail.cycle.review import Policy, Review
from handrail.cycle.tasks import Tasks
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from handrail.foundation.journal import Journal, Recorded
from handrail.foundation.storage import Storage, UnitOfWork
from handrail.foundation.storage.failures import Duplicate, ReferenceBroken

READER = "loop"
_RULE = Actor.rule("loop")
_BATCH = 500
_TICK_S = 0.5

Reaction = Callable[[Scope, Recorded], None]


class Loop:
    """Reads the journal and starts what follows."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        clock: Clock,
        datasets: Datasets,
        tasks: Tasks,
        annotate: Annotate,
        review: Review,
        feedback: Feedback,
        pipelines: Pipelines,
        monitor: Monitor,
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._datasets = datasets
        self._tasks = tasks
        self._annotate = annotate
        self._review = review
        self._feedback = feedback
        self._pipelines = pipelines
        self._monitor = monitor
        self._stopping = threading.Event()
        self._reactions: dict[str, Reaction] = {
            "review.verdict_given": self._after_verdict,
            "review.certificate_ready": self._after_last_label,
            "evaluate.signed": self._after_signature,
            "train.promoted": self._after_promotion,
            "monitor.day_over": self._after_day,
            "monitor.alarm_raised": self._after_alarm,
            "annotate.campaign_closed": self._after_campaign,
            "annotate.asked_again": self._after_overlap,
            "annotate.truth_accepted": self._after_overlap,
            "annotate.disagreed": self._after_overlap,
            "datasets.commit_made": self._after_commit,
            "annotate.conflict_settled": annotate.conflicts.settled,
        }

    # Reading

    def run(self) -> None:
        """React until `stop`; for the server's loop thread. What fails is tried again: nothing ends this thread."""
        while not self._stopping.wait(_TICK_S):
            try:
                self.tick()
            except Exception:
                logging.getLogger("handrail.loop").exception("The loop could not go on; it tries again.")

    def stop(self) -> None:
        """End `run` after the entry in hand."""
        self._stopping.set()

    def tick(self) -> int:
        """React to everything that waits and return how many entries that were; what it causes waits for the next."""
        now: datetime = self._clock.now()
        self._storage.write(lambda uow: self._keep_time(uow, now))
        self._review.escalating.turn(now)
        self._journal.integrate(self._storage)
        done = 0
        while not self._stopping.is_set():
            last = self._storage.read(lambda uow: self._journal.cursor(uow, READER))
            entries = self._storage.read(lambda uow: self._journal.read_after(uow, last, _BATCH))  # noqa: B023
            if not entries:
                break
            for one in entries:
                reaction = self._reactions.get(one.verb)
                if reaction is not None and one.project_id is not None:
                    _react(reaction, Scope(one.project_id), one)
            self._storage.write(lambda uow: self._read_up_to(uow, entries))  # noqa: B023
            done += len(entries)
        return done

    def _keep_time(self, uow: UnitOfWork, now: datetime) -> None:
        self._tasks.expire(uow, now)
        self._tasks.raise_due(uow, now)
        self._tasks.staffing.climb_due(uow, now)
        self._review.reversing.open_incidents(uow, now)
        self._review.seeding.plant_due(uow, now)
        self._review.controlling.plant_due(uow, now)

    def settled(self) -> bool:
        """Return whether every entry has been reacted to and no run is under way."""
        return self._storage.read(self._is_settled)

    def _is_settled(self, uow: UnitOfWork) -> bool:
        read = self._journal.cursor(uow, READER) + 1 == self._journal.size(uow)
        return read and self._journal.unplaced(uow) == 0 and not self._pipelines.under_way(uow)

    def _read_up_to(self, uow: UnitOfWork, entries: list[Recorded]) -> None:
        """Count decisions and move on, in one unit: a decision is counted once, whoever else reads at the same time."""
        last = self._journal.hold(uow, READER)
        entries = [one for one in entries if one.index > last]
        if not entries:
            return
        decided = [one for one in entries if one.verb == "review.decided" and one.project_id is not None]
        self._review.count(uow, decided)
        self._monitor.note_days(uow, _RULE, decided)
        self._journal.advance(uow, READER, entries[-1].index)

    # Reactions; each may be called again for the same entry and must then change nothing

    def _after_commit(self, scope: Scope, entry: Recorded) -> None:
        self._datasets.compact_due(scope, entry.objects["commit"])

    def _after_verdict(self, scope: Scope, entry: Recorded) -> None:
        policy = self._policy(scope)
        if policy is None or not policy.retrain_after:
            return
        waiting = self._storage.read(lambda uow: self._feedback.waiting(uow, scope, question=policy.question))
        if waiting >= policy.retrain_after:
            note = f"{waiting} verdicts waited"
            self._pipelines.retrain(_RULE, scope, policy.question, note=note, run_id=entry.entry_id)

    def _after_signature(self, scope: Scope, entry: Recorded) -> None:
        self._pipelines.promote(_RULE, scope, entry.objects["task"])

    def _after_promotion(self, scope: Scope, entry: Recorded) -> None:
        model_id = entry.objects["model"]
        self._storage.write(lambda uow: self._review.promoted(uow, _RULE, scope, model_id))
        policy = self._policy(scope)
        if policy is None or "replaced" not in entry.objects:
            return
        labels, automate = policy.certify_labels or None, policy.certify_automate or None
        if labels or automate:
            self._review.plan_certificate_once(_RULE, scope, model_id=model_id, labels=labels, automate=automate)

    def _after_last_label(self, scope: Scope, entry: Recorded) -> None:
        self._review.complete_certificate(_RULE, scope, entry.objects["certificate"])

    def _after_day(self, scope: Scope, entry: Recorded) -> None:
        self._monitor.watch(_RULE, scope, int(entry.payload["day"]))

    def _after_alarm(self, scope: Scope, entry: Recorded) -> None:
        self._monitor.answer_alarm(_RULE, scope, entry.objects["alarm"], self._annotate)

    def _after_campaign(self, scope: Scope, entry: Recorded) -> None:
        policy = self._policy(scope)
        if policy is not None:
            self._pipelines.retrain(_RULE, scope, policy.question, note="a campaign was done", run_id=entry.entry_id)

    def _after_overlap(self, scope: Scope, entry: Recorded) -> None:
        self._annotate.overlapping.refit(scope, entry.payload["question"])

    def _policy(self, scope: Scope) -> Policy | None:
        found = self._storage.read(lambda uow: self._review.oversight(uow, scope))
        return None if found is None else found.policy


def _react(reaction: Reaction, scope: Scope, entry: Recorded) -> None:
    """React to one entry; where a rule forbids the reaction it is said and left, or no other entry would be read."""
    try:
        reaction(scope, entry)
    except (Duplicate, ReferenceBroken):
        raise  # somebody else wrote at the same time; the next try sees what
    except (Invalid, NotFound, Conflict, Forbidden) as refused:
        logging.getLogger("handrail.loop").warning(
            "Nothing follows from %s %s: %s (%s)", entry.verb, entry.entry_id, refused.sentence, refused.code
        )
