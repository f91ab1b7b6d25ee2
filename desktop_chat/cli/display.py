"""What `ask` does with an answer while it comes: handlers for standard output and standard error."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Final, Protocol, TextIO

from desktop_chat.chat.handlers import StreamContext, StreamResult
from desktop_chat.chat.summary import seconds, tokens
from desktop_chat.domain.deltas import ReasoningDelta, StreamDelta, TextDelta
from desktop_chat.domain.metrics import Metrics, Phase

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ERASE_LINE: Final = "\r\x1b[K"
_DIM: Final = "\x1b[2m"
_RESET: Final = "\x1b[0m"


def without_controls(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters, all but tab and line feed, as pictures."""
    return _CONTROLS.sub(
        lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 0x20 else "\ufffd", text
    )


class Output:
    """Standard output. Its reader may leave (``| head``) or its disk may be full: then the turn is stopped.

    Attributes:
        problem: why nothing more is written; ``None`` while all is well.
        ends_line: whether the last character written was a line feed (or nothing was written).
    """

    def __init__(self, stream: TextIO, stop: Callable[[], None]) -> None:
        self._stream = stream
        self._stop = stop
        self.is_terminal = stream.isatty()
        self.problem: OSError | None = None
        self.ends_line = True

    def write(self, text: str) -> None:
        """Write and flush; a terminal gets the text without control characters."""
        self.write_raw(without_controls(text) if self.is_terminal else text)

    def write_raw(self, text: str) -> None:
        """The same for text that may hold this program's own escape sequences."""
        if self.problem is not None or not text:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            self.problem = error
            self._stop()
        else:
            self.ends_line = text.endswith("\n")


class BlockWriter(Protocol):
    """Turns the growing source of an answer into finished pieces of output."""

    def feed(self, text: str) -> str:
        """Take more source; returns what can be written for good."""

    def flush(self) -> str:
        """What is left, at the end."""


class FormattedText:
    """A handler that writes the answer block by block, in another form than it came."""

    def __init__(self, blocks: BlockWriter, write: Callable[[str], None]) -> None:
        self._blocks = blocks
        self._write = write

    def started(self, context: StreamContext) -> None:
        return

    def delta(self, delta: StreamDelta) -> None:
        if isinstance(delta, TextDelta):
            self._write(self._blocks.feed(delta.text))

    def finished(self, result: StreamResult) -> None:
        self._write(self._blocks.flush())


class DimReasoning:
    """A handler that shows the model's reasoning on a terminal's standard error, dimmed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._thinking = False

    def started(self, context: StreamContext) -> None:
        return

    def delta(self, delta: StreamDelta) -> None:
        if isinstance(delta, ReasoningDelta):
            self._thinking = True
            self._stream.write(f"{_DIM}{without_controls(delta.text)}{_RESET}")
            self._stream.flush()
        elif self._thinking and isinstance(delta, TextDelta):
            self._end()

    def finished(self, result: StreamResult) -> None:
        if self._thinking:
            self._end()

    def _end(self) -> None:
        self._thinking = False
        self._stream.write("\n\n")
        self._stream.flush()


class Progress:
    """A handler that says on standard error how far the answer is.

    On a terminal one line is redrawn a few times a second, and gives way to the answer when that is shown on the
    same terminal; into a file goes a line now and then.

    Args:
        metrics: takes a snapshot.
        gives_way: whether the answer's text appears on the same terminal.
    """

    _TERMINAL_INTERVAL_S: Final = 0.2
    _FILE_INTERVAL_S: Final = 2.0

    def __init__(self, stream: TextIO, metrics: Callable[[], Metrics], *, gives_way: bool) -> None:
        self._stream = stream
        self._metrics = metrics
        self._gives_way = gives_way
        self._is_terminal = stream.isatty()
        self._timer: asyncio.TimerHandle | None = None
        self._drawn = False

    def started(self, context: StreamContext) -> None:
        self._schedule()

    def delta(self, delta: StreamDelta) -> None:
        if self._gives_way and isinstance(delta, (TextDelta, ReasoningDelta)):
            self._end()

    def finished(self, result: StreamResult) -> None:
        if not self._is_terminal:
            self._stream.write(f"{_progress_line(result.metrics)}\n")
        self._end()

    def _schedule(self) -> None:
        interval = self._TERMINAL_INTERVAL_S if self._is_terminal else self._FILE_INTERVAL_S
        self._timer = asyncio.get_running_loop().call_later(interval, self._draw)

    def _draw(self) -> None:
        line = _progress_line(self._metrics())
        self._stream.write(f"{_ERASE_LINE}{line}" if self._is_terminal else f"{line}\n")
        self._stream.flush()
        self._drawn = True
        self._schedule()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._drawn and self._is_terminal:
            self._stream.write(_ERASE_LINE)
            self._stream.flush()
        self._drawn = False


def _progress_line(metrics: Metrics) -> str:
    parts = [metrics.phase.value]
    if metrics.phase is Phase.RETRYING and metrics.retry_in_s is not None:
        parts[0] = f"retrying in {metrics.retry_in_s:.0f} s"
    if metrics.tokens:
        parts.append(tokens(metrics))
    if metrics.tokens_per_second is not None:
        parts.append(f"{metrics.tokens_per_second:.1f} tok/s")
    return ", ".join([*parts, seconds(metrics.elapsed_s)])
