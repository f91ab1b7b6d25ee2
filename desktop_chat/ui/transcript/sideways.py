"""Sideways scrolling within a box that is wider than the column."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF

from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.boxes import BlockState, Paint

BAR_HEIGHT: Final = 5
SHORTEST_BAR: Final = 32


class Sideways:
    """How far a wide content is scrolled in its window, from where it begins: the right where it ``is_mirrored``.

    That is kept in the block's state.
    """

    def __init__(self, state: BlockState, *, is_mirrored: bool = False) -> None:
        self._state = state
        self._is_mirrored = is_mirrored
        self.content_width = 0
        self.window_width = 0

    @property
    def is_needed(self) -> bool:
        return self.content_width > self.window_width

    @property
    def offset(self) -> int:
        """Of the window's left edge from the content's."""
        most = max(0, self.content_width - self.window_width)
        scrolled = max(0, min(self._state.scroll_x, most))
        return most - scrolled if self._is_mirrored else scrolled

    def scroll(self, pixels: int) -> bool:
        """Move the content to the left; returns whether it moved."""
        before = self.offset
        most = max(0, self.content_width - self.window_width)
        offset = max(0, min(before + pixels, most))
        self._state.scroll_x = most - offset if self._is_mirrored else offset
        return offset != before

    def reveal(self, left: float, right: float) -> None:
        """Bring ``[left, right]`` of the content into the window."""
        if left < self.offset:
            self.scroll(int(left) - self.offset - Space.XL)
        elif right > self.offset + self.window_width:
            self.scroll(int(right) - self.offset - self.window_width + Space.XL)

    def bar(self, window: QRectF) -> QRectF:
        """Where the bar's handle is painted, at the lower edge of ``window``."""
        share = self.window_width / max(1, self.content_width)
        width = max(SHORTEST_BAR, window.width() * share)
        room = window.width() - width
        left = window.x() + room * self.offset / max(1, self.content_width - self.window_width)
        return QRectF(left, window.bottom() - BAR_HEIGHT, width, BAR_HEIGHT)

    def paint(self, paint: Paint, window: QRectF) -> None:
        if self.is_needed:
            paint.rounded(self.bar(window), BAR_HEIGHT / 2, paint.palette.scrollbar)
