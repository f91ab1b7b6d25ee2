"""Waiting in a task for work on another thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def result_of(work: Future[T], timeout_s: float | None = None) -> T:
    """The result or exception of ``work``.

    Cancelling the waiting task, or the time running out (TimeoutError), leaves the work alone: `asyncio.wrap_future`
    by itself would pass a cancellation on and take queued work out of its queue.
    """
    future = asyncio.wrap_future(work)
    future.add_done_callback(_look_at_exception)
    done, _ = await asyncio.wait({future}, timeout=timeout_s)
    if not done:
        raise TimeoutError
    return future.result()


def _look_at_exception(future: asyncio.Future[T]) -> None:
    """An exception that nobody is left to receive is no defect; the work has logged what matters."""
    if not future.cancelled():
        future.exception()
