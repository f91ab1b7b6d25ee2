"""Images of answers, when the reader asks for one: fetch, decode, show, hide, copy, save. Asks where it could harm."""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from PySide6.QtCore import QObject, QStandardPaths, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox

from desktop_chat.chat import export
from desktop_chat.domain.errors import ChatError
from desktop_chat.ui.transcript.shown_images import Phase, decoded

if TYPE_CHECKING:
    from desktop_chat.api.images import ImageFetcher, Question
    from desktop_chat.ui.event_loop import Tasks
    from desktop_chat.ui.main_window import MainWindow
    from desktop_chat.ui.transcript.view import TranscriptView

_PRIVATE_ADVICE: Final = (
    "The address is on this computer or its network. An answer can name such an address to make the program call"
    " a device or a service of yours. Show it only if you know what is there."
)
_OTHER_HOST_ADVICE: Final = "{before} sends the request on to {host}, which will see your network address."
_PLAIN_ADVICE: Final = "{host} goes on without encryption, so that everybody on the way can see the image."


class ImageCommands(QObject):
    """Does what the transcript's images are asked for.

    Args:
        fetcher: replaces the usual one, with other limits.
    """

    def __init__(
        self, window: MainWindow, view: TranscriptView, tasks: Tasks, fetcher: ImageFetcher | None = None
    ) -> None:
        super().__init__(window)
        self._window, self._view, self._tasks, self._fetcher = window, view, tasks, fetcher
        view.image_action.connect(self.act)

    def act(self, name: str, address: str) -> None:
        """``show``, ``hide``, ``copy`` or ``save`` the image at ``address``."""
        images = self._view.images
        if name in {"show", "hide"}:  # its place must stay under the pointer
            self._view.stop_following_unless_at_end()
        if name == "hide":
            images.hide(address)
        elif name == "copy":
            self._tasks.spawn(self._copy(address), "copy image")
        elif name == "save":
            self._save(address)
        elif images.image(address).phase is not Phase.LOADING and not images.show_again(address):
            self._tasks.spawn(self._show(address, address), "show image")

    async def _show(self, shown: str, address: str, private_hosts: frozenset[str] = frozenset()) -> None:
        """Fetch ``address`` for the placeholder of the image at ``shown``."""
        from desktop_chat.api.images import ImageFetcher, Question

        self._fetcher = self._fetcher or ImageFetcher()
        images = self._view.images
        images.set_loading(shown)
        try:
            found = await self._fetcher.fetch(address, private_hosts=private_hosts)
            if isinstance(found, Question):
                images.hide(shown)
                self._ask(shown, address, found)
                return
            picture = await asyncio.to_thread(decoded, found.data, found.kind)
        except ChatError as error:
            images.set_failed(shown, error.sentence)
        except BaseException:
            images.hide(shown)
            raise
        else:
            images.show(shown, picture, found.data, found.kind)

    def _ask(self, shown: str, before: str, question: Question) -> None:
        from desktop_chat.api.images import Concern

        box = QMessageBox(self._window)
        box.setObjectName("imageQuestion")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Show image")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"Show the image from {question.host}?")
        is_private = question.concern is Concern.PRIVATE
        host = urlsplit(before).hostname or ""
        if is_private:
            advice = _PRIVATE_ADVICE
        else:
            words = _PLAIN_ADVICE if host == question.host else _OTHER_HOST_ADVICE
            advice = words.format(before=host, host=question.host)
        box.setInformativeText(f"{advice}\n\n{question.address[:500]}")
        show = box.addButton("Show image", QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(cancel)
        hosts = frozenset({question.host}) if is_private else frozenset[str]()
        show.clicked.connect(
            lambda: self._tasks.spawn(self._show(shown, question.address, hosts), "show image")
        )
        box.open()

    async def _copy(self, address: str) -> None:
        known = self._view.images.image(address)
        if known.data:
            whole = await asyncio.to_thread(decoded, known.data, known.kind, whole=True)
            QGuiApplication.clipboard().setImage(whole)
            self._window.toast.say("Copied")

    def _save(self, address: str) -> None:
        known = self._view.images.image(address)
        if not known.data:
            return
        suffix = "jpg" if known.kind == "jpeg" else known.kind
        stem = "" if address.startswith("data:") else PurePosixPath(urlsplit(address).path).stem
        dialog = QFileDialog(self._window, "Save image")
        dialog.setObjectName("saveImageDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"Images (*.{suffix})")
        dialog.setDefaultSuffix(suffix)
        pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        dialog.setDirectory(self._window.export_folder or pictures)
        dialog.selectFile(export.file_name(stem or "Image", suffix))
        dialog.fileSelected.connect(
            lambda path: self._tasks.spawn(self._write(Path(path), known.data), "save image")
        )
        dialog.open()

    async def _write(self, path: Path, data: bytes) -> None:
        self._window.export_folder = str(path.parent)
        await export.save(path, data)
        self._window.toast.say(f"“{path.name}” was saved.")
