"""The window: sidebar beside header, conversation, composer and metrics. It holds widgets and decides nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_chat.ui.actions import MENU, make_actions
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.composer import Composer
from desktop_chat.ui.controls import Button, Centered, DotButton, ElidedLabel, named
from desktop_chat.ui.conversation_model import ConversationModel
from desktop_chat.ui.empty_state import EmptyState
from desktop_chat.ui.find_bar import FindBar
from desktop_chat.ui.icons import SIDEBAR
from desktop_chat.ui.metrics_bar import MetricsBar
from desktop_chat.ui.notices import Banner, Toast
from desktop_chat.ui.product_mark import window_icon
from desktop_chat.ui.sidebar import Sidebar
from desktop_chat.ui.theme import MINIMUM_WINDOW_WIDTH, SCROLL_BAR, SIDEBAR_WIDTH, Space

OVERLAY_BELOW: Final = 700
"""Narrower windows show the sidebar over the conversation, and only when asked."""

_OF_MESSAGES: Final = ("find", "copy_answer", "print", "export_pdf", "export_markdown", "export_html")
"""Commands that need a conversation with messages."""

_COMMANDING: Final = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)


class _Scrim(QWidget):
    """Darkens the conversation behind the overlaid sidebar; a click closes it."""

    clicked = Signal()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), QColor(0, 0, 0, 90))
        finally:
            painter.end()


class MainWindow(QMainWindow):
    """Attributes:
        actions_: every command by name, see `actions.COMMANDS`.
        sidebar / composer / metrics_bar / find_bar / empty_state / toast: the parts.
        recording_button: there while answers are recorded, to stop it.
        model_picker / send_button / ...: see `Composer`.
        export_folder: where the last document was saved; "" for the usual place.

    Signals:
        closed: the person closed the window; it is hidden already, unless it `is_held_open`.
        escape_pressed: Escape reached the window because nothing else wanted it.
        narrow_changed: banners and such may need another shape.
    """

    closed = Signal()
    escape_pressed = Signal()

    def __init__(
        self, appearance: Appearance, conversations: ConversationModel, prompts: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.appearance = appearance
        self.export_folder = ""
        self._sidebar_wanted = True
        self._overlay_open = False
        self._banners: list[Banner] = []
        self.is_held_open: Callable[[], bool] = lambda: False
        self.setObjectName("mainWindow")
        self.setAccessibleName("Desktop Chat")
        self.setWindowTitle("Desktop Chat")
        self.setWindowIcon(window_icon())
        self.setMinimumSize(MINIMUM_WINDOW_WIDTH, 420)
        self.resize(1120, 760)

        self.actions_ = make_actions(self)
        page = QWidget()
        page.setObjectName("page")
        self.setCentralWidget(page)
        self._page = page
        self._main = QWidget(page)
        self._scrim = _Scrim(page)
        self._scrim.hide()
        self.sidebar = Sidebar(appearance, conversations, page)
        self.composer = Composer(appearance)
        self.metrics_bar = MetricsBar(appearance)
        self.find_bar = FindBar(appearance)
        self.empty_state = EmptyState(appearance, prompts)
        self.stack = QStackedWidget()
        self._blank = QWidget()
        self.stack.addWidget(self._blank)
        self.stack.addWidget(self.empty_state)
        self.transcript: QWidget | None = None
        self._lay_out()
        self.toast = Toast(appearance, self.stack)
        self.composer.refused.connect(self.toast.say)
        self.composer.refusal_over.connect(self.toast.withdraw)
        self._enable_commands(there=False)
        self._scrim.clicked.connect(self.toggle_sidebar)
        self.sidebar.toggle_button.clicked.connect(self.toggle_sidebar)
        self.sidebar.new_button.clicked.connect(self.actions_["new"].trigger)
        self.sidebar.settings_button.clicked.connect(self.actions_["settings"].trigger)
        self.composer.settings_button.clicked.connect(self.actions_["configure"].trigger)
        self.composer.model_picker.clicked.connect(self.actions_["model"].trigger)
        self.actions_["sidebar"].triggered.connect(self.toggle_sidebar)
        self.actions_["search"].triggered.connect(self.focus_search)
        self.actions_["compose"].triggered.connect(self.composer.edit.setFocus)
        self.actions_["find"].triggered.connect(self.find_bar.begin)
        self.actions_["quit"].triggered.connect(self.close)
        self.composer.edit.setFocus()

    def _lay_out(self) -> None:
        self._show_sidebar_button = Button(self.appearance, icon_name=SIDEBAR)
        shortcut = QKeySequence("Ctrl+B")
        named(self._show_sidebar_button, "showSidebarButton", "Show the sidebar", shortcut=shortcut)
        self._show_sidebar_button.clicked.connect(self.toggle_sidebar)
        self._new_button = Button(self.appearance, icon_name="note-pencil")
        named(self._new_button, "", "New conversation", shortcut=QKeySequence("Ctrl+N"))
        self._new_button.clicked.connect(self.actions_["new"].trigger)
        self.title = ElidedLabel("", "strong")
        self.title.setAccessibleName("Title of the conversation")
        self.menu_button = Button(self.appearance, icon_name="dots-three", icon_size=20)
        named(self.menu_button, "menuButton", "Menu")
        self.menu_button.clicked.connect(self._open_menu)
        self._find_button = Button(self.appearance, icon_name="magnifying-glass")
        named(self._find_button, "findButton", "Find in conversation", shortcut=QKeySequence("Ctrl+F"))
        self._find_button.clicked.connect(self.actions_["find"].trigger)
        self.recording_button = DotButton(self.appearance, "Recording", side=28)
        named(self.recording_button, "recordingButton", "Stop recording answers")
        self.recording_button.hide()

        header = QHBoxLayout()
        header.setContentsMargins(Space.M, Space.S + 2, Space.M, Space.S)
        header.setSpacing(Space.XS)
        header.addWidget(self._show_sidebar_button)
        header.addWidget(self._new_button)
        header.addSpacing(Space.XS)
        header.addWidget(self.title, 1)
        header.addWidget(self.recording_button)
        header.addWidget(self._find_button)
        header.addWidget(self.menu_button)

        self._notices = QVBoxLayout()
        self._notices.setContentsMargins(0, 0, 0, 0)
        self._notices.setSpacing(0)
        below = QWidget()
        under = QVBoxLayout(below)
        under.setContentsMargins(0, 0, 0, 0)
        under.setSpacing(0)
        under.addWidget(self.composer)
        foot = QHBoxLayout()
        foot.setContentsMargins(Space.M, Space.XS, Space.M, Space.XS)
        foot.addWidget(self.metrics_bar)
        under.addLayout(foot)

        column = QVBoxLayout(self._main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(header)
        column.addWidget(
            Centered(self.appearance, self.find_bar, (Space.L, 0, Space.L + SCROLL_BAR, Space.S))
        )
        column.addLayout(self._notices)
        column.addWidget(self.stack, 1)
        column.addWidget(Centered(self.appearance, below, (Space.L, Space.S, Space.L + SCROLL_BAR, 0)))
        if sys.platform == "darwin":
            self._fill_menu(self.menuBar().addMenu("Conversation"))

    # --- the conversation's place

    def install_transcript(self, view: QWidget) -> None:
        """Put the transcript in; made after the first paint because it is the most to import."""
        self.transcript = view
        self.stack.addWidget(view)

    def show_transcript(self) -> None:
        if self.transcript is not None:
            self.stack.setCurrentWidget(self.transcript)
        self._enable_commands(there=True)

    def show_empty_state(self) -> None:
        self.stack.setCurrentWidget(self.empty_state)
        self.find_bar.finish()
        self._enable_commands(there=False)

    def _enable_commands(self, *, there: bool) -> None:
        """``there`` says that messages are shown."""
        self._find_button.setEnabled(there)
        for name in _OF_MESSAGES:
            self.actions_[name].setEnabled(there)

    def set_title(self, title: str) -> None:
        self.title.set_full_text(title)
        self.setWindowTitle(f"{title} — Desktop Chat" if title else "Desktop Chat")

    # --- banners

    def add_banner(self, banner: Banner) -> None:
        """Show a banner until it is dismissed."""
        holder = Centered(self.appearance, banner, (Space.L, 0, Space.L + SCROLL_BAR, Space.S))
        banner.dismissed.connect(lambda: self.remove_banner(banner))
        banner.set_narrow(narrow=self._main.width() < 620)
        self._banners.append(banner)
        self._notices.addWidget(holder)

    def remove_banner(self, banner: Banner) -> None:
        if banner in self._banners:
            self._banners.remove(banner)
            if (holder := banner.parentWidget()) is not None:
                holder.hide()
                self._notices.removeWidget(holder)
                holder.deleteLater()

    @property
    def banners(self) -> Sequence[Banner]:
        return tuple(self._banners)

    # --- sidebar

    @property
    def is_narrow(self) -> bool:
        return self.width() < OVERLAY_BELOW

    @property
    def sidebar_wanted(self) -> bool:
        """Whether the sidebar stands beside the conversation where there is room."""
        return self._sidebar_wanted

    def set_sidebar_wanted(self, wanted: bool) -> None:
        self._sidebar_wanted = wanted
        self._arrange()

    def toggle_sidebar(self) -> None:
        if self.is_narrow:
            self._overlay_open = not self._overlay_open
        else:
            self._sidebar_wanted = not self._sidebar_wanted
        self._arrange()

    def close_overlay(self) -> None:
        if self._overlay_open:
            self._overlay_open = False
            self._arrange()

    def focus_search(self) -> None:
        if not self.sidebar.isVisible():
            self.toggle_sidebar()
        self.sidebar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.sidebar.search.selectAll()

    def _arrange(self) -> None:
        room = self._page.rect()
        overlay = self.is_narrow
        self._overlay_open = self._overlay_open and overlay
        docked = self._sidebar_wanted and not overlay
        left = SIDEBAR_WIDTH if docked else 0
        self._main.setGeometry(left, 0, room.width() - left, room.height())
        self.sidebar.setGeometry(0, 0, SIDEBAR_WIDTH, room.height())
        focused = QApplication.focusWidget()
        had_focus = focused is not None and self.sidebar.isAncestorOf(focused)
        self.sidebar.setVisible(docked or self._overlay_open)
        self._scrim.setGeometry(room)
        self._scrim.setVisible(self._overlay_open)
        if self._overlay_open:
            self._scrim.raise_()
            self.sidebar.raise_()
        elif had_focus and not docked:
            self.composer.edit.setFocus()
        self._show_sidebar_button.setVisible(not docked)
        self._new_button.setVisible(not docked)
        for banner in self._banners:
            banner.set_narrow(narrow=self._main.width() < 620)
        self.composer.fit_window()

    # --- menu

    def _fill_menu(self, menu: QMenu) -> None:
        for entry in MENU:
            if isinstance(entry, tuple):
                title, names = entry
                menu.addMenu(title).addActions([self.actions_[name] for name in names])
            elif entry:
                menu.addAction(self.actions_[entry])
            else:
                menu.addSeparator()

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._fill_menu(menu)
        for within in menu.findChildren(QMenu):
            within.setEnabled(any(action.isEnabled() for action in within.actions()))
        # Qt keeps names and keys 12 pixels apart; the width beyond what it needs goes between them.
        menu.setMinimumWidth(menu.sizeHint().width() + Space.XL)
        corner = self.menu_button.mapToGlobal(self.menu_button.rect().bottomRight())
        corner.setX(corner.x() - menu.sizeHint().width())
        menu.aboutToHide.connect(self._menu_closed)
        menu.popup(corner)

    def _menu_closed(self) -> None:
        """Take the hover off the button: Qt does not say that the pointer left when it did so over the menu."""
        self.menu_button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
        self.menu_button.update()

    # --- events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self._overlay_open:
                self.close_overlay()
            else:
                self.escape_pressed.emit()
        elif event.text().isprintable() and event.text().strip() and not event.modifiers() & _COMMANDING:
            # Whoever types where nothing takes it, as after a click into an answer, is writing a message.
            self.composer.edit.setFocus()
            self.composer.edit.insert(event.text())
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.is_held_open():
            event.ignore()
        else:
            super().closeEvent(event)
        self.closed.emit()
