"""Stop, send, quit and save at the same moment: nothing is lost, and no answer gets another one's words."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from fault_server.completing import CompletingServer

from desktop_chat.chat.library import Library
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.providers import Providers
from desktop_chat.domain.errors import InvalidRequestError
from desktop_chat.domain.messages import MessageState, Role
from desktop_chat.domain.profiles import Profile
from desktop_chat.storage.conversations import ConversationStore


class Parrot(CompletingServer):
    """Answers with the last question, over and over, a token at a time."""

    def __init__(self) -> None:
        super().__init__("")

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            request = await reader.readexactly(length)
            asked = request.rpartition(b'"content":"')[2].partition(b'"')[0]
            word = asked.rpartition(rb"\n")[2]  # questions without an answer between them are sent as one
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
            for _ in range(200):
                writer.write(b'data: {"choices":[{"delta":{"content":"%b "}}]}\n\n' % word)
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(self._event({}, "stop") + b"data: [DONE]\n\n")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def library_for(path: Path, server: CompletingServer) -> tuple[Library, Providers]:
    profile = Profile(id="p", name="p", base_url=server.base_url, default_model="m", needs_key=False)
    preferences = Preferences()
    providers = Providers(preferences, None, override=profile)
    return Library(await ConversationStore.open(path / "chat.db"), providers, preferences), providers


async def test_stop_and_send_race_without_cross_talk(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with asyncio.timeout(60), Parrot() as server:
        library, providers = await library_for(tmp_path, server)
        ids = [(await library.create()).id for _ in range(3)]

        async def talk(conversation_id: int) -> None:
            number = 0
            while number < 15:
                try:
                    turn = await library.send(conversation_id, f"q{conversation_id}x{number}")
                except InvalidRequestError:
                    await asyncio.sleep(0)  # the stopped answer is still being saved
                    continue
                number += 1
                for _ in range(chance.randrange(60)):
                    await asyncio.sleep(0)
                turn.stop()
                if chance.random() < 0.5:
                    turn.stop()
                    await turn.wait()

        await asyncio.gather(*(talk(conversation_id) for conversation_id in ids))
        for turn in library.running:
            await turn.wait()
        for conversation_id in ids:
            stubs = await library.stubs(conversation_id)
            messages = await library.messages([stub.id for stub in stubs])
            assert len(messages) == 30
            for question, answer in zip(messages[::2], messages[1::2], strict=True):
                assert (question.role, answer.role) == (Role.USER, Role.ASSISTANT)
                assert set(answer.text.split()) <= {question.text}
                assert answer.state in (MessageState.STOPPED, MessageState.COMPLETE)
        await library.shutdown()
        await providers.close()


@pytest.mark.parametrize("quits", [False, True])
async def test_a_second_stop_or_a_quit_during_the_final_save_loses_nothing(
    tmp_path: Path, quits: bool
) -> None:
    async with asyncio.timeout(60), CompletingServer("All of this must be kept.") as server:
        library, providers = await library_for(tmp_path, server)
        saving, may_save = asyncio.Event(), asyncio.Event()
        finish = library._store.finish_message

        async def slow(*arguments: Any, **fields: Any) -> Any:
            saving.set()
            await may_save.wait()
            return await finish(*arguments, **fields)

        library._store.finish_message = slow  # type: ignore[method-assign]
        conversation = await library.create()
        turn = await library.send(conversation.id, "Say it.")
        await saving.wait()
        turn.stop()
        turn.stop()
        ending = asyncio.ensure_future(library.shutdown()) if quits else None
        await asyncio.sleep(0)
        may_save.set()
        await turn.wait()
        if ending is None:
            await library.shutdown()
        else:
            await ending
        again, other_providers = await library_for(tmp_path, server)
        stubs = await again.stubs(conversation.id)
        (answer,) = await again.messages([stubs[-1].id])
        assert (answer.text, answer.state) == (server.text, MessageState.COMPLETE)
        await again.shutdown()
        await providers.close()
        await other_providers.close()
