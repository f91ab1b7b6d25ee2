"""Messages and their parts. A conversation is a tree of them; each knows its parent."""

from __future__ import annotations

import enum

import msgspec

from desktop_chat.domain.errors import ErrorReport
from desktop_chat.domain.metrics import Metrics


class Role(enum.StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class MessageState(enum.StrEnum):
    """How a message stands; STREAMING found at start-up means the program died and becomes INTERRUPTED."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A function call the model asks for; ``arguments`` is JSON text, kept as received."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message with its whole text.

    Attributes:
        id: row id, unique over all conversations, grows with time.
        parent_id: the message this one follows; ``None`` for a first message.
        created_at: seconds since the epoch, UTC.
        sibling_index / sibling_count: this message's place among the versions that share its parent (0-based).
    """

    id: int
    conversation_id: int
    parent_id: int | None
    role: Role
    text: str
    state: MessageState = MessageState.COMPLETE
    created_at: float = 0.0
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    model: str = ""
    profile_name: str = ""
    finish_reason: str | None = None
    error: ErrorReport | None = None
    metrics: Metrics | None = None
    sibling_index: int = 0
    sibling_count: int = 1


class MessageStub(msgspec.Struct, frozen=True, gc=False):
    """What a view needs to estimate a message's height before its text is loaded.

    ``text_length`` and ``reasoning_length`` are in characters.
    """

    id: int
    role: Role
    state: MessageState
    text_length: int
    reasoning_length: int = 0
