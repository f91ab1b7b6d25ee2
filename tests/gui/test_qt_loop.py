"""asyncio on Qt's event loop keeps asyncio's order, leaves Qt its turns, and keeps no timer that nobody waits for."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from desktop_chat.domain.errors import ErrorReport
from desktop_chat.ui.event_loop import Tasks
from desktop_chat.ui.qt_loop import QtLoop


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


def running() -> QtLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, QtLoop)
    return loop


async def test_callbacks_run_in_the_order_in_which_they_became_ready() -> None:
    loop, seen = running(), list[str]()
    done = loop.create_future()

    def first() -> None:
        seen.append("first")
        loop.call_soon(seen.append, "made by the first")
        loop.call_soon(done.set_result, None)

    loop.call_soon(first)
    loop.call_soon(seen.append, "second")
    loop.call_soon(seen.append, "cancelled").cancel()
    await done
    assert seen == ["first", "second", "made by the first"]


async def test_a_task_that_never_waits_leaves_qt_its_turns() -> None:
    owner, ticks = QObject(), list[float]()
    timer = QTimer(owner, interval=0)
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    timer.start()
    while len(ticks) < 20:
        await asyncio.sleep(0)
    timer.stop()


async def test_equal_and_unequal_times_keep_their_order_and_nothing_is_early() -> None:
    loop, seen = running(), list[int]()
    now = loop.time()
    whens = [now + 0.03, now + 0.01, now + 0.02, now + 0.01]
    late = list[float]()
    ended = loop.create_future()

    def note(index: int) -> None:
        seen.append(index)
        late.append(loop.time() - whens[index])
        if len(seen) == len(whens):
            ended.set_result(None)

    for index, when in enumerate(whens):
        loop.call_at(when, note, index)
    await ended
    assert seen == [1, 3, 2, 0]
    assert min(late) > -0.001


async def test_cancelled_timers_do_not_gather() -> None:
    loop = running()
    before = len(loop._later)
    for _ in range(1_000):
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
    kept = [loop.call_later(60, print) for _ in range(1_000)]
    for handle in kept[::2] + kept[1::2]:
        handle.cancel()
    assert len(loop._later) - before <= 101


async def test_cancelling_the_next_one_does_not_hold_up_the_others() -> None:
    loop = running()
    ended = loop.create_future()
    next_one = loop.call_later(0.005, ended.cancel)
    loop.call_later(0.01, ended.set_result, "the other")
    next_one.cancel()
    assert await ended == "the other"


async def test_a_callback_of_another_thread_runs_in_this_one() -> None:
    loop = running()
    where = loop.create_future()
    thread = threading.Thread(
        target=loop.call_soon_threadsafe, args=(lambda: where.set_result(threading.current_thread()),)
    )
    thread.start()
    assert await where is threading.main_thread()
    thread.join()


async def test_a_callback_is_not_run_within_another_one() -> None:
    loop, seen = running(), list[str]()
    ended = loop.create_future()

    def outer() -> None:
        loop.call_soon(seen.append, "inner")
        QCoreApplication.processEvents()  # as a nested event loop of Qt's does
        seen.append("outer")
        loop.call_soon(ended.set_result, None)

    loop.call_soon(outer)
    await ended
    assert seen == ["outer", "inner"]


async def test_a_failing_callback_is_reported_and_the_others_run() -> None:
    loop, told = running(), list[str]()
    loop.set_exception_handler(lambda _, context: told.append(str(context["exception"])))
    ended = loop.create_future()
    loop.call_soon(lambda: 1 // 0)
    loop.call_soon(ended.set_result, None)
    await ended
    assert told == ["integer division or modulo by zero"]


@pytest.mark.skipif(sys.platform == "win32", reason="there qasync's own reader is used")
async def test_a_reader_may_take_itself_away_while_it_reads(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    loop, seen = running(), list[bytes]()
    ended = loop.create_future()

    def read() -> None:
        seen.append(ours.recv(1))
        loop.remove_reader(ours)
        ended.set_result(None)

    loop.add_reader(ours, read)
    theirs.send(b"ab")
    await ended
    await asyncio.sleep(0.01)
    assert seen == [b"a"]
    ended = loop.create_future()
    loop.add_reader(ours, read)
    await ended
    assert seen == [b"a", b"b"]


@pytest.mark.skipif(sys.platform == "win32", reason="there qasync's own reader is used")
async def test_what_a_read_makes_ready_runs_in_the_same_turn_of_qt(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    loop = running()
    order = list[str]()
    ended = loop.create_future()

    def turn() -> None:
        order.append("a turn of Qt's")
        ended.set_result(None)

    def read() -> None:
        ours.recv(1)
        loop.remove_reader(ours)
        QTimer.singleShot(0, turn)
        loop.call_soon(order.append, "ready")

    loop.add_reader(ours, read)
    theirs.send(b"a")
    await ended
    assert order == ["ready", "a turn of Qt's"]


async def test_a_time_far_away_is_no_time_that_has_passed() -> None:
    loop, seen = running(), list[str]()
    far = [loop.call_later(days * 86_400.0, seen.append, "far") for days in (40, 4_000, 4_000_000)]
    await asyncio.sleep(0.01)
    assert not seen
    for handle in far:
        handle.cancel()


def test_between_two_runs_nothing_runs_and_nothing_is_lost(qapp: QApplication) -> None:
    loop, seen = QtLoop(qapp), list[str]()
    loop.call_soon(seen.append, "before")
    loop.call_later(0, seen.append, "due")
    for _ in range(3):
        qapp.processEvents()
    assert not seen
    loop.run_until_complete(asyncio.sleep(0.002))
    assert sorted(seen) == ["before", "due"]
    left = loop.call_later(60, print)
    loop.close()
    left.cancel()


async def test_what_fails_behind_the_windows_end_is_logged_and_told_to_nobody(
    expect_log: Callable[[str], None],
) -> None:
    told = list[ErrorReport]()
    tasks = Tasks(told.append)
    release = asyncio.Event()

    async def fail() -> None:
        await release.wait()
        raise RuntimeError("too late")

    late = tasks.spawn(fail(), "late")
    tasks.end()
    release.set()
    expect_log("a task failed: late")
    await asyncio.wait([late])
    await asyncio.sleep(0)
    assert not told


@pytest.mark.skipif(sys.platform == "win32", reason="completion ports have no readers")
async def test_what_can_be_read_waits_for_the_callback_that_runs(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """Also where that runs an event loop of Qt's, as a drag does."""
    loop, seen = running(), list[str]()
    ours, theirs = pair
    read = loop.create_future()

    def read_some() -> None:
        seen.append(ours.recv(10).decode())
        if not read.done():
            read.set_result(None)

    def run_qt() -> None:
        nested = QEventLoop()
        theirs.send(b"read")
        QTimer.singleShot(50, nested.quit)
        nested.exec()
        seen.append("ran")

    loop.add_reader(ours.fileno(), read_some)
    loop.call_soon(run_qt)
    await read
    loop.remove_reader(ours.fileno())
    assert seen == ["ran", "read"]
