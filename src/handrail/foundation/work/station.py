"""What a heavy step sees of the place where it runs. Pure: no processes here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Report = Callable[[float, str], None]


def silent(_fraction: float, _note: str) -> None:
    """Take a report of progress and do nothing with it."""


@dataclass(frozen=True)
class Station:
    """The files a step was given by name, the folder for files it makes, and where it reports progress.

    `progress(fraction, note)`: fraction from 0 to 1, note in words for a person.
    """

    out: Path
    files: Mapping[str, Path] = field(default_factory=dict)
    progress: Report = silent
