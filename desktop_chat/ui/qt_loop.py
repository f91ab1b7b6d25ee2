"""asyncio on Qt's event loop: qasync's loop, whose callbacks and timers cost a fraction.

qasync starts and ends a timer of Qt for every callback, and keeps the timers of what was cancelled until they would
have been due: a stream that sets a time limit for each read has thousands of them. Here callbacks wait in a queue that
one timer, or the event that filled it, works off, and what is due later waits in a heap with one more timer. What a
socket brings is handed on in the same turn: one turn of Qt's event loop a read instead of three.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import sys
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Final

import qasync
from PySide6.QtCore import QObject, QSocketNotifier, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from _typeshed import HasFileno

_TURN_S: Final = 0.001
"""How long callbacks that became ready together may follow each other before Qt's own events get their turn."""

_TICK_S: Final = 0.001
"""Of Qt's timers."""

_LONGEST_S: Final = 86_400.0
"""A timer of Qt's counts milliseconds in 32 bits; what is due later is looked at again every day."""

_FEW_CANCELLED: Final = 100
"""Timers that may be kept although they were cancelled, whatever their share."""


class _ThreadDoor(QObject):
    """Brings callbacks of other threads into the window's."""

    entered = Signal(object)

    def __init__(self, receive: Callable[[asyncio.Handle], None]) -> None:
        super().__init__()
        self._receive = receive
        self.entered.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)

    def _pass_on(self, handle: asyncio.Handle) -> None:
        self._receive(handle)


class QtLoop(qasync.QEventLoop):  # type: ignore[misc]  # qasync is not typed
    """See the module. Callbacks run in the order in which they became ready, and never within another one."""

    time = staticmethod(time.monotonic)

    def __init__(self, application: QApplication) -> None:
        self._ready_handles: deque[asyncio.Handle] = deque()
        self._later: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = itertools.count()  # equal times keep their order
        self._cancelled = 0  # of those in `_later`
        self._is_in_turn = False
        self._readers: dict[int, asyncio.Handle] = {}
        self._notifiers: dict[int, QSocketNotifier] = {}  # kept: reading is paused and taken up all the time
        self._turn_timer = QTimer(singleShot=True)
        self._turn_timer.timeout.connect(self._turn)
        self._alarm = QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._alarm.timeout.connect(self._ring)
        self._alarm_at = math.inf
        self._door = _ThreadDoor(self._enter)
        super().__init__(application)

    def run_forever(self) -> int:
        if self._ready_handles:
            self._turn_timer.start()
        status: int = super().run_forever()
        return status

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self._ready_handles and not self._is_in_turn:
            self._turn_timer.start()
        self._ready_handles.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._door.entered.emit(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(time.monotonic() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._later, (when, next(self._numbers), handle))
        handle._scheduled = True  # type: ignore[attr-defined]  # then it tells the loop when it is cancelled
        if when < self._alarm_at:
            self._set_alarm(when)
        return handle

    def close(self) -> None:
        for notifier in self._notifiers.values():
            notifier.setEnabled(False)
        self._readers.clear()
        self._turn_timer.stop()
        self._alarm.stop()
        self._ready_handles.clear()
        self._later.clear()
        super().close()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Told by a handle that will be cancelled when this returns."""
        if not handle._scheduled or not self._later:  # type: ignore[attr-defined]  # it has been due; or the end
            return
        self._cancelled += 1
        if self._later[0][2] is handle:
            self._forget_first()
        elif self._cancelled > max(_FEW_CANCELLED, len(self._later) // 2):
            self._later = [entry for entry in self._later if not entry[2].cancelled()]
            heapq.heapify(self._later)
            self._cancelled = 1
        if not self._later:
            self._alarm.stop()
            self._alarm_at = math.inf

    def _forget_first(self) -> None:
        """Take the first away, which was cancelled, and the cancelled ones behind it."""
        while True:
            heapq.heappop(self._later)[2]._scheduled = False  # type: ignore[attr-defined]  # as above
            self._cancelled -= 1
            if not self._later or not self._later[0][2].cancelled():
                return

    def _set_alarm(self, when: float) -> None:
        self._alarm_at = when
        rest = min(when - time.monotonic(), _LONGEST_S)
        self._alarm.start(max(0, math.ceil(rest / _TICK_S)))

    def _ring(self) -> None:
        """Everything that is due joins the queue, and the alarm is set for the next."""
        self._alarm_at = math.inf
        due = time.monotonic() + _TICK_S / 2
        while self._later and (self._later[0][0] <= due or self._later[0][2].cancelled()):
            handle = heapq.heappop(self._later)[2]
            handle._scheduled = False  # type: ignore[attr-defined]  # as above
            if handle.cancelled():
                self._cancelled -= 1
            else:
                self._ready_handles.append(handle)
        if self._later:
            self._set_alarm(self._later[0][0])
        self._turn()

    def _enter(self, handle: asyncio.Handle) -> None:
        self._ready_handles.append(handle)
        self._turn()

    def _turn(self) -> None:
        """Run what is ready, for a while; what that makes ready waits until Qt's own events had their turn."""
        if self._is_in_turn or not self.is_running():
            # An event loop of Qt's within a callback, whose turn goes on behind it; or one that is not this loop's.
            return
        ready = self._ready_handles
        until = time.monotonic() + _TURN_S
        self._is_in_turn = True
        try:
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle.cancelled():
                    handle._run()
                if time.monotonic() > until:
                    break
        finally:
            self._is_in_turn = False
            if ready:
                self._turn_timer.start()

    if sys.platform != "win32":  # there qasync waits for the system's completion ports, not for sockets

        def _add_reader(
            self, fd: int | HasFileno, callback: Callable[..., object], *args: object
        ) -> asyncio.Handle:
            self._check_closed()
            self._remove_reader(fd)
            number = _number(fd)
            handle = self._readers[number] = asyncio.Handle(callback, args, self, None)
            notifier = self._notifiers.get(number)
            if notifier is None:
                notifier = self._notifiers[number] = QSocketNotifier(number, QSocketNotifier.Type.Read)
                notifier.activated.connect(lambda: self._readable(number))
            else:
                notifier.setEnabled(True)
            return handle

        def _remove_reader(self, fd: int | HasFileno) -> bool:
            handle = self._readers.pop(_number(fd), None)
            if handle is None:
                return False
            handle.cancel()
            self._notifiers[_number(fd)].setEnabled(False)
            return True

        def _readable(self, number: int) -> None:
            handle = self._readers.get(number)
            if handle is None:
                return
            if self._is_in_turn:  # an event loop of Qt's within a callback: it is read behind that one
                self._notifiers[number].setEnabled(False)
                self.call_soon(self._read_again, number)
                return
            self._is_in_turn = True
            try:
                handle._run()
            finally:
                self._is_in_turn = False
                self._turn()

        def _read_again(self, number: int) -> None:
            if number in self._readers:
                self._notifiers[number].setEnabled(True)


def _number(fd: int | HasFileno) -> int:
    return fd if isinstance(fd, int) else fd.fileno()
