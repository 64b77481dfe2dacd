"""A process that keeps units from many callers at once and says of each, once it is kept, that it is; to be killed.

Usage: killed_writer.py STORAGE_URL FIRST_NUMBER
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from sqlalchemy import text

from handrail.foundation.storage import UnitOfWork, open_storage

CALLERS = 64
_OPEN = text("INSERT INTO test_account (name, amount) VALUES (:name, :amount)")
_LINE = text("INSERT INTO test_line (account, number) VALUES (:account, :number)")
_SUM = text("UPDATE test_account SET amount = amount + 1 WHERE name = 'sum'")


async def main() -> None:
    storage = open_storage(sys.argv[1])
    numbers = itertools.count(int(sys.argv[2]))

    async def caller() -> None:
        while True:
            name = f"n{next(numbers)}"

            def unit(uow: UnitOfWork, name: str = name) -> None:
                uow.run(_OPEN, name=name, amount=0)
                uow.add_all(_LINE, [{"account": name, "number": number} for number in (1, 2)])
                uow.add(_SUM)

            await storage.awrite(unit)
            os.write(1, f"{name}\n".encode())

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main())
