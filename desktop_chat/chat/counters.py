"""Handlers that count, and handlers that end a stream when a count, a cost, a text or a time is reached."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from desktop_chat.chat.handlers import StreamContext, StreamResult
from desktop_chat.domain.deltas import ReasoningDelta, StreamDelta, TextDelta, ToolCallDelta, UsageReport


class CharacterCounter:
    """Counts the characters (code points) of the answer's text."""

    def __init__(self) -> None:
        self.characters = 0

    def started(self, context: StreamContext) -> None:
        self.characters = 0

    def delta(self, delta: StreamDelta) -> None:
        if isinstance(delta, TextDelta):
            self.characters += len(delta.text)

    def finished(self, result: StreamResult) -> None:
        return


class WordCounter:
    """Counts words, runs of anything but white space, in the answer's text, also across deltas."""

    def __init__(self) -> None:
        self.words = 0
        self._inside = False

    def started(self, context: StreamContext) -> None:
        self.words, self._inside = 0, False

    def delta(self, delta: StreamDelta) -> None:
        if not isinstance(delta, TextDelta):
            return
        text = delta.text
        self.words += len(text.split())
        if self._inside and not text[0].isspace():
            self.words -= 1
        self._inside = not text[-1].isspace()

    def finished(self, result: StreamResult) -> None:
        return


class _StopRule:
    """Calls ``stop`` once, when its subclass says so; what arrived up to then is kept."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def started(self, context: StreamContext) -> None:
        return

    def delta(self, delta: StreamDelta) -> None:
        if self.reached(delta):
            self._stop()

    def reached(self, delta: StreamDelta) -> bool:
        raise NotImplementedError

    def finished(self, result: StreamResult) -> None:
        return


class StopAfterTokens(_StopRule):
    """Ends the stream after ``limit`` content deltas (text, reasoning or tool calls)."""

    def __init__(self, limit: int, stop: Callable[[], None]) -> None:
        super().__init__(stop)
        self._left = limit

    def reached(self, delta: StreamDelta) -> bool:
        if isinstance(delta, (TextDelta, ReasoningDelta, ToolCallDelta)):
            self._left -= 1
        return self._left <= 0


class StopAfterCost(_StopRule):
    """Ends the stream once the reported cost reaches ``limit``, in the server's unit."""

    def __init__(self, limit: float, stop: Callable[[], None]) -> None:
        super().__init__(stop)
        self._limit = limit

    def reached(self, delta: StreamDelta) -> bool:
        usage = delta.usage if isinstance(delta, UsageReport) else None
        return usage is not None and usage.cost is not None and usage.cost >= self._limit


class StopAtPattern(_StopRule):
    """Ends the stream once ``pattern`` is found in the text; a match may span up to ``window`` characters."""

    def __init__(self, pattern: str, stop: Callable[[], None], window: int = 1000) -> None:
        super().__init__(stop)
        self._pattern = re.compile(pattern)
        self._window = window
        self._recent = ""

    def reached(self, delta: StreamDelta) -> bool:
        if not isinstance(delta, TextDelta):
            return False
        self._recent = (self._recent + delta.text)[-(self._window + len(delta.text)) :]
        return self._pattern.search(self._recent) is not None


class StopAfterSeconds:
    """Ends the stream ``limit`` seconds after its start, whether or not anything arrives."""

    def __init__(self, limit: float, stop: Callable[[], None]) -> None:
        self._limit = limit
        self._stop = stop
        self._timer: asyncio.TimerHandle | None = None

    def started(self, context: StreamContext) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._limit, self._stop)

    def delta(self, delta: StreamDelta) -> None:
        return

    def finished(self, result: StreamResult) -> None:
        if self._timer is not None:
            self._timer.cancel()
