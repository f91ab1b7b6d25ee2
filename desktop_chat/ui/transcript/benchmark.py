"""The transcript's own figures, without a screen: CPU a token, frames, opening, scrolling, finding."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication

from desktop_chat import resources
from desktop_chat.demo.tokens import pieces
from desktop_chat.domain.deltas import TextDelta
from desktop_chat.domain.measurements import Measurement
from desktop_chat.domain.messages import Message, MessageState, MessageStub, Role
from desktop_chat.markup import to_html
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.view import TranscriptView

TOKENS_A_FRAME: Final = 16
"""At 1,000 tokens a second and 60 frames."""

_LENGTHS: Final = (2_000, 8_000, 32_000)
_applications: list[QApplication] = []


def measure() -> list[Measurement]:
    """All figures; needs no screen."""
    ensure_application()
    tokens = pieces(resources.read_text("demo/long.md"))
    _stream(tokens[:600])  # imports and caches
    found: list[Measurement] = []
    for length in _LENGTHS:
        answer = [tokens[index % len(tokens)] for index in range(length)]
        frames = _stream(answer)
        found.append(
            Measurement(
                what=f"GUI CPU a token, {length:,} tokens",
                value=sum(frames) / length * 1000,
                unit="ms",
                baseline=_whole_document(answer) * 1000,
                baseline_name="Markdown to HTML, setHtml and layout at each token",
                target="0.12 ms at any length",
            )
        )
        found += _frame_figures(f"{length:,} tokens", frames)
    for name, text in _tails().items():
        found += _frame_figures(name, _stream(_cut(text)))
    found += _opening()
    return found


def ensure_application() -> None:
    """Have a QApplication, without a screen unless there is one already."""
    if QApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _applications.append(QApplication([]))


def _frame_figures(name: str, frames: list[float]) -> list[Measurement]:
    ordered = sorted(frames)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return [
        Measurement(what=f"frame p99, {name}", value=p99 * 1000, unit="ms", target="6 ms"),
        Measurement(what=f"frame max, {name}", value=ordered[-1] * 1000, unit="ms", target="16 ms"),
    ]


def make_view() -> TranscriptView:
    """A shown transcript that moves only for what is measured."""
    view = TranscriptView(theme_for(dark=False, reduce_motion=True))
    view.resize(900, 800)
    view.show()
    return view


def make_answer(number: int, text: str, state: MessageState = MessageState.COMPLETE) -> Message:
    """Message ``number`` of conversation 1, from 1."""
    parent = number - 1 or None
    return Message(
        id=number, conversation_id=1, parent_id=parent, role=Role.ASSISTANT, text=text, state=state
    )


def _stream(tokens: list[str]) -> list[float]:
    """CPU seconds of each frame: deltas, parsing, layout and painting."""
    view = make_view()
    view.model.append(make_answer(1, "", MessageState.STREAMING))
    QApplication.processEvents()
    frames = []
    for first in range(0, len(tokens), TOKENS_A_FRAME):
        begun = time.thread_time()
        for token in tokens[first : first + TOKENS_A_FRAME]:
            view.model.append_delta(1, TextDelta(token))
        view.clock.flush_now()
        QApplication.processEvents()
        frames.append(time.thread_time() - begun)
    view.close()
    view.deleteLater()
    return frames


def _whole_document(tokens: list[str], samples: int = 3) -> float:
    """Mean CPU seconds of showing the whole text again, over the stream."""
    spent = 0.0
    for sample in range(1, samples + 1):
        text = "".join(tokens[: len(tokens) * (2 * sample - 1) // (2 * samples)])
        document = QTextDocument()
        begun = time.thread_time()
        document.setHtml(to_html(text))
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


def _opening() -> list[Measurement]:
    sample = resources.read_text("demo/long.md")[:1000]
    found = []
    for count, target in ((10_000, "60 ms"), (100_000, "300 ms")):
        messages = [make_answer(n, sample) for n in range(1, count + 1)] if count == 10_000 else []
        last = make_answer(count, sample)
        stubs = [stub_of(m) for m in messages] or [
            stub_of(make_answer(n, "x" * 1000)) for n in range(1, count + 1)
        ]
        view = make_view()
        view.model.needed.connect(
            lambda ids, model=view.model: model.provide(make_answer(each, sample) for each in ids)
        )
        value = _cpu(partial(_open, view, stubs, last))
        found.append(
            Measurement(what=f"open {count:,} messages", value=value * 1000, unit="ms", target=target)
        )
        if count == 10_000:
            found += _frame_figures("wheel scrolling", [_cpu(partial(_wheel, view)) for _ in range(200)])
            view.model.provide(messages[:6000])
            hit = _cpu(partial(view.find, "sentence not there"))
            found.append(Measurement(what="find in 6 MB at hand", value=hit * 1000, unit="ms"))
        view.close()
        view.deleteLater()
    view = make_view()
    text = (resources.read_text("demo/long.md") + "\n\n") * (
        1_000_000 // len(resources.read_text("demo/long.md"))
    )
    message = make_answer(1, text)
    value = _cpu(partial(_open, view, [stub_of(message)], message))
    found.append(Measurement(what="open one answer of 1 MB", value=value * 1000, unit="ms", target="100 ms"))
    return found


def _open(view: TranscriptView, stubs: list[MessageStub], last: Message) -> None:
    view.model.reset(stubs, [last])
    QApplication.processEvents()


def _wheel(view: TranscriptView) -> None:
    view.scroll_by(-84)
    QApplication.processEvents()


def _cpu(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun
