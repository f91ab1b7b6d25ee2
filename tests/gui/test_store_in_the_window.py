"""The conversation store on the window's event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from desktop_chat.domain.messages import MessageState, Role
from desktop_chat.storage.conversations import ConversationStore


async def test_a_cancelled_task_loses_no_write_in_the_windows_loop(tmp_path: Path) -> None:
    store = await ConversationStore.open(tmp_path / "conversations.db")
    conversation = await store.create_conversation()
    answer = await store.add_message(
        conversation_id=conversation.id,
        parent_id=None,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
    )

    async def write() -> None:
        await asyncio.gather(*(store.append(answer.id, f"{number} ") for number in range(100)))

    task = asyncio.create_task(write())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.append(answer.id, "end")
    (message,) = await store.messages([answer.id])
    await asyncio.gather(store.close(), store.close())
    assert message.text == "".join(f"{number} " for number in range(100)) + "end"
