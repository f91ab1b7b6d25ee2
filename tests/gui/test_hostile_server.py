"""A server that floods the window: it goes on with its own work in between, Stop works, and no text is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
from fault_server.server import WAIT_FOR_CLIENT_TO_LEAVE, FaultServer, Forever, Script
from fault_server.wire import CHUNKED, DONE, LAST_HTTP_CHUNK, chunk, delta, finish, head, http_chunk
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop_chat.chat.launch import WindowOptions
from desktop_chat.chat.session import ChatSession
from desktop_chat.demo.hostile import ATTACKS
from desktop_chat.domain.deltas import StreamDelta, TextDelta
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.ui import application, hostile_benchmark
from desktop_chat.ui.program import Program
from desktop_chat.ui.transcript import flow
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.model import MOST_WAITING, SHOWN_ARGUMENTS
from desktop_chat.ui.window_controller import WindowController

PATIENCE_S = 40.0
MOST_DELTAS_A_TURN = 500
"""Of the shortest events; so many fit into one read."""
MOST_CHARACTERS_A_TURN = 40_000
LONG_LINE = 2_000_000


class Watch:
    """Ticks whenever Qt's loop comes round, and notes how much of the answer came between two ticks."""

    def __init__(self, turn: ChatSession) -> None:
        self.ticks = 0
        self.deltas = self.most_deltas = 0
        self.characters = self.most_characters = 0
        self._timer = QTimer(interval=0)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        turn.attach(self)

    def started(self, context: object) -> None:
        return

    def delta(self, delta: StreamDelta) -> None:
        self.deltas += 1
        self.characters += len(delta.text) if isinstance(delta, TextDelta) else 0
        self.most_deltas = max(self.most_deltas, self.deltas)
        self.most_characters = max(self.most_characters, self.characters)

    def finished(self, result: object) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        self.ticks += 1
        self.deltas = self.characters = 0


class Attacked:
    """The program before a hostile server."""

    def __init__(self, application_: QApplication, folder: Path, *script: Script) -> None:
        self._application, self._folder = application_, folder
        self.server = FaultServer(*script)

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        options = WindowOptions(data_dir=self._folder, base_url=self.server.base_url, model="m")
        window, appearance, conversations, state = application.open_main_window(
            self._application, self._folder
        )
        self.window = window
        self.program = Program(options, window, appearance, conversations, state)
        self.ended = asyncio.ensure_future(self.program.main())
        await until(lambda: self.program.controller and self.window.composer.is_ready, "the program")
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.window.close()
        await asyncio.wait_for(self.ended, PATIENCE_S)
        await self.server.__aexit__(None, None, None)
        await asyncio.sleep(0)
        self._application.setStyleSheet("")

    @property
    def controller(self) -> WindowController:
        assert self.program.controller is not None
        return self.program.controller

    @property
    def model(self) -> Any:
        return self.controller.view.view.model

    async def send(self) -> ChatSession:
        turn = await self.controller.send("Go")
        assert turn is not None
        return turn

    def answer(self) -> Message:
        message = self.controller.view.newest(Role.ASSISTANT)
        assert message is not None
        return message

    def layout(self) -> MessageLayout:
        row = self.model.row_of(self.answer().id)
        layout: MessageLayout = self.controller.view.view.stack.layout(row)
        return layout

    async def check_kept(self, turn: ChatSession) -> Message:
        """The answer in the window is what the turn ended with and what is on disk, and all of it gets shown."""
        result = await turn.wait()
        (kept,) = await self.controller.library.messages([self.answer().id])
        for message in (self.answer(), kept):
            assert message.text == result.text
            assert message.reasoning == result.reasoning
            assert message.tool_calls == result.tool_calls
        await until(lambda: not self.layout().is_behind, "the whole answer to be shown")
        return kept


Attack = Callable[..., Attacked]


@pytest.fixture
async def attack(qapp: QApplication, tmp_path: Path) -> Attack:
    return lambda *steps: Attacked(qapp, tmp_path, steps)


async def until(condition: Callable[[], Any], what: str) -> None:
    for _ in range(int(PATIENCE_S / 0.005)):
        if condition():
            return
        await asyncio.sleep(0.005)
    pytest.fail(f"waited in vain for {what}")


def plain_text(layout: MessageLayout) -> str:
    """What the text's blocks show, white space folded."""
    found = [getattr(spec.source, "text", None) or spec.source.content.text for spec in layout._body.specs]
    return "".join("".join(found).split())


async def test_very_many_chunks_at_once(attack: Attack) -> None:
    words = [f"w{number} " for number in range(20_000)]
    flood = CHUNKED + b"".join(http_chunk(chunk(word)) for word in words) + http_chunk(finish() + DONE)
    async with attack(flood + LAST_HTTP_CHUNK) as run:
        turn = await run.send()
        watch = Watch(turn)
        kept = await run.check_kept(turn)
        assert (kept.state, kept.text) == (MessageState.COMPLETE, "".join(words))
        assert watch.most_deltas <= MOST_DELTAS_A_TURN
        assert watch.ticks >= len(words) // MOST_DELTAS_A_TURN
        assert plain_text(run.layout()) == "".join(kept.text.split())


@pytest.mark.parametrize("field", ["content", "reasoning_content"])
async def test_one_very_long_line(attack: Attack, field: str) -> None:
    text = "Some words and some more. " * 6_000
    async with attack(head(), delta(**{field: text}), finish(), DONE) as run:
        turn = await run.send()
        watch = Watch(turn)
        kept = await run.check_kept(turn)
        assert (kept.text or kept.reasoning) == text
        assert watch.most_characters <= MOST_CHARACTERS_A_TURN
        assert watch.ticks >= len(text) // MOST_CHARACTERS_A_TURN


async def test_very_long_arguments_are_kept_whole_and_shown_in_part(attack: Attack) -> None:
    arguments = json.dumps({"text": "word " * 400_000})
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": arguments}}
    async with attack(head(), delta(tool_calls=[call]), finish("tool_calls"), DONE) as run:
        turn = await run.send()
        kept = await run.check_kept(turn)
        assert kept.tool_calls[0].arguments == arguments
        layout = run.layout()
        box = layout._make_box(next(spec for spec in layout._after_text() if spec.source in kept.tool_calls))
        assert box.activate("fold")
        box.lay_out(600)
        shown = "".join(placed.run.text for placed in box.runs())
        assert SHOWN_ARGUMENTS <= len(shown) < 2 * SHOWN_ARGUMENTS
        assert f"({len(arguments):,} characters in all)" in shown


@pytest.mark.parametrize(
    "step",
    [
        Forever(chunk("word ")),
        Forever(chunk("A sentence of some words.\n\n" * 300)),
        Forever(delta(reasoning_content="Well, then. " * 600)),
        Forever(
            delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": "[1, 2] " * 9}}])
        ),
        Forever(b":\n" * 10_000),
        b'data: {"choices":[{"delta":{"content":"' + b"a" * LONG_LINE,
        delta(content="a" * LONG_LINE),
    ],
    ids=["tokens", "paragraphs", "reasoning", "arguments", "comments", "unfinished line", "long line"],
)
async def test_stop_ends_what_never_ends(attack: Attack, step: Any) -> None:
    async with attack(head(), chunk("First. "), step, WAIT_FOR_CLIENT_TO_LEAVE) as run:
        turn = await run.send()
        watch = Watch(turn)
        most_waiting = 0
        while watch.ticks < 100 or not turn.text:
            await asyncio.sleep(0)
            growth = run.model.growing.get(turn.message_id)
            most_waiting = max(most_waiting, growth.waiting if growth else 0)
        assert most_waiting <= MOST_WAITING + MOST_CHARACTERS_A_TURN
        QTest.mouseClick(run.window.composer.stop_button, Qt.MouseButton.LeftButton)
        await until(lambda: run.controller.view.turn is None, "the stop")
        assert run.window.composer.send_button.isVisible()
        kept = await run.check_kept(turn)
        assert kept.state is MessageState.STOPPED
        assert kept.text.startswith("First. ")
        await asyncio.wait_for(run.server.all_clients_left(), PATIENCE_S)


async def test_switching_away_lets_the_server_go_on(attack: Attack) -> None:
    """Nobody looks: nothing has to be shown, so nothing needs to wait."""
    async with attack(head(), Forever(chunk("A sentence of some words.\n\n" * 300))) as run:
        turn = await run.send()
        await until(lambda: turn.text, "the first words")
        await run.controller.open(0)
        begun = len(turn.text)
        await until(lambda: len(turn.text) > begun + 10 * MOST_WAITING, "ten times what may wait to be shown")
        turn.stop()
        await turn.wait()


async def test_text_beyond_any_answer_is_shown_as_it_is(
    attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "LONGEST_MARKUP", 5_000)
    text = "A **paragraph**.\n\n" * 2_000
    async with attack(head(), chunk(text), finish(), DONE) as run:
        turn = await run.send()
        await run.check_kept(turn)
        layout = run.layout()
        assert layout._body.length == len(text)
        assert layout.column.entries[1].spec.source.content.text == "A paragraph."
        shown = plain_text(layout)
        assert shown.endswith("A**paragraph**.")
        assert shown.replace("*", "") == "".join(text.replace("*", "").split())
        opened = MessageLayout(run.answer(), run.controller.view.view.workshop, layout._memory, layout.width)
        assert opened._body.specs[-1].source.text.endswith("A **paragraph**.\n\n")


def test_the_benchmark_names_attacks_that_exist() -> None:
    assert set(hostile_benchmark.ATTACKS) <= set(ATTACKS)


async def test_the_benchmark_sees_blocks_and_the_stop(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostile_benchmark, "_STOP_AFTER_S", 0.2)
    block, stop = await hostile_benchmark._attacked("endless comments")
    assert block > 0
    assert stop is not None
    qapp.setStyleSheet("")
