"""What the window says while the disk refuses the conversations: a banner, and a question at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox

from desktop_chat.domain.errors import DATABASE, ErrorReport
from desktop_chat.domain.text import title_from
from desktop_chat.ui.conversation_model import UNTITLED
from desktop_chat.ui.notices import Banner

if TYPE_CHECKING:
    from desktop_chat.chat.library import Library
    from desktop_chat.ui.conversation_model import ConversationModel
    from desktop_chat.ui.main_window import MainWindow

_NAMED = 3  # conversations, in the question at the end
_TITLE = 40  # characters


class DiskTrouble(QObject):
    """Signals:
    over: everything that the disk had refused is saved.
    """

    over = Signal()

    def __init__(self, window: MainWindow, conversations: ConversationModel, library: Library) -> None:
        super().__init__(window)
        self._window, self._conversations, self._library = window, conversations, library
        self._banners: list[Banner] = []
        self._question: QMessageBox | None = None

    def say(self, report: ErrorReport) -> None:
        """In a banner, which stays until it is over or dismissed."""
        if any(banner.sentence == report.sentence for banner in self._window.banners):
            return
        banner = Banner(self._window.appearance, report.sentence, report.advice, problem=True)
        self._window.add_banner(banner)
        if report.cause == DATABASE:
            self._banners.append(banner)

    def written(self) -> None:
        """A conversation was written: what was said of its database is over, unless an answer still waits."""
        while self._banners and not self._library.unsaved:
            self._window.remove_banner(self._banners.pop())

    def all_saved(self) -> None:
        self.written()
        self.over.emit()
        if self._question is not None:
            self._question.close()

    def ask(
        self, again: Callable[[], None], quit_anyway: Callable[[], None], stay: Callable[[], None]
    ) -> None:
        """Ask once what to do about answers that would be lost if the program ended now."""
        if self._question is not None:
            return
        box = self._question = QMessageBox(self._window)
        box.setObjectName("unsavedQuestion")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Not saved")
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"{self._what()} not saved.")
        box.setInformativeText(
            "The disk refuses it. What it took before stays; the rest would be lost with the window.\n\n"
            "Free some space: it is tried again every few seconds, and the program ends when all is saved."
        )
        try_again = box.addButton("Try again", QMessageBox.ButtonRole.AcceptRole)
        leave = box.addButton("Quit anyway", QMessageBox.ButtonRole.DestructiveRole)
        remain = box.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
        box.setEscapeButton(remain)
        box.setDefaultButton(try_again)
        try_again.clicked.connect(again)
        leave.clicked.connect(quit_anyway)
        box.rejected.connect(stay)
        box.finished.connect(self._answered)
        box.open()

    def _answered(self) -> None:
        self._question = None

    def _what(self) -> str:
        """Which answers are, by the titles of their conversations: the beginning of a sentence."""
        titles = [
            f"“{title_from((conversation.title if conversation else '') or UNTITLED, _TITLE)}”"
            for number in sorted(self._library.unsaved)
            for conversation in [self._conversations.conversation(number)]
        ]
        if len(titles) == 1:
            return f"The answer in {titles[0]} is"
        more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
        return f"The answers in {', '.join(titles[:_NAMED])}{more} are"
