"""What went wrong unexpectedly, into the log: uncaught exceptions, crashes, Qt's own messages."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

logger = logging.getLogger(__name__)

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}

_NO_FAULT = "This plugin does not support"
"""How off-screen platforms say that there is no window manager; nothing is wrong."""


class Diagnostics:
    """In force from its making to `close`.

    Args:
        log: the log file, beside which a crash leaves its stacks; ``None`` where there is no log.
        failed: told of an exception that nothing caught, after it was logged.
    """

    def __init__(self, log: Path | None, failed: Callable[[BaseException], None]) -> None:
        self._handler: logging.Handler | None = None
        self._crash_file = None
        self._failed = failed
        if log is not None:
            from desktop_chat.storage.log_file import set_up_logging

            self._handler = set_up_logging(log)
            try:
                self._crash_file = open(  # noqa: SIM115 - open until `close`
                    log.with_name("crash.log"),
                    "a",
                    encoding="utf-8",
                    opener=lambda path, flags: os.open(path, flags, 0o600),
                )
            except OSError as error:
                logger.warning("no file for crashes: %s", error)
        if self._crash_file is not None:
            faulthandler.enable(self._crash_file)
        self._hook, sys.excepthook = sys.excepthook, self._uncaught
        self._qt_handler = qInstallMessageHandler(_qt_message)

    def close(self) -> None:
        qInstallMessageHandler(self._qt_handler)
        sys.excepthook = self._hook
        if self._crash_file is not None:
            faulthandler.disable()
            self._crash_file.close()
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()

    def _uncaught(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        logger.critical("not caught", exc_info=(kind, error, traceback))
        self._failed(error)


def _qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    level = _LEVELS.get(kind, logging.WARNING)
    if text.startswith(_NO_FAULT):
        level = logging.DEBUG
    logging.getLogger("qt").log(level, "%s", text)
