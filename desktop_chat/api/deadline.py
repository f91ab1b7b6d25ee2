"""A moving time limit for waits that follow each other, with one timer however often it moves."""

from __future__ import annotations

import asyncio
import math
from types import TracebackType


class Deadline:
    """A context manager, entered for each wait; like `asyncio.timeout_at`, which makes and cancels a timer each time.

    Raises:
        TimeoutError: on leaving, when the wait was ended because it lasted beyond ``at``.

    Attributes:
        at: when patience ends, in the event loop's time; may be moved at any time.
    """

    def __init__(self, at: float = math.inf) -> None:
        self.at = at
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None  # that waits
        self._cancelling = 0  # requests to cancel it that are not this one's
        self._has_passed = False

    def __enter__(self) -> None:
        task = asyncio.current_task(self._loop)
        assert task is not None, "only a task can wait"
        self._task, self._cancelling, self._has_passed = task, task.cancelling(), False
        timer = self._timer
        if timer is None or timer.when() > self.at:
            self._set_timer()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if not self._has_passed or task is None:
            return
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def close(self) -> None:
        """Nobody will wait any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self.close()
        if self.at < math.inf:
            self._timer = self._loop.call_at(self.at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._task is None or self._has_passed:  # the next wait sets it again
            return
        if self._loop.time() < self.at:  # it was moved meanwhile
            self._set_timer()
        else:
            self._has_passed = True
            self._task.cancel()
