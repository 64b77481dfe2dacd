# Written by `make types` from the file of this name in ../aio; do not edit.
"""Calls about the loop as a whole: its figures, days and alarms, the journal, the dossier of a decision."""

from __future__ import annotations

import time
from pathlib import Path

from handrail.cycle.evaluate.routes import PeopleOut, TeamOut
from handrail.cycle.govern.routes import DossierOut
from handrail.cycle.monitor.routes import AlarmOut, ProfileOut
from handrail.doors.figures import EventOut, LoopOut, Settled
from handrail.doors.sdk.sync.calls import Calls
from handrail.doors.sdk.wire import DidNotSettle, parsed
from handrail.foundation.http import Page

_LOOK_S = 0.05


class Watching(Calls):
    """How the loop stands."""

    def loop(self) -> LoopOut:
        """Return the five stages with their figures as they are now."""
        return self._get(LoopOut, "/loop")

    def settle(self, timeout_s: float = 120.0) -> None:
        """Wait until every fact was acted on and every run of the home has ended; raises DidNotSettle."""
        ends = time.monotonic() + timeout_s
        while True:
            self._wire.tick()
            if (self._get(Settled, "/settled")).settled:
                return
            if time.monotonic() > ends:
                raise DidNotSettle(f"Runs were still under way after {timeout_s:.0f} s.")
            self._wire.sleep(_LOOK_S)

    def watch(self, day: int) -> list[AlarmOut]:
        """Compare a day (YYYYMMDD) that is over with the reference and return the alarms that it raised."""
        return (self._post(Page[AlarmOut], "/watch", {"day": day})).items

    def alarms(self) -> list[AlarmOut]:
        """Return every alarm, newest first."""
        return self._list(AlarmOut, "/alarms")

    def profiles(self, *, limit: int = 60) -> list[ProfileOut]:
        """Return the profiles of the newest days, newest first."""
        return self._list(ProfileOut, "/profiles", limit=limit)

    def oversight_people(self) -> PeopleOut:
        """Return how people look at the model's answers; who does not lead gets their own figures alone."""
        return self._get(PeopleOut, "/oversight/people")

    def oversight_team(self) -> TeamOut:
        """Return whether people and model together do better than the better of both alone, on the same items."""
        return self._get(TeamOut, "/oversight/team")

    def events(self, *, limit: int = 50, before: int | None = None) -> list[EventOut]:
        """Return the project's newest journal entries, newest first."""
        answer = self._wire.send("GET", self._place + "/journal", params={"limit": limit, "before": before})
        found: list[EventOut] = parsed(list[EventOut], answer)
        return found

    def dossier(self, decision_id: str) -> DossierOut:
        """Return everything about one decision, with proofs that can be checked offline."""
        return self._get(DossierOut, f"/decisions/{decision_id}/dossier")

    def evidence(self, place: str | Path) -> int:
        """Write the project's evidence pack, which verifies offline, and return its size in bytes."""
        return self._save(place, "/evidence")
