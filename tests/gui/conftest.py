"""Widgets are tested on the program's own kind of event loop, and must be gone after the test.

Coroutine tests and fixtures of this folder run on the program's loop, so that they may await its coroutines and Qt's
events go on meanwhile.
"""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from weakref import WeakKeyDictionary

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication

from desktop_chat.ui.qt_loop import QtLoop

INTERNAL_WINDOWS = ("QTipLabel", "QComboBoxPrivateContainer", "QDesktopScreenWidget")
"""Top-level widgets that Qt makes for itself and keeps."""


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], Any]]:
    return {"qt": lambda: QtLoop(cast("QApplication", QApplication.instance()))}


@pytest.fixture(scope="session", autouse=True)
def _application(qapp: QApplication) -> Iterator[QApplication]:
    """The one application, there before the first event loop; closing a test's window must not end it."""
    qapp.setQuitOnLastWindowClosed(False)
    yield qapp
    # The offscreen platform keeps what was copied in a C++ static, which outlives Python: data that was made in
    # Python would be destroyed without an interpreter, and the process would end with a crash.
    QApplication.clipboard().clear()


@pytest.fixture(scope="session", autouse=True)
def _no_collector_in_other_threads() -> Iterator[None]:
    """As in the program: a cycle with an object of Qt's in it must not be freed in a worker's thread."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _collected(_no_collector_in_other_threads: None) -> Iterator[None]:
    yield
    if gc.get_count()[0] > 20_000:
        gc.collect()


@pytest.fixture(autouse=True)
def _no_leaked_windows(_application: QApplication) -> Iterator[None]:
    before = set(_application.topLevelWidgets())
    yield
    if _leaked_windows(_application, before):
        gc.collect()  # what only a reference cycle keeps alive is not leaked
    leaked = _leaked_windows(_application, before)
    if leaked:
        pytest.fail("Windows outlive the test:\n" + "\n".join(leaked), pytrace=False)


def _leaked_windows(application: QApplication, before: set[Any]) -> list[str]:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return [
        f"{type(window).__name__} {window.objectName()!r} {window.windowTitle()!r}"
        for window in application.topLevelWidgets()
        if window not in before
        and window.parent() is None
        and window.metaObject().className() not in INTERNAL_WINDOWS
    ]


@pytest.fixture(autouse=True)
def _no_leaked_timers(_no_leaked_windows: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Requested before the window check, so that timers of leaked windows are reported with their beginning."""
    began: WeakKeyDictionary[QTimer, traceback.StackSummary] = WeakKeyDictionary()
    start = QTimer.start

    def _record(timer: QTimer, *arguments: Any) -> None:
        began[timer] = traceback.extract_stack(limit=10)
        start(timer, *arguments)

    monkeypatch.setattr(QTimer, "start", _record)
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    leaked = [
        f"{timer!r} every {timer.interval()} ms, began at\n{''.join(traceback.format_list(stack[-4:-1]))}"
        for timer, stack in began.items()
        if shiboken6.isValid(timer) and timer.isActive()
    ]
    if leaked:
        pytest.fail("Timers outlive the test:\n" + "\n".join(leaked), pytrace=False)
