"""What a disk, another program or a person can do to the database, each with words for people."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop_chat.domain.errors import StorageError
from desktop_chat.domain.messages import MessageState, Role
from desktop_chat.storage.connection import DamagedDatabaseError, set_aside
from desktop_chat.storage.conversations import ConversationStore

pytestmark = pytest.mark.usefixtures("caplog")  # the log names each of these errors


@contextlib.contextmanager
def tiny_disk(folder: Path) -> Iterator[Path]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=640k", "none", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


async def fill(store: ConversationStore) -> None:
    """Write until the disk is full, then see that all of it can be read and the rest comes later."""
    conversation = await store.create_conversation(title="full")
    answer = await store.add_message(
        conversation_id=conversation.id,
        parent_id=None,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
    )
    written = 0

    async def write_on() -> None:
        nonlocal written
        while written < 10_000:
            await store.append(answer.id, "z" * 1000)
            written += 1

    with pytest.raises(StorageError) as caught:
        await write_on()
    assert "disk is full" in caught.value.sentence
    assert "Free some space" in caught.value.advice
    with pytest.raises(StorageError, match="full"):
        await store.finish_message(answer.id, state=MessageState.COMPLETE, text="y" * 3_000_000)
    (message,) = await store.messages([answer.id])
    assert message.text == "z" * 1000 * written
    assert message.state is MessageState.STREAMING


async def test_a_full_database_is_said_and_loses_nothing(store: ConversationStore) -> None:
    def limit(connection: sqlite3.Connection, pages: int) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await store._database.run(limit, 200)
    await fill(store)
    await store._database.run(limit, 100_000)
    (conversation,) = await store.conversations()
    (message,) = await store.branch(conversation.id)
    whole = message.text + "z" * 1000  # what could not be written comes with the next piece
    await store.append(message.id, "!")
    (message,) = await store.branch(conversation.id)
    assert message.text == whole + "!"
    finished = await store.finish_message(message.id, state=MessageState.COMPLETE, text=whole + "!")
    assert finished.text == whole + "!"


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
async def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    with tiny_disk(tmp_path) as folder:
        store = await ConversationStore.open(folder / "conversations.db")
        await fill(store)
        await store.close()


async def test_a_database_locked_by_another_program(database: Path) -> None:
    store = await ConversationStore.open(database, busy_timeout_s=0.05)
    blocker = sqlite3.connect(database, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError) as caught:
        await store.create_conversation(title="waits in vain")
    assert "Another program is using" in caught.value.sentence
    assert "try again" in caught.value.advice
    assert caught.value.retryable
    assert await store.conversations() == []  # reading goes on
    blocker.execute("ROLLBACK")
    blocker.close()
    await store.create_conversation(title="works again")
    await store.close()


async def test_a_writer_waits_for_another_ones_short_transaction(database: Path) -> None:
    first, second = await ConversationStore.open(database), await ConversationStore.open(database)
    made = [await store.create_conversation(title="x") for _ in range(20) for store in (first, second)]
    assert len({conversation.id for conversation in made}) == 40
    assert len(await first.conversations()) == len(await second.conversations()) == 40
    await first.close()
    await second.close()


def content(file: Path) -> bytes:
    return file.read_bytes()


def damaged(database: Path, how: str) -> bytes:
    """Spoil the file; its new content."""
    if how == "replaced":
        database.write_text("these are my shopping notes, not a database\n" * 100)
    else:
        start = {"header": 0, "middle": 4096}[how]
        with database.open("r+b") as file:
            file.seek(start)
            file.write(b"\xa5" * 40_000)
    return database.read_bytes()


@pytest.mark.parametrize("damage", ["replaced", "header", "middle"])
async def test_a_damaged_file_is_named_and_left_as_it_is(database: Path, damage: str) -> None:
    store = await ConversationStore.open(database)
    await store.create_conversation(title="before the damage")
    await store.close()
    before = damaged(database, damage)

    with pytest.raises(DamagedDatabaseError) as caught:
        await ConversationStore.open(database)
    assert "damaged" in caught.value.sentence
    assert str(database) in caught.value.advice
    assert content(database) == before

    aside = set_aside(database, "today")
    assert content(aside) == before
    assert aside.name == "conversations.damaged-today.db"
    await (await ConversationStore.open(database)).close()


def test_a_read_only_folder(unprivileged_folder: Path) -> None:
    unprivileged_folder.chmod(0o500)
    with pytest.raises(StorageError) as caught:
        asyncio.run(ConversationStore.open(unprivileged_folder / "conversations.db"))
    assert "cannot be used" in caught.value.sentence
    assert "--data-dir" in caught.value.advice


def test_a_read_only_database(unprivileged_folder: Path) -> None:
    database = unprivileged_folder / "conversations.db"

    async def open_and_close() -> None:
        await (await ConversationStore.open(database)).close()

    asyncio.run(open_and_close())
    database.chmod(0o400)
    with pytest.raises(StorageError) as caught:
        asyncio.run(open_and_close())
    assert "cannot be written to" in caught.value.sentence
    assert str(database) in caught.value.advice


async def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        await ConversationStore.open(tmp_path / "nowhere" / "conversations.db")
    assert "nowhere" in caught.value.sentence


async def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        await ConversationStore.open(tmp_path)
    assert str(tmp_path) in caught.value.advice


async def test_a_backup_is_whole_private_and_opens(store: ConversationStore, tmp_path: Path) -> None:
    conversation = await store.create_conversation(title="kept twice")
    running = await store.add_message(
        conversation_id=conversation.id,
        parent_id=None,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
    )
    await store.append(running.id, "so far")
    target = tmp_path / "backup.db"
    target.write_text("an older backup")
    await store.backup(target)
    assert target.stat().st_mode & 0o077 == 0 or sys.platform == "win32"

    shutil.copy(target, tmp_path / "restored.db")
    restored = await ConversationStore.open(tmp_path / "restored.db")
    (message,) = await restored.branch(conversation.id)
    assert (message.text, message.state) == ("so far", MessageState.INTERRUPTED)
    assert len(await restored.search("kept")) == 1
    await restored.close()


async def test_a_backup_that_fails_leaves_the_older_one(store: ConversationStore, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        await store.backup(tmp_path / "nowhere" / "backup.db")
    assert "nowhere" in caught.value.sentence
    assert not (tmp_path / "nowhere").exists()
