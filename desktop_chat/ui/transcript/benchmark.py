"""What a streamed answer costs the transcript, without a screen: CPU a token, and frames."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication

from desktop_chat import resources
from desktop_chat.demo.tokens import pieces
from desktop_chat.domain.deltas import TextDelta
from desktop_chat.domain.measurements import Measurement
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.markup import to_html
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.view import TranscriptView

TOKENS_A_FRAME: Final = 16
"""At 1,000 tokens a second and 60 frames."""

_LENGTHS: Final = (2_000, 8_000, 32_000)
_LONG_ANSWER: Final = 999_000
"""Characters; a few more, and an answer is shown as plain text."""

_PASSES: Final = 3
_applications: list[QApplication] = []


def measure() -> list[Measurement]:
    """All figures; needs no screen. Each frame counts at its cheapest of several passes: what else the machine did in
    the others is not the transcript's."""
    ensure_application()
    tokens = pieces(resources.read_text("demo/long.md"))
    _stream(tokens[:600])  # imports and caches
    found: list[Measurement] = []
    a_token: dict[int, float] = {}
    for length in _LENGTHS:
        answer = [tokens[index % len(tokens)] for index in range(length)]
        frames = _cheapest(answer)
        a_token[length] = sum(frames) / length * 1000
        for name, show in (("setHtml", _show_html), ("setMarkdown", QTextDocument.setMarkdown)):
            found.append(
                Measurement(
                    what=f"GUI CPU a token, {length:,} tokens",
                    value=a_token[length],
                    unit="ms",
                    baseline=_whole_document(answer, show) * 1000,
                    baseline_name=f"{name} and layout at each token",
                    target="0.12 ms at any length",
                )
            )
        found += frame_figures(f"{length:,} tokens", frames)
    found.append(
        Measurement(
            what="GUI CPU a token, 32,000 tokens",
            value=a_token[_LENGTHS[-1]],
            unit="ms",
            baseline=a_token[_LENGTHS[0]],
            baseline_name="the same at 2,000 tokens",
            target="at most 1.15 times",
        )
    )
    found += _end_of_a_long_answer(tokens)
    for name, text in _tails().items():
        found += frame_figures(name, _cheapest(_cut(text)))
    return found


def _end_of_a_long_answer(tokens: list[str]) -> list[Measurement]:
    """What the last tokens of 1 MB cost, beside the same tokens as an answer of their own."""
    answer = [tokens[index % len(tokens)] for index in range(_LENGTHS[0])]
    text = resources.read_text("demo/long.md") + "\n\n"
    before = text * ((_LONG_ANSWER - sum(map(len, answer))) // len(text))
    frames = _cheapest(answer, before)
    return [
        Measurement(
            what=f"GUI CPU a token, last {len(answer):,} of 1 MB",
            value=sum(frames) / len(answer) * 1000,
            unit="ms",
            baseline=sum(_cheapest(answer)) / len(answer) * 1000,
            baseline_name="the same as an answer of their own",
            target="at most 1.15 times",
        ),
        *frame_figures("the end of 1 MB", frames),
    ]


def _cheapest(tokens: list[str], before: str = "") -> list[float]:
    return [min(frame) for frame in zip(*(_stream(tokens, before) for _ in range(_PASSES)), strict=True)]


def ensure_application() -> None:
    """Have a QApplication, without a screen unless there is one already."""
    if QApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _applications.append(QApplication([]))


def frame_figures(name: str, frames: list[float], p99_target: str = "6 ms") -> list[Measurement]:
    ordered = sorted(frames)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return [
        Measurement(what=f"frame p99, {name}", value=p99 * 1000, unit="ms", target=p99_target),
        Measurement(what=f"frame max, {name}", value=ordered[-1] * 1000, unit="ms", target="16 ms"),
    ]


def make_view() -> TranscriptView:
    """A shown transcript that moves only for what is measured."""
    view = TranscriptView(theme_for(dark=False, reduce_motion=True))
    view.resize(900, 800)
    view.show()
    return view


@contextmanager
def shown_view() -> Iterator[TranscriptView]:
    """Such a view, deleted at the end."""
    view = make_view()
    QApplication.processEvents()
    try:
        yield view
    finally:
        view.close()
        view.deleteLater()
        QCoreApplication.sendPostedEvents(view, QEvent.Type.DeferredDelete.value)


def make_answer(number: int, text: str, state: MessageState = MessageState.COMPLETE) -> Message:
    """Message ``number`` of conversation 1, from 1."""
    parent = number - 1 or None
    return Message(
        id=number, conversation_id=1, parent_id=parent, role=Role.ASSISTANT, text=text, state=state
    )


def _stream(tokens: list[str], before: str = "") -> list[float]:
    """CPU seconds of each frame: deltas, parsing, layout and painting of what follows ``before``."""
    with shown_view() as view:
        view.model.append(make_answer(1, before, MessageState.STREAMING))
        QApplication.processEvents()
        while view.clock.is_waiting:
            view.clock.flush_now()
            QApplication.processEvents()
        frames = []
        for first in range(0, len(tokens), TOKENS_A_FRAME):
            begun = time.thread_time()
            for token in tokens[first : first + TOKENS_A_FRAME]:
                view.model.append_delta(1, TextDelta(token))
            view.clock.flush_now()
            QApplication.processEvents()
            frames.append(time.thread_time() - begun)
    return frames


def _show_html(document: QTextDocument, text: str) -> None:
    document.setHtml(to_html(text))


def _whole_document(tokens: list[str], show: Callable[[QTextDocument, str], None], samples: int = 3) -> float:
    """Mean CPU seconds of showing the whole text again, over the stream."""
    spent = 0.0
    for sample in range(1, samples + 1):
        text = "".join(tokens[: len(tokens) * (2 * sample - 1) // (2 * samples)])
        document = QTextDocument()
        begun = time.thread_time()
        show(document, text)
        document.setTextWidth(760)
        spent += time.thread_time() - begun
    return spent / samples


def _tails() -> dict[str, str]:
    words = "These words make one long paragraph that has no end and some `code` and **weight** in it. "
    return {
        "4k-token paragraph": words * 180,
        "8k-token list": "".join(f"- item {n} with some words and **weight**\n" for n in range(700)),
        "200-row table": "| a | b | c |\n|---|---|--:|\n"
        + "".join(f"| row {n} | some words in a cell | {n * 37} |\n" for n in range(200)),
        "8k-token code": "```python\n"
        + "".join(f"def function_{n}(x: int) -> int:\n    return x * {n}  # note\n\n" for n in range(330)),
    }


def _cut(text: str) -> list[str]:
    return [text[i : i + 4] for i in range(0, len(text), 4)]
