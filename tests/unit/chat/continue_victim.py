"""A program that is killed while an answer arrives: it asks, and tells on standard output where."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from desktop_chat.chat.library import Library
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.providers import Providers
from desktop_chat.domain.profiles import Dialect, Profile
from desktop_chat.storage.conversations import ConversationStore


async def main(database: Path, base_url: str) -> None:
    profile = Profile(
        id="p",
        name="p",
        base_url=base_url,
        dialect=Dialect.MISTRAL,
        default_model="m",
        needs_key=False,
    )
    preferences = Preferences()
    library = Library(
        await ConversationStore.open(database), Providers(preferences, None, override=profile), preferences
    )
    conversation = await library.create()
    turn = await library.send(conversation.id, "Say it.")
    print(conversation.id, flush=True)
    await turn.wait()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
