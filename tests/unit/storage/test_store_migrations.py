"""Old databases become new ones, whole or not at all; newer ones are left alone."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop_chat.domain.errors import StorageError
from desktop_chat.domain.messages import MessageState
from desktop_chat.domain.metrics import Metrics, Phase
from desktop_chat.domain.requests import GenerationParameters
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.migrations import MIGRATIONS, m001_conversations, migrate

FIXTURES = Path(__file__).with_name("fixtures")


@pytest.fixture
def empty() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def make(database: Path, script: str) -> None:
    connection = sqlite3.connect(database)
    connection.executescript((FIXTURES / script).read_text(encoding="utf-8"))
    connection.close()


def schema(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r'\s+|"', " ", sql).strip() for name, sql in rows}


def test_the_fixture_is_what_the_first_step_makes(empty: sqlite3.Connection, database: Path) -> None:
    """A released step is never edited: this fails when somebody does."""
    make(database, "schema_after_m001.sql")
    old = sqlite3.connect(database)
    migrate(empty, (m001_conversations,))
    assert schema(old) == schema(empty)
    old.close()


async def test_a_database_of_the_first_schema_comes_up_whole(database: Path) -> None:
    make(database, "schema_after_m001.sql")
    store = await ConversationStore.open(database)

    (conversation,) = await store.conversations()
    assert (conversation.title, conversation.draft, conversation.message_count) == ("Old rails", "unsent", 5)
    assert conversation.parameters == GenerationParameters(temperature=0.5)
    question, answer, follow_up, cut = await store.branch(conversation.id)
    assert (question.text, question.created_at) == ("What is a bogie?", 1700000001.0)
    assert answer.metrics == Metrics(phase=Phase.DONE, tokens=5, ttft_s=0.25)
    assert (answer.reasoning, answer.finish_reason, answer.sibling_count) == ("Trains.", "stop", 2)
    assert follow_up.text == "Und auf Größe?"
    assert (cut.text, cut.state) == ("It was cut he", MessageState.INTERRUPTED)
    # What was there before the index existed is found too.
    assert [hit.message_id for hit in await store.search("gro")] == [follow_up.id]
    assert [hit.message_id for hit in await store.search("rails")] == [None]
    assert await store.purge_deleted() == 1
    await store.close()


async def test_opening_again_changes_nothing(database: Path) -> None:
    await (await ConversationStore.open(database)).close()
    connection = sqlite3.connect(database)
    first = connection.execute("SELECT * FROM migration").fetchall(), schema(connection)
    connection.close()
    await (await ConversationStore.open(database)).close()
    connection = sqlite3.connect(database)
    assert (connection.execute("SELECT * FROM migration").fetchall(), schema(connection)) == first
    assert [name for name, _ in first[0]] == [migration.__name__ for migration in MIGRATIONS]
    connection.close()


def test_a_step_that_fails_leaves_the_one_before(empty: sqlite3.Connection) -> None:
    def m002_breaks(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half_made (id INTEGER)")
        connection.execute("this is no SQL")

    with pytest.raises(sqlite3.OperationalError):
        migrate(empty, (m001_conversations, m002_breaks))
    assert not empty.in_transaction
    assert empty.execute("SELECT name FROM migration").fetchall() == [("m001_conversations",)]
    assert "half_made" not in schema(empty)
    migrate(empty)
    assert "text_search" in schema(empty)


async def test_a_newer_database_is_left_alone(database: Path) -> None:
    store = await ConversationStore.open(database)
    await store.create_conversation(title="from the future")
    await store.close()
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("INSERT INTO migration VALUES ('m999_thoughts', 0)")
    connection.close()

    with pytest.raises(StorageError) as caught:
        await ConversationStore.open(database)
    assert "newer version" in caught.value.sentence
    assert "Nothing was changed" in caught.value.advice


async def test_two_copies_migrating_at_once(database: Path) -> None:
    make(database, "schema_after_m001.sql")
    stores = await asyncio.gather(*(ConversationStore.open(database) for _ in range(4)))
    for store in stores:
        assert [hit.message_id for hit in await store.search("wheels")] == [2]
        await store.close()
