"""Conversations, branches and versions, as they come back from the disk."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path

import pytest

from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import ErrorReport, Fault, StorageError
from desktop_chat.domain.messages import Message, MessageState, MessageStub, Role, ToolCall
from desktop_chat.domain.metrics import Metrics, Phase
from desktop_chat.domain.requests import GenerationParameters
from desktop_chat.storage.conversations import ConversationStore


async def say(
    store: ConversationStore, conversation: Conversation, parent: Message | None, text: str
) -> Message:
    role = Role.USER if parent is None or parent.role is Role.ASSISTANT else Role.ASSISTANT
    return await store.add_message(
        conversation_id=conversation.id, parent_id=parent.id if parent else None, role=role, text=text
    )


def content(file: Path) -> bytes:
    return file.read_bytes()


async def test_a_conversation_comes_back_as_it_was_made(store: ConversationStore) -> None:
    parameters = GenerationParameters(temperature=0.25, stop=("END", "\n\n"), seed=2**62)
    made = await store.create_conversation(
        title="Trains", profile_id="mistral", model="m-1", system_prompt="Be kind.", parameters=parameters
    )

    assert await store.conversation(made.id) == made
    assert (made.title, made.profile_id, made.model, made.system_prompt) == (
        "Trains",
        "mistral",
        "m-1",
        "Be kind.",
    )
    assert made.parameters == parameters
    assert (made.leaf_id, made.message_count, made.draft) == (None, 0, "")
    assert await store.conversation(made.id + 1) is None


async def test_everything_survives_a_restart(database: Path) -> None:
    store = await ConversationStore.open(database)
    made = await store.create_conversation()
    question = await say(store, made, None, "What is a bogie?")
    answer = await store.add_message(
        conversation_id=made.id,
        parent_id=question.id,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
        model="asked",
        profile_name="Mistral",
    )
    finished = await store.finish_message(
        answer.id,
        state=MessageState.FAILED,
        text="A frame with wheels.",
        reasoning="Think of a train.",
        tool_calls=(ToolCall(id="1", name="look_up", arguments='{"word": "bogie"}'),),
        finish_reason="tool_calls",
        error=ErrorReport(kind="server", fault=Fault.SERVER, sentence="It failed.", status=500),
        metrics=Metrics(phase=Phase.FAILED, tokens=5, ttft_s=0.123456789, cost=1e-7),
        model="answered",
    )
    await store.update_conversation(made.id, draft="and an unsent line")
    await store.close()

    store = await ConversationStore.open(database)
    assert await store.messages([answer.id, question.id]) == [finished, question]
    assert (finished.model, finished.profile_name) == ("answered", "Mistral")
    assert finished.error is not None
    assert finished.error.status == 500
    assert finished.metrics == Metrics(phase=Phase.FAILED, tokens=5, ttft_s=0.123456789, cost=1e-7)
    again = await store.conversation(made.id)
    assert again is not None
    assert (again.draft, again.leaf_id, again.message_count) == ("and an unsent line", answer.id, 2)
    await store.close()


async def test_the_first_message_of_a_person_names_an_untitled_conversation(store: ConversationStore) -> None:
    untitled = await store.create_conversation()
    system = await store.add_message(
        conversation_id=untitled.id, parent_id=None, role=Role.SYSTEM, text="Not this"
    )
    first = await store.add_message(
        conversation_id=untitled.id, parent_id=system.id, role=Role.USER, text="# Plan a trip\nto the sea"
    )
    await say(store, untitled, await say(store, untitled, first, "Sure"), "Not this either")
    titled = await store.create_conversation(title="Mine")
    await say(store, titled, None, "Other words")

    titles = {conversation.id: conversation.title for conversation in await store.conversations()}
    assert titles == {untitled.id: "Plan a trip", titled.id: "Mine"}


async def test_conversations_are_listed_newest_message_first(store: ConversationStore) -> None:
    first, second, third = [await store.create_conversation(title=title) for title in "abc"]
    await store.delete_conversation(second.id)
    await say(store, first, None, "moves to the top")
    await store.update_conversation(third.id, title="renaming does not move it")

    assert [conversation.id for conversation in await store.conversations()] == [first.id, third.id]
    assert [conversation.id for conversation in await store.conversations(limit=1)] == [first.id]


async def test_update_changes_only_what_is_named(store: ConversationStore) -> None:
    made = await store.create_conversation(title="a", system_prompt="kept")
    changed = await store.update_conversation(
        made.id, title="b", parameters=GenerationParameters(max_tokens=9), draft="typing"
    )
    assert (changed.title, changed.system_prompt, changed.draft) == ("b", "kept", "typing")
    assert changed.parameters == GenerationParameters(max_tokens=9)
    assert changed.updated_at == made.updated_at
    with pytest.raises(TypeError, match="nonsense"):
        await store.update_conversation(made.id, nonsense=1)  # type: ignore[call-arg]
    with pytest.raises(StorageError) as caught:
        await store.update_conversation(made.id + 99, title="b")
    assert "does not exist" in caught.value.sentence


async def test_deleting_can_be_undone_until_the_purge(store: ConversationStore) -> None:
    made = await store.create_conversation()
    await say(store, made, None, "precious words")
    await store.delete_conversation(made.id)
    assert await store.conversation(made.id) is None
    assert await store.search("precious") == []
    assert await store.purge_deleted(older_than_s=3600) == 0

    restored = await store.restore_conversation(made.id)
    assert restored.message_count == 1
    assert len(await store.search("precious")) == 2  # its title and its message

    await store.delete_conversation(made.id)
    assert await store.purge_deleted() == 1
    assert await store.search("precious") == []
    with pytest.raises(StorageError):
        await store.restore_conversation(made.id)


async def test_the_purge_leaves_no_word_behind(store: ConversationStore, database: Path) -> None:
    kept = await store.create_conversation(title="stays")
    made = await store.create_conversation()
    last = None
    for number in range(250):  # more than one batch, and a branch for each of the last
        last = await say(store, made, last if number < 200 else None, f"xylophone {number}")
    await store.delete_conversation(made.id)
    await store.purge_deleted()
    await store.close()

    assert b"xylophone" not in content(database).lower()
    reopened = await ConversationStore.open(database)
    assert [conversation.id for conversation in await reopened.conversations()] == [kept.id]
    await reopened.close()


async def test_versions_of_a_turn_are_siblings_and_can_be_switched(store: ConversationStore) -> None:
    made = await store.create_conversation()
    question = await say(store, made, None, "q")
    first = await say(store, made, question, "first answer")
    follow_up = await say(store, made, first, "and then?")
    deep = await say(store, made, follow_up, "then this")
    second = await say(store, made, question, "second answer")

    assert [message.text for message in await store.branch(made.id)] == ["q", "second answer"]
    assert [(m.sibling_index, m.sibling_count) for m in await store.messages([first.id, second.id])] == [
        (0, 2),
        (1, 2),
    ]
    assert await store.select_sibling(second.id, -1) == deep.id
    assert [stub.id for stub in await store.stubs(made.id)] == [question.id, first.id, follow_up.id, deep.id]
    assert await store.select_sibling(first.id, +5) == second.id  # clamped at the last one
    assert await store.select_sibling(second.id, 0) == second.id
    assert [m.text for m in await store.branch(made.id, upto=follow_up.id)] == [
        "q",
        "first answer",
        "and then?",
    ]


async def test_edited_first_messages_are_siblings_within_their_conversation_only(
    store: ConversationStore,
) -> None:
    made, other = await store.create_conversation(), await store.create_conversation()
    await say(store, other, None, "elsewhere")
    first, edited = await say(store, made, None, "a"), await say(store, made, None, "b")
    found = await store.messages([first.id, edited.id])
    assert [(message.sibling_index, message.sibling_count) for message in found] == [(0, 2), (1, 2)]
    assert await store.select_sibling(edited.id, -1) == first.id


async def test_a_leaf_or_parent_of_another_conversation_is_refused(store: ConversationStore) -> None:
    made, other = await store.create_conversation(), await store.create_conversation()
    foreign = await say(store, other, None, "elsewhere")
    with pytest.raises(ValueError, match="not in conversation"):
        await store.update_conversation(made.id, leaf_id=foreign.id)
    with pytest.raises(StorageError):
        await store.add_message(conversation_id=made.id, parent_id=foreign.id, role=Role.USER, text="x")
    unchanged = await store.conversation(made.id)
    assert unchanged is not None
    assert (unchanged.leaf_id, unchanged.message_count) == (None, 0)


async def test_stubs_tell_lengths_without_the_text(store: ConversationStore) -> None:
    made = await store.create_conversation()
    question = await say(store, made, None, "four 🙂")
    running = await store.add_message(
        conversation_id=made.id,
        parent_id=question.id,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
    )
    await store.append(running.id, "abc", "xy")
    await store.append(running.id, "def")
    assert await store.stubs(made.id) == [
        MessageStub(question.id, Role.USER, MessageState.COMPLETE, 6),
        MessageStub(running.id, Role.ASSISTANT, MessageState.STREAMING, 6, 2),
    ]
    assert await store.stubs(made.id + 1) == []


async def test_messages_come_in_the_order_asked_and_unknown_ones_are_left_out(
    store: ConversationStore,
) -> None:
    made = await store.create_conversation()
    ids: list[int] = []
    parent = None
    for number in range(30):
        parent = await say(store, made, parent, str(number))
        ids.append(parent.id)
    wanted = [ids[7], ids[29], ids[0], ids[15]]
    assert [message.id for message in await store.messages([wanted[0], 10**9, *wanted[1:]])] == wanted
    assert await store.messages([]) == []


ODD_TEXTS = [
    "",
    "\x00",
    "a\x00b",
    "\ud800",
    "x\udfffy",
    "\ufdd0\uffff",
    "🙂" * 10,
    "\x1b[31m\r\n\u2028",
    "a" * 1_000_000,
]


@pytest.mark.parametrize("text", ODD_TEXTS)
async def test_any_text_is_kept_and_only_what_no_encoding_takes_is_replaced(
    store: ConversationStore, text: str
) -> None:
    made = await store.create_conversation(title=text[:50], system_prompt=text)
    message = await say(store, made, None, text)
    finished = await store.finish_message(
        message.id,
        state=MessageState.FAILED,
        text=text,
        reasoning=text,
        finish_reason=text[:9],
        error=ErrorReport(kind="server", fault=Fault.SERVER, sentence="It failed.", message=text),
        tool_calls=(ToolCall(name=text, arguments=text),),
    )
    expected = "".join("\ufffd" if "\ud800" <= c <= "\udfff" or c == "\x00" else c for c in text)
    (read,) = await store.messages([message.id])
    assert read == finished
    assert (read.text, read.reasoning) == (expected, expected)
    assert (await store.stubs(made.id))[0].text_length == len(expected)


async def test_metrics_that_could_not_be_read_again_do_not_spoil_the_message(
    store: ConversationStore, caplog: pytest.LogCaptureFixture
) -> None:
    made = await store.create_conversation()
    message = await say(store, made, None, "text")
    await store.finish_message(
        message.id, state=MessageState.COMPLETE, text="text", metrics=Metrics(elapsed_s=math.inf)
    )
    (read,) = await store.messages([message.id])
    assert (read.text, read.metrics) == ("text", None)
    assert "not stored" in caplog.text


async def test_an_imported_conversation_is_the_same_with_new_ids(store: ConversationStore) -> None:
    await store.create_conversation(title="takes the first id")
    original = Conversation(
        id=77, title="Old", created_at=1000.5, updated_at=2000.25, system_prompt="p", draft="d", leaf_id=12
    )
    messages = [
        Message(id=10, conversation_id=77, parent_id=None, role=Role.USER, text="q", created_at=1001.0),
        Message(id=12, conversation_id=77, parent_id=10, role=Role.ASSISTANT, text="one", reasoning="r"),
        Message(
            id=13,
            conversation_id=77,
            parent_id=10,
            role=Role.ASSISTANT,
            text="two",
            state=MessageState.STREAMING,
            tool_calls=(ToolCall(name="f"),),
        ),
    ]
    imported = await store.import_conversation(original, messages)

    assert (imported.title, imported.created_at, imported.updated_at) == ("Old", 1000.5, 2000.25)
    assert (imported.system_prompt, imported.draft, imported.message_count) == ("p", "d", 3)
    shown = await store.branch(imported.id)
    assert [(m.text, m.reasoning, m.created_at) for m in shown] == [("q", "", 1001.0), ("one", "r", 0.0)]
    await store.select_sibling(shown[1].id, +1)
    running = (await store.branch(imported.id))[1]
    assert (running.state, running.tool_calls) == (MessageState.INTERRUPTED, (ToolCall(name="f"),))


async def test_a_broken_import_shows_nothing_of_it(store: ConversationStore) -> None:
    orphan = Message(id=2, conversation_id=1, parent_id=1, role=Role.USER, text="who?")
    with pytest.raises(ValueError, match="before its parent"):
        await store.import_conversation(Conversation(id=1, title="broken"), [orphan])
    assert await store.conversations() == []
    assert await store.search("broken") == []


async def test_a_branch_of_ten_thousand_messages_is_walked_in_order(store: ConversationStore) -> None:
    messages = [
        Message(id=n, conversation_id=1, parent_id=n - 1 or None, role=Role.USER, text="." * (n % 7))
        for n in range(1, 10_001)
    ]
    imported = await store.import_conversation(Conversation(id=1, title="long"), messages)
    stubs = await store.stubs(imported.id)
    assert [stub.text_length for stub in stubs] == [n % 7 for n in range(1, 10_001)]
    assert [stub.id for stub in stubs] == sorted(stub.id for stub in stubs)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
async def test_all_files_are_for_their_owner_only(store: ConversationStore, database: Path) -> None:
    await store.create_conversation()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in database.parent.rglob("*")}
    assert {f"{database.name}{tail}" for tail in ("", "-wal", "-shm", ".owners")} <= modes.keys()
    assert {mode for name, mode in modes.items() if not name.endswith(".owners")} == {0o600}
    assert modes[f"{database.name}.owners"] == 0o700
