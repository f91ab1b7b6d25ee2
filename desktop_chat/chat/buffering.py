"""Buffered output: collect deltas and hand them on in larger pieces, always with a final flush."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from desktop_chat.chat.handlers import StreamContext, StreamResult
from desktop_chat.domain.deltas import StreamDelta, TextDelta


class FlushPolicy(Protocol):
    """Decides how much of the pending text may leave."""

    def ready(self, pending: str) -> int:
        """How many leading characters of ``pending`` to write now; 0 to wait."""


class AtCharacters:
    """Flush whenever at least ``limit`` characters are pending."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def ready(self, pending: str) -> int:
        return len(pending) if len(pending) >= self._limit else 0


class AtLines:
    """Flush whole lines only."""

    def ready(self, pending: str) -> int:
        return pending.rfind("\n") + 1


class AtWords:
    """Flush up to the last white space, so that no word is ever seen in halves."""

    def ready(self, pending: str) -> int:
        return max(pending.rfind(" "), pending.rfind("\n"), pending.rfind("\t")) + 1


class Never:
    """Only time, or the end, flushes."""

    def ready(self, pending: str) -> int:
        return 0


class BufferedText:
    """A handler that writes the answer's text in pieces.

    Args:
        write: receives each piece; never an empty one.
        policy: when a piece is large enough.
        interval_s: flush at the latest this long after the first pending character (one frame is 0.016).
    """

    def __init__(
        self, write: Callable[[str], None], policy: FlushPolicy | None = None, interval_s: float | None = None
    ) -> None:
        self._write = write
        self._policy = policy or Never()
        self._interval_s = interval_s
        self._pending = ""
        self._timer: asyncio.TimerHandle | None = None

    def started(self, context: StreamContext) -> None:
        return

    def delta(self, delta: StreamDelta) -> None:
        if not isinstance(delta, TextDelta):
            return
        self._pending += delta.text
        count = self._policy.ready(self._pending)
        if count:
            self._emit(count)
        if self._pending and self._interval_s is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._on_time)

    def finished(self, result: StreamResult) -> None:
        self.flush()

    def flush(self) -> None:
        """Write all that is pending."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending:
            self._emit(len(self._pending))

    def _on_time(self) -> None:
        self._timer = None
        self.flush()

    def _emit(self, count: int) -> None:
        piece, self._pending = self._pending[:count], self._pending[count:]
        self._write(piece)
