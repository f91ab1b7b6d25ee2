"""After a crash everything acknowledged is there; a living copy of the program is left alone."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from desktop_chat.domain.messages import MessageState, Role
from desktop_chat.storage.conversations import ConversationStore

VICTIM = Path(__file__).with_name("crash_victim.py")
REPOSITORY = VICTIM.parents[3]


async def start_victim(database: Path) -> tuple[Process, int]:
    """The program and the id of the message it streams into."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, VICTIM, database, stdout=PIPE, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )
    assert process.stdout is not None
    line = await process.stdout.readline()
    return process, int(line.split()[1])


async def read_until(process: Process, number: int) -> int:
    assert process.stdout is not None
    last = -1
    while last < number:
        last = int(await process.stdout.readline())
    return last


async def kill(process: Process, last: int) -> int:
    """End it as a crash does; the last number it had acknowledged."""
    process.kill()
    assert process.stdout is not None
    rest = (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    return max([last, *(int(line) for line in rest if line.endswith(b"\n"))])


@pytest.mark.parametrize("seed", range(4))
async def test_a_killed_program_loses_nothing_acknowledged(database: Path, seed: int) -> None:
    process, message_id = await start_victim(database)
    last = await kill(process, await read_until(process, random.Random(seed).randrange(300)))

    store = await ConversationStore.open(database)
    (message,) = await store.messages([message_id])
    await store.close()
    acknowledged = "".join(f"{number} " for number in range(last + 1))
    assert message.text.startswith(acknowledged)
    assert len(message.text) - len(acknowledged) <= len(f"{last + 1} ")  # at most the one in flight
    assert message.reasoning.startswith("." * (last // 10 + 1))
    assert message.state is MessageState.INTERRUPTED
    assert message.error is not None
    assert "ended before this answer was complete" in message.error.sentence


async def test_a_second_copy_leaves_a_running_answer_alone(database: Path) -> None:
    process, message_id = await start_victim(database)
    last = await read_until(process, 20)

    second = await ConversationStore.open(database)
    (seen,) = await second.messages([message_id])
    assert seen.state is MessageState.STREAMING
    assert seen.text.startswith("0 1 2 ")
    # Both write at once.
    own = await second.create_conversation(title="from the second copy")
    await second.add_message(conversation_id=own.id, parent_id=None, role=Role.USER, text="hello")
    last = await read_until(process, last + 20)
    assert await second.recover_abandoned() == 0

    await kill(process, last)
    assert await second.recover_abandoned() == 1
    (after,) = await second.messages([message_id])
    assert after.state is MessageState.INTERRUPTED
    await second.close()


async def test_stores_in_one_process_know_each_other(database: Path) -> None:
    first = await ConversationStore.open(database)
    conversation = await first.create_conversation()
    answer = await first.add_message(
        conversation_id=conversation.id,
        parent_id=None,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
    )
    await first.append(answer.id, "still running")
    for _ in range(2):
        second = await ConversationStore.open(database)
        assert (await second.messages([answer.id]))[0].state is MessageState.STREAMING
        await second.close()
    await first.close()

    third = await ConversationStore.open(database)
    (found,) = await third.messages([answer.id])
    assert (found.state, found.text) == (MessageState.INTERRUPTED, "still running")
    assert await third.search("running") != []
    await third.close()


async def test_signs_of_life_do_not_pile_up(database: Path) -> None:
    folder = database.with_name("conversations.db.owners")
    process, _ = await start_victim(database)
    await kill(process, 0)
    (left,) = files_in(folder)
    an_hour_ago = time.time() - 3600
    os.utime(left, (an_hour_ago, an_hour_ago))
    store = await ConversationStore.open(database)
    assert left not in files_in(folder)
    await store.close()
    assert files_in(folder) == []


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())
