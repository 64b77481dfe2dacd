"""Predicts for concurrent callers together: one predict() for all that ask in one turn of the event loop.

The model, not storage, is the cost of a decision; one row at a time costs up to a hundred times more per row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from handrail.cycle.review.model import Given

Predict = Callable[[Sequence[Mapping[str, Any]]], list[Given]]


class MicroBatch:
    """Collects rows until the loop has run every caller that is ready, then predicts them at once."""

    def __init__(self, predict: Predict) -> None:
        self._predict = predict
        self._waiting: list[tuple[Mapping[str, Any], asyncio.Future[Given]]] = []

    async def one(self, row: Mapping[str, Any]) -> Given:
        """Return the prediction for one row; raises what predict() raised."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Given] = loop.create_future()
        self._waiting.append((row, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._flush)
        return await future

    def many(self, rows: Sequence[Mapping[str, Any]]) -> list[Given]:
        """Return the predictions for rows that are already together."""
        return self._predict(rows)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            made = self._predict([row for row, _ in waiting])
        except Exception as error:  # noqa: BLE001 - handed to every caller of this batch, not swallowed
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), one in zip(waiting, made, strict=True):
            if not future.done():
                future.set_result(one)
