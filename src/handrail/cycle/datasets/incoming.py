"""A file on its way in: what is known of it so far. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from handrail.cycle.datasets.model import BadRow, ImportRefused, ImportReport

_LISTED = 100_000
_SHOWN = 100


@dataclass
class Progress:
    """What is known of the file so far."""

    rows: int = 0
    bad: list[BadRow] = field(default_factory=list)
    bad_rows: int = 0
    complete: bool = True
    kept: int = 0
    known: int = 0
    labels: int = 0
    answers: int = 0
    format: str = ""

    def refuse(self, problems: Sequence[BadRow]) -> None:
        """Count one row as bad, for these reasons."""
        self.bad_rows += 1
        self.bad.extend(problems[: max(0, _LISTED - len(self.bad))])

    def report(self) -> ImportReport:
        """Return the report, the rows in the order of the file."""
        return ImportReport(
            total=self.rows,
            kept=self.kept,
            known=self.known,
            bad_rows=self.bad_rows,
            bad=tuple(sorted(self.bad, key=lambda one: one.line)),
            labels=self.labels,
            answers=self.answers,
            complete=self.complete,
        )


def refused(progress: Progress) -> ImportRefused:
    """Return the error for a file of which nothing was written."""
    report = progress.report()
    first = "; ".join(f"line {one.line}: {one.field} {one.reason}".replace(":  ", ": ") for one in report.bad[:3])
    count = "One row" if report.bad_rows == 1 else f"{report.bad_rows:,} rows"
    return ImportRefused(
        f"{count} of {report.total:,} cannot be kept, so nothing was written. {first}.",
        report=report,
        hint="Mend the file, or import with on_error=keep to keep the good rows.",
        total=report.total,
        bad_rows=report.bad_rows,
        complete=report.complete,
        bad=[{"line": one.line, "field": one.field, "reason": one.reason} for one in report.bad[:_SHOWN]],
    )


def add(progress: Progress, done: Progress) -> None:
    """Count what was done with a batch."""
    progress.kept += done.kept
    progress.known += done.known
    progress.labels += done.labels
    progress.answers += done.answers
    progress.bad_rows += done.bad_rows
    progress.bad.extend(done.bad[: max(0, _LISTED - len(progress.bad))])
