"""Text that grows by small pieces, in little more memory than the text itself."""

from __future__ import annotations

from typing import Final

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
