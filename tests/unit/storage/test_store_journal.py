"""The journal of a running answer: what was appended is there, whoever is cancelled and whatever fails."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from desktop_chat.domain.errors import StorageError
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.storage.conversations import ConversationStore


async def running_answer(store: ConversationStore, text: str = "") -> Message:
    conversation = await store.create_conversation()
    question = await store.add_message(
        conversation_id=conversation.id, parent_id=None, role=Role.USER, text="go on"
    )
    return await store.add_message(
        conversation_id=conversation.id,
        parent_id=question.id,
        role=Role.ASSISTANT,
        text=text,
        state=MessageState.STREAMING,
    )


async def text_of(store: ConversationStore, message: Message) -> tuple[MessageState, str, str]:
    (read,) = await store.messages([message.id])
    return read.state, read.text, read.reasoning


async def test_a_running_answer_reads_as_it_stands(store: ConversationStore) -> None:
    answer = await running_answer(store)
    await store.append(answer.id, reasoning="Hm. ")
    await store.append(answer.id, "One, ", "Yes.")
    await store.append(answer.id)
    await store.append(answer.id, "two")
    assert await text_of(store, answer) == (MessageState.STREAMING, "One, two", "Hm. Yes.")


async def test_the_final_text_replaces_the_journal(store: ConversationStore, database: Path) -> None:
    answer = await running_answer(store)
    await store.append(answer.id, "On")
    await store.finish_message(answer.id, state=MessageState.COMPLETE, text="One", reasoning="r")
    assert await text_of(store, answer) == (MessageState.COMPLETE, "One", "r")
    with sqlite3.connect(database) as beside:
        assert beside.execute("SELECT count(*) FROM journal").fetchone() == (0,)
    beside.close()


async def test_a_continued_answer_keeps_its_text_and_grows(store: ConversationStore) -> None:
    answer = await running_answer(store)
    await store.finish_message(answer.id, state=MessageState.STOPPED, text="One, ", reasoning="r")
    await store.append(answer.id, "a piece too late")
    reopened = await store.reopen_message(answer.id)
    assert (reopened.state, reopened.text, reopened.error) == (MessageState.STREAMING, "One, ", None)

    await store.append(answer.id, "two")
    assert await text_of(store, answer) == (MessageState.STREAMING, "One, two", "r")
    with pytest.raises(StorageError, match="streaming"):
        await store.reopen_message(answer.id)


async def test_pieces_for_a_message_that_is_gone_are_an_error_in_words(store: ConversationStore) -> None:
    with pytest.raises(StorageError) as caught:
        await store.append(4711, "x")
    assert "does not exist" in caught.value.sentence
    with pytest.raises(StorageError):
        await store.finish_message(4711, state=MessageState.COMPLETE, text="x")
    with pytest.raises(StorageError):
        await store.select_sibling(4711, 1)


async def test_a_cancelled_task_loses_no_write(store: ConversationStore) -> None:
    answer = await running_answer(store)

    async def write() -> None:
        await asyncio.gather(*(store.append(answer.id, f"{number} ") for number in range(50)))

    task = asyncio.create_task(write())
    await asyncio.sleep(0)  # everything is submitted, nothing awaited
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _, text, _ = await text_of(store, answer)
    assert text == "".join(f"{number} " for number in range(50))


async def test_closing_carries_out_what_is_queued(database: Path) -> None:
    store = await ConversationStore.open(database)
    answer = await running_answer(store)
    writes = [asyncio.ensure_future(store.append(answer.id, "x")) for _ in range(200)]
    finish = asyncio.ensure_future(
        store.finish_message(answer.id, state=MessageState.STOPPED, text="x" * 200)
    )
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    await asyncio.gather(*writes, finish)
    with pytest.raises(StorageError, match=r"closed|shutdown"):
        await store.conversations()

    reopened = await ConversationStore.open(database)
    assert await text_of(reopened, answer) == (MessageState.STOPPED, "x" * 200, "")
    await reopened.close()


async def test_a_piece_that_could_not_be_written_is_written_with_the_next(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await ConversationStore.open(database, busy_timeout_s=0)
    answer = await running_answer(store)
    await store.append(answer.id, "a")
    blocker = sqlite3.connect(database, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    for piece in "bc":
        with pytest.raises(StorageError) as caught:
            await store.append(answer.id, piece)
        assert "Another program" in caught.value.sentence
    blocker.close()

    await store.append(answer.id, "d")
    assert await text_of(store, answer) == (MessageState.STREAMING, "abcd", "")
    await store.close()


async def test_the_cost_of_an_append_does_not_grow(store: ConversationStore, database: Path) -> None:
    """Counted in virtual machine instructions of SQLite, which no noise of the machine touches."""
    answer = await running_answer(store)

    async def instructions() -> int:
        count = 0

        def tick() -> int:
            nonlocal count
            count += 1
            return 0

        def watch(connection: sqlite3.Connection, on: bool) -> None:
            connection.set_progress_handler(tick if on else None, 1)

        await store._database.run(watch, True)
        await store.append(answer.id, "some words of an answer")
        await store._database.run(watch, False)
        return count

    early = await instructions()
    await store._database.write(
        lambda connection: connection.executemany(
            "INSERT INTO journal VALUES (?, ?, 'some words', '')",
            ((answer.id, position) for position in range(10, 50_000)),
        )
    )
    late = await instructions()
    assert early > 0
    assert late <= early * 1.2
