"""The composition root: makes everything the window needs, in the order in which a person needs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QElapsedTimer, QEventLoop
from PySide6.QtWidgets import QApplication

from desktop_chat import __version__
from desktop_chat.chat.launch import WindowOptions
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.conversation_model import ConversationModel
from desktop_chat.ui.main_window import MainWindow
from desktop_chat.ui.window_state import WindowState

_FIRST_PAINT_LIMIT_MS = 1000


def make_application() -> QApplication:
    """The one QApplication, named as the desktop knows the program."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(sys.argv[:1])
    application.setApplicationName("desktop-chat")
    application.setApplicationDisplayName("Desktop Chat")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("desktop-chat")
    application.setQuitOnLastWindowClosed(False)
    return application


def run_window(options: WindowOptions) -> int:
    """Open the window and return the exit status when it is closed."""
    application = make_application()
    window, appearance, conversations, state = open_main_window(application, options.data_dir)
    paint_now(window)

    # Everything from here on is imported behind the first picture of the window.
    from desktop_chat.ui import event_loop
    from desktop_chat.ui.program import Program

    program = Program(options, window, appearance, conversations, state)
    return event_loop.run(application, program.main)


def run_self_test(options: WindowOptions) -> int:
    """Paint the window, stream an answer, check what the program stands on; one line a check."""
    application = make_application()
    from desktop_chat.ui import event_loop
    from desktop_chat.ui.self_test import SelfTest

    return event_loop.run(application, SelfTest(application, options).run)


def open_main_window(
    application: QApplication, data_dir: Path | None
) -> tuple[MainWindow, Appearance, ConversationModel, WindowState]:
    """Show the window as it was left; nothing behind it is there yet."""
    state = WindowState(_config_folder(data_dir))
    appearance = Appearance(application)
    conversations = ConversationModel(application)
    window = MainWindow(appearance, conversations, _example_prompts())
    state.restore(window, appearance)
    if not state.conversation_id:
        window.show_empty_state()
    window.show()
    return window, appearance, conversations, state


def paint_now(window: MainWindow) -> None:
    """Let the window system show the window, and paint it, before anything slow begins."""
    clock = QElapsedTimer()
    clock.start()
    handle = window.windowHandle()
    while not handle.isExposed() and clock.elapsed() < _FIRST_PAINT_LIMIT_MS:
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
    QCoreApplication.processEvents()


def _config_folder(data_dir: Path | None) -> Path:
    """Where the window's state is; the same folder as the settings'."""
    from desktop_chat.storage.paths import DataPaths

    return DataPaths.choose(data_dir).config


def _example_prompts() -> Sequence[str]:
    from desktop_chat.demo.prompts import EXAMPLE_PROMPTS

    return EXAMPLE_PROMPTS
