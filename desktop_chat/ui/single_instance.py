"""One window a data folder: a second start raises the first window and leaves."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

logger = logging.getLogger(__name__)
_LIMIT_MS: Final = 300
_RAISE: Final = b"raise\n"


class SingleInstance(QObject):
    """Args:
        socket: absolute path of the socket, in a folder of the user's own.

    Signals:
        raise_requested: another start of the program wants the window to come to the front.
    """

    raise_requested = Signal()

    def __init__(self, socket: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = str(socket)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._greeted)

    def claim(self) -> bool:
        """Become the instance. False when another one lives; it was asked to show its window."""
        other = QLocalSocket()
        other.connectToServer(self._name)
        if other.waitForConnected(_LIMIT_MS):
            other.write(_RAISE)
            other.flush()
            other.waitForBytesWritten(_LIMIT_MS)
            other.disconnectFromServer()
            return False
        if not self._server.listen(self._name):
            QLocalServer.removeServer(self._name)  # left by a program that was killed
            if not self._server.listen(self._name):
                logger.info("starts are not joined into one window: %s", self._server.errorString())
        return True

    def release(self) -> None:
        self._server.close()

    def _greeted(self) -> None:
        socket = self._server.nextPendingConnection()
        if socket is not None:
            socket.disconnected.connect(socket.deleteLater)
            self.raise_requested.emit()
