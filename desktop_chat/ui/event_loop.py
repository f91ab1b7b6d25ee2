"""Running the program on asyncio and Qt at once, with an owner for every task.

Not used on purpose: ``asyncSlot`` keeps no reference to its task, ``asyncClose`` spins the event loop, and a modal
``exec()`` within a coroutine breaks the loop for good.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from PySide6.QtWidgets import QApplication

from desktop_chat.domain.errors import ChatError, ErrorReport, InternalError
from desktop_chat.ui.qt_loop import QtLoop

logger = logging.getLogger(__name__)
T = TypeVar("T")


def run(application: QApplication, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``main()`` on the application's event loop, and return its result."""
    application.setQuitOnLastWindowClosed(False)  # it would stop the loop under the feet of the last tasks
    loop = QtLoop(application)
    asyncio.set_event_loop(loop)
    try:
        result: T = loop.run_until_complete(main())
        loop.run_until_complete(loop.shutdown_asyncgens())
        return result
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class Tasks:
    """Starts coroutines from slots, keeps them, and says what went wrong in them.

    Args:
        report: told of every failure, in words for people; the traceback of a defect is in the log.
    """

    def __init__(self, report: Callable[[ErrorReport], None]) -> None:
        self._report = report
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine, name=name or None)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def join(self, limit_s: float) -> None:
        """Wait for all tasks, cancel those that are not done in ``limit_s`` seconds, and wait for them too."""
        running = self._running - {asyncio.current_task()}
        if running:
            _done, late = await asyncio.wait(running, timeout=limit_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=limit_s)

    def end(self) -> None:
        """There is no window any more: what still fails is in the log only."""
        self._report = lambda _report: None

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        failure = task.exception()
        if failure is None:
            return
        if isinstance(failure, ChatError):
            logger.info("%s: %s", task.get_name(), failure.sentence)
            self._report(failure.report())
        else:
            logger.error("a task failed: %s", task.get_name(), exc_info=failure)
            self._report(InternalError(f"{type(failure).__name__}: {failure}").report())


class Signals:
    """Turns SIGINT and SIGTERM into a call in the event loop; Python alone would hear of them at the next event.

    Args:
        told: called with the signal's number.
    """

    def __init__(self, told: Callable[[int], None]) -> None:
        self._told = told
        self._loop = asyncio.get_running_loop()
        numbers = [signal.SIGINT, signal.SIGTERM]
        self._before = {number: signal.signal(number, self._received) for number in numbers}
        self._wake = _WakeUp()

    def close(self) -> None:
        self._wake.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _received(self, number: int, _frame: object) -> None:
        self._loop.call_soon_threadsafe(self._told, number)


class _WakeUp:
    """Lets the operating system wake Qt at a signal, so that Python runs its handler at once."""

    def __init__(self) -> None:
        import socket

        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._before = -1
        if (
            sys.platform != "win32"
        ):  # qasync's loop for Windows knows no readers; there the loop's timer must do
            self._before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
            self._loop.add_reader(self._reader.fileno(), self._drain)

    def _drain(self) -> None:
        try:
            self._reader.recv(64)
        except BlockingIOError:
            return

    def close(self) -> None:
        if sys.platform != "win32":
            self._loop.remove_reader(self._reader.fileno())
            signal.set_wakeup_fd(self._before)
        self._reader.close()
        self._writer.close()
