"""Runs our own checks on the sources: `python -m tools.lint`."""

from __future__ import annotations

import sys

from tools import hosts, imports, licences, names, purity, scope, sizes

CHECKS = (sizes, names, purity, imports, scope, hosts, licences)


def main() -> int:
    """Print every finding; 1 when there is one."""
    try:
        findings = [finding for check in CHECKS for finding in check.check()]
    except SyntaxError as error:
        print(f"{error.filename}:{error.lineno}: {error.msg} [syntax]")
        return 1
    for finding in findings:
        print(finding)
    if not findings:
        print(f"{len(CHECKS)} checks, nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
