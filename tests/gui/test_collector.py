"""Cycles with objects of Qt's in them are freed in the window's thread, whoever allocates."""

from __future__ import annotations

import gc
import threading
from weakref import ref

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from desktop_chat.ui import collector
from desktop_chat.ui.collector import CycleCollector


class Node(QObject):
    """An object that keeps itself alive."""

    def __init__(self) -> None:
        super().__init__()
        self.itself = self


def test_cycles_are_freed_by_the_event_loop_only(qtbot: QtBot) -> None:
    owner = QObject()
    collecting = CycleCollector(owner)
    freed_in: list[threading.Thread] = []
    try:
        watch = ref(Node(), lambda _: freed_in.append(threading.current_thread()))
        worker = threading.Thread(target=lambda: [[object()] for _ in range(3 * collector._ENOUGH)])
        worker.start()
        worker.join()
        assert watch() is not None
        kept = [[number] for number in range(2 * collector._ENOUGH)]
        qtbot.waitUntil(lambda: watch() is None, timeout=10_000)
        assert freed_in == [threading.main_thread()]
        assert kept
    finally:
        collecting.close()
    assert not gc.isenabled()  # as the suite has it
