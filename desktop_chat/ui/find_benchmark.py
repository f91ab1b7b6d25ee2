"""What finding in a long conversation takes: the real window without a screen, the conversation on disk."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication

from desktop_chat import resources
from desktop_chat.chat.launch import WindowOptions
from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.measurements import Measurement
from desktop_chat.domain.messages import Message, Role
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.paths import DataPaths
from desktop_chat.ui import application, event_loop
from desktop_chat.ui.hostile_benchmark import BlockProbe
from desktop_chat.ui.program import Program

_PASSES: Final = 5
_MESSAGES: Final = 10_000
_CHARACTERS: Final = 1_000
_HIT: Final = "The only hit"
_LIMIT_S: Final = 10.0
_SETTLED_S: Final = 0.5


def measure() -> list[Measurement]:
    """CPU time of the whole process until the hit is on the screen, and the longest the window is held up meanwhile."""
    if QApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return event_loop.run(application.make_application(), _measure)


async def _measure() -> list[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        paths = DataPaths.choose(folder)
        paths.create()
        store = await ConversationStore.open(paths.database)
        conversation = await store.import_conversation(Conversation(id=1, title="Long"), _conversation())
        await store.close()
        spent = [(await _found(Path(folder), conversation.id))[0] for _ in range(_PASSES)]
        blocks = [(await _found(Path(folder), conversation.id, probes=True))[1] for _ in range(_PASSES)]
    return [
        Measurement(
            what="first hit in 10 MB on disk, half way", value=min(spent) * 1000, unit="ms", target="20 ms"
        ),
        Measurement(
            what="longest block of the window meanwhile",
            value=min(blocks) * 1000,
            unit="ms",
            target="at most 16 ms, a frame",
        ),
    ]


def _conversation() -> Iterator[Message]:
    text = resources.read_text("demo/long.md")
    for number in range(1, _MESSAGES + 1):
        start = number * 617 % (len(text) - _CHARACTERS)
        content = text[start : start + _CHARACTERS]
        if number == _MESSAGES // 2:
            content = f"{content[: -len(_HIT)]}{_HIT}"
        yield Message(
            id=number,
            conversation_id=1,
            parent_id=number - 1 or None,
            role=Role.USER if number % 2 else Role.ASSISTANT,
            text=content,
        )


async def _found(folder: Path, conversation_id: int, *, probes: bool = False) -> tuple[float, float]:
    """One start of the program and one search in it; CPU seconds until the hit is painted, and of the longest block.

    Args:
        probes: look for blocks, which costs some CPU time itself.
    """
    qt = application.make_application()
    window, appearance, conversations, state = application.open_main_window(qt, folder)
    program = Program(WindowOptions(data_dir=folder), window, appearance, conversations, state)
    ended = asyncio.ensure_future(program.main())
    try:
        while program.controller is None or not window.composer.is_ready:  # noqa: ASYNC110 - a benchmark
            await asyncio.sleep(0.01)
        await program.controller.open(conversation_id)
        await asyncio.sleep(_SETTLED_S)  # the rest of the start is not the search's doing
        view = program.controller.view.view
        window.find_bar.begin()
        await asyncio.sleep(_SETTLED_S)
        shown: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        paint = view.paintEvent

        def painted(event: QPaintEvent) -> None:
            paint(event)
            if view.reading.search.current is not None and not shown.done():
                shown.set_result(time.process_time())

        view.paintEvent = painted
        probe = BlockProbe(window) if probes else None
        spent = time.process_time()
        window.find_bar.field.setText(_HIT)
        spent = await asyncio.wait_for(shown, _LIMIT_S) - spent
        return spent, probe.end() if probe else 0.0
    finally:
        window.close()
        await ended
