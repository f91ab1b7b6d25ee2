"""What the window says by itself: a banner above the conversation, a toast above the composer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Button, Card, Role, label, named
from desktop_chat.ui.icons import paint_icon
from desktop_chat.ui.theme import SCROLL_BAR, Radius, Space

TOAST_MS: Final = 8000
_WIDEST_TOAST: Final = 560


class Offer(msgspec.Struct, frozen=True):
    """A button: its text and what it does."""

    text: str
    act: Callable[[], object]


class _Glyph(QWidget):
    """An icon of fixed size in one of the palette's colours."""

    def __init__(self, appearance: Appearance, name: str, color: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance, self._name, self._color = appearance, name, color
        self.setFixedSize(20, 20)
        appearance.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            color = str(getattr(self._appearance.palette, self._color))
            paint_icon(painter, self._name, QRectF(self.rect()), 18, color)
        finally:
            painter.end()


class Banner(Card):
    """A quiet card above the conversation that stays until it is dismissed.

    Args:
        problem: something is wrong, rather than merely good to know.

    Signals:
        dismissed: the person closed it.
    """

    dismissed = Signal()

    def __init__(
        self,
        appearance: Appearance,
        sentence: str,
        advice: str = "",
        offers: Sequence[Offer] = (),
        *,
        problem: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        fill, outline = ("warning_surface", "border_strong") if problem else ("sidebar", "border")
        super().__init__(appearance, fill=fill, outline=outline, parent=parent)
        self.sentence = sentence
        self.problem = problem
        glyph = _Glyph(appearance, "warning" if problem else "info", "warning" if problem else "accent")
        words = QVBoxLayout()
        words.setSpacing(2)
        self._sentence_label = label(sentence, "strong", wraps=True)
        words.addWidget(self._sentence_label)
        if advice:
            words.addWidget(label(advice, "secondary", wraps=True))
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(Space.S)
        for offer in offers:
            self.add_offer(offer)
        close = Button(appearance, icon_name="x", side=26, icon_size=14)
        named(close, "dismissBannerButton", "Dismiss")
        close.clicked.connect(self.dismissed)
        self._flow = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._flow.setSpacing(Space.M)
        self._flow.addLayout(words, 1)
        self._flow.addLayout(self._buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.L, Space.M, Space.S, Space.M)
        layout.setSpacing(Space.M)
        layout.addWidget(glyph, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(self._flow, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName(f"{sentence} {advice}".strip())

    def set_sentence(self, sentence: str) -> None:
        """Say something else; for what is going on."""
        self.sentence = sentence
        self._sentence_label.setText(sentence)
        self.setAccessibleName(sentence)

    def add_offer(self, offer: Offer) -> None:
        button = Button(self.appearance, offer.text, role=Role.SECONDARY, side=30)
        named(button, "", offer.text)
        button.clicked.connect(offer.act)
        self._buttons.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def set_narrow(self, *, narrow: bool) -> None:
        """Put the buttons under the words."""
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._flow.setDirection(down if narrow else right)
        self._buttons.setDirection(down if narrow else right)


class Toast(QWidget):
    """A short message over the window's lower edge that goes away by itself; a new one takes its place.

    Args:
        place: the widget above whose bottom edge it floats; the composer stands below it.

    Signals:
        covers(pixels): how much of the place's lower end lies under it; 0 when it is gone.
    """

    covers = Signal(int)

    def __init__(self, appearance: Appearance, place: QWidget) -> None:
        super().__init__(place)
        self._appearance = appearance
        self._place_widget = place
        self._act: Callable[[], object] | None = None
        self.setObjectName("toast")
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._button = Button(appearance, "Undo", side=28)
        named(self._button, "toastButton", "Undo")
        self._button.clicked.connect(self.accept)
        close = Button(appearance, icon_name="x", side=26, icon_size=14)
        named(close, "dismissToastButton", "Dismiss")
        close.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.L, Space.S, Space.S, Space.S)
        layout.setSpacing(Space.S)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._button)
        layout.addWidget(close)
        self._timer = QTimer(self, singleShot=True, interval=TOAST_MS)
        self._timer.timeout.connect(self.hide)
        appearance.changed.connect(self.update)
        self.hide()

    @property
    def text(self) -> str:
        return self._label.text()

    def say(self, text: str, offer: Offer | None = None) -> None:
        """Show ``text`` for eight seconds, or longer while the pointer rests on it."""
        self._label.setText(text)
        self._act = offer.act if offer else None
        if offer:
            self._button.setText(offer.text)
            named(self._button, "toastButton", offer.text)
            self._button.updateGeometry()
        self._button.setVisible(offer is not None)
        self.setAccessibleName(text)
        self._place()
        self._place_widget.installEventFilter(self)  # only while it shows: it would be asked of every event
        self.show()
        self.raise_()
        self._timer.start()

    def withdraw(self, text: str) -> None:
        """What ``text`` said no longer holds; another message stays."""
        if self.text == text:
            self.hide()

    def accept(self) -> None:
        """Take the offer."""
        self.hide()
        if self._act is not None:
            self._act()

    def hideEvent(self, event: QEvent) -> None:
        self._timer.stop()
        self._place_widget.removeEventFilter(self)
        self.covers.emit(0)

    def enterEvent(self, event: QEvent) -> None:
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        if self.isVisible():
            self._timer.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        room = self._place_widget.rect()
        plain = self._label.fontMetrics().horizontalAdvance(self._label.text())
        buttons = 26 + Space.S + (self._button.sizeHint().width() + Space.S if self._act else 0)
        left, right = Space.L, room.width() - Space.L - SCROLL_BAR  # of the composer, where it is widest
        most = min(right - left, self._appearance.theme.column_width, _WIDEST_TOAST)
        width = min(most, plain + 4 + buttons + Space.L + Space.S)
        layout = self.layout()
        height = layout.heightForWidth(width) if layout is not None else 0
        self.resize(width, max(44, height))
        self.move((left + right - self.width()) // 2, room.height() - self.height() - Space.M)
        self.covers.emit(room.height() - self.y())

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self._appearance.palette
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(palette.border_strong), 1))
            painter.setBrush(QColor(palette.raised))
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), Radius.LARGE, Radius.LARGE
            )
        finally:
            painter.end()
