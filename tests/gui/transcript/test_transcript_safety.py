"""Untrusted text: nothing is read or fetched, and nothing a model can write stops the view."""

from __future__ import annotations

import builtins
import socket
import unicodedata
from collections.abc import Iterator
from typing import NoReturn

import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_chat.domain.deltas import TextDelta
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.markup import parse
from desktop_chat.markup.blocks import Paragraph
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.copying import Form
from desktop_chat.ui.transcript.inline import hidden_characters, shown_text
from desktop_chat.ui.transcript.menu import open_menu
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.pictures import close_math_renderer
from desktop_chat.ui.transcript.view import TranscriptView

HOSTILE = {
    "images": "![a](https://evil.example/x.png) ![b](file:///etc/passwd) ![c](//host/share)\n\n[d](file:///x)\n",
    "html": "<img src='file:///etc/passwd'><style>@import 'x'</style><script>alert(1)</script>\n\ntext",
    "quotes": ">" * 3000 + " deep",
    "lists": "".join("  " * n + "- x\n" for n in range(200)),
    "brackets": "[" * 4000,
    "stars": "*" * 4000 + "a",
    "angles": "<" * 20_000,
    "long line": "x" * 300_000,
    "long words": "word " * 40_000,
    "backticks": "`" * 20_000,
    "long code line": "```\n" + "y" * 200_000 + "\n```",
    "wide table": "|" + "a|" * 300 + "\n|" + "-|" * 300 + "\n|" + "b|" * 300,
    "combining": "e" + "\u0301" * 3000,
    "bidi": "\u202eabc\u2066def `\u202e x`\n\n```\n\u202e\u200b\n```\n",
    "controls": "a\x00b\x1b[31mred\x07",
    "surrogate pairs": "🙂" * 3000,
    "math": "$" + "{" * 500 + "x" + "}" * 500 + "$ $$\\frac{1}{2}$$",
}


def refuse(*args: object, **kwargs: object) -> NoReturn:
    raise AssertionError(f"touched the outside: {args}")


def answer(text: str, state: MessageState = MessageState.COMPLETE) -> Message:
    return Message(id=1, conversation_id=1, parent_id=None, role=Role.ASSISTANT, text=text, state=state)


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[TranscriptView]:
    made = TranscriptView(theme_for(dark=True, reduce_motion=True))
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    warm = answer("# a\n\n```python\nx = 1\n```\n\n- b\n\n| c |\n|---|\n| d |\n")
    made.model.reset([stub_of(warm)], [warm])
    QApplication.processEvents()
    yield made
    close_math_renderer()


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "math"])
def test_shown_without_touching_the_outside(
    view: TranscriptView, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(socket, "socket", refuse)
    message = answer(HOSTILE[name])
    view.model.reset([stub_of(message)], [message])
    QApplication.processEvents()
    view.scroll_by(-300)
    view.select_all()
    view.copy_as("rich")
    for y in range(0, view.viewport().height(), 8):
        view.pointer.moved(QPointF(view.column_left + 30, y))
    open_menu(view, QPoint(view.column_left + 30, 40), 0).close()
    QApplication.processEvents()
    assert view.stack.height > 0


@pytest.mark.parametrize("name", HOSTILE)
def test_streamed_to_the_end(view: TranscriptView, name: str) -> None:
    text = HOSTILE[name]
    view.model.reset([], [])
    view.model.append(answer("", MessageState.STREAMING))
    step = max(1, len(text) // 40)
    for start in range(0, len(text), step):
        view.model.append_delta(1, TextDelta(text[start : start + step]))
        view.clock.flush_all()
        QApplication.processEvents()
    view.model.replace(answer(text))
    QApplication.processEvents()
    assert view.is_at_end()


def test_text_that_reorders_itself_is_shown_in_its_order_and_copied_as_it_is(view: TranscriptView) -> None:
    text = "Run `rm\u202e fdp.exe\u200b` or \u2066that\u2069."
    message = answer(text)
    view.model.reset([stub_of(message)], [message])
    QApplication.processEvents()
    content = parse(text)[0].block
    assert isinstance(content, Paragraph)
    named = hidden_characters(content.content)
    assert [item.name for item in named] == ["RLO", "ZWSP", "LRI", "PDI"]
    shown = shown_text(content.content, [item.position for item in named])
    assert len(shown) == len(content.content.text)
    assert not any(unicodedata.bidirectional(character) in {"RLO", "LRI", "PDI"} for character in shown)
    view.select_all()
    found: list[str] = []
    view.reading.take_out(Form.PLAIN, lambda copied: found.append(copied.text))
    while view.reading.copying.is_active:
        QApplication.processEvents()
    assert found == [text.replace("`", "")]
