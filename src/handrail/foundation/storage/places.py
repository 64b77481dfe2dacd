"""Places for those who work at the same time: who came first gets the next one that is free.

A lock or a queue of Python's wakes one of those who wait and lets them run for what is free. Who has just given it back
and wants it again is faster than anybody who must first wake, so a few go on and on while others wait for hundreds of
milliseconds (bench/queue). Here a place is put into the hands of who waits longest, and nobody else can take it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class _Waiting(Generic[T]):
    """One who waits; `woken` is locked until there is a place in `given`."""

    __slots__ = ("given", "woken")

    def __init__(self) -> None:
        self.given: list[T] = []
        self.woken = Lock()
        self.woken.acquire()


class Places(Generic[T]):
    """A fixed number of places, each with what belongs to it; for threads. Every place taken must be given back."""

    def __init__(self, places: Sequence[T]) -> None:
        self._free = list(places)
        self._line: deque[_Waiting[T]] = deque()
        self._guard = Lock()

    def take(self, timeout_s: float) -> T:
        """Return a place, the one that was given back last if several are free, in the order in which callers came.

        Raises TimeoutError when there is none in that many seconds.
        """
        with self._guard:
            if self._free:
                return self._free.pop()  # while anybody waits none is free
            me: _Waiting[T] = _Waiting()
            self._line.append(me)
        try:
            me.woken.acquire(timeout=timeout_s)
        except BaseException:  # an interrupt: whoever gives up a wait must not keep the place
            if (given := self._leave(me)) is not None:
                self.give(given[0])
            raise
        given = self._leave(me)
        if given is None:
            raise TimeoutError
        return given[0]

    def give(self, place: T) -> None:
        """Give a place back: into the hands of who waits longest, else among the free ones."""
        with self._guard:
            if self._line:
                first = self._line.popleft()
                first.given.append(place)
                first.woken.release()
            else:
                self._free.append(place)

    def _leave(self, me: _Waiting[T]) -> list[T] | None:
        """Return what was given, or leave the line and return None; nobody can be given a place afterwards."""
        with self._guard:
            if me.given:
                return me.given
            self._line.remove(me)
            return None
