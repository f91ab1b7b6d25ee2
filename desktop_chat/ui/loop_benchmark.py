"""The streaming engine on the window's event loop, beside plain asyncio and beside `json.loads` alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from functools import partial

from PySide6.QtWidgets import QApplication

from desktop_chat.chat.stream_benchmark import event_seconds, json_seconds, on_asyncio
from desktop_chat.domain.measurements import Measurement
from desktop_chat.ui import event_loop
from desktop_chat.ui.application import make_application


def measure() -> list[Measurement]:
    """Needs no screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = make_application()
    parse, plain, ours = (
        json_seconds(),
        event_seconds(on_asyncio),
        event_seconds(partial(_on_qt, application)),
    )
    return [
        Measurement(
            what="CPU an event",
            value=ours * 1e6,
            unit="us",
            baseline=plain * 1e6,
            baseline_name="the same on plain asyncio",
            target="at most 1.5 times",
        ),
        Measurement(
            what="CPU an event",
            value=ours * 1e6,
            unit="us",
            baseline=parse * 1e6,
            baseline_name="json.loads of the same payloads",
            target="at most 5 times json.loads",
        ),
        Measurement(
            what="events a second of CPU",
            value=1 / ours,
            unit="/s",
            baseline=1 / plain,
            baseline_name="the same on plain asyncio",
        ),
    ]


def _on_qt(application: QApplication, main: Callable[[], Coroutine[None, None, float]]) -> float:
    return event_loop.run(application, main)
