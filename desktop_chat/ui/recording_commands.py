"""Recording answers into a folder, and replaying a recording as an answer: the commands of the window's menu."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from desktop_chat.chat.recordings import SUFFIX, RecordingFolder, Replay
from desktop_chat.ui.notices import Offer

if TYPE_CHECKING:
    from desktop_chat.chat.library import Library
    from desktop_chat.chat.session import ChatSession
    from desktop_chat.ui.event_loop import Tasks
    from desktop_chat.ui.main_window import MainWindow

_RECORD: Final = "Record answers…"
_STOP: Final = "Stop recording answers"


class RecordingCommands(QObject):
    """Connects the two commands and the sign in the window's header; recording ends with the run.

    Args:
        recordings: where the library asks whether an answer is to be recorded.
        open_conversation: shows a conversation by its id.
    """

    def __init__(
        self,
        window: MainWindow,
        library: Library,
        recordings: RecordingFolder,
        tasks: Tasks,
        open_conversation: Callable[[int], Awaitable[None]],
    ) -> None:
        super().__init__(window)
        self._window, self._library, self._recordings, self._tasks = window, library, recordings, tasks
        self._open_conversation = open_conversation
        self._action = window.actions_["record"]
        self._action.triggered.connect(self._toggle)
        window.recording_button.clicked.connect(self._toggle)
        window.actions_["replay"].triggered.connect(self._choose_recording)

    # --- recording

    def _toggle(self) -> None:
        if self._recordings.folder is None:
            self._choose_folder()
        else:
            self._recordings.folder = None
            self._show_state()
            self._window.toast.say("Answers are no longer recorded.")

    def _choose_folder(self) -> None:
        dialog = self._file_dialog("recordFolderDialog", "Record answers into a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Record")
        dialog.fileSelected.connect(lambda name: self._tasks.spawn(self.record_into(Path(name)), "record"))
        dialog.open()

    async def record_into(self, folder: Path) -> None:
        """Record every answer that begins from now on."""
        if not await asyncio.to_thread(os.access, folder, os.W_OK | os.X_OK):
            self._window.toast.say(f"Nothing can be written to {folder}. Choose another folder.")
            return
        self._recordings.folder = folder
        self._show_state()
        self._window.toast.say(f"From now on answers are recorded to {folder}.")

    def _show_state(self) -> None:
        folder = self._recordings.folder
        self._action.setText(_RECORD if folder is None else _STOP)
        self._window.recording_button.setVisible(folder is not None)
        self._window.recording_button.setToolTip(f"Answers are recorded to {folder}. Click to stop.")

    def turn_ended(self, turn: ChatSession) -> None:
        if turn.recorder is not None:
            self._tasks.spawn(self._tell_where(turn), "recording")

    async def _tell_where(self, turn: ChatSession) -> None:
        recorder = turn.recorder
        await turn.wait()
        if recorder is None or not recorder.has_begun:
            return  # no server answered, there is nothing to keep
        if recorder.problem:
            self._window.toast.say(f"{recorder.problem} The answer itself is not affected.")
            return
        folder = QUrl.fromLocalFile(str(recorder.path.parent))
        show = Offer("Show folder", lambda: QDesktopServices.openUrl(folder))
        self._window.toast.say(f"Recorded as {recorder.path.name}", show)

    # --- replaying

    def _choose_recording(self) -> None:
        dialog = self._file_dialog("replayFileDialog", "Replay a recording")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([f"Recorded streams (*{SUFFIX})", "All files (*)"])
        dialog.fileSelected.connect(
            lambda name: self._tasks.spawn(self.prepare(Path(name)), "open recording")
        )
        dialog.open()

    async def prepare(self, path: Path) -> None:
        """Ask how fast a recording shall answer; one without times answers at once."""
        from desktop_chat.ui.replay_dialog import ReplayDialog

        replay = await Replay.load(path)
        if not replay.duration_s:
            await self.run(replay, None)
            return
        dialog = ReplayDialog(self._window.appearance, replay, self._window)
        dialog.chosen.connect(lambda speed: self._tasks.spawn(self.run(replay, speed), "replay"))
        dialog.open()

    async def run(self, replay: Replay, speed: float | None) -> ChatSession:
        """Let the recording answer in a conversation of its own."""
        conversation = await self._library.create()
        await self._open_conversation(conversation.id)
        return await self._library.send(conversation.id, replay.question(speed), source=replay.source(speed))

    def _file_dialog(self, name: str, title: str) -> QFileDialog:
        """Beside the event loop, never in it: a modal one would stop every answer."""
        folder = self._recordings.folder or Path.home()
        dialog = QFileDialog(self._window, title, str(folder))
        dialog.setObjectName(name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog
