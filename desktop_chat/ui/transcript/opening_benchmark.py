"""What the transcript takes to open and scroll, and the window to search, long conversations, without a screen."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QApplication

from desktop_chat import resources
from desktop_chat.domain.measurements import Measurement
from desktop_chat.domain.messages import Message, MessageStub
from desktop_chat.ui import find_benchmark
from desktop_chat.ui.transcript.benchmark import ensure_application, frame_figures, make_answer, shown_view
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.view import TranscriptView

_PASSES: Final = 3
_WHEEL_STEPS: Final = 300
_WHEEL_STEP: Final = 84
"""Pixels."""


def measure() -> list[Measurement]:
    """All figures, CPU time; each the least of several passes."""
    ensure_application()
    text = resources.read_text("demo/long.md")
    with _view() as view:  # imports and caches
        _open(view, [stub_of(make_answer(1, text))], make_answer(1, text))
    return [*_messages(text[:1000]), *find_benchmark.measure(), *_one_long_answer(text)]


def _messages(text: str) -> Iterator[Measurement]:
    """Conversations of messages of a thousand characters."""
    for count, target in ((10_000, "60 ms"), (100_000, "300 ms")):
        stubs = [stub_of(make_answer(number, text)) for number in range(1, count + 1)]
        last = make_answer(count, text)
        opening, memory = [], []
        for _ in range(_PASSES):
            with _view(text) as view:
                before = _resident_mb()
                opening.append(_cpu(partial(_open, view, stubs, last)))
                memory.append(_resident_mb() - before)
        yield Measurement(
            what=f"open {count:,} messages", value=min(opening) * 1000, unit="ms", target=target
        )
        if count == 10_000:
            yield Measurement(
                what=f"memory to open {count:,} messages", value=min(memory), unit="MB", target="25 MB"
            )
            yield from _reading(stubs, last, text)


def _reading(stubs: list[MessageStub], last: Message, text: str) -> Iterator[Measurement]:
    passes = []
    for _ in range(_PASSES):
        with _view(text) as view:
            _open(view, stubs, last)
            steps = [_cpu(partial(_wheel, view, -_WHEEL_STEP)) for _ in range(_WHEEL_STEPS // 2)]
            view.scroll_to_message(len(stubs) // 2)
            QApplication.processEvents()
            passes.append(
                steps + [_cpu(partial(_wheel, view, _WHEEL_STEP)) for _ in range(_WHEEL_STEPS // 2)]
            )
    frames = [min(step) for step in zip(*passes, strict=True)]
    yield from frame_figures("wheel scrolling in 10,000 messages", frames, "12 ms")


def _one_long_answer(text: str) -> Iterator[Measurement]:
    long = (text + "\n\n") * (1_000_000 // len(text))
    message = make_answer(1, long)
    opening = []
    for _ in range(_PASSES):
        with _view() as view:
            opening.append(_cpu(partial(_open, view, [stub_of(message)], message)))
    yield Measurement(what="open one answer of 1 MB", value=min(opening) * 1000, unit="ms", target="100 ms")


@contextmanager
def _view(text: str = "") -> Iterator[TranscriptView]:
    """A view whose messages have ``text``, if any, loaded as they are asked for."""
    with shown_view() as view:
        model = view.model
        if text:
            model.needed.connect(lambda ids: model.provide([make_answer(each, text) for each in ids]))
        yield view
    gc.collect()


def _open(view: TranscriptView, stubs: list[MessageStub], last: Message) -> None:
    """Until all that shows is painted."""
    view.model.reset(stubs, [last])
    QApplication.processEvents()
    while view.clock.is_waiting:
        view.clock.flush_now()
        QApplication.processEvents()


def _wheel(view: TranscriptView, pixels: int) -> None:
    view.scroll_by(pixels)
    QApplication.processEvents()


def _resident_mb() -> float:
    """Resident memory; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 1e6


def _cpu(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun
