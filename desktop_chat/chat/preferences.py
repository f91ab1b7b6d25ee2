"""The settings in force, and the one place that changes and saves them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop_chat.domain.settings import Settings

if TYPE_CHECKING:
    from desktop_chat.storage.settings_file import SettingsFile

Listener = Callable[[Settings], None]


class Preferences:
    """Current settings; readers take the immutable snapshot, listeners hear of each change.

    Attributes:
        settings: the snapshot in force.
        warnings: sentences to be shown once after the start (a broken file was kept aside, ...).
    """

    def __init__(self, file: SettingsFile | None = None) -> None:
        self._file = file
        self._listeners: list[Listener] = []
        self._saving = asyncio.Lock()
        self.settings = Settings()
        self.warnings: list[str] = []

    def load(self) -> None:
        """Read the file; a missing one means defaults. Blocking, a fraction of a millisecond."""
        if self._file is not None:
            self.settings, self.warnings = self._file.load()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every change; returns the function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def change(self, settings: Settings) -> None:
        """Put settings in force at once, then save them. Raises StorageError when they cannot be kept."""
        self.settings = settings
        for listener in tuple(self._listeners):
            listener(settings)
        if self._file is None:
            return
        async with self._saving:
            if self.settings is settings:
                await asyncio.get_running_loop().run_in_executor(None, self._file.save, settings)
