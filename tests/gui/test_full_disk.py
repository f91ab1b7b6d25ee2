"""The window while the disk is full: what it says, when it stops saying so, and what it asks at the end."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from gui import test_window
from PySide6.QtWidgets import QMessageBox

from desktop_chat.chat import journal, unsaved
from desktop_chat.domain.messages import Message, MessageState
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.paths import DataPaths

pytestmark = pytest.mark.usefixtures("caplog")  # the log names each refusal

Start = test_window.Start
start = test_window.start
until = test_window.until


@pytest.fixture(autouse=True)
def _sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again sooner than for a person."""
    monkeypatch.setattr(unsaved, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.05)


async def grow(run: Any, pages: int | None) -> None:
    """Let the database grow to so many pages at most; ``None``: not at all any more."""

    def limit(connection: sqlite3.Connection) -> None:
        (now,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages or now}")

    await run.controller.library._store._database.run(limit)


async def streaming_onto_a_full_disk(run: Any) -> None:
    run.type("Write 20000 tokens")
    await run.streaming()
    await until(lambda: run.controller.view.turn.text, "the first words")
    await grow(run, None)
    await until(lambda: says_full(run), "the banner")


def says_full(run: Any) -> bool:
    return any("disk is full" in banner.sentence for banner in run.window.banners)


def question(run: Any) -> QMessageBox | None:
    found: QMessageBox | None = run.window.findChild(QMessageBox, "unsavedQuestion")
    return found if found is not None and found.isVisible() else None


def press(run: Any, text: str) -> None:
    box = question(run)
    assert box is not None
    next(button for button in box.buttons() if button.text() == text).click()


async def kept(folder: Path) -> Message:
    """The newest message, as the next start finds it."""
    store = await ConversationStore.open(DataPaths.under(folder).database)
    try:
        (conversation,) = await store.conversations()
        return (await store.branch(conversation.id))[-1]
    finally:
        await store.close()


async def test_a_banner_stands_from_the_first_refusal_until_all_is_saved(
    start: Start, tmp_path: Path
) -> None:
    run = await start()
    await streaming_onto_a_full_disk(run)
    turn = run.controller.view.turn
    assert turn is not None
    run.controller.stop()
    await run.answered()
    assert says_full(run)
    await grow(run, 1_000_000)
    await until(lambda: not says_full(run), "the banner to go")
    assert await run.close() == 0
    message = await kept(tmp_path)
    assert (message.text, message.state) == (turn.text, MessageState.STOPPED)
    assert message.error is None


async def test_closing_asks_and_ends_by_itself_when_all_is_saved(start: Start, tmp_path: Path) -> None:
    run = await start()
    await streaming_onto_a_full_disk(run)
    turn = run.controller.view.turn
    assert turn is not None
    run.window.close()
    await until(lambda: question(run), "the question")
    assert run.window.isVisible()
    box = question(run)
    assert box is not None
    assert "Write 20000 tokens" in box.text()
    await grow(run, 1_000_000)
    await until(run.ended.done, "the end")
    assert run.ended.result() == 0
    message = await kept(tmp_path)
    assert (message.text, message.state) == (turn.text, MessageState.STOPPED)


async def test_one_may_try_again_or_stay_or_quit_anyway(start: Start) -> None:
    run = await start()
    await streaming_onto_a_full_disk(run)
    run.window.close()
    await until(lambda: question(run), "the question")
    first = question(run)
    press(run, "Try again")
    await until(lambda: question(run) not in (None, first), "the question again")
    press(run, "Stay")
    await until(lambda: question(run) is None, "the window")
    assert run.window.isVisible()
    await grow(run, 1_000_000)
    await until(lambda: not says_full(run), "the banner to go")
    assert not run.ended.done()  # the person stayed

    run.ended_turns.clear()
    await streaming_onto_a_full_disk(run)
    run.window.close()
    await until(lambda: question(run), "the question")
    press(run, "Quit anyway")
    await until(run.ended.done, "the end")
    assert run.ended.result() == 0


async def test_a_signal_is_not_answered_with_a_question(start: Start) -> None:
    run = await start()
    await streaming_onto_a_full_disk(run)
    run.program._signalled(15)
    await until(run.ended.done, "the end")
    assert run.ended.result() == 0


async def test_what_only_the_last_save_refuses_is_asked_too(start: Start, tmp_path: Path) -> None:
    run = await start()
    run.type("Write 20000 tokens")
    await run.streaming()
    turn = run.controller.view.turn
    assert turn is not None
    await until(lambda: turn.text, "the first words")
    store = run.controller.library._store
    await store._database.run(
        lambda connection: connection.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON content BEGIN SELECT raise(ABORT, 'no'); END"
        ).fetchall()
    )
    run.window.close()
    await until(lambda: question(run), "the question")
    assert run.window.isVisible()
    await store._database.run(lambda connection: connection.execute("DROP TRIGGER full").fetchall())
    await until(run.ended.done, "the end")
    assert (await kept(tmp_path)).text == turn.text
