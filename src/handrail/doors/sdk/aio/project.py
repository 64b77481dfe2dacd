"""All calls about one project."""

from __future__ import annotations

from urllib.parse import quote

from handrail.cycle.datasets.forms import ProjectOut
from handrail.doors.sdk.aio.datasets import AsyncDatasets
from handrail.doors.sdk.aio.lineage import AsyncLineage
from handrail.doors.sdk.aio.models import AsyncModels
from handrail.doors.sdk.aio.review import AsyncReview
from handrail.doors.sdk.aio.watching import AsyncWatching
from handrail.doors.sdk.aio.work import AsyncWork
from handrail.doors.sdk.aio.working import AsyncWorking
from handrail.doors.sdk.wire import AsyncWire


class AsyncProject(AsyncDatasets, AsyncWork, AsyncWorking, AsyncModels, AsyncReview, AsyncWatching, AsyncLineage):
    """One project, and everything that can be done in it: the life of an item from top to bottom."""

    def __init__(self, wire: AsyncWire, name: str) -> None:
        super().__init__(wire, f"/projects/{quote(name, safe='')}")
        self.name = name

    async def described(self) -> ProjectOut:
        """Return the project itself; raises NotFound when it is not in reach."""
        return await self._get(ProjectOut, "")
