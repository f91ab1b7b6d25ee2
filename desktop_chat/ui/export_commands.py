"""Print and export: asks where to, does the work beside everything else, says how it went."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from PySide6.QtCore import QObject, QStandardPaths, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QPageLayout
from PySide6.QtWidgets import QDialog, QFileDialog

from desktop_chat.chat import export
from desktop_chat.ui.conversation_model import UNTITLED
from desktop_chat.ui.notices import Banner, Offer

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

    from desktop_chat.chat.library import Library
    from desktop_chat.domain.conversations import Conversation
    from desktop_chat.ui.conversation_model import ConversationModel
    from desktop_chat.ui.conversation_view import ConversationView
    from desktop_chat.ui.event_loop import Tasks
    from desktop_chat.ui.main_window import MainWindow
    from desktop_chat.ui.transcript.printing import Sheet

_SHOWN_AFTER_S: Final = 0.4
"""Work that is over sooner shows no progress."""

_Work = Callable[[], Coroutine[Any, Any, str]]
"""Gives the path of the document, or "" when it went to a printer."""


class _Kind(NamedTuple):
    name: str
    suffix: str
    filter: str


_KINDS: Final = {
    "export_pdf": _Kind("PDF", "pdf", "PDF documents (*.pdf)"),
    "export_markdown": _Kind("Markdown", "md", "Markdown files (*.md)"),
    "export_html": _Kind("HTML", "html", "Web pages (*.html)"),
}


class ExportCommands(QObject):
    """The commands that take the shown conversation out of the program; one works at a time.

    Attributes:
        task: the work that goes on.
    """

    def __init__(
        self,
        window: MainWindow,
        conversations: ConversationModel,
        view: ConversationView,
        library: Library,
        tasks: Tasks,
    ) -> None:
        super().__init__(window)
        self._window, self._conversations, self._view = window, conversations, view
        self._library, self._tasks = library, tasks
        self.task: asyncio.Task[str] | None = None
        self._banner: Banner | None = None
        self._shown_late: asyncio.TimerHandle
        for name in _KINDS:
            window.actions_[name].triggered.connect(lambda _checked=False, name=name: self._choose(name))
        window.actions_["print"].triggered.connect(self._choose_printer)

    # --- asking

    def _conversation(self) -> Conversation | None:
        """The one shown, unless there is nothing to take out, or something is being taken out."""
        if self.task is not None:
            self._window.toast.say("The document before is still being written.")
            return None
        found = self._conversations.conversation(self._view.conversation_id)
        if found is None or not self._view.has_messages:
            self._window.toast.say("There is nothing to print or export yet.")
            return None
        return found

    def _choose(self, name: str) -> None:
        conversation = self._conversation()
        if conversation is None:
            return
        kind = _KINDS[name]
        dialog = QFileDialog(self._window, f"Export as {kind.name}")
        dialog.setObjectName("exportDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(kind.filter)
        dialog.setDefaultSuffix(kind.suffix)
        dialog.setDirectory(self._folder())
        dialog.selectFile(export.file_name(conversation.title or UNTITLED, kind.suffix))
        dialog.fileSelected.connect(lambda path: self.export(name, conversation, Path(path)))
        dialog.open()

    def _folder(self) -> str:
        if self._window.export_folder and Path(self._window.export_folder).is_dir():
            return self._window.export_folder
        return QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)

    def _choose_printer(self) -> None:
        conversation = self._conversation()
        if conversation is None:
            return
        from PySide6.QtPrintSupport import QAbstractPrintDialog, QPrintDialog, QPrinter

        from desktop_chat.ui.transcript.printing import page_layout

        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setDocName(conversation.title or UNTITLED)
        printer.setCreator("Desktop Chat")
        printer.setPageLayout(page_layout())
        dialog = QPrintDialog(printer, self._window)
        dialog.setObjectName("printDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(QAbstractPrintDialog.PrintDialogOption.PrintPageRange)
        dialog.accepted.connect(lambda: self.print_on(printer, conversation))
        QDialog.open(dialog)  # its own wants a receiver

    # --- working

    def export(self, name: str, conversation: Conversation, path: Path) -> None:
        """Write ``conversation`` as ``path``; ``name`` is the command's."""
        self._window.export_folder = str(path.parent)
        if name == "export_pdf":
            work = partial(self._write_pdf, conversation, path)
        else:
            work = partial(self._write_text, name, conversation, path)
        self._start(work, f"Writing {path.name}")

    def print_on(self, printer: QPrinter, conversation: Conversation) -> None:
        """Print ``conversation``, or write the file that the print dialog was told."""
        from PySide6.QtPrintSupport import QPrinter

        first, last = 1, 1 << 30
        if printer.printRange() is QPrinter.PrintRange.PageRange and printer.toPage():
            first, last = printer.fromPage(), printer.toPage()
        if printer.outputFormat() is QPrinter.OutputFormat.PdfFormat:
            path = Path(printer.outputFileName() or export.file_name(conversation.title or UNTITLED, "pdf"))
            layout = printer.pageLayout()
            self._start(
                partial(self._write_pdf, conversation, path, layout, (first, last)), f"Writing {path.name}"
            )
        else:
            self._start(partial(self._print, printer, conversation, (first, last)), "Printing")

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def _start(self, work: _Work, what: str) -> None:
        self.task = self._tasks.spawn(work(), what)
        self.task.add_done_callback(self._ended)
        loop = asyncio.get_running_loop()
        self._shown_late = loop.call_later(_SHOWN_AFTER_S, self._show, what)

    def _ended(self, task: asyncio.Task[str]) -> None:
        """Say how it went; a failure is the task registry's to report."""
        self.task = None
        self._shown_late.cancel()
        if self._banner is not None:
            self._window.remove_banner(self._banner)
            self._banner = None
        if task.cancelled():
            self._window.toast.say("Cancelled.")
        elif task.exception() is None and (done := task.result()):
            path = Path(done)
            opening = Offer("Open", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))))
            self._window.toast.say(f"“{path.name}” was saved.", opening)
        elif task.exception() is None:
            self._window.toast.say("The pages went to the printer.")

    def _show(self, sentence: str) -> None:
        """What goes on, with the way to end it."""
        if self._banner is None:
            offer = Offer("Cancel", self.cancel)
            self._banner = Banner(self._window.appearance, sentence, offers=[offer])
            self._banner.setObjectName("exportBanner")
            self._banner.dismissed.connect(self.cancel)
            self._window.add_banner(self._banner)
        self._banner.set_sentence(sentence)

    def _page_done(self, what: str, number: int) -> None:
        if self._banner is not None:
            self._show(f"{what}, page {number}")

    async def _sheet(self, conversation: Conversation, what: str, wanted: tuple[int, int]) -> Sheet:
        from desktop_chat.ui.transcript.printing import Sheet, subtitle_of

        count = len(await self._library.stubs(conversation.id))
        memory = self._view.view.stack.memory if conversation.id == self._view.conversation_id else {}
        opened = {each for each, kept in memory.items() if kept.reasoning_open}
        return Sheet(
            conversation.title or UNTITLED,
            subtitle_of(conversation, count),
            opened,
            lambda number: self._page_done(what, number),
            *wanted,
            self._view.view.images,
        )

    def _messages(self, conversation: Conversation) -> AsyncIterator[Any]:
        return export.messages_of(self._library, conversation.id)

    async def _write_pdf(
        self,
        conversation: Conversation,
        path: Path,
        layout: QPageLayout | None = None,
        wanted: tuple[int, int] = (1, 1 << 30),
    ) -> str:
        from desktop_chat.ui.transcript.printing import written_pdf

        await export.check_place(path)
        sheet = await self._sheet(conversation, "Writing PDF", wanted)
        await export.save(path, await written_pdf(sheet, self._messages(conversation), layout))
        return str(path)

    async def _write_text(self, name: str, conversation: Conversation, path: Path) -> str:
        await export.check_place(path)
        write = export.as_markdown if name == "export_markdown" else export.as_html
        pieces = [piece async for piece in write(conversation, self._messages(conversation))]
        content = await asyncio.to_thread(lambda: "".join(pieces).encode("utf-8", "replace"))
        await export.save(path, content)
        return str(path)

    async def _print(self, printer: QPrinter, conversation: Conversation, wanted: tuple[int, int]) -> str:
        from desktop_chat.ui.transcript.printing import paint_pages

        sheet = await self._sheet(conversation, "Printing", wanted)
        await paint_pages(printer, sheet, self._messages(conversation), abort=printer.abort)
        return ""
