"""Continuing an answer that was cut: who can, how it is asked for, and joining the pieces byte-exactly.

The partial answer is sent as the last message, marked as each server wants it. Mistral may repeat it in front
of the new text; `EchoStripper` takes the repetition out.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from desktop_chat.domain.deltas import StreamDelta, TextDelta
from desktop_chat.domain.errors import ConfigurationError
from desktop_chat.domain.profiles import Dialect
from desktop_chat.domain.text import without_lone_surrogates

_MARKS: dict[Dialect, dict[str, Any]] = {
    Dialect.MISTRAL: {"prefix": True},
    Dialect.DEEPSEEK: {"prefix": True},
    Dialect.QWEN: {"partial": True},
    Dialect.LLAMACPP: {},  # llama-server continues a trailing assistant message by itself
    Dialect.VLLM: {},
}


def can_continue(dialect: Dialect, base_url: str = "") -> bool:
    """Whether the server can continue a partial answer; elsewhere the offer is to regenerate it."""
    if dialect is Dialect.DEEPSEEK:  # on its beta address only, see `continuation_base_url`
        return continuation_base_url(dialect, base_url).endswith("/beta")
    return dialect in _MARKS


def continuation_base_url(dialect: Dialect, base_url: str) -> str:
    """Where to send the request: DeepSeek takes ``prefix`` at ``https://api.deepseek.com/beta`` only."""
    parts = urlsplit(base_url)
    if dialect is Dialect.DEEPSEEK and parts.hostname == "api.deepseek.com":
        return f"{parts.scheme}://{parts.netloc}/beta"
    return base_url


def continuation_message(partial: str, dialect: Dialect, base_url: str = "") -> dict[str, Any]:
    """The last message of the request.

    Raises:
        ConfigurationError: this server cannot continue.
    """
    if not can_continue(dialect, base_url):
        raise ConfigurationError(
            sentence="This server cannot continue a partial answer.", advice="Regenerate the answer instead."
        )
    return {"role": "assistant", "content": without_lone_surrogates(partial), **_MARKS[dialect]}


def continuation_fields(dialect: Dialect) -> dict[str, Any]:
    """Fields of the request beside the message."""
    if dialect is Dialect.VLLM:
        return {"continue_final_message": True, "add_generation_prompt": False}
    return {}


class EchoStripper:
    """Deltas in, deltas out, without the repetition of ``prefix`` that some servers begin with.

    Text waits here only while it may still become the repetition; what turns out to be something else comes
    out unchanged, so that nothing is lost. A continuation that itself begins with the whole prefix cannot be
    told from an echo; with prefixes of more than a few characters that does not happen.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix  # "" once it is decided
        self._at = 0  # how much of it has been repeated
        self._held: list[str] = []

    def feed(self, delta: StreamDelta) -> list[StreamDelta]:
        if not isinstance(delta, TextDelta):
            return [delta]
        if not self._prefix:
            return [delta]
        text = delta.text
        rest = len(self._prefix) - self._at
        if self._prefix.startswith(text, self._at):
            self._at += len(text)
            self._held.append(text)
            if self._at == len(self._prefix):
                self._held.clear()
                self._prefix = ""
            return []
        if len(text) > rest and text.startswith(self._prefix[self._at :]):
            text = text[rest:]
            self._held.clear()
        else:
            text = "".join((*self._held, text))
            self._held.clear()
        self._prefix = ""
        return [TextDelta(text)]

    def flush(self) -> list[StreamDelta]:
        """The stream ended: what only began like an echo was text."""
        held = "".join(self._held)
        self._held.clear()
        self._prefix = ""
        return [TextDelta(held)] if held else []
