"""The Python door: the calls of the HTTP API, typed, blocking or awaited, to a server or to a home in this process.

with handrail.connect("handrail-data") as client:
    project = client.create_project("triage", schema)
"""

from handrail.doors.sdk.aio import AsyncClient, AsyncProject
from handrail.doors.sdk.opening import connect, connect_async
from handrail.doors.sdk.sync import Client, Project

__all__ = ["AsyncClient", "AsyncProject", "Client", "Project", "connect", "connect_async"]
