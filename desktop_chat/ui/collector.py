"""Python's cycle collector, run in the window's thread alone.

By itself it runs in whichever thread happens to allocate. An object of Qt's that is part of a cycle would then be freed
in another thread than its own: timers cannot be stopped there, and the program may crash.
"""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

_INTERVAL_MS: Final = 200
_BUSY_INTERVAL_MS: Final = 20
_ENOUGH: Final = 10_000
"""Objects made and not freed since the last time, from which on it is worth it."""

_YOUNG_ROUNDS: Final = 10
_ALL_ROUNDS: Final = 500
"""Rounds for each over objects that are older, and over all, which takes some tens of milliseconds."""


class CycleCollector(QObject):
    """Collects while the event loop runs, if there is something to collect; ends with `close`."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        self._rounds = 0
        gc.disable()
        self._timer = QTimer(self, interval=_INTERVAL_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> None:
        is_busy = gc.get_count()[0] >= _ENOUGH
        self._timer.setInterval(_BUSY_INTERVAL_MS if is_busy else _INTERVAL_MS)
        if not is_busy:
            return
        self._rounds += 1
        if self._rounds % _ALL_ROUNDS == 0:
            gc.collect()
        else:
            gc.collect(0 if self._rounds % _YOUNG_ROUNDS else 1)

    def close(self) -> None:
        self._timer.stop()
        if self._was_enabled:
            gc.enable()
