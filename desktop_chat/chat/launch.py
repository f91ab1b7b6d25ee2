"""How one run of the window was asked for: what the command line passes to ``desktop_chat.ui.application``."""

from __future__ import annotations

from pathlib import Path

import msgspec


class WindowOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The command line of one window run; nothing here is ever saved.

    Attributes:
        data_dir: keeps database, settings, logs and secrets fallback; ``None`` for the platform's own places.
        base_url / model / api_key_env: an endpoint for this run only; empty for the saved profiles. The key
            is read from the environment variable ``api_key_env``, never from the command line.
        send: sent in a new conversation as soon as the window is painted; ``None`` for an ordinary start.
        screenshot: after the answer to ``send`` ended, a picture of the window is saved here.
        exit: leave after the answer (and the picture) with the exit status of ``ask``.
    """

    data_dir: Path | None = None
    base_url: str = ""
    model: str = ""
    api_key_env: str = ""
    send: str | None = None
    screenshot: Path | None = None
    exit: bool = False


class ExitStatus:
    """Exit statuses of ``ask`` and of ``--send TEXT --exit``."""

    COMPLETE = 0
    ERROR = 1
    USAGE = 2
    INTERRUPTED = 3
    STOPPED = 130
    """Ended by SIGINT, as shells number it (128 + 2)."""
