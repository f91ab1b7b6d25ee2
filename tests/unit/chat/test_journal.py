"""The journal: what arrives is written while it arrives, once, also when the disk refuses for a while."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from desktop_chat.chat import journal as journal_module
from desktop_chat.chat.journal import Journal
from desktop_chat.domain.deltas import ReasoningDelta, TextDelta
from desktop_chat.domain.messages import MessageState, Role
from desktop_chat.storage.conversations import ConversationStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ConversationStore]:
    opened = await ConversationStore.open(tmp_path / "c.db", busy_timeout_s=0.01)
    yield opened
    await opened.close()


async def answer_of(store: ConversationStore) -> int:
    conversation = await store.create_conversation()
    message = await store.add_message(
        conversation_id=conversation.id,
        parent_id=None,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
    )
    return message.id


async def reached(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def written(store: ConversationStore, message_id: int, text: str, reasoning: str = "") -> None:
    """Wait until this is on disk."""
    async with asyncio.timeout(10):
        while True:
            (message,) = await store.messages([message_id])
            if (message.text, message.reasoning) == (text, reasoning):
                return
            await asyncio.sleep(0.005)


async def test_what_arrives_is_written_while_it_arrives(store: ConversationStore) -> None:
    journal = Journal(store, await answer_of(store))
    journal.delta(ReasoningDelta("Hm."))
    journal.delta(TextDelta("One, "))
    await written(store, journal._message_id, "One, ", "Hm.")
    journal.delta(TextDelta("two, "))
    journal.delta(TextDelta("three"))
    await written(store, journal._message_id, "One, two, three", "Hm.")


async def test_what_the_disk_refused_is_written_once_when_it_can_be(
    store: ConversationStore,
    tmp_path: Path,
    expect_log: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.05)
    expect_log("Another program is using")
    expect_log("journal of message 1: database is locked")
    message_id = await answer_of(store)
    told: list[str] = []
    journal = Journal(store, message_id, lambda problem: told.append(str(problem)))
    with closing(sqlite3.connect(tmp_path / "c.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.delta(TextDelta("One, "))
        await reached(lambda: journal.problem)
        journal.delta(TextDelta("two"))
        other.execute("ROLLBACK")
    await written(store, message_id, "One, two")
    await reached(lambda: len(told) == 2)
    assert told == ["database is locked", "None"]
    await journal.drained()
    await written(store, message_id, "One, two")


class SlowWrite(Future[None]):
    """Counts how often one looked whether it has ended."""

    looked = 0

    def done(self) -> bool:
        self.looked += 1
        return super().done()


class SlowStore:
    """Writes when it is told to."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, SlowWrite]] = []

    def begin_append(self, message_id: int, text: str, reasoning: str) -> Future[None]:
        self.writes.append((text, SlowWrite()))
        return self.writes[-1][1]


async def test_a_slow_disk_has_one_write_at_a_time_and_the_end_waits_for_it() -> None:
    store = SlowStore()
    journal = Journal(store, 1)
    journal.delta(TextDelta("One, "))
    await reached(lambda: store.writes)
    journal.delta(TextDelta("two, "))
    journal.delta(TextDelta("three"))
    await reached(lambda: store.writes[0][1].looked >= 2)
    end = asyncio.ensure_future(journal.drained())
    await asyncio.sleep(0)
    assert [text for text, _ in store.writes] == ["One, "]
    assert not end.done()
    store.writes[0][1].set_result(None)
    await end
    await reached(lambda: len(store.writes) == 2)
    assert store.writes[1][0] == "two, three"
    store.writes[1][1].set_result(None)
