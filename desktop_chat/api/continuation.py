"""Continuing an answer that was cut: who can, how it is asked for, and joining the pieces byte-exactly.

The partial answer is sent as the last message, marked as each server wants it. Mistral may repeat it in front
of the new text; `EchoStripper` takes the repetition out.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from desktop_chat.domain.deltas import Finished, StreamDelta, TextDelta
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
_REPEATING: Final = frozenset({Dialect.MISTRAL})
"""Their replies may begin with the partial answer."""
_SURE_LENGTH: Final = 8
"""A repetition of this many characters is no coincidence, whoever the server is."""


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

    Without the white space at its end: chat templates strip it, some servers refuse it, and models write better
    when a token is not begun for them. They write it again; `EchoStripper` takes it out.

    Raises:
        ConfigurationError: this server cannot continue.
    """
    if not can_continue(dialect, base_url):
        raise ConfigurationError(
            sentence="This server cannot continue a partial answer.", advice="Regenerate the answer instead."
        )
    return {"role": "assistant", "content": _as_sent(partial), **_MARKS[dialect]}


def continuation_fields(dialect: Dialect) -> dict[str, Any]:
    """Fields of the request beside the message."""
    if dialect is Dialect.VLLM:
        return {"continue_final_message": True, "add_generation_prompt": False}
    return {}


def echo_stripper(partial: str, dialect: Dialect) -> EchoStripper:
    """What makes the reply to a continuation fit to be appended."""
    return EchoStripper(partial, expected=dialect in _REPEATING)


class EchoStripper:
    """Deltas of a continuation in, deltas out that can be appended to ``partial`` as they are.

    Two things in front of a reply are not new. The repetition of the partial answer, which Mistral begins with;
    text waits here while it may still become one, and comes out unchanged when it turns out to be something else.
    And the white space at the end of ``partial``, which is not sent (see `continuation_message`) and which the
    model therefore writes again.

    Where nothing is known of repetitions, a short partial answer is not looked for: "a" may well be followed by
    another "a".

    Args:
        partial: the text that is there already.
        expected: whether this server is known to repeat.
    """

    def __init__(self, partial: str, *, expected: bool) -> None:
        sent = _as_sent(partial)
        bare = sent.lstrip()  # chat templates strip what they are given
        self._candidates = [sent, bare] if expected or len(bare) >= _SURE_LENGTH else []
        self._compared = 0  # characters held, equal to the beginning of every candidate
        self._held: list[str] = []
        self._space = partial[len(sent) :]

    def feed_all(self, deltas: list[StreamDelta]) -> list[StreamDelta]:
        if not self._candidates and not self._space:
            return deltas
        return [new for delta in deltas for new in self.feed(delta)]

    def feed(self, delta: StreamDelta) -> list[StreamDelta]:
        if isinstance(delta, Finished):
            return [*self.flush(), delta]
        if not isinstance(delta, TextDelta):
            return [delta]
        text = self._without_echo(delta.text) if self._candidates else delta.text
        if text and self._space:
            text = self._without_space(text)
        return [TextDelta(text)] if text else []

    def flush(self) -> list[StreamDelta]:
        """The answer is whole: what only began like a repetition was text.

        Of an answer that was cut it is not known; dropped, it will come again when that one is continued.
        """
        self._candidates = []
        text = "".join(self._held)
        self._held.clear()
        text = self._without_space(text) if text else ""
        return [TextDelta(text)] if text else []

    def _without_echo(self, text: str) -> str:
        at = self._compared
        for candidate in self._candidates:
            left = len(candidate) - at
            if left <= len(text) and text.startswith(candidate[at:]):
                self._candidates = []
                self._held.clear()
                return text[left:]
        self._held.append(text)
        self._compared += len(text)
        self._candidates = [each for each in self._candidates if each.startswith(text, at)]
        if self._candidates:
            return ""
        text = "".join(self._held)
        self._held.clear()
        return text

    def _without_space(self, text: str) -> str:
        same = 0
        while same < min(len(text), len(self._space)) and text[same] == self._space[same]:
            same += 1
        self._space = self._space[same:] if same == len(text) else ""
        return text[same:]


def _as_sent(partial: str) -> str:
    return without_lone_surrogates(partial).rstrip()
