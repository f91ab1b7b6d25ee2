"""Text that grows by small pieces, in little more memory than the text itself."""

from __future__ import annotations

from typing import Final

from desktop_chat.domain.deltas import ToolCallDelta
from desktop_chat.domain.messages import ToolCall

_PIECES_A_CHUNK: Final = 1024
_LEAST_JOINED: Final = 65_536
_SHARE: Final = 8
"""One part in so many of the text may wait to be joined to it."""


class TextAccumulator:
    """Appending is constant time; pieces are joined by the thousand, since each costs some 60 bytes by itself."""

    __slots__ = ("_chunks", "_enough", "_pieces", "_text", "_waiting")

    def __init__(self, text: str = "") -> None:
        self._text = text
        self._chunks: list[str] = []
        self._pieces: list[str] = []
        self._waiting = 0  # characters in chunks and pieces
        self._enough = max(_LEAST_JOINED, len(text) // _SHARE)

    def append(self, piece: str) -> None:
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting > self._enough:
            self._join()
        elif len(self._pieces) >= _PIECES_A_CHUNK:
            self._chunks.append("".join(self._pieces))
            self._pieces.clear()

    def _join(self) -> None:
        # A string that only a local variable refers to grows in its place: no copy of what came before. To join all
        # of a very long text at its end would take longer than a frame.
        text, self._text = self._text, ""
        text += "".join((*self._chunks, *self._pieces))
        self._text = text
        self._chunks.clear()
        self._pieces.clear()
        self._waiting, self._enough = 0, max(_LEAST_JOINED, len(text) // _SHARE)

    def text(self) -> str:
        """All of it, joined at each call: for the end and for a view that joins, not for each piece."""
        if self._waiting:
            self._join()
        return self._text


class ToolCallAccumulator:
    """The tool calls of one answer; a piece costs the same whatever has come before it."""

    __slots__ = ("_arguments", "_calls")

    def __init__(self) -> None:
        self._calls: dict[int, ToolCall] = {}  # without their arguments
        self._arguments: dict[int, TextAccumulator] = {}

    def add(self, delta: ToolCallDelta) -> None:
        known = self._calls.get(delta.index)
        if known is None:
            self._arguments[delta.index] = TextAccumulator()
            self._calls[delta.index] = ToolCall(id=delta.id, name=delta.name)
        elif (delta.id and not known.id) or (delta.name and not known.name):
            self._calls[delta.index] = ToolCall(id=known.id or delta.id, name=known.name or delta.name)
        if delta.arguments:
            self._arguments[delta.index].append(delta.arguments)

    def calls(self) -> tuple[ToolCall, ...]:
        """All of them, joined at each call."""
        return tuple(
            ToolCall(id=call.id, name=call.name, arguments=self._arguments[index].text())
            for index, call in sorted(self._calls.items())
        )
