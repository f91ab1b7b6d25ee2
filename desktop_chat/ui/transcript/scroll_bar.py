"""The transcript's scroll bar: a plain handle that is painted only when it has moved.

The platform style and style sheets paint a scroll bar with gradients and rules at each change of its value, which in
a growing answer is every frame, and cost more than the text that was added.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractSlider, QScrollBar, QStyle, QStyleOptionSlider, QWidget

from desktop_chat.ui.theme import SCROLL_BAR, Theme
from desktop_chat.ui.transcript.typography import color

_SHORTEST: Final = 32
_MARGIN: Final = 2
_RADIUS: Final = 3


class TranscriptScrollBar(QScrollBar):
    """A vertical scroll bar in the theme's colours; its parts stand where the style says, so that clicks do what
    they do everywhere."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._theme = theme
        self._painted = (0, 0)
        self._is_setting = False  # by `set_window`, which looks at the outcome
        self._window = (0, 0, 0)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFixedWidth(SCROLL_BAR)
        self.setStyleSheet(
            "QScrollBar:vertical { border: 0; margin: 0; }"
            f"QScrollBar::handle:vertical {{ min-height: {_SHORTEST}px; }}"
            "QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }"
        )

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_window(self, top: int, height: int, total: int) -> None:
        """The window shows ``height`` pixels from ``top`` on of ``total``; no signal tells of it."""
        window = (top, height, max(0, total - height))
        if window == self._window and self.value() == top:
            return
        self._window = window
        self._is_setting = True
        self.blockSignals(True)
        try:
            if self.pageStep() != height:
                self.setPageStep(height)
            self.setRange(0, window[2])
            self.setValue(top)
        finally:
            self.blockSignals(False)
            self._is_setting = False
        if self._place() != self._painted:
            self.update()

    def sliderChange(self, change: QAbstractSlider.SliderChange) -> None:
        if change is QAbstractSlider.SliderChange.SliderOrientationChange:
            super().sliderChange(change)
        elif not self._is_setting and self._place() != self._painted:
            self.update()

    def enterEvent(self, event: QEvent) -> None:
        self.update()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def _place(self) -> tuple[int, int]:
        """The handle's top and length, as the style works them out; to ask it costs more than many a frame."""
        room, page, reach = self.height(), self.pageStep(), self.maximum() - self.minimum()
        length = min(room, max(_SHORTEST, room * page // max(1, reach + page)))
        return (room - length) * (self.value() - self.minimum()) // max(1, reach), length

    def _handle(self) -> QRect:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ScrollBarSlider
        return self.style().subControlRect(QStyle.ComplexControl.CC_ScrollBar, option, part, self)

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self._theme.palette
        self._painted = self._place()
        painter = QPainter(self)
        try:
            painter.fillRect(event.rect(), color(palette.page))
            if self.maximum() > self.minimum():
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(Qt.PenStyle.NoPen)
                is_hot = self.underMouse() or self.isSliderDown()
                painter.setBrush(color(palette.scrollbar_hover if is_hot else palette.scrollbar))
                area = QRectF(self._handle()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
                painter.drawRoundedRect(area, _RADIUS, _RADIUS)
        finally:
            painter.end()
