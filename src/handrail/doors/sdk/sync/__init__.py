# Written by `make types` from the file of this name in ../aio; do not edit.
"""The client whose calls block. Written from the files of `aio`, whose calls are awaited: `make types`."""

from handrail.doors.sdk.sync.client import Client
from handrail.doors.sdk.sync.project import Project

__all__ = ["Client", "Project"]
