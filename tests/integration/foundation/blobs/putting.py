"""A process that keeps files and says the digest of each once it is kept; to be killed.

Usage: putting.py FOLDER
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from handrail.foundation.blobs import Blobs

SIZE = 300_000


def content(number: int) -> bytes:
    """Return the content of a number: a few of them are equal."""
    return f"{number // 2:08}".encode() * (SIZE // 8)


def main() -> None:
    blobs = Blobs(Path(sys.argv[1]))
    for number in itertools.count():
        os.write(1, f"{blobs.put(content(number))}\n".encode())


if __name__ == "__main__":
    main()
