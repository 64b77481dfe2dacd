"""Hashing passwords with Argon2id: slow on purpose, so never on the event loop and never on the database's thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from handrail.foundation.errors import Busy

_AT_ONCE = 2
_WAITING = 16


class TooManySignIns(Busy):
    """More people try to sign in at the same moment than the server checks."""

    code = "identity.too_many_sign_ins"


class Passwords:
    """Hashes and checks passwords.

    The parameters are the second recommendation of RFC 9106 (64 MiB, 3 passes, 4 lanes), about 50 ms and more on a
    small machine; a test may pass cheaper ones.
    """

    def __init__(self, *, memory_kib: int = 64 << 10, passes: int = 3, lanes: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="handrail-password")
        self._waiting = 0
        # Checked in place of the hash of a person who is not known, so that both take as long.
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return the hash to keep; takes a while."""
        return self._hasher.hash(password)

    def matches(self, kept: str | None, password: str) -> bool:
        """Return whether `password` is the one; takes as long when there is no hash."""
        try:
            self._hasher.verify(kept or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Return whether a hash was made with other parameters than those in force."""
        return self._hasher.check_needs_rehash(kept)

    async def check(self, kept: str | None, password: str) -> bool:
        """Do `matches` beside the event loop, at most two at a time; raises TooManySignIns when many wait."""
        if self._waiting >= _WAITING:
            raise TooManySignIns("Too many people sign in at this moment.", hint="Try again in a few seconds.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self.matches, kept, password)
        finally:
            self._waiting -= 1

    async def make(self, password: str) -> str:
        """Do `hash` beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.hash, password)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True)
