"""Buttons, switches, selects and labels that paint themselves from the theme's tokens."""

from __future__ import annotations

import enum
from typing import Final

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStyledItemDelegate,
    QWidget,
)

from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.icons import paint_icon
from desktop_chat.ui.theme import Radius, Space

_KEYBOARD: Final = frozenset(
    {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason}
)
RING_WIDTH: Final = 2
SWITCH_INSET: Final = 4


class Role(enum.Enum):
    """How loud a button is."""

    PRIMARY = enum.auto()
    SECONDARY = enum.auto()
    QUIET = enum.auto()


def named(
    widget: QWidget, name: str, description: str, tip: str = "", shortcut: QKeySequence | None = None
) -> None:
    """Give a control its object name, its accessible name, and a tooltip with its shortcut."""
    if name:
        widget.setObjectName(name)
    widget.setAccessibleName(description)
    tip = tip or description
    keys = shortcut.toString(QKeySequence.SequenceFormat.NativeText) if shortcut else ""
    widget.setToolTip(f"{tip}  ({keys})" if keys else tip)


def label(text: str = "", kind: str = "", *, wraps: bool = False) -> QLabel:
    """A label in one of the style sheet's kinds (title, heading, strong, secondary, faint, error, success)."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wraps)
    if kind:
        made.setProperty("kind", kind)
    return made


class Painted(QAbstractButton):
    """What all self-painted buttons share: hover, a focus ring for the keyboard only, repainting on a new theme."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.appearance = appearance
        self._ring = False
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        appearance.changed.connect(self._theme_changed)

    def _theme_changed(self) -> None:
        self.updateGeometry()
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = event.reason() in _KEYBOARD
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._ring = False
        super().focusOutEvent(event)
        self.update()

    def paint_ring(self, painter: QPainter, box: QRectF, radius: float) -> None:
        if self._ring and self.hasFocus():
            inset = RING_WIDTH / 2
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self.appearance.palette.focus), RING_WIDTH))
            painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), radius, radius)


class Button(Painted):
    """A button with an icon, a text, or both.

    Args:
        icon_name: of `icons`, or empty.
        caret: a small downward arrow at the end, for buttons that open a menu.
        round_: a circle instead of a rounded rectangle; for icon buttons.
        side: height, and width of an icon button, in pixels.
    """

    def __init__(
        self,
        appearance: Appearance,
        text: str = "",
        *,
        icon_name: str = "",
        role: Role = Role.QUIET,
        caret: bool = False,
        round_: bool = False,
        side: int = 32,
        icon_size: int = 18,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(appearance, parent)
        self.icon_name, self.role, self._caret = icon_name, role, caret
        self._round, self._side, self._icon_size = round_, side, icon_size
        self.setText(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if not text else Qt.FocusPolicy.StrongFocus)
        flexible = QSizePolicy.Policy.Maximum if caret else QSizePolicy.Policy.Fixed
        self.setSizePolicy(flexible, QSizePolicy.Policy.Fixed)

    def _font(self) -> QFont:
        weight = QFont.Weight.Normal if self.role is Role.QUIET else QFont.Weight.DemiBold
        return self.appearance.font(-1, weight)

    def sizeHint(self) -> QSize:
        if not self.text():
            return QSize(self._side, self._side)
        width = QFontMetrics(self._font()).horizontalAdvance(self.text()) + 2 * Space.M
        if self.icon_name:
            width += self._icon_size + Space.S
        if self._caret:
            width += 14 + Space.XS
        return QSize(width, self._side)

    def minimumSizeHint(self) -> QSize:
        hint = self.sizeHint()
        return QSize(min(hint.width(), 64), hint.height()) if self._caret else hint

    def _colors(self) -> tuple[str | None, str, str | None]:
        """Fill, ink and outline for the state the button is in."""
        palette = self.appearance.palette
        down, hover = self.isDown() or self.isChecked(), self.underMouse()
        if not self.isEnabled():
            outline = palette.border if self.role is Role.SECONDARY else None
            return (palette.pressed if self.role is Role.PRIMARY else None), palette.text_faint, outline
        match self.role:
            case Role.PRIMARY:
                return (palette.accent_hover if down or hover else palette.accent), palette.on_accent, None
            case Role.SECONDARY:
                fill = palette.pressed if down else palette.hover if hover else palette.raised
                return fill, palette.text, palette.border_strong
            case _:
                quiet = palette.pressed if down else palette.hover if hover else None
                return quiet, palette.text if hover or down else palette.text_secondary, None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            box = QRectF(self.rect())
            radius = box.height() / 2 if self._round else Radius.MEDIUM
            fill, ink, outline = self._colors()
            painter.setPen(QPen(QColor(outline), 1) if outline else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(fill) if fill else Qt.BrushStyle.NoBrush)
            inset = 0.5 if outline else 0.0
            painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), radius, radius)
            self._paint_content(painter, box, ink)
            self.paint_ring(painter, box, radius)
        finally:
            painter.end()

    def _paint_content(self, painter: QPainter, box: QRectF, ink: str) -> None:
        if not self.text():
            if self.icon_name:
                paint_icon(painter, self.icon_name, box, self._icon_size, ink)
            return
        box = box.adjusted(Space.M, 0, -Space.M, 0)
        if self.icon_name:
            paint_icon(
                painter,
                self.icon_name,
                QRectF(box.left(), 0, self._icon_size, box.height()),
                self._icon_size,
                ink,
            )
            box.setLeft(box.left() + self._icon_size + Space.S)
        if self._caret:
            paint_icon(painter, "caret-down", QRectF(box.right() - 12, 0, 14, box.height()), 12, ink)
            box.setRight(box.right() - 14 - Space.XS)
        painter.setFont(self._font())
        painter.setPen(QColor(ink))
        text = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, int(box.width()) + 1
        )
        left = bool(self.icon_name) or self._caret
        align = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignHCenter
        painter.drawText(box, align | Qt.AlignmentFlag.AlignVCenter, text)


class DotButton(Button):
    """A quiet button with a red dot before its text, for something that goes on."""

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(Space.M, 0)

    def _paint_content(self, painter: QPainter, box: QRectF, ink: str) -> None:
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.appearance.palette.error))
        painter.drawEllipse(QRectF(Space.M, box.center().y() - 4, 8, 8))
        painter.restore()
        super()._paint_content(painter, box.adjusted(Space.M, 0, 0, 0), ink)


class Switch(Painted):
    """An on-off switch; the label stands beside it. Around it is `SWITCH_INSET` room for the focus ring."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(appearance, parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(44, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self.appearance.palette
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            track = QRectF(self.rect()).adjusted(SWITCH_INSET, SWITCH_INSET, -SWITCH_INSET, -SWITCH_INSET)
            if self.isChecked():
                track_color = palette.accent_hover if self.underMouse() else palette.accent
            else:
                track_color = palette.scrollbar_hover if self.underMouse() else palette.scrollbar
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(track_color))
            painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
            side = track.height() - 4
            left = track.right() - side - 2 if self.isChecked() else track.left() + 2
            painter.setBrush(QColor(palette.on_accent))
            painter.drawEllipse(QRectF(left, track.top() + 2, side, side))
            self.paint_ring(painter, QRectF(self.rect()), self.height() / 2)
        finally:
            painter.end()


class Select(QComboBox):
    """A combo box with the look of the other fields; the wheel scrolls the page instead of changing it."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(34)
        self.setItemDelegate(QStyledItemDelegate(self))  # the list's own one does not follow the style sheet
        appearance.changed.connect(self.update)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self._appearance.palette
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            focused = self.hasFocus()
            width = RING_WIDTH if focused else 1
            edge = (
                palette.focus
                if focused
                else palette.text_faint
                if self.underMouse()
                else palette.border_strong
            )
            box = QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2)
            painter.setPen(QPen(QColor(edge), width))
            painter.setBrush(QColor(palette.raised))
            painter.drawRoundedRect(box, Radius.MEDIUM, Radius.MEDIUM)
            text = QRectF(self.rect()).adjusted(10, 0, -30, 0)
            painter.setPen(QColor(palette.text))
            painter.setFont(self.font())
            shown = painter.fontMetrics().elidedText(
                self.currentText(), Qt.TextElideMode.ElideRight, int(text.width())
            )
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
            paint_icon(
                painter,
                "caret-down",
                QRectF(self.width() - 26, 0, 18, self.height()),
                13,
                palette.text_secondary,
            )
        finally:
            painter.end()


class ElidedLabel(QLabel):
    """A label of one line that ends with "…" where there is no room, and then tells all in its tooltip."""

    def __init__(self, text: str = "", kind: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._full = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("kind", kind)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._elide()

    def set_full_text(self, text: str) -> None:
        self._full = text
        self._elide()

    @property
    def full_text(self) -> str:
        return self._full

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._elide()

    def _elide(self) -> None:
        one_line = " ".join(self._full.split())
        shown = self.fontMetrics().elidedText(one_line, Qt.TextElideMode.ElideRight, self.width())
        super().setText(shown)
        self.setToolTip(one_line if shown != one_line else "")


class Card(QFrame):
    """A rounded surface with a hairline; its colours are names of `Palette` attributes."""

    def __init__(
        self,
        appearance: Appearance,
        *,
        fill: str = "raised",
        outline: str = "border",
        radius: int = Radius.LARGE,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.appearance = appearance
        self.fill, self.outline, self._radius = fill, outline, radius
        appearance.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self.appearance.palette
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(getattr(palette, self.outline)), 1))
            painter.setBrush(QColor(getattr(palette, self.fill)))
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), self._radius, self._radius
            )
        finally:
            painter.end()


class Centered(QWidget):
    """Keeps one widget in the middle, at most as wide as the text column."""

    def __init__(self, appearance: Appearance, content: QWidget, margins: tuple[int, int, int, int]) -> None:
        super().__init__()
        self._appearance, self._content = appearance, content
        content.installEventFilter(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(*margins)
        layout.addStretch()
        layout.addWidget(content, 1)
        layout.addStretch()
        appearance.changed.connect(self._fit_column)
        self._fit_column()

    def _fit_column(self) -> None:
        self._content.setMaximumWidth(self._appearance.theme.column_width)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take no room, margins included, while the content is hidden."""
        if watched is self._content and event.type() in (QEvent.Type.HideToParent, QEvent.Type.ShowToParent):
            self.setVisible(not self._content.isHidden())
        return super().eventFilter(watched, event)
