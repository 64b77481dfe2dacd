"""Runs benchmarks: `python -m bench [NAME ...] [--keep]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the named benchmarks, or all, each in a process of its own; 1 when one of them failed."""
    folder = Path(__file__).resolve().parent
    known = sorted(path.parent.name for path in folder.glob("*/run.py"))
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"No benchmark named {', '.join(unknown)}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    options = [option for option in sys.argv[1:] if option.startswith("-")]
    failed = []
    for name in wanted:
        if subprocess.run(
            [sys.executable, "-m", f"bench.{name}.run", *options], cwd=folder.parent, check=False
        ).returncode:
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"Not held: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
