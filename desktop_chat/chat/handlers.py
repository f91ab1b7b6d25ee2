"""Stream handlers: several consumers of one streamed answer.

A handler is any object with the three methods of `StreamHandler`; it is called in the event loop's thread, in
order, and must return at once. One that raises is named in the log, disabled for that stream, and harms
nothing. Packages offer their own through the entry-point group ``desktop_chat.handlers``.
"""

from __future__ import annotations

import enum
import functools
import logging
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar, runtime_checkable

import msgspec

from desktop_chat.domain.deltas import StreamDelta
from desktop_chat.domain.errors import ErrorReport
from desktop_chat.domain.messages import ToolCall
from desktop_chat.domain.metrics import Metrics

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

HANDLER_ENTRY_POINT_GROUP = "desktop_chat.handlers"


class Outcome(enum.StrEnum):
    """How a turn ended; never guessed."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    ERROR = "error"


class StreamContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler is told at the start of a stream."""

    conversation_id: int | None
    message_id: int | None
    profile_name: str
    model: str


class StreamResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler is told at the end, and what ``ask --json`` prints."""

    outcome: Outcome
    text: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str | None
    usage: dict[str, object] | None
    metrics: Metrics
    error: ErrorReport | None = None
    warnings: tuple[str, ...] = ()


class StreamHandler(Protocol):
    """A consumer of one streamed answer."""

    def started(self, context: StreamContext) -> None:
        """The request is about to be sent. Called once."""

    def delta(self, delta: StreamDelta) -> None:
        """A piece arrived; called for every delta in order."""

    def finished(self, result: StreamResult) -> None:
        """The turn ended, in whatever way. Called once, after the last delta."""


@runtime_checkable
class PacedHandler(StreamHandler, Protocol):
    """A handler that needs time for what it was given; no more is read from the server while it is behind."""

    @property
    def is_behind(self) -> bool: ...


class Transform(Protocol):
    """Delta in, deltas out: rewrites the stream before any handler sees it; it may hold text back."""

    def feed(self, delta: StreamDelta) -> Iterable[StreamDelta]: ...

    def flush(self) -> Iterable[StreamDelta]:
        """What is still held back; called once, at the end, however the stream ended."""
        ...


class HandlerChain:
    """Calls several handlers in order and shields the stream, and each of them, from the others' defects.

    Attributes:
        failures: a sentence for each handler that was disabled.
    """

    def __init__(self, handlers: Iterable[StreamHandler] = ()) -> None:
        self._handlers: list[StreamHandler] = list(handlers)
        self._paced = [handler for handler in self._handlers if isinstance(handler, PacedHandler)]
        self._context: StreamContext | None = None
        self.failures: list[str] = []

    @property
    def is_behind(self) -> bool:
        """Whether one of them must catch up before more is read."""
        for handler in self._paced:
            try:
                if handler.is_behind:
                    return True
            except Exception as error:  # noqa: BLE001 - as in `delta`
                self._disable(handler, error)
        return False

    def attach(self, handler: StreamHandler) -> None:
        """Add a handler; one that joins a running stream is started at once and gets what follows."""
        self._handlers.append(handler)
        if isinstance(handler, PacedHandler):
            self._paced.append(handler)
        if self._context is not None:
            context = self._context
            self._call(handler, handler.started, context)

    def detach(self, handler: StreamHandler) -> None:
        """Take a handler out without finishing it; one that is not in is ignored."""
        self._handlers = [other for other in self._handlers if other is not handler]
        self._paced = [other for other in self._paced if other is not handler]

    def started(self, context: StreamContext) -> None:
        self._context = context
        for handler in tuple(self._handlers):
            self._call(handler, handler.started, context)

    def delta(self, delta: StreamDelta) -> None:
        for handler in self._handlers:
            try:
                handler.delta(delta)
            except Exception as error:  # noqa: BLE001 - one handler's defect must not reach the stream
                self._disable(handler, error)

    def finished(self, result: StreamResult) -> None:
        for handler in tuple(self._handlers):
            self._call(handler, handler.finished, result)

    def _call(self, handler: StreamHandler, method: Callable[[_T], None], argument: _T) -> None:
        try:
            method(argument)
        except Exception as error:  # noqa: BLE001 - as above
            self._disable(handler, error)

    def _disable(self, handler: StreamHandler, error: Exception) -> None:
        name = type(handler).__name__
        logger.error("stream handler %s failed and is disabled for this stream", name, exc_info=error)
        self.failures.append(f"The handler {name} failed and was switched off for this answer.")
        self.detach(handler)


def installed_handlers() -> list[StreamHandler]:
    """One new instance of every handler class that installed packages offer; a broken one is logged."""
    handlers: list[StreamHandler] = []
    for name, make in installed_handler_classes():
        try:
            handlers.append(make())
        except Exception:
            logger.exception("the stream handler %s could not be made", name)
    return handlers


@functools.cache
def installed_handler_classes() -> tuple[tuple[str, Callable[[], StreamHandler]], ...]:
    """Name and class of every installed handler. The first call looks through all packages: about 10 ms."""
    import importlib.metadata  # costs another 10 ms, which the first request of `ask` need not wait for

    found: list[tuple[str, Callable[[], StreamHandler]]] = []
    for entry_point in importlib.metadata.entry_points(group=HANDLER_ENTRY_POINT_GROUP):
        try:
            found.append((entry_point.name, entry_point.load()))
        except Exception:
            logger.exception("the stream handler %s could not be loaded", entry_point.name)
    return tuple(found)
