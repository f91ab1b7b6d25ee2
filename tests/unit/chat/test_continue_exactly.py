"""Continue joins byte for byte: an answer is cut at every byte of its stream, continued, and equals the uncut one.

Through the library, on a real database, against a server whose model knows the answer by heart. Where nothing of the
answer had come, or nothing but space, there is nothing to continue; the way the window offers then is Retry.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from fault_server.completing import CompletingServer, pieces

from desktop_chat.api.body import BodyDecoder
from desktop_chat.chat.library import Library
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.providers import Providers
from desktop_chat.domain.deltas import TextDelta
from desktop_chat.domain.messages import Message, MessageState
from desktop_chat.domain.profiles import Dialect, Profile
from desktop_chat.domain.settings import Settings
from desktop_chat.storage.conversations import ConversationStore

TEXT = (
    " \n# Naïve café — 狐狸 👩‍👧 e\u0301 🇨🇭\n\n```python\nprint('hi')  # “x”\n\n    pass\n```\n"
    "\n- a\n- a\n- a\u2028\ttab  \nhaha haha <think> no tag \n\n"
)
REASONING = "hm 🤔,\n\nwell…"
SPREAD = 37
"""Every so many bytes is cut in the tests that do not cut at all of them."""
PATIENCE_S = 120.0
"""Ends a test that hangs; nothing is asserted about time."""
VICTIM = Path(__file__).with_name("continue_victim.py")
REPOSITORY = VICTIM.parents[3]


class Program:
    """The library as the window has it, with one server."""

    def __init__(self, path: Path, base_url: str, dialect: Dialect) -> None:
        profile = Profile(
            id="p", name="p", base_url=base_url, dialect=dialect, default_model="m", needs_key=False
        )
        self._path = path
        self._preferences = Preferences()
        self._preferences.settings = Settings().with_value("network.retries", 0)
        self.providers = Providers(self._preferences, None, override=profile)

    async def open(self) -> None:
        self.store = await ConversationStore.open(self._path / "chat.db")
        self.library = Library(self.store, self.providers, self._preferences)

    async def close(self) -> None:
        await self.library.shutdown()

    async def answer(self, conversation_id: int) -> Message:
        """The newest answer, as it is on disk."""
        stubs = await self.library.stubs(conversation_id)
        return (await self.store.messages([stubs[-1].id]))[0]

    async def ask(self) -> Message:
        conversation = await self.library.create()
        await (await self.library.send(conversation.id, "Say it.")).wait()
        return await self.answer(conversation.id)

    async def complete(self, message: Message) -> Message:
        """Go on in the way the window offers, until the answer is whole."""
        if message.state is MessageState.COMPLETE and message.finish_reason != "length":
            return message
        if self.library.can_continue(message):
            turn = await self.library.continue_answer(message.id)
        else:
            assert not message.text.strip(), "text arrived and cannot be continued"
            turn = await self.library.retry(message.id)
        await turn.wait()
        return await self.answer(message.conversation_id)


def text_in(stream: bytes) -> str:
    """What is shown of a stream of which no more has come."""
    decoder = BodyDecoder({})
    return "".join(delta.text for delta in decoder.feed(stream) if isinstance(delta, TextDelta))


@asynccontextmanager
async def running(
    path: Path, server: CompletingServer, dialect: Dialect = Dialect.MISTRAL
) -> AsyncIterator[Program]:
    async with asyncio.timeout(PATIENCE_S), server:
        program = Program(path, server.base_url, dialect)
        await program.open()
        yield program
        await program.close()
        await program.providers.close()


def ways(server: CompletingServer) -> list[Callable[[], None]]:
    """Each sets the server to another way of continuing."""

    def plain() -> None:
        server.echoes = server.trims = False

    def echo() -> None:
        server.echoes, server.trims = True, False

    def trimmed_echo() -> None:
        server.echoes = server.trims = True

    return [plain, echo, trimmed_echo]


async def check_cuts(
    program: Program, server: CompletingServer, cuts: Sequence[int], reasoning: str = ""
) -> None:
    for cut in cuts:
        server.cut = cut
        server.resets = cut % 5 == 0
        message = await program.ask()
        whole = await program.complete(message)
        where = f"cut after {cut} bytes, kept {message.text[-20:]!r}"
        assert whole.text == server.text, where
        assert whole.reasoning == reasoning, where
        assert whole.state is MessageState.COMPLETE, where


@pytest.mark.parametrize("way", range(3))
@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_cut_at_every_byte(tmp_path: Path, slow: bool, way: int) -> None:
    server = CompletingServer(TEXT)
    async with running(tmp_path, server) as program:
        ways(server)[way]()
        step = (1, 1, 3)[way] if slow else SPREAD
        await check_cuts(program, server, range(0 if slow else way, len(server.body()) + 1, step))


@pytest.mark.parametrize("tags", [False, True])
@pytest.mark.parametrize("step", [11, pytest.param(4, marks=pytest.mark.slow)])
async def test_cut_inside_the_reasoning_and_behind_it(tmp_path: Path, step: int, tags: bool) -> None:
    server = CompletingServer("A <think> is a tag 👩‍👧.\n", REASONING, tags=tags)
    async with running(tmp_path, server) as program:
        reasoning = f"{REASONING}\n" if tags else REASONING
        await check_cuts(program, server, range(0, len(server.body()) + 1, step), reasoning)


async def test_the_continuation_is_cut_as_well(tmp_path: Path) -> None:
    """Also while it still repeats what is there already."""
    server = CompletingServer(TEXT)
    async with running(tmp_path, server) as program:
        for way, first in ((0, 500), (1, 500), (2, 1000)):
            ways(server)[way]()
            for second in range(0, len(server.body()), 3 * SPREAD):
                server.cut = first
                message = await program.ask()
                server.cut = second
                message = await program.complete(message)
                assert TEXT.startswith(message.text)
                whole = await program.complete(message)
                assert whole.text == TEXT, f"cut at {first}, then at {second}"


@pytest.mark.parametrize("way", range(3))
async def test_over_a_restart(tmp_path: Path, way: int) -> None:
    server = CompletingServer(TEXT)
    async with running(tmp_path, server) as program:
        ways(server)[way]()
        for cut in range(way, len(server.body()), 4 * SPREAD):
            server.cut = cut
            message = await program.ask()
            await program.close()
            await program.open()
            again = await program.answer(message.conversation_id)
            assert (again.text, again.state) == (message.text, message.state)
            assert (await program.complete(again)).text == TEXT


@pytest.mark.parametrize("way", range(2))
async def test_after_the_program_was_killed(tmp_path: Path, way: int) -> None:
    """``kill -9`` with the answer half there; what had come within the journal's delay is continued."""
    server = CompletingServer(TEXT)
    async with running(tmp_path, server) as program:
        ways(server)[way]()
        for share in (0.03, 0.4, 0.7, 0.95):
            cut = int(len(server.body()) * share)
            await program.close()
            server.cut, server.stalls = cut, True
            server.sent.clear()
            victim = await asyncio.create_subprocess_exec(
                sys.executable, VICTIM, tmp_path / "chat.db", server.base_url,
                stdout=PIPE, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            )  # fmt: skip
            assert victim.stdout is not None
            conversation_id = int(await victim.stdout.readline())
            await server.sent.wait()
            if cut > 100:
                await program.open()
                while not (await program.answer(conversation_id)).text:
                    await asyncio.sleep(0.01)
                await program.close()
            victim.kill()
            await victim.wait()
            await victim.stdout.read()
            server.stalls = False
            await program.open()
            message = await program.answer(conversation_id)
            assert message.state is MessageState.INTERRUPTED
            assert TEXT.startswith(message.text)
            assert (await program.complete(message)).text == TEXT


@pytest.mark.parametrize("way", range(3))
async def test_stopped_answers(tmp_path: Path, way: int) -> None:
    server = CompletingServer(TEXT)
    async with running(tmp_path, server) as program:
        ways(server)[way]()
        server.stalls = True
        for cut in range(SPREAD * way, len(server.body()) - 80, 2 * SPREAD):
            server.cut = cut
            server.sent.clear()
            conversation = await program.library.create()
            turn = await program.library.send(conversation.id, "Say it.")
            await server.sent.wait()
            arrived = text_in(server.body()[:cut])
            while turn.text != arrived:
                await asyncio.sleep(0)
            turn.stop()
            await turn.wait()
            message = await program.answer(conversation.id)
            assert message.state is MessageState.STOPPED
            assert (await program.complete(message)).text == TEXT, f"stopped after {cut} bytes"


@pytest.mark.parametrize("way", range(3))
async def test_answers_at_their_length_limit(tmp_path: Path, way: int) -> None:
    server = CompletingServer(TEXT)
    async with running(tmp_path, server) as program:
        ways(server)[way]()
        for limit in range(3, len(TEXT)):
            server.limit = limit
            message = await program.ask()
            assert (message.text, message.finish_reason) == (TEXT[:limit], "length")
            assert (await program.complete(message)).text == TEXT, f"limit {limit}"


MARKS = {
    Dialect.MISTRAL: {"prefix": True},
    Dialect.DEEPSEEK: {"prefix": True},
    Dialect.QWEN: {"partial": True},
    Dialect.LLAMACPP: {},
    Dialect.VLLM: {},
}


@pytest.mark.parametrize("dialect", MARKS)
@pytest.mark.parametrize("echoes", [False, True])
async def test_every_kind_of_server(
    tmp_path: Path, dialect: Dialect, echoes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent, and that nothing depends on whether the server repeats."""
    if dialect is Dialect.DEEPSEEK:  # its address is the vendor's own, which no local server has
        for module in ("client", "continuation"):
            monkeypatch.setattr(
                f"desktop_chat.api.{module}.continuation_base_url",
                lambda _dialect, url: url.removesuffix("/v1") + "/beta",
            )
    server = CompletingServer(TEXT)
    server.echoes = echoes
    async with running(tmp_path, server, dialect) as program:
        for cut in range(700, len(server.body()) - 100, 3 * SPREAD):
            server.cut = cut
            message = await program.ask()
            assert (await program.complete(message)).text == TEXT, f"cut at {cut}"
            request = server.requests[-1]
            sent = {"role": "assistant", "content": message.text.rstrip(), **MARKS[dialect]}
            assert request["messages"] == [{"role": "user", "content": "Say it."}, sent]
            for field in ("continue_final_message", "add_generation_prompt"):
                assert (field in request) == (dialect is Dialect.VLLM)


def test_the_fixture_is_cut_inside_characters() -> None:
    """Otherwise the halves of characters would not be tested."""
    halves = [piece for piece in pieces(TEXT, 6) if any("\ud800" <= letter <= "\udfff" for letter in piece)]
    assert len(halves) >= 2


async def test_blank_text_is_not_continued(tmp_path: Path) -> None:
    server = CompletingServer(TEXT)
    async with running(tmp_path, server) as program:
        server.cut = len(server.body()) // 2
        message = await program.ask()
        assert program.library.can_continue(message)
        assert not program.library.can_continue(msgspec.structs.replace(message, text=" \n"))
