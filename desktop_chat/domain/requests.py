"""What is asked of a server: the messages, the parameters and the patience."""

from __future__ import annotations

import msgspec

from desktop_chat.domain.messages import Role, ToolCall


class GenerationParameters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sampling parameters; ``None`` leaves the server's own default. Ranges are in `settings.PARAMETERS`."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


class RequestMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the history as it is sent.

    Attributes:
        tool_call_id: on a TOOL message, the call it answers.
    """

    role: Role
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One turn, free of any dialect; ``api.codec`` turns it into a body.

    Attributes:
        messages: oldest first, the system prompt included, the last one from the user (or a tool).
        continue_from: the partial answer to be continued; the dialect must be able to (``api.continuation``).
    """

    model: str
    messages: tuple[RequestMessage, ...]
    parameters: GenerationParameters = GenerationParameters()
    continue_from: str | None = None


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Limits in seconds; there is no limit on the whole answer.

    Attributes:
        connect: DNS, TCP and TLS together.
        first_payload: request sent to the first delta; long, because prefill and queues are.
        idle: between two payloads; comments keep the connection alive but do not count as payload.
    """

    connect: float = 10.0
    first_payload: float = 300.0
    idle: float = 60.0
