"""Copying from a conversation of which most is on disk only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from gui import test_window
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import StorageError
from desktop_chat.domain.messages import Message, Role
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.paths import DataPaths

TEXTS = [f"- Message **number** {number}" for number in range(1, 301)]


def message(number: int, text: str) -> Message:
    fields = {"id": number, "conversation_id": 1, "parent_id": number - 1 or None, "role": Role.ASSISTANT}
    return msgspec.convert({**fields, "text": text}, Message)


@pytest.fixture
async def run(qapp: QApplication, tmp_path: Path) -> AsyncIterator[test_window.Run]:
    """The program, with a conversation of 300 messages open."""
    paths = DataPaths.choose(tmp_path)
    paths.create()
    store = await ConversationStore.open(paths.database)
    messages = [message(number, text) for number, text in enumerate(TEXTS, 1)]
    await store.import_conversation(Conversation(id=1, title="Long"), messages)
    await store.close()
    started = test_window.Run(qapp, tmp_path)
    await started.ready()
    (conversation,) = await started.controller.library.conversations()
    await started.controller.open(conversation.id)
    QGuiApplication.clipboard().clear()
    yield started
    await started.close()
    qapp.setStyleSheet("")


async def test_all_messages_are_copied(run: test_window.Run) -> None:
    view = run.controller.view.view
    view.select_all()
    view.copy()
    await test_window.until(lambda: not view.reading.copying.is_active, "the text to be read")
    assert QGuiApplication.clipboard().text() == "\n\n".join(TEXTS)


async def test_a_store_that_fails_is_said_to_and_asked_again(
    run: test_window.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, library = run.controller.view.view, run.controller.library

    async def fail(ids: object) -> list[Message]:
        raise StorageError("The disk cannot be read.")

    with monkeypatch.context() as failing:
        failing.setattr(library, "messages", fail)
        view.select_all()
        view.copy()
        await test_window.until(lambda: not view.reading.copying.is_active, "copying to be given up")
    assert run.window.toast.text.startswith("Nothing was copied, because")
    assert QGuiApplication.clipboard().text() == ""
    view.copy()
    await test_window.until(lambda: not view.reading.copying.is_active, "the text to be read")
    assert QGuiApplication.clipboard().text() == "\n\n".join(TEXTS)
