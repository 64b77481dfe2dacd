"""Monitoring as the rest of the system sees it: profiles by day, alarms, and what an alarm opens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from handrail.cycle.annotate import Annotate
from handrail.cycle.datasets import Datasets, Schema
from handrail.cycle.monitor import drift, store
from handrail.cycle.monitor.events import AlarmAnswered, AlarmRaised, DayOver, DayProfiled
from handrail.cycle.monitor.model import Alarm, NothingToProfile, Profile
from handrail.cycle.review import Review
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import Clock
from handrail.foundation.errors import NotFound
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal, Recorded
from handrail.foundation.storage import Storage, UnitOfWork

FALSE_ALARM = 0.01
"""Chance of an alarm on a day that is like the reference, over all fields together."""
CAMPAIGN_LABELS = 12
_LEAST = 20  # decisions of a day under which nothing is compared: a test would see nothing


class AlarmNotFound(NotFound):
    """No such alarm in this project."""

    code = "monitor.alarm_not_found"


class Monitor:
    """Watches what arrives against what the models learned from."""

    def __init__(
        self, storage: Storage, journal: Journal, clock: Clock, ids: Ids, datasets: Datasets, review: Review
    ) -> None:
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._datasets = datasets
        self._review = review

    def note_days(self, uow: UnitOfWork, actor: Actor, decided: Sequence[Recorded]) -> None:
        """Publish `monitor.day_over` for the day before each first decision of a new day."""
        newest: dict[str, int] = {}
        for one in decided:
            assert one.project_id is not None
            day, scope = int(one.payload["day"]), Scope(one.project_id)
            last = newest.get(one.project_id)
            if last is None:
                last = store.newest_day(uow, scope)
            if last is not None and day > last:
                self._journal.append(uow, actor, one.project_id, DayOver(day=last))
            newest[one.project_id] = day if last is None else max(day, last)
        for project_id, day in newest.items():
            store.put_newest_day(uow, Scope(project_id), day)

    def profile_day(self, actor: Actor, scope: Scope, day: int) -> Profile:
        """Return the profile of a day, made now when it is missing; raises NothingToProfile."""
        known = self._storage.read(lambda uow: store.get_profile(uow, scope, day))
        if known is not None:
            return known
        return self._make(actor, scope, day)[0]

    def watch(self, actor: Actor, scope: Scope, day: int) -> list[Alarm]:
        """Compare a day with the items that were labelled at random, and return the alarms that it raised.

        A day with fewer than 20 decisions is profiled and not compared. Again changes nothing.
        """
        profile, findings = self._make(actor, scope, day)
        if profile.decisions < _LEAST or not findings:
            return []
        names = ", ".join(str(one["name"]) for one in findings[:3])
        rest = len(findings) - 3
        differ = "1 field differs" if len(findings) == 1 else f"{len(findings)} fields differ"
        sentence = f"{differ} from the reference: {names}" + (f" and {rest} more" if rest > 0 else "")
        alarm = Alarm(
            id=self._ids.new(),
            project_id=scope.project_id,
            day=day,
            kind="input_drift",
            sentence=sentence,
            findings=tuple(findings),
            false_alarm=FALSE_ALARM,
            status="open",
            campaign_id=None,
            created_at=self._clock.now(),
        )
        return self._storage.write(lambda uow: self._raise(uow, actor, scope, alarm))

    def _raise(self, uow: UnitOfWork, actor: Actor, scope: Scope, alarm: Alarm) -> list[Alarm]:
        known = [one for one in store.alarms(uow, scope) if (one.day, one.kind) == (alarm.day, alarm.kind)]
        if known:
            return known
        store.put_alarm(uow, scope, alarm)
        event = AlarmRaised(
            alarm_id=alarm.id,
            day=alarm.day,
            kind=alarm.kind,
            sentence=alarm.sentence,
            findings=list(alarm.findings),
        )
        self._journal.append(uow, actor, scope.project_id, event)
        return [alarm]

    def _make(self, actor: Actor, scope: Scope, day: int) -> tuple[Profile, list[dict[str, Any]]]:
        schema, reference, rows, routes = self._storage.read(lambda uow: self._rows(uow, scope, day))
        if not rows:
            raise NothingToProfile(f"No decision was made about {day}.")
        kinds: dict[str, drift.Kind] = {
            one.name: "number" if one.type == "number" else "category"
            for one in schema.fields
            if one.type in ("number", "category")
        }
        against = drift.reference(reference, kinds)
        today = drift.profile(rows, against)
        found = drift.compare(today, against, level=FALSE_ALARM)
        findings = [asdict(one) for one in found.features if one.alarm]
        findings.sort(key=lambda one: (one["adjusted"], -one["distance"], one["name"]))
        profile = Profile(
            id=self._ids.new(),
            project_id=scope.project_id,
            day=day,
            decisions=sum(routes.values()),
            to_people=routes["human"],
            fields=today.to_dict(),
            created_at=self._clock.now(),
        )
        kept = self._storage.write(lambda uow: self._keep(uow, actor, scope, profile))
        return kept, findings

    def _keep(self, uow: UnitOfWork, actor: Actor, scope: Scope, profile: Profile) -> Profile:
        known = store.get_profile(uow, scope, profile.day)
        if known is not None:
            return known
        store.put_profile(uow, scope, profile)
        event = DayProfiled(
            profile_id=profile.id, day=profile.day, decisions=profile.decisions, to_people=profile.to_people
        )
        self._journal.append(uow, actor, scope.project_id, event)
        return profile

    def _rows(
        self, uow: UnitOfWork, scope: Scope, day: int
    ) -> tuple[Schema, list[Mapping[str, Any]], list[Mapping[str, Any]], Counter[str]]:
        decided = self._review.decided_on(uow, scope, day)
        oversight = self._review.oversight(uow, scope)
        if oversight is None:  # before the first policy nothing is decided
            raise NothingToProfile(f"No decision was made about {day}.")
        labels = self._datasets.labels(uow, scope, question=oversight.policy.question)
        # Draws of campaigns follow an alarm: with them, what drifted would become the reference.
        drawn = [one.item_id for one in labels if one.source == "draw" and one.purpose in ("train", "certify")]
        reference = self._datasets.items_by_id(uow, scope, drawn)
        today = self._datasets.items_by_id(uow, scope, [item for item, _ in decided])
        return (
            self._datasets.schema(uow, scope),
            [one.data for one in reference.values()],
            [one.data for one in today.values()],
            self._review.routes_on(uow, scope, day),
        )

    def answer_alarm(self, actor: Actor, scope: Scope, alarm_id: str, annotate: Annotate) -> None:
        """Open a campaign for an alarm and draw items of its day for people; again changes nothing."""

        def unit(uow: UnitOfWork) -> tuple[str, str, list[str], int] | None:
            alarm = store.get_alarm(uow, scope, alarm_id)
            if alarm is None:
                raise AlarmNotFound("No such alarm in this project.")
            oversight = self._review.oversight(uow, scope)
            assert oversight is not None
            question = oversight.policy.question
            if alarm.campaign_id is not None:
                return self._left(uow, scope, alarm, annotate)
            decided = [item for item, _ in self._review.decided_on(uow, scope, alarm.day)]
            pool = annotate.drawable(uow, scope, question, decided)
            target = min(CAMPAIGN_LABELS, len(pool))
            if not target:
                return None
            campaign = annotate.open_campaign(
                uow, actor, scope, reason=alarm.sentence, question=question, target=target, alarm_id=alarm.id
            )
            store.answer_alarm(uow, scope, alarm.id, campaign.id)
            event = AlarmAnswered(alarm_id=alarm.id, campaign_id=campaign.id)
            self._journal.append(uow, actor, scope.project_id, event)
            return campaign.id, question, pool, target

        opened = self._storage.write(unit)
        if opened is not None:
            campaign_id, question, pool, target = opened
            annotate.draw(
                actor,
                scope,
                question=question,
                n=target,
                purpose="feedback",
                reason="drawn at random for a look of your own",
                campaign_id=campaign_id,
                among=pool,
            )

    def _left(
        self, uow: UnitOfWork, scope: Scope, alarm: Alarm, annotate: Annotate
    ) -> tuple[str, str, list[str], int] | None:
        """Return what a campaign still has to draw: the process may have ended between its opening and its draw."""
        assert alarm.campaign_id is not None
        campaign = annotate.campaign(uow, scope, alarm.campaign_id)
        decided = [item for item, _ in self._review.decided_on(uow, scope, alarm.day)]
        pool = annotate.drawable(uow, scope, campaign.question, decided)
        left = min(campaign.target - campaign.drawn, len(pool))
        return (campaign.id, campaign.question, pool, left) if campaign.state == "open" and left > 0 else None

    def alarms(self, uow: UnitOfWork, scope: Scope) -> list[Alarm]:
        """Return the project's alarms, newest first."""
        return store.alarms(uow, scope)

    def profiles(self, uow: UnitOfWork, scope: Scope, *, before: int = 99_999_999, limit: int = 60) -> list[Profile]:
        """Return profiles, newest day first."""
        return store.profiles(uow, scope, before=before, limit=limit)
