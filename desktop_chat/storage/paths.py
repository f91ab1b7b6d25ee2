"""Where everything lives: the platform's folders, or all of it under one ``--data-dir``."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from desktop_chat.domain.errors import ChatError, ConfigurationError, StorageError

log = logging.getLogger(__name__)

_NAME: Final = "desktop-chat"
_SOCKET_PATH_BYTES: Final = 100
"""A Unix socket's path has at most 108 bytes on Linux and 104 on macOS, the final NUL included."""


class DataPaths(msgspec.Struct, frozen=True, kw_only=True):
    """The folders and files of one installation. Nothing exists until `create`.

    Attributes:
        data: conversations and, where the user asked for it, the file with keys.
        config: the settings.
        logs, cache: may be removed at any time.
        runtime: the socket by which a second start finds the first.
        chosen: whether the user named the folder with ``--data-dir``.
    """

    data: Path
    config: Path
    logs: Path
    cache: Path
    runtime: Path
    chosen: bool = False

    @classmethod
    def choose(cls, data_dir: Path | str | None = None) -> DataPaths:
        """Everything under ``data_dir``, or in the platform's folders when it is ``None``."""
        return cls.standard() if data_dir is None else cls.under(Path(data_dir))

    @classmethod
    def standard(cls) -> DataPaths:
        """The platform's folders (on Linux the XDG ones)."""
        import platformdirs

        data = platformdirs.user_data_path(_NAME, appauthor=False)
        return cls(
            data=data,
            config=platformdirs.user_config_path(_NAME, appauthor=False),
            logs=platformdirs.user_log_path(_NAME, appauthor=False),
            cache=platformdirs.user_cache_path(_NAME, appauthor=False),
            runtime=_socket_folder(data),
        )

    @classmethod
    def under(cls, folder: Path) -> DataPaths:
        """Everything under one folder: portable use, and tests."""
        folder = folder.expanduser().absolute()
        return cls(
            data=folder,
            config=folder,
            logs=folder / "logs",
            cache=folder / "cache",
            runtime=_socket_folder(folder),
            chosen=True,
        )

    @property
    def database(self) -> Path:
        return self.data / "conversations.db"

    @property
    def settings(self) -> Path:
        return self.config / "settings.json"

    @property
    def secrets(self) -> Path:
        """The file with keys; it exists only where the user chose so."""
        return self.data / "secrets.json"

    @property
    def log(self) -> Path:
        return self.logs / "desktop-chat.log"

    @property
    def socket(self) -> Path:
        """Path of the single-instance socket, short enough for every system."""
        return self.runtime / "instance.sock"

    def create(self) -> None:
        """Make the folders, for their owner only, and see that they can be written to.

        Raises:
            ConfigurationError: the folder named with ``--data-dir`` cannot be used.
            StorageError: one of the platform's folders cannot be used.
        """
        for folder in (self.data, self.config):
            self._make(folder)
            self._check_writable(folder)
        for folder in (self.logs, self.cache, self.runtime):
            self._make(folder)
        if hasattr(os, "getuid") and self.runtime.lstat().st_uid not in (
            os.getuid(),
            self.data.stat().st_uid,
        ):
            raise self._unusable(self.runtime, "it belongs to another user")  # who could listen there

    def _make(self, folder: Path) -> None:
        try:
            made = _make_private(folder)
        except FileExistsError:
            raise self._unusable(folder, "a file of that name is in the way") from None
        except NotADirectoryError:
            raise self._unusable(folder, "part of its path is a file, not a folder") from None
        except OSError as error:
            raise self._unusable(folder, _reason(error)) from error
        if not made and not (self.chosen and folder == self.data):  # the user's own folder keeps its mode
            _restrict(folder)

    def _check_writable(self, folder: Path) -> None:
        # Really write: permissions alone say nothing about a read-only disk, quotas, or Windows.
        try:
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(b"x")
        except OSError as error:
            raise self._unusable(folder, _reason(error)) from error

    def _unusable(self, folder: Path, reason: str) -> ChatError:
        if self.chosen:
            return ConfigurationError(
                reason,
                sentence=f"The data folder {folder} cannot be used: {reason}.",
                advice="Choose a folder you may write to with --data-dir.",
            )
        return StorageError(
            reason,
            sentence=f"The folder {folder} cannot be used: {reason}.",
            advice="Correct its permissions or free some space, or choose another folder with --data-dir.",
        )


def _make_private(folder: Path) -> bool:
    """Make the folder and what is missing above it; whether it was missing."""
    if folder.is_dir():
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    return True


def _restrict(folder: Path) -> None:
    """Close a folder of ours that others can look into."""
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        try:
            folder.chmod(0o700)
        except OSError as error:
            log.warning("%s stays open to others: %s", folder, error)


def _socket_folder(data: Path) -> Path:
    """The folder of the data itself, or, where that path is too long for a socket, a short private one."""
    if len(os.fsencode(data / "instance.sock")) <= _SOCKET_PATH_BYTES:
        return data
    user = os.getuid() if hasattr(os, "getuid") else "user"
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"{_NAME}-{user}-{digest}"


def _reason(error: OSError) -> str:
    words = (error.strerror or str(error)).rstrip(".")
    return words[:1].lower() + words[1:]
