"""Search as one types: finds what is there, shows where, and takes any input."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_chat.domain.conversations import Conversation, SearchHit
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.storage.conversations import ConversationStore

TEXTS = [
    "The quick brown fox jumps over the lazy dog",
    "Ein Übergrößenträger läuft über die Straße",
    "def parse_header(line: str) -> tuple[str, int]:\n    return line, 1",
    "東京都は日本の首都です",
    '100% of C++ users said "no" to snake_case',
    "ภาษาไทยไม่มีช่องว่าง",
    "Emoji 🙂🙃 and e-mail someone@example.org",
]


async def fill(store: ConversationStore) -> None:
    messages = [
        Message(id=n + 1, conversation_id=1, parent_id=n or None, role=Role.USER, text=text)
        for n, text in enumerate(TEXTS)
    ]
    await store.import_conversation(Conversation(id=1, title="Foxes and dogs"), messages)


def highlighted(hit: SearchHit) -> list[str]:
    return [hit.snippet[start:end] for start, end in hit.highlights]


@pytest.mark.parametrize(
    ("query", "index", "found"),
    [
        ("quick", 0, ["quick"]),
        ("QUI bro", 0, ["quick", "brown"]),
        ("dog fox", 0, ["fox", "dog"]),
        ("ubergr", 1, ["Übergrößenträger"]),
        ("strasse", None, []),
        ("straße", 1, ["Straße"]),
        ("parse_h", 2, ["parse_header"]),
        ("日本", 3, ["日本"]),
        ("都は", 3, ["都は"]),
        ("100%", 4, ["100"]),
        ("c++", 4, ["C", "case"]),
        ('"no', 4, ["no"]),
        ("snake_case", 4, ["snake_case"]),
        ("ไทย", 5, ["ไทย"]),
        ("someone@example", 6, ["someone@example"]),
        ("🙂", 6, ["🙂"]),
        ("++", 4, ["++"]),
        ("quick zebra", None, []),
        ("uick", None, []),
    ],
)
async def test_words_are_found_from_their_beginning(
    store: ConversationStore, query: str, index: int | None, found: list[str]
) -> None:
    await fill(store)
    hits = [hit for hit in await store.search(query) if hit.message_id is not None]
    if index is None:
        assert hits == []
        return
    (hit,) = hits
    (message,) = await store.messages([hit.message_id or 0])
    assert message.text == TEXTS[index]
    assert highlighted(hit) == found
    assert (hit.title, hit.role) == ("Foxes and dogs", Role.USER)


async def test_titles_come_first_and_the_limit_counts_both(store: ConversationStore) -> None:
    await fill(store)
    await store.create_conversation(title="Fox hunting is banned")
    hits = await store.search("fox")
    assert [(hit.title, hit.message_id is None) for hit in hits] == [
        ("Fox hunting is banned", True),
        ("Foxes and dogs", True),
        ("Foxes and dogs", False),
    ]
    assert await store.search("fox", limit=2) == hits[:2]
    assert await store.search("fox", limit=0) == []


async def test_the_index_follows_every_change(store: ConversationStore) -> None:
    conversation = await store.create_conversation(title="alpha")
    answer = await store.add_message(
        conversation_id=conversation.id,
        parent_id=None,
        role=Role.ASSISTANT,
        text="",
        state=MessageState.STREAMING,
    )
    await store.append(answer.id, "beta")
    assert await store.search("beta") == []  # a running answer is indexed at its end
    await store.finish_message(answer.id, state=MessageState.STOPPED, text="beta")
    assert len(await store.search("beta")) == 1
    await store.reopen_message(answer.id)
    await store.finish_message(answer.id, state=MessageState.COMPLETE, text="gamma")
    assert await store.search("beta") == []
    assert len(await store.search("gamma")) == 1
    await store.update_conversation(conversation.id, title="delta")
    assert await store.search("alpha") == []
    assert [hit.message_id for hit in await store.search("delta")] == [None]


async def test_a_snippet_is_short_on_one_line_and_around_the_match(store: ConversationStore) -> None:
    conversation = await store.create_conversation(title="t")
    text = "line\n" * 3000 + "the needle,\n\tright 針 here\n" + "line\n" * 3000
    await store.add_message(conversation_id=conversation.id, parent_id=None, role=Role.USER, text=text)
    for query in ("needle", "針"):
        (hit,) = await store.search(query)
        assert highlighted(hit) == [query]
        assert len(hit.snippet) < 250
        assert "\n" not in hit.snippet
        assert hit.snippet.startswith("…")
        assert hit.snippet.endswith("…")


@given(query=st.text(max_size=40), text=st.text(min_size=1, max_size=60))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_over_any_text_is_answered(
    tmp_path_factory: pytest.TempPathFactory, query: str, text: str
) -> None:
    async def run() -> None:
        store = await ConversationStore.open(tmp_path_factory.mktemp("search") / "c.db")
        try:
            conversation = await store.create_conversation(title=text)
            await store.add_message(
                conversation_id=conversation.id, parent_id=None, role=Role.USER, text=text
            )
            for asked in (query, text, f'"{query}', f"{query}* NEAR(a b) OR -x", f"title:{query}"):
                for hit in await store.search(asked):
                    assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.highlights)
        finally:
            await store.close()

    asyncio.run(run())
