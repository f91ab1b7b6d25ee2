"""Stream handlers: several consumers of one streamed answer.

A handler is any object with the three methods of `StreamHandler`; it is called in the event loop's thread, in
order, and must return at once. One that raises is named in the log, disabled for that stream, and harms
nothing. Packages offer their own through the entry-point group ``desktop_chat.handlers``.
"""

from __future__ import annotations

import enum
from typing import Protocol

import msgspec

from desktop_chat.domain.deltas import StreamDelta
from desktop_chat.domain.errors import ErrorReport
from desktop_chat.domain.messages import ToolCall
from desktop_chat.domain.metrics import Metrics

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
