"""The client whose calls are awaited. The blocking one, in `sync`, is written from these files: `make types`."""

from handrail.doors.sdk.aio.client import AsyncClient
from handrail.doors.sdk.aio.project import AsyncProject

__all__ = ["AsyncClient", "AsyncProject"]
