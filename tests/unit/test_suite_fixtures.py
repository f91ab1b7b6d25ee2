"""The suite's own safeguards: what a test leaves behind fails that test, and is named."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = Path(__file__).parent.parent

UNIT_CASES = """
import asyncio, logging, threading

def test_thread():
    threading.Thread(target=threading.Event().wait, name="straggler", daemon=True).start()

async def test_task():
    global kept
    kept = asyncio.create_task(asyncio.sleep(3600), name="straggler")

async def test_task_that_ends():
    task = asyncio.create_task(asyncio.sleep(3600))
    task.cancel()

def test_warning():
    logging.getLogger("desktop_chat").warning("disk almost full")

def test_announced_warning(expect_log):
    expect_log("almost full")
    logging.getLogger("desktop_chat").warning("disk almost full")

def test_announced_in_vain(expect_log):
    expect_log("almost full")
"""

GUI_CASES = """
import asyncio
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget
from desktop_chat.ui.qt_loop import QtLoop

def test_window():
    global kept
    kept = QWidget(objectName="straggler")

def test_window_given_to_qtbot(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()

def test_timer():
    global timer
    timer = QTimer()
    timer.start(1000)

def test_timer_that_goes_with_its_window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    QTimer(window).start(1000)

async def test_loop():
    assert isinstance(asyncio.get_running_loop(), QtLoop)
    await asyncio.sleep(0.001)
"""


def run(pytester: pytest.Pytester, conftest: Path, cases: str) -> tuple[dict[str, int], str]:
    quick = conftest.read_text(encoding="utf-8").replace(
        "JOIN_LIMIT_S: Final = 5.0", "JOIN_LIMIT_S: Final = 0.1"
    )
    pytester.makeconftest(quick)
    pytester.makepyfile(cases)
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\nasyncio_mode='auto'\nqt_api='pyside6'")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    return result.parseoutcomes(), result.stdout.str()


def test_leaks_and_warnings_fail_the_test_that_caused_them(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes, output = run(pytester, TESTS / "conftest.py", UNIT_CASES)

    assert outcomes == {"passed": 6, "errors": 4}  # the body passes, the fixture's check fails
    assert "straggler" in output
    assert "test_thread" in output.split("Threads outlive")[1]
    assert "Unexpected in the log" in output
    assert "never written: almost full" in output


def test_windows_and_timers_fail_the_test_that_left_them(pytester: pytest.Pytester) -> None:
    outcomes, output = run(pytester, TESTS / "gui" / "conftest.py", GUI_CASES)

    assert outcomes == {"passed": 5, "errors": 2}
    assert "QWidget 'straggler'" in output
    assert "every 1000 ms" in output
