"""What the next start needs before anything else is read: the window's place and look. Losing it costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings

if TYPE_CHECKING:
    from desktop_chat.ui.appearance import Appearance
    from desktop_chat.ui.main_window import MainWindow


class WindowState:
    """Kept in ``window.ini`` beside the settings.

    Attributes:
        conversation_id: the one shown last; 0 for none.

    Args:
        folder: where the file is; ``None`` keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = str(folder / "window.ini") if folder else ""
        self._file = QSettings(self._path, QSettings.Format.IniFormat) if folder else None
        value = self._file.value("conversation", 0, type=int) if self._file else 0
        self.conversation_id = value if isinstance(value, int) else 0

    def restore(self, window: MainWindow, appearance: Appearance) -> None:
        """Call before the window is shown."""
        if self._file is None:
            return
        theme = self._file.value("theme", "system")
        size = self._file.value("font_size", 15, type=int)
        if isinstance(theme, str) and isinstance(size, int) and 9 <= size <= 32:
            appearance.choose(theme, size)
        geometry = self._file.value("geometry")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)
        window.set_sidebar_wanted(self._file.value("sidebar", True, type=bool) is True)
        window.export_folder = str(self._file.value("export_folder", ""))

    def save_conversation(self) -> None:
        """Write ``conversation_id`` alone, as it is at this moment; waits for the disk, so call it in a thread."""
        if self._path:
            file = QSettings(self._path, QSettings.Format.IniFormat)
            file.setValue("conversation", self.conversation_id)
            file.sync()

    def save(self, window: MainWindow, theme: str, font_size: int) -> None:
        if self._file is None:
            return
        self._file.setValue("geometry", window.saveGeometry())
        self._file.setValue("sidebar", window.sidebar_wanted)
        self._file.setValue("export_folder", window.export_folder)
        self._file.setValue("theme", theme)
        self._file.setValue("font_size", font_size)
        self._file.setValue("conversation", self.conversation_id)
        self._file.sync()
