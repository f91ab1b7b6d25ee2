"""A disk that is full while an answer comes, and has room again later: nothing is lost, and nothing untrue is said."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from unit.chat.test_library import Program, reached

from desktop_chat.chat import journal as journal_module
from desktop_chat.chat import unsaved as unsaved_module
from desktop_chat.chat.session import ChatSession
from desktop_chat.chat.unsaved import UnsavedAnswers
from desktop_chat.domain.errors import DatabaseError, ErrorReport, StorageError
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.domain.settings import Settings

pytestmark = pytest.mark.usefixtures("caplog")  # the log names each refusal

PATIENCE_S = 20.0


@pytest.fixture
async def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Program]:
    """Tries again sooner than a person's program would."""
    monkeypatch.setattr(unsaved_module, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.05)
    program = await Program(tmp_path).open()
    program.preferences.settings = Settings().with_value("demo.tokens_per_second", 2000)
    yield program
    await program.close()


async def fill(program: Program) -> None:
    """Let the database grow no more, and use up what free room it has."""

    def limit(connection: sqlite3.Connection) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await program.store._database.run(limit)


async def free(program: Program) -> None:
    await program.store._database.run(lambda it: it.execute("PRAGMA max_page_count = 1000000").fetchone())


def reports(program: Program) -> list[ErrorReport]:
    return [value for name, value in program.listener.events if isinstance(value, ErrorReport)]


async def told(program: Program, name: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while name not in program.listener.names:
            await asyncio.sleep(0.01)


async def refused(program: Program, *, stop: bool) -> tuple[int, ChatSession]:
    """An answer of which the disk took nothing; stopped by the user, or still running."""
    conversation = await program.library.create()
    turn = await program.library.send(conversation.id, "Write 20000 tokens")
    await reached(lambda: turn.text)
    await fill(program)
    await told(program, "problem")
    if stop:
        turn.stop()
        await turn.wait()
    return conversation.id, turn


async def on_disk(program: Program, turn: ChatSession) -> Message:
    assert turn.message_id is not None
    (message,) = await program.store.messages([turn.message_id])
    return message


async def test_a_full_disk_is_said_while_the_answer_comes(program: Program) -> None:
    conversation_id, turn = await refused(program, stop=False)
    assert turn.result is None
    (report,) = reports(program)
    assert "disk is full" in report.sentence
    assert program.library.unsaved == {conversation_id}
    await free(program)
    await told(program, "problem_over")
    assert turn.result is None
    assert not program.library.unsaved
    assert (await on_disk(program, turn)).text


async def test_the_whole_answer_is_saved_once_the_disk_takes_writes_again(program: Program) -> None:
    conversation_id, turn = await refused(program, stop=True)
    assert turn.result is not None
    assert (await on_disk(program, turn)).text != turn.result.text
    _question, shown = await program.branch(conversation_id)
    assert (shown.text, shown.state) == (turn.result.text, MessageState.STOPPED)
    _question_stub, stub = await program.library.stubs(conversation_id)
    assert (stub.state, stub.text_length) == (MessageState.STOPPED, len(turn.result.text))
    assert program.library.unsaved == {conversation_id}
    assert "problem_over" not in program.listener.names

    await free(program)
    await told(program, "problem_over")
    kept = await on_disk(program, turn)
    assert (kept.text, kept.state, kept.error) == (turn.result.text, MessageState.STOPPED, None)
    assert not program.library.unsaved


async def test_the_end_saves_what_was_refused(program: Program, tmp_path: Path) -> None:
    _, turn = await refused(program, stop=True)
    await free(program)
    await program.library.shutdown()
    again = await Program(tmp_path).open()
    try:
        kept = await on_disk(again, turn)
        assert turn.result is not None
        assert (kept.text, kept.state) == (turn.result.text, MessageState.STOPPED)
    finally:
        await again.close()


async def test_the_end_of_a_full_disk_is_an_end(program: Program) -> None:
    conversation_id, turn = await refused(program, stop=False)
    assert not await program.library.settle(5)
    assert turn.result is not None
    assert program.library.unsaved == {conversation_id}
    await program.library.shutdown()


async def test_the_next_question_waits_until_the_answer_is_saved(program: Program) -> None:
    conversation_id, turn = await refused(program, stop=True)
    with pytest.raises(StorageError, match="full"):
        await program.library.send(conversation_id, "And then?")
    await free(program)
    again = await program.library.send(conversation_id, "And then?")
    assert turn.result is not None
    assert (await on_disk(program, turn)).text == turn.result.text
    again.stop()
    await again.wait()


async def test_an_answer_that_has_no_place_any_more_is_not_tried_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unsaved_module, "RETRY_SECONDS", 0.001)
    problems: list[StorageError] = [
        DatabaseError("full"),
        DatabaseError("full"),
        StorageError("no message 1"),
    ]
    over: list[bool] = []

    async def save(_message: Message) -> StorageError:
        return problems.pop(0)

    unsaved = UnsavedAnswers(save, lambda: over.append(True))
    unsaved.add(Message(id=1, conversation_id=1, parent_id=None, role=Role.ASSISTANT, text="x"))
    await reached_slowly(lambda: over)
    assert not unsaved.messages
    await unsaved.close()


async def reached_slowly(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)
