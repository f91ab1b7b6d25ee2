"""The conversation list: a view over `ConversationModel` that paints its rows itself."""

from __future__ import annotations

import math
import time
from typing import Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.conversation_model import ConversationModel, Kind, Row
from desktop_chat.ui.icons import paint_icon
from desktop_chat.ui.theme import Radius, Space

_ROW: Final = 36
_HIT_ROW: Final = 58
_MENU_WIDTH: Final = 28
_PULSE_MS: Final = 100
_MARK_RADIUS: Final = 4
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_BOTTOM_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
Index = QModelIndex | QPersistentModelIndex


def with_match_in_sight(
    row: Row, metrics: QFontMetrics, width: float
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The row's snippet and its highlights, its beginning left out where the first match would not fit in ``width``."""
    text, highlights = row.snippet, row.highlights
    if not highlights or metrics.horizontalAdvance(text[: highlights[0][1]]) <= width:
        return text, highlights
    first = highlights[0][0]
    lead = metrics.elidedText(text[:first], Qt.TextElideMode.ElideLeft, int(width / 3))
    moved = len(lead) - first
    return lead + text[first:], tuple((start + moved, end + moved) for start, end in highlights)


class Mark:
    """The dot beside a conversation whose answer is running, where its row was painted last.

    Attributes:
        area: all it covers.
    """

    def __init__(self, center: QPointF, background: str) -> None:
        self._center, self._background = center, QColor(background)
        reach = QPointF(_MARK_RADIUS, _MARK_RADIUS)
        self.area = QRectF(center - reach, center + reach).toAlignedRect().adjusted(-1, -1, 1, 1)

    def move(self, dx: int, dy: int) -> None:
        self._center += QPointF(dx, dy)
        self.area.translate(dx, dy)

    def paint(self, painter: QPainter, color: str, opacity: float) -> None:
        ink = QColor(color)
        ink.setAlphaF(opacity)
        painter.fillRect(self.area, self._background)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(self._center, _MARK_RADIUS, _MARK_RADIUS)


class ConversationDelegate(QStyledItemDelegate):
    """Paints rows and edits titles in place."""

    def __init__(self, appearance: Appearance, view: ConversationList) -> None:
        super().__init__(view)
        self._appearance = appearance
        self._view = view

    def _row(self, index: Index) -> Row:
        return self._view.rows.row(index)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        scale = self._appearance.theme.size(-1) / 13
        height = _HIT_ROW if self._row(index).kind is Kind.HIT else _ROW
        return QSize(80, round(height * max(1.0, scale)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = self._row(index)
        box = QRectF(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.kind is Kind.DAY:
            self._paint_day(painter, box, row)
        else:
            self._paint_row(painter, box.adjusted(Space.S, 1, -Space.S, -1), row, state)
        painter.restore()

    def _paint_day(self, painter: QPainter, box: QRectF, row: Row) -> None:
        painter.setFont(self._appearance.font(-2, QFont.Weight.DemiBold))
        painter.setPen(QColor(self._appearance.palette.text_faint))
        text = box.adjusted(Space.L + 2, 0, -Space.S, -6)
        painter.drawText(text, _BOTTOM_LEFT, row.title)

    def _paint_row(self, painter: QPainter, box: QRectF, row: Row, state: QStyle.StateFlag) -> None:
        palette = self._appearance.palette
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hover = bool(state & QStyle.StateFlag.State_MouseOver)
        if selected or hover:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(palette.selected if selected else palette.hover))
            painter.drawRoundedRect(box, Radius.MEDIUM, Radius.MEDIUM)
        if self._view.shows_ring and state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(palette.focus), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), Radius.MEDIUM, Radius.MEDIUM)
        inner = box.adjusted(Space.S + 2, 0, -Space.S, 0)
        if row.kind is Kind.HIT:
            self._paint_hit(painter, inner, row)
            return
        self._view.marks.pop(row.conversation_id, None)
        if hover:
            paint_icon(
                painter, "dots-three", QRectF(box.right() - _MENU_WIDTH, box.top(), _MENU_WIDTH, box.height()),
                18, palette.text_secondary,
            )  # fmt: skip
            inner.setRight(box.right() - _MENU_WIDTH)
        elif self._view.rows.is_streaming(row.conversation_id):
            mark = Mark(
                QPointF(box.right() - 14, box.center().y()), palette.selected if selected else palette.sidebar
            )
            self._view.marks[row.conversation_id] = mark
            mark.paint(painter, palette.accent, self._view.pulse)
            inner.setRight(box.right() - 26)
        painter.setFont(self._appearance.font(-1))
        painter.setPen(QColor(palette.text))
        text = painter.fontMetrics().elidedText(row.title, Qt.TextElideMode.ElideRight, int(inner.width()))
        painter.drawText(inner, _LEFT, text)

    def _paint_hit(self, painter: QPainter, box: QRectF, row: Row) -> None:
        palette = self._appearance.palette
        half = box.height() / 2
        title = QRectF(box.left(), box.top() + 4, box.width(), half - 4)
        painter.setFont(self._appearance.font(-1))
        painter.setPen(QColor(palette.text))
        shown = painter.fontMetrics().elidedText(row.title, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(title, _LEFT, shown)
        line = QRectF(box.left(), box.top() + half, box.width(), half - 5)
        painter.setFont(self._appearance.font(-2))
        metrics = painter.fontMetrics()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(palette.find))
        painter.setClipRect(line)
        text, highlights = with_match_in_sight(row, metrics, line.width())
        for start, end in highlights:
            left = line.left() + metrics.horizontalAdvance(text[:start])
            width = metrics.horizontalAdvance(text[start:end])
            mark = QRectF(left - 1, line.center().y() - metrics.height() / 2, width + 2, metrics.height())
            painter.drawRoundedRect(mark, 3, 3)
        painter.setPen(QColor(palette.text_secondary))
        snippet = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(line.width()))
        painter.drawText(line, _LEFT, snippet)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setProperty("kind", "inline")
        editor.setAccessibleName("Title")
        editor.setMaxLength(200)
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            editor.setText(self._row(index).title)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            model.setData(index, editor.text())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        editor.setGeometry(rect.adjusted(Space.S, 2, -Space.S, -2))


class ConversationList(QListView):
    """Attributes:
    marks: of the running answers, by conversation; the rows put them in as they are painted.

    Signals:
    chosen(conversation_id, message_id): a row was opened; message_id is 0 but for a hit in a message.
    delete_requested(conversation_id): from the menu or the Delete key.
    """

    chosen = Signal(int, int)
    delete_requested = Signal(int)

    def __init__(
        self, appearance: Appearance, model: ConversationModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.rows = model
        self._current_id = 0
        self.shows_ring = False
        self.marks: dict[int, Mark] = {}
        self.setObjectName("conversationList")
        self.setAccessibleName("Conversations")
        self.setModel(model)
        self.setItemDelegate(ConversationDelegate(appearance, self))
        self.setUniformItemSizes(False)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setAttribute(
            Qt.WidgetAttribute.WA_OpaquePaintEvent
        )  # nothing below is painted for a mark
        self.clicked.connect(self._open)
        self._pulse_timer = QTimer(self, interval=_PULSE_MS)
        self._pulse_timer.timeout.connect(self._pulse)
        model.modelAboutToBeReset.connect(self._keep_place)
        model.modelReset.connect(self._restore)
        model.dataChanged.connect(self._follow_streaming)
        appearance.changed.connect(self._theme_changed)

    # --- selection

    @property
    def current_id(self) -> int:
        return self._current_id

    def set_current(self, conversation_id: int) -> None:
        """Mark the conversation that is shown (0: none)."""
        self._current_id = conversation_id
        index = self.rows.index_of(conversation_id)
        selection = self.selectionModel()
        if index.isValid():
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.scrollTo(index)
        else:
            selection.clear()

    def rename(self, conversation_id: int) -> None:
        """Edit the title in its row."""
        index = self.rows.index_of(conversation_id)
        if index.isValid():
            self.scrollTo(index)
            self.setCurrentIndex(index)
            self.edit(index)

    def _keep_place(self) -> None:
        self._scroll = self.verticalScrollBar().value()

    def _restore(self) -> None:
        self.setUniformItemSizes(not self.rows.is_searching)
        index = self.rows.index_of(self._current_id)
        if index.isValid():
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.verticalScrollBar().setValue(self._scroll)

    # --- the mark of running answers

    @property
    def pulse(self) -> float:
        """Opacity of the mark at this moment."""
        if self._appearance.theme.reduce_motion:
            return 1.0
        return 0.7 + 0.3 * math.cos(time.monotonic() * 2 * math.pi / 1.4)

    def _follow_streaming(self) -> None:
        running = bool(self.rows.streaming) and not self._appearance.theme.reduce_motion
        if running != self._pulse_timer.isActive():
            (self._pulse_timer.start if running else self._pulse_timer.stop)()

    def _pulse(self) -> None:
        """A row with its text is painted for what changes in it, not for its mark."""
        if self.isVisible():
            for mark in self.marks.values():
                self.viewport().update(mark.area)

    def paintEvent(self, event: QPaintEvent) -> None:
        palette, region = self._appearance.palette, event.region()
        shown = [mark for mark in self.marks.values() if region.intersects(mark.area)]
        painter = QPainter(self.viewport())
        try:
            for mark in shown:
                region = region.subtracted(QRegion(mark.area))
            if shown and region.isEmpty():
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                for mark in shown:
                    mark.paint(painter, palette.accent, self.pulse)
                return
            painter.fillRect(event.rect(), QColor(palette.sidebar))
        finally:
            painter.end()
        if event.rect() == self.viewport().rect():
            self.marks.clear()  # of rows that may be gone; those that are there put theirs in again
        super().paintEvent(event)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        for mark in self.marks.values():
            mark.move(dx, dy)

    def _theme_changed(self) -> None:
        self._follow_streaming()
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    # --- events

    def _open(self, index: QModelIndex) -> None:
        row = self.rows.row(index)
        if row.kind is not Kind.DAY:
            self.chosen.emit(row.conversation_id, row.message_id or 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if index.isValid() and self.state() is not QAbstractItemView.State.EditingState:
            row = self.rows.row(index)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
                self._open(index)
                return
            if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and row.kind is Kind.CONVERSATION:
                self.delete_requested.emit(row.conversation_id)
                return
        self.shows_ring = True
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.shows_ring = False
        index = self.indexAt(event.position().toPoint())
        on_menu = event.position().x() > self.viewport().width() - Space.S - _MENU_WIDTH
        left = event.button() is Qt.MouseButton.LeftButton
        if index.isValid() and on_menu and left and self.rows.row(index).kind is Kind.CONVERSATION:
            self._open_menu(index, event.globalPosition().toPoint())
            return
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = (
            self.indexAt(event.pos())
            if event.reason() is QContextMenuEvent.Reason.Mouse
            else self.currentIndex()
        )
        if index.isValid() and self.rows.row(index).kind is Kind.CONVERSATION:
            self._open_menu(
                index, self.viewport().mapToGlobal(self.visualRect(index).bottomLeft() + QPoint(40, 0))
            )

    def _open_menu(self, index: QModelIndex, place: QPoint) -> None:
        conversation_id = self.rows.row(index).conversation_id
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Rename\tF2", lambda: self.rename(conversation_id))
        menu.addAction("Delete\tDel", lambda: self.delete_requested.emit(conversation_id))
        menu.popup(place)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Leave:
            self.viewport().update()
        return super().viewportEvent(event)
