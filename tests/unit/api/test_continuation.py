from __future__ import annotations

import asyncio

import pytest
from fault_server.reading import question
from fault_server.server import FaultServer
from fault_server.wire import DONE, chunk, finish, head
from hypothesis import given
from hypothesis import strategies as st

from desktop_chat.api.client import ChatClient
from desktop_chat.api.continuation import EchoStripper, can_continue, continuation_base_url
from desktop_chat.api.dialects import encode_request
from desktop_chat.domain.deltas import Finished, ReasoningDelta, StreamDelta, TextDelta
from desktop_chat.domain.errors import ConfigurationError
from desktop_chat.domain.profiles import Dialect

TEXT = "The **quick** brown fox — naïve, 狐狸 👩‍👧 — jumps.\n\n```python\nprint('hi')\n```\n"
DEEPSEEK = "https://api.deepseek.com/v1"


def joined(prefix: str, pieces: list[str], *, expected: bool = True) -> str:
    stripper = EchoStripper(prefix, expected=expected)
    deltas: list[StreamDelta] = [out for piece in pieces for out in stripper.feed(TextDelta(piece))]
    deltas += stripper.flush()
    assert all(delta.text for delta in deltas if isinstance(delta, TextDelta))
    return prefix + "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 3, 5, 1000])
@pytest.mark.parametrize("at", range(1, len(TEXT) + 1))
def test_joined_byte_for_byte(at: int, size: int) -> None:
    sent = TEXT[:at].rstrip()
    assert joined(TEXT[:at], cut(TEXT[len(sent) :], size)) == TEXT
    assert joined(TEXT[:at], cut(TEXT, size)) == TEXT


@given(st.text(alphabet="ab", min_size=1, max_size=6), st.text(alphabet="abc", max_size=8), st.integers(1, 4))
def test_only_a_whole_repetition_is_taken_out(prefix: str, reply: str, size: int) -> None:
    expected = reply.removeprefix(prefix)
    assert joined(prefix, cut(reply, size)) == prefix + expected


@given(
    st.text(alphabet="ab \n", min_size=1, max_size=12),
    st.text(alphabet="ab \n", max_size=12),
    st.integers(1, 4),
)
def test_a_short_text_may_go_on_as_it_began_where_nobody_repeats(text: str, rest: str, size: int) -> None:
    """Whatever white space the text ends with is not sent, comes again, and stands there once."""
    if not 0 < len(text.strip()) < 8:
        return
    reply = (text + rest)[len(text.rstrip()) :]
    assert joined(text, cut(reply, size), expected=False) == text + rest


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_repetition_that_a_template_has_trimmed(size: int) -> None:
    partial, rest = "\n\n  Indented words \n", "\n    and more"
    whole = partial + rest
    assert joined(partial, cut(whole.lstrip(), size), expected=False) == whole


def test_other_white_space_than_before_stays_in_between() -> None:
    assert joined("words ", ["\n\nmore"]) == "words \n\nmore"
    assert joined("words\n\n", ["\n", "more"]) == "words\n\nmore"


def test_a_repetition_that_was_cut_adds_nothing() -> None:
    stripper = EchoStripper("Hello there", expected=True)
    assert stripper.feed_all([TextDelta("Hello")]) == []
    # Cut: nobody flushes. Complete: what only began like a repetition is the answer.
    assert stripper.feed_all([Finished("stop")]) == [TextDelta("Hello"), Finished("stop")]


def test_other_deltas_pass() -> None:
    stripper = EchoStripper("ab", expected=True)
    assert stripper.feed(ReasoningDelta("a")) == [ReasoningDelta("a")]
    assert stripper.feed(TextDelta("a")) == []
    assert stripper.flush() == [TextDelta("a")]
    assert stripper.flush() == []


def test_who_can_continue() -> None:
    can = {dialect for dialect in Dialect if can_continue(dialect, DEEPSEEK)}
    assert can == {Dialect.MISTRAL, Dialect.LLAMACPP, Dialect.VLLM, Dialect.DEEPSEEK, Dialect.QWEN}
    assert not can_continue(Dialect.DEEPSEEK, "https://reseller.example/v1")


def test_how_each_is_asked() -> None:
    request = question(continue_from="Hel")

    def last(dialect: Dialect) -> object:
        return encode_request(request, dialect, DEEPSEEK)["messages"][-1]

    plain = {"role": "assistant", "content": "Hel"}
    assert last(Dialect.MISTRAL) == {**plain, "prefix": True}
    assert last(Dialect.DEEPSEEK) == {**plain, "prefix": True}
    assert last(Dialect.QWEN) == {**plain, "partial": True}
    assert last(Dialect.LLAMACPP) == plain
    vllm = encode_request(request, Dialect.VLLM)
    assert vllm["messages"][-1] == plain
    assert (vllm["continue_final_message"], vllm["add_generation_prompt"]) == (True, False)
    with pytest.raises(ConfigurationError, match="cannot continue"):
        encode_request(request, Dialect.OLLAMA)


def test_deepseek_continues_at_its_beta_address() -> None:
    assert continuation_base_url(Dialect.DEEPSEEK, DEEPSEEK) == "https://api.deepseek.com/beta"
    assert continuation_base_url(Dialect.MISTRAL, "https://api.mistral.ai/v1") == "https://api.mistral.ai/v1"


@pytest.mark.parametrize("echoes", [False, True])
async def test_over_the_wire(echoes: bool) -> None:
    partial = TEXT[:20]
    reply = TEXT if echoes else TEXT[20:]
    script = [head(), *[chunk(piece) for piece in cut(reply, 4)], finish(), DONE]
    text = partial
    async with asyncio.timeout(20), FaultServer(script) as server:
        async with (
            ChatClient(server.base_url, Dialect.MISTRAL) as client,
            client.stream(question(continue_from=partial)) as answer,
        ):
            async for deltas in answer:
                for delta in deltas:
                    text += delta.text if isinstance(delta, TextDelta) else ""
        assert server.requests[0].json()["messages"][-1] == {
            "role": "assistant",
            "content": partial.rstrip(),
            "prefix": True,
        }
    assert text == TEXT
