"""A program that is killed: it streams into a message and says on standard output what was acknowledged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from desktop_chat.domain.messages import MessageState, Role
from desktop_chat.storage.conversations import ConversationStore


async def main(database: Path) -> None:
    store = await ConversationStore.open(database)
    conversation = await store.create_conversation()
    question = await store.add_message(
        conversation_id=conversation.id, parent_id=None, role=Role.USER, text="count"
    )
    answer = await store.add_message(
        conversation_id=conversation.id,
        parent_id=question.id,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
    )
    print("message", answer.id, flush=True)
    for number in range(1_000_000):
        await store.append(answer.id, f"{number} ", "." if number % 10 == 0 else "")
        print(number, flush=True)


asyncio.run(main(Path(sys.argv[1])))
