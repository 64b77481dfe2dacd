"""The queue under load: claims from 10,000 and 1,000,000 open tasks on both databases, and answers over HTTP."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.queue.answers import HELD, answer_lines
from bench.queue.claims import CALLERS, CLAIMS, in_process, postgresql_lines, sqlite_lines
from bench.queue.filled import BATCH
from bench.report import report


def main() -> int:
    """Measure and report; `--answers` measures the answers alone."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as name:
        folder = Path(name)
        lines = answer_lines(folder)
        if "--answers" not in sys.argv:
            lines = sqlite_lines(folder, in_process) + postgresql_lines(folder) + lines
    facts = {"claims": CLAIMS, "tasks each": BATCH, "callers": CALLERS, "tasks held while answering": HELD}
    return report("queue", lines, facts=facts)


if __name__ == "__main__":
    sys.exit(main())
