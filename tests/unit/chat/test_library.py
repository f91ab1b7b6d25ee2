"""The library on a real database and the real demo server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from desktop_chat.chat.library import Library
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.providers import Providers
from desktop_chat.chat.session import ChatSession
from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import ErrorReport, InvalidRequestError
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.domain.settings import Settings
from desktop_chat.storage.conversations import ConversationStore


class Listener:
    """Notes every event in order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def conversation_changed(self, conversation: Conversation) -> None:
        self.events.append(("conversation_changed", conversation))

    def conversation_removed(self, conversation_id: int) -> None:
        self.events.append(("conversation_removed", conversation_id))

    def message_added(self, message: Message) -> None:
        self.events.append(("message_added", message))

    def message_changed(self, message: Message) -> None:
        self.events.append(("message_changed", message))

    def branch_changed(self, conversation_id: int) -> None:
        self.events.append(("branch_changed", conversation_id))

    def turn_started(self, turn: ChatSession) -> None:
        self.events.append(("turn_started", turn))

    def turn_ended(self, turn: ChatSession) -> None:
        self.events.append(("turn_ended", turn))

    def problem(self, conversation_id: int, report: ErrorReport) -> None:
        self.events.append(("problem", report))

    def problem_over(self) -> None:
        self.events.append(("problem_over", None))

    @property
    def names(self) -> list[str]:
        return [name for name, _value in self.events]


class Program:
    """What the composition root puts together, on a directory of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.preferences = Preferences()
        self.preferences.settings = Settings().with_value("demo.tokens_per_second", 5000)
        self.providers = Providers(self.preferences, None)

    async def open(self) -> Program:
        self.store = await ConversationStore.open(self.path / "chat.db")
        self.library = Library(self.store, self.providers, self.preferences)
        self.listener = Listener()
        self.library.subscribe(self.listener)
        return self

    async def close(self) -> None:
        await self.library.shutdown()
        await self.providers.close()

    async def branch(self, conversation_id: int) -> list[Message]:
        stubs = await self.library.stubs(conversation_id)
        return await self.library.messages([stub.id for stub in stubs])


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    program = await Program(tmp_path).open()
    yield program
    await program.close()


async def reached(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_a_question_and_its_answer_are_kept(program: Program) -> None:
    conversation = await program.library.create()
    turn = await program.library.send(conversation.id, "  Hello\r\nthere ")
    result = await turn.wait()
    question, answer = await program.branch(conversation.id)
    assert (question.role, question.text) == (Role.USER, "  Hello\nthere ")
    assert (answer.state, answer.text) == (MessageState.COMPLETE, result.text)
    assert answer.metrics is not None
    assert answer.metrics.tokens_reported
    assert answer.model == "demo-tour"
    assert [name for name in program.listener.names if name != "conversation_changed"] == [
        "message_added", "message_added", "turn_started", "message_changed", "turn_ended",
    ]  # fmt: skip
    listed = await program.library.conversations()
    assert listed[0].title == "Hello"


async def test_several_conversations_stream_at_once(program: Program) -> None:
    program.preferences.settings = Settings().with_value("demo.tokens_per_second", 300)
    ids = [(await program.library.create()).id for _ in range(3)]
    turns = [await program.library.send(number, "Show me what you can do") for number in ids]
    assert len(program.library.running) == 3
    results = await asyncio.gather(*(turn.wait() for turn in turns))
    assert len({result.text for result in results}) == 1
    assert not program.library.running


async def test_a_second_question_waits_for_the_first_answer(program: Program) -> None:
    conversation = await program.library.create()
    turn = await program.library.send(conversation.id, "Write 2000 tokens")
    with pytest.raises(InvalidRequestError, match="still being written"):
        await program.library.send(conversation.id, "too early")
    turn.stop()
    await turn.wait()
    again = await program.library.send(conversation.id, "Hello")
    await again.wait()
    assert [message.role for message in await program.branch(conversation.id)] == [
        Role.USER, Role.ASSISTANT, Role.USER, Role.ASSISTANT,
    ]  # fmt: skip


async def test_finding_counts_what_is_stored_and_what_is_being_received(program: Program) -> None:
    conversation = await program.library.create()
    await (await program.library.send(conversation.id, "Hello, hello")).wait()
    program.preferences.settings = Settings().with_value("demo.tokens_per_second", 100)
    turn = await program.library.send(conversation.id, "Write 2000 tokens")
    await reached(lambda: len(turn.text) > 20)
    question, _, _, answer = [stub.id for stub in await program.library.stubs(conversation.id)]
    part = turn.text[5:15]
    counts = await program.library.occurrences([question, answer], part.upper())
    assert counts[answer] >= 1
    assert await program.library.occurrences([question], "HELLO") == {question: 2}
    turn.stop()
    await turn.wait()


@pytest.mark.parametrize("text", ["", "  \n\t", "\x00"])
async def test_nothing_is_not_sent(program: Program, text: str) -> None:
    conversation = await program.library.create()
    with pytest.raises(InvalidRequestError, match="nothing to send"):
        await program.library.send(conversation.id, text)
    assert await program.branch(conversation.id) == []


async def test_regenerate_keeps_the_old_answer_as_a_version(program: Program) -> None:
    conversation = await program.library.create()
    await (await program.library.send(conversation.id, "Hello")).wait()
    old = (await program.branch(conversation.id))[-1]
    await (await program.library.regenerate(old.id)).wait()
    new = (await program.branch(conversation.id))[-1]
    assert new.id != old.id
    assert (new.sibling_index, new.sibling_count) == (1, 2)
    await program.library.select_version(new.id, -1)
    assert (await program.branch(conversation.id))[-1].id == old.id


async def test_edit_and_resend_opens_a_branch_and_loses_nothing(program: Program) -> None:
    conversation = await program.library.create()
    await (await program.library.send(conversation.id, "Hello")).wait()
    question = (await program.branch(conversation.id))[0]
    await (await program.library.edit_and_resend(question.id, "Thanks")).wait()
    branch = await program.branch(conversation.id)
    assert next(message.text for message in branch) == "Thanks"
    assert branch[0].sibling_count == 2
    await program.library.select_version(branch[0].id, -1)
    assert (await program.branch(conversation.id))[0].text == "Hello"


async def test_an_error_is_a_message_that_can_be_retried_in_place(program: Program) -> None:
    conversation = await program.library.create()
    result = await (await program.library.send(conversation.id, "/error 401")).wait()
    assert result.error is not None
    failed = (await program.branch(conversation.id))[-1]
    assert (failed.state, failed.text) == (MessageState.FAILED, "")
    assert failed.error is not None
    assert failed.error.kind == "authentication"
    await (await program.library.retry(failed.id)).wait()
    assert [message.id for message in await program.branch(conversation.id)][-1] == failed.id


async def test_a_cut_answer_is_continued_where_it_broke(program: Program) -> None:
    conversation = await program.library.create()
    result = await (await program.library.send(conversation.id, "/cut")).wait()
    cut = (await program.branch(conversation.id))[-1]
    assert cut.state is MessageState.INTERRUPTED
    assert cut.text == result.text != ""
    assert program.library.can_continue(cut)
    await (await program.library.continue_answer(cut.id)).wait()
    whole = (await program.branch(conversation.id))[-1]
    assert whole.id == cut.id
    assert whole.text.startswith(cut.text)
    assert len(whole.text) > len(cut.text)
    assert not program.library.can_continue(whole)


async def test_live_text_is_seen_at_any_moment(program: Program) -> None:
    program.preferences.settings = Settings().with_value("demo.tokens_per_second", 200)
    conversation = await program.library.create()
    turn = await program.library.send(conversation.id, "Write 2000 tokens")
    await reached(lambda: len(turn.text) > 20)
    live = (await program.branch(conversation.id))[-1]
    assert live.text == turn.text
    assert live.state is MessageState.STREAMING
    turn.stop()
    await turn.wait()
    assert (await program.branch(conversation.id))[-1].state is MessageState.STOPPED


async def test_deleting_stops_and_undo_brings_everything_back(program: Program) -> None:
    conversation = await program.library.create()
    turn = await program.library.send(conversation.id, "Write 2000 tokens")
    await reached(lambda: turn.text)
    await program.library.delete(conversation.id)
    assert not program.library.running
    assert await program.library.conversations() == []
    await program.library.restore(conversation.id)
    branch = await program.branch(conversation.id)
    assert branch[-1].state is MessageState.STOPPED
    assert branch[-1].text == turn.text


async def test_shutdown_saves_what_streams(tmp_path: Path) -> None:
    program = await Program(tmp_path).open()
    conversation = await program.library.create()
    turn = await program.library.send(conversation.id, "Write 2000 tokens")
    await reached(lambda: turn.text)
    await program.close()
    again = await Program(tmp_path).open()
    answer = (await again.branch(conversation.id))[-1]
    assert (answer.state, answer.text) == (MessageState.STOPPED, turn.text)
    await again.close()


async def test_drafts_and_configuration_are_kept(program: Program) -> None:
    conversation = await program.library.create()
    await program.library.save_draft(conversation.id, "half a thou")
    await program.library.configure(conversation.id, system_prompt="Be brief.")
    kept = await program.library.conversation(conversation.id)
    assert kept is not None
    assert (kept.draft, kept.system_prompt) == ("half a thou", "Be brief.")
    renamed = await program.library.rename(conversation.id, "  A\n title ")
    assert renamed.title == "A title"
    assert (await program.library.rename(conversation.id, "  ")).title == "A title"


def test_a_key_in_the_environment_takes_the_demos_place_but_not_a_choice() -> None:
    preferences = Preferences()
    providers = Providers(preferences, None, environment={"MISTRAL_API_KEY": "k"})
    assert providers.default_profile.id == "mistral"
    assert Providers(preferences, None, environment={"": "k"}).default_profile.is_demo
    preferences.settings = msgspec.structs.replace(preferences.settings, default_profile_id="openai")
    assert providers.default_profile.id == "openai"


async def test_the_end_is_told_before_it_is_on_disk(program: Program) -> None:
    conversation = await program.library.create()
    turn = await program.library.send(conversation.id, "Hello")
    release = threading.Event()
    await reached(lambda: turn.text)
    program.store._database._thread.submit(release.wait)  # a disk that takes its time
    try:
        turn.stop()
        await reached(lambda: "turn_ended" in program.listener.names)
        assert program.library.turn(conversation.id) is None
        assert turn.message_id is not None
        reading = asyncio.ensure_future(program.library.messages([turn.message_id]))
        again = asyncio.ensure_future(program.library.send(conversation.id, "And again"))
        await asyncio.sleep(0)
        assert not again.done()  # the next question must find the whole answer
    finally:
        release.set()
    (message,) = await reading
    assert turn.result is not None
    assert (message.state, message.text) == (MessageState.STOPPED, turn.result.text)
    await (await again).wait()
    texts = [each.text for each in await program.branch(conversation.id)]
    assert texts[:3] == ["Hello", turn.result.text, "And again"]
