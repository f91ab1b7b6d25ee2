"""How long the window is held up at worst while a hostile server floods it, and how soon Stop reaches that server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop_chat.chat.launch import WindowOptions
from desktop_chat.chat.session import ChatSession
from desktop_chat.domain.measurements import Measurement
from desktop_chat.ui import application, event_loop
from desktop_chat.ui.program import Program

ATTACKS: Final = (
    "50,000 chunks at once",
    "a line of 16 MB: letters",
    "a line of 16 MB: escapes",
    "a line of 16 MB: reasoning",
    "a line of 16 MB: arguments",
    "a line without end",
    "endless tokens",
    "endless letters",
    "endless prose",
    "endless line breaks",
    "endless quotes",
    "endless table rows",
    "endless code",
    "endless code on one line",
    "endless usage",
    "endless lists",
    "endless brackets",
    "endless asterisks",
    "endless arguments",
    "endless comments",
)
"""Of `desktop_chat.demo.hostile`."""

_PASSES: Final = 2
_STOP_AFTER_S: Final = 1.5
_LIMIT_S: Final = 30.0
_SETTLED_S: Final = 0.3


def measure() -> list[Measurement]:
    """The real window without a screen, the server in a process of its own; nothing where the program is frozen."""
    if getattr(sys, "frozen", False):
        return []  # there is no interpreter that could run the server
    if QApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return event_loop.run(application.make_application(), _measure)


async def _measure() -> list[Measurement]:
    found: list[Measurement] = []
    latest_stop = 0.0
    for attack in ATTACKS:
        blocks: list[float] = []
        for _ in range(_PASSES):
            block, stop = await _attacked(attack)
            blocks.append(block)
            latest_stop = max(latest_stop, stop or 0.0)
        found.append(
            Measurement(
                what=f"longest block of the window, {attack}",
                value=min(blocks) * 1000,
                unit="ms",
                target="at most 16 ms, a frame",
            )
        )
    found.append(
        Measurement(
            what="Stop pressed to the server seeing it, longest",
            value=latest_stop * 1000,
            unit="ms",
            target="at most 200 ms",
        )
    )
    return found


async def _attacked(attack: str) -> tuple[float, float | None]:
    """One answer of the hostile server: the longest block in CPU seconds; seconds from Stop to the hang-up, if seen."""
    with _server(attack) as (process, port), tempfile.TemporaryDirectory() as folder:
        options = WindowOptions(data_dir=Path(folder), base_url=f"http://127.0.0.1:{port}/v1", model="m")
        qt = application.make_application()
        window, appearance, conversations, state = application.open_main_window(qt, options.data_dir)
        program = Program(options, window, appearance, conversations, state)
        ended = asyncio.ensure_future(program.main())
        try:
            while program.controller is None or not window.composer.is_ready:  # noqa: ASYNC110 - a benchmark
                await asyncio.sleep(0.01)
            await asyncio.sleep(_SETTLED_S)  # the rest of the start is not the server's doing
            probe = BlockProbe(window)
            turn = await program.controller.send("Go")
            assert turn is not None
            stop = await _stopped(turn, window.composer.stop_button.click, process)
            await asyncio.sleep(_SETTLED_S)  # what had arrived is shown, the end is painted
            return probe.end(), stop
        finally:
            window.close()
            await ended


async def _stopped(
    turn: ChatSession, stop: Callable[[], None], process: subprocess.Popen[str]
) -> float | None:
    """Let the turn go on for a while, then stop it; seconds until the server saw that."""
    wait = asyncio.ensure_future(turn.wait())
    await asyncio.wait([wait], timeout=_STOP_AFTER_S)
    if wait.done():
        return None
    pressed = time.monotonic()
    stop()
    await asyncio.wait_for(wait, _LIMIT_S)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 0.5)
    except TimeoutError:
        return None  # the whole answer was in the system's buffers, so that the server had hung up before
    return float(line.split()[1]) - pressed


class BlockProbe(QObject):
    """Measures the CPU time of this thread between two turns of its event loop.

    Not the time of day, which tells as much of what else the machine does.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._longest = 0.0
        self._last = time.thread_time()
        self._timer = QTimer(self, interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def end(self) -> float:
        """The longest so far, in seconds."""
        self._timer.stop()
        return self._longest

    def _tick(self) -> None:
        now = time.thread_time()
        self._longest = max(self._longest, now - self._last)
        self._last = now


@contextmanager
def _server(attack: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-m", "desktop_chat.demo.hostile", attack]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()
