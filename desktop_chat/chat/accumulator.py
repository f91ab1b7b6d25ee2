"""Text that grows by small pieces, in little more memory than the text itself."""

from __future__ import annotations

from typing import Final

from desktop_chat.domain.deltas import ToolCallDelta
from desktop_chat.domain.messages import ToolCall

_PIECES_A_CHUNK: Final = 1024


class TextAccumulator:
    """Appending is constant time; pieces are joined by the thousand, since each costs some 60 bytes by itself."""

    __slots__ = ("_chunks", "_pieces")

    def __init__(self, text: str = "") -> None:
        self._chunks = [text] if text else []
        self._pieces: list[str] = []

    def append(self, piece: str) -> None:
        self._pieces.append(piece)
        if len(self._pieces) >= _PIECES_A_CHUNK:
            self._chunks.append("".join(self._pieces))
            self._pieces.clear()

    def text(self) -> str:
        """All of it, joined at each call: for the end and for a view that joins, not for each piece."""
        self._chunks = ["".join((*self._chunks, *self._pieces))]
        self._pieces.clear()
        return self._chunks[0]


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
