# Written by `make types` from the file of this name in ../aio; do not edit.
"""All calls about one project."""

from __future__ import annotations

from urllib.parse import quote

from handrail.cycle.datasets.forms import ProjectOut
from handrail.doors.sdk.sync.datasets import Datasets
from handrail.doors.sdk.sync.lineage import Lineage
from handrail.doors.sdk.sync.models import Models
from handrail.doors.sdk.sync.review import Review
from handrail.doors.sdk.sync.watching import Watching
from handrail.doors.sdk.sync.work import Work
from handrail.doors.sdk.sync.working import Working
from handrail.doors.sdk.wire import Wire


class Project(Datasets, Work, Working, Models, Review, Watching, Lineage):
    """One project, and everything that can be done in it: the life of an item from top to bottom."""

    def __init__(self, wire: Wire, name: str) -> None:
        super().__init__(wire, f"/projects/{quote(name, safe='')}")
        self.name = name

    def described(self) -> ProjectOut:
        """Return the project itself; raises NotFound when it is not in reach."""
        return self._get(ProjectOut, "")
