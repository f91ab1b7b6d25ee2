"""When growing text is shown: at most once a frame, and never while nothing waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer

FRAME_SECONDS: Final = 1 / 60


class FrameClock(QObject):
    """Calls ``flush`` once for any number of `request`s within a frame. Idle, it has no timer running.

    Where more waits than a frame has time for, ``prepare`` is called until the next one, a slice each time the window's
    other events had their turn; it says whether there is more to prepare.
    """

    def __init__(self, flush: Callable[[], None], prepare: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._flush, self._prepare = flush, prepare
        self._next = (
            0.0  # when the next frame may begin; steps by whole frames, so that late ones do not add up
        )
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._slices = QTimer(self)
        self._slices.setSingleShot(True)
        self._slices.timeout.connect(self._prepare_some)

    @property
    def is_waiting(self) -> bool:
        return self._timer.isActive()

    def request(self) -> None:
        """Something waits to be shown."""
        if not self._timer.isActive():
            self._timer.start(max(0, round((self._next - time.monotonic()) * 1000)))

    def request_more(self) -> None:
        """More waits than was shown, and can be prepared."""
        self.request()
        self._slices.start(0)

    def request_next(self) -> None:
        """Something goes on in the next frame: this one has done its share outside of `flush`."""
        self._next = max(self._next, time.monotonic() + FRAME_SECONDS)
        self.request()

    def flush_now(self) -> None:
        """Do not wait for the frame."""
        self._timer.stop()
        self._tick()

    def flush_all(self) -> None:
        """Show all there is at once, in as many frames as that takes."""
        self.flush_now()
        while self.is_waiting:
            self.flush_now()

    def _prepare_some(self) -> None:
        if self._prepare() and self._timer.isActive():
            self._slices.start(0)

    def _tick(self) -> None:
        self._slices.stop()
        now = time.monotonic()
        self._next = max(self._next, now - FRAME_SECONDS / 2) + FRAME_SECONDS
        self._flush()
