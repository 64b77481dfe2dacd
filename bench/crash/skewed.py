"""A server whose clock is wrong: `python -m bench.crash.skewed SECONDS serve --home DIR --port N`.

The clock of the machine stays as it is; the application is put together with another one.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from handrail import app
from handrail.doors.cli import main
from handrail.foundation.clock import SystemClock


class SkewedClock(SystemClock):
    """The clock of the machine, a fixed number of seconds off."""

    ahead = timedelta()

    def now(self) -> datetime:
        """Return the wrong time, aware, in UTC."""
        return super().now() + self.ahead


if __name__ == "__main__":
    SkewedClock.ahead = timedelta(seconds=float(sys.argv.pop(1)))
    setattr(app, "SystemClock", SkewedClock)  # noqa: B010  the application takes its clock from this name
    main()
