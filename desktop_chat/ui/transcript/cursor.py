"""The mark at the end of a growing answer."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QTimer
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from desktop_chat.ui.theme import Theme

_STEADY_STEPS: Final = 3
"""Steps of the timer for which it stays as it is after it has moved."""


class BreathingCursor:
    """A caret that fades in and out; steady while it moves and when motion is reduced, without a timer when nothing
    grows."""

    def __init__(self, viewport: QWidget, theme: Theme) -> None:
        self._viewport = viewport
        self._theme = theme
        self._place: QRectF | None = None
        self._step = 0
        self._steady = 0
        self._timer = QTimer(viewport)
        self._timer.setInterval(90)
        self._timer.timeout.connect(self._breathe)

    @property
    def is_breathing(self) -> bool:
        return self._timer.isActive()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme

    def _area(self) -> QRectF | None:
        if self._place is None:
            return None
        return QRectF(self._place.x() + 2, self._place.y() + 3, 3, max(8.0, self._place.height() - 6))

    def _repaint(self) -> None:
        area = self._area()
        if area is not None:
            self._viewport.update(area.toAlignedRect().adjusted(-1, -1, 1, 1))

    def hide_mark(self, painted_from: float) -> None:
        """Take it away; from the viewport's y ``painted_from`` on everything is painted anyway."""
        if self._place is not None and self._place.y() < painted_from:
            self._repaint()
        self._place = None

    def show_at(self, place: QRectF | None, painted_from: float) -> None:
        """Show it, or not; see `hide_mark`, which has taken it away."""
        if place is not None:
            self._place = place
            self._step, self._steady = 0, _STEADY_STEPS
            if place.y() < painted_from:
                self._repaint()
        if place is None or self._theme.reduce_motion or not self._viewport.isVisible():
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def _breathe(self) -> None:
        if self._steady:  # a frame has just painted it
            self._steady -= 1
            return
        self._step = (self._step + 1) % 12
        self._repaint()

    def paint(self, painter: QPainter, clip: QRectF) -> None:
        area = self._area()
        if area is None or not area.intersects(clip):
            return
        ink = QColor(self._theme.palette.text_secondary)
        ink.setAlphaF(0.9 if self._theme.reduce_motion else 0.25 + 0.65 * abs(self._step - 6) / 6)
        painter.fillRect(area, ink)
