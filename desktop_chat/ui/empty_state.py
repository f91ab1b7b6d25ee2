"""What a conversation without messages shows: the product's mark, one line, example prompts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Centered, Painted, label
from desktop_chat.ui.icons import paint_icon
from desktop_chat.ui.product_mark import ProductMark
from desktop_chat.ui.theme import SCROLL_BAR, Radius, Space

_ICONS: Final = ("sparkle", "lightning", "code")
_STACKED_BELOW: Final = 600


class PromptCard(Painted):
    """One example prompt; a click sends it."""

    def __init__(
        self, appearance: Appearance, prompt: str, icon_name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(appearance, parent)
        self._icon_name = icon_name
        self.stacked = False
        self.setText(prompt)
        self.setAccessibleName(f"Ask: {prompt}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        line = self.appearance.theme.size(-1)
        return QSize(
            160,
            round(line * 1.45) + 2 * Space.M if self.stacked else 36 + round(line * 1.45 * 3) + 2 * Space.M,
        )

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self.appearance.palette
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            hover = self.underMouse() or self.isDown()
            box = QRectF(self.rect())
            painter.setPen(QPen(QColor(palette.border_strong if hover else palette.border), 1))
            painter.setBrush(QColor(palette.hover if self.isDown() else palette.raised))
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), Radius.LARGE, Radius.LARGE)
            inner = box.adjusted(Space.L, Space.M, -Space.L, -Space.M)
            ink = palette.accent if not self.appearance.theme.is_dark else palette.link
            painter.setFont(self.appearance.font(-1))
            if self.stacked:
                paint_icon(
                    painter, self._icon_name, QRectF(inner.left(), inner.top(), 18, inner.height()), 18, ink
                )
                inner.setLeft(inner.left() + 18 + Space.M)
                flags = Qt.AlignmentFlag.AlignVCenter
                text = painter.fontMetrics().elidedText(
                    self.text(), Qt.TextElideMode.ElideRight, int(inner.width())
                )
            else:
                paint_icon(painter, self._icon_name, QRectF(inner.left(), inner.top() + 2, 20, 20), 20, ink)
                inner.setTop(inner.top() + 20 + Space.M)
                flags, text = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, self.text()
            painter.setPen(QColor(palette.text if hover else palette.text_secondary))
            painter.drawText(inner, int(flags), text)
            self.paint_ring(painter, box, Radius.LARGE)
        finally:
            painter.end()


class EmptyState(QWidget):
    """Signals:
    prompt_chosen(text): an example is to be sent.
    """

    prompt_chosen = Signal(str)

    def __init__(self, appearance: Appearance, prompts: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards = [
            PromptCard(appearance, prompt, icon_name)
            for prompt, icon_name in zip(prompts, _ICONS, strict=False)
        ]
        self._mark = ProductMark(48)
        self._heading = label("What can I help with?", "title")
        self._line = label("", "secondary", wraps=True)
        for widget in (self._heading, self._line):
            widget.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._grid = QGridLayout()
        self._grid.setSpacing(Space.M)
        column = QWidget()
        inner = QVBoxLayout(column)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        inner.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addSpacing(Space.L)
        inner.addWidget(self._heading)
        inner.addSpacing(Space.S)
        inner.addWidget(self._line)
        inner.addSpacing(Space.XXL)
        inner.addLayout(self._grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addStretch(5)
        layout.addWidget(Centered(appearance, column, (Space.L, 0, Space.L + SCROLL_BAR, 0)))
        layout.addStretch(6)
        for card in self._cards:
            card.clicked.connect(partial(self._chosen, card))
        self._arrange(stacked=False)

    def _chosen(self, card: PromptCard) -> None:
        self.prompt_chosen.emit(card.text())

    def set_line(self, line: str) -> None:
        """Who answers, in one line."""
        self._line.setText(line)

    def _arrange(self, *, stacked: bool) -> None:
        for place, card in enumerate(self._cards):
            self._grid.removeWidget(card)
            card.stacked = stacked
            card.updateGeometry()
            self._grid.addWidget(card, place if stacked else 0, 0 if stacked else place)
        self._grid.setSpacing(Space.S if stacked else Space.M)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        stacked = self.width() < _STACKED_BELOW
        if self._cards and stacked != self._cards[0].stacked:
            self._arrange(stacked=stacked)
