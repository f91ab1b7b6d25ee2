"""The sidebar: new conversation, search, the conversation list, settings."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Button, label, named
from desktop_chat.ui.conversation_list import ConversationList
from desktop_chat.ui.conversation_model import ConversationModel
from desktop_chat.ui.icons import SIDEBAR, paint_icon
from desktop_chat.ui.theme import SIDEBAR_WIDTH, Space

_SEARCH_DELAY_MS: Final = 120


class SearchField(QLineEdit):
    """Filters as one types; Escape empties it, the down arrow goes to the list.

    Signals:
        leave_down: the down arrow or Enter was pressed.
    """

    leave_down = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.setProperty("kind", "search")
        self.setPlaceholderText("Search")
        self.setFixedHeight(34)
        self.setClearButtonEnabled(False)
        named(self, "searchField", "Search conversations", shortcut=QKeySequence("Ctrl+K"))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        try:
            color = self._appearance.palette.text_faint
            paint_icon(painter, "magnifying-glass", QRectF(8, 0, 18, self.height()), 15, color)
        finally:
            painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.leave_down.emit()
        else:
            super().keyPressEvent(event)


class Sidebar(QWidget):
    """Attributes:
        list: the conversation list.

    Signals:
        search_requested(query): typing paused; empty when the search ended.
    """

    search_requested = Signal(str)

    def __init__(
        self, appearance: Appearance, model: ConversationModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._model = model
        self.setFixedWidth(SIDEBAR_WIDTH)
        self.setAccessibleName("Sidebar")

        self.toggle_button = Button(appearance, icon_name=SIDEBAR)
        named(self.toggle_button, "hideSidebarButton", "Hide the sidebar", shortcut=QKeySequence("Ctrl+B"))
        self.new_button = Button(appearance, icon_name="note-pencil")
        shortcut = QKeySequence(QKeySequence.StandardKey.New)
        named(self.new_button, "newConversationButton", "New conversation", shortcut=shortcut)
        self.search = SearchField(appearance)
        self.list = ConversationList(appearance, model)
        self.settings_button = Button(appearance, "Settings", icon_name="gear", side=34)
        named(self.settings_button, "settingsButton", "Settings", shortcut=QKeySequence("Ctrl+,"))
        self._nothing = label("", "faint", wraps=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._nothing.hide()

        top = QHBoxLayout()
        top.setContentsMargins(Space.S, Space.S + 2, Space.S, Space.XS)
        top.setSpacing(Space.XS)
        top.addWidget(self.toggle_button)
        top.addStretch(1)
        top.addWidget(self.new_button)
        search = QHBoxLayout()
        search.setContentsMargins(Space.S, 0, Space.S, Space.XS)
        search.addWidget(self.search)
        bottom = QHBoxLayout()
        bottom.setContentsMargins(Space.S, Space.S, Space.S, Space.S)
        bottom.addWidget(self.settings_button)
        bottom.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 1, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addLayout(search)
        layout.addWidget(self._nothing)
        layout.addWidget(self.list, 1)
        layout.addLayout(bottom)

        self._search_timer = QTimer(self, singleShot=True, interval=_SEARCH_DELAY_MS)
        self._search_timer.timeout.connect(lambda: self.search_requested.emit(self.search.text()))
        self.search.textChanged.connect(self._search_changed)
        self.search.leave_down.connect(self._enter_list)
        model.modelReset.connect(self._say_nothing_found)
        appearance.changed.connect(self.update)

    def _search_changed(self, text: str) -> None:
        if text.strip():
            self._search_timer.start()
        else:  # the whole list comes back at once
            self._search_timer.stop()
            self.search_requested.emit("")

    def _enter_list(self) -> None:
        for row in range(self._model.rowCount()):
            index = self._model.index(row)
            if self._model.flags(index) & Qt.ItemFlag.ItemIsSelectable:
                self.list.shows_ring = True
                self.list.setFocus(Qt.FocusReason.ShortcutFocusReason)
                if not self.list.currentIndex().isValid() or self._model.is_searching:
                    self.list.setCurrentIndex(index)
                return

    def _say_nothing_found(self) -> None:
        empty = self._model.rowCount() == 0 and self._model.is_searching
        self._nothing.setText("Nothing found" if empty else "")
        self._nothing.setContentsMargins(0, Space.XL if empty else 0, 0, 0)
        self._nothing.setVisible(empty)

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self._appearance.palette
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), QColor(palette.sidebar))
            painter.fillRect(self.width() - 1, 0, 1, self.height(), QColor(palette.border))
        finally:
            painter.end()
