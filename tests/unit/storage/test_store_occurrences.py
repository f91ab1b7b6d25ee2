"""Counting in messages: exactly what `str.lower` finds, whatever the script, however little Python gets to see."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.storage.conversations import ConversationStore

# Capitals that lose their marks or become two, letters that only others become, LIKE's own signs, and plain ones.
ALPHABET = "aAiIkK\u0130\u212aß\u1e9eσςΣöÖo\u0307\u0308東.%_\\\n \ufb01ı🙂"


async def fill(store: ConversationStore, texts: list[tuple[str, str]]) -> dict[int, tuple[str, str]]:
    """The ids of new messages with these texts and reasonings."""
    messages = [
        Message(
            id=number,
            conversation_id=1,
            parent_id=number - 1 or None,
            role=Role.USER,
            text=text,
            reasoning=reasoning,
        )
        for number, (text, reasoning) in enumerate(texts, 1)
    ]
    conversation = await store.import_conversation(Conversation(id=1), messages)
    ids = [stub.id for stub in await store.stubs(conversation.id)]
    return dict(zip(ids, texts, strict=True))


def counted(stored: dict[int, tuple[str, str]], needle: str) -> dict[int, int]:
    counts = {
        key: text.lower().count(needle) + reasoning.lower().count(needle)
        for key, (text, reasoning) in stored.items()
    }
    return {key: count for key, count in counts.items() if count}


texts = st.text(ALPHABET, max_size=12)


@given(
    stored=st.lists(st.tuples(texts, texts), min_size=1, max_size=8),
    sought=st.text(ALPHABET, min_size=1, max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_counts_what_lower_case_finds(
    tmp_path_factory: pytest.TempPathFactory, stored: list[tuple[str, str]], sought: str
) -> None:
    async def run() -> None:
        store = await ConversationStore.open(tmp_path_factory.mktemp("find") / "c.db")
        try:
            messages = await fill(store, stored)
            parts = (text.lower()[start : start + 3] for text, _ in stored for start in range(3))
            for needle in filter(None, {sought.lower(), *parts}):
                assert await store.occurrences(list(messages), needle, {}) == counted(messages, needle)
        finally:
            await store.close()

    asyncio.run(run())


async def test_every_capital_is_found_by_its_small_letter(store: ConversationStore) -> None:
    capitals = [chr(code) for code in range(0x20000) if chr(code).lower() != chr(code)]
    messages = await fill(store, [("".join(f"{capital}-" for capital in capitals), "")])
    (key,) = messages
    for capital in capitals:
        needle = f"{capital.lower()}-"
        assert await store.occurrences([key], needle, {}) == counted(messages, needle), capital


async def test_only_the_messages_asked_about_are_counted(store: ConversationStore) -> None:
    messages = await fill(store, [("needle", "")] * 9)
    ids = [key for key in messages if key % 3]
    assert await store.occurrences(ids, "needle", {}) == dict.fromkeys(ids, 1)
    assert await store.occurrences([*ids, 10_000], "haystack", {}) == {}


async def test_a_message_being_received_counts_with_what_is_in_its_journal(store: ConversationStore) -> None:
    conversation = await store.create_conversation()
    message = await store.add_message(
        conversation_id=conversation.id,
        parent_id=None,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
    )
    await store.append(message.id, text="One nee")
    await store.append(message.id, text="dle", reasoning="Needle?")
    assert await store.occurrences([message.id], "needle", {}) == {message.id: 2}
    newer = {message.id: ("needle needle", "needle")}
    assert await store.occurrences([message.id], "needle", newer) == {message.id: 3}
    assert await store.occurrences([message.id], "other", newer) == {}


@pytest.mark.parametrize("needle", ["x" * 60_000, "%", "_", "\\", "100%", "\u0307", "i\u0307"])
async def test_any_text_can_be_looked_for(store: ConversationStore, needle: str) -> None:
    messages = await fill(store, [(f"<{needle}>", needle.upper()), ("100 or 1000", "")])
    assert await store.occurrences(list(messages), needle, {}) == counted(messages, needle)
