"""Documents made of conversations."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from desktop_chat.chat.export import as_html, as_markdown, check_place, file_name, save
from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import StorageError, StreamInterruptedError
from desktop_chat.domain.messages import Message, MessageState, Role, ToolCall

CONVERSATION = Conversation(id=1, title="A  title", model="model-x")
QUESTION = Message(id=1, conversation_id=1, parent_id=None, role=Role.USER, text="Why <b>?")


def answer(text: str, **changes: Any) -> Message:
    return Message(
        id=2, conversation_id=1, parent_id=1, role=Role.ASSISTANT, text=text, model="model-x", **changes
    )


async def each(messages: Sequence[Message]) -> AsyncIterator[Message]:
    for message in messages:
        yield message


async def markdown(*messages: Message) -> str:
    return "".join([piece async for piece in as_markdown(CONVERSATION, each(messages))])


async def html(*messages: Message) -> str:
    return "".join([piece async for piece in as_html(CONVERSATION, each(messages))])


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Terns and gulls", "Terns and gulls.pdf"),
        ("a/b\\c: d*e?\n<f>|\u202e", "a b c d e f.pdf"),
        ("..", "Conversation.pdf"),
        ("", "Conversation.pdf"),
        ("con", "Conversation con.pdf"),
        ("nul.txt", "Conversation nul.txt.pdf"),
        ("Zürich 東京", "Zürich 東京.pdf"),
        ("x" * 300, "x" * 80 + ".pdf"),
    ],
)
def test_names_that_every_file_system_takes(title: str, name: str) -> None:
    assert file_name(title, "pdf") == name


async def test_markdown_is_the_messages_under_who_wrote_them() -> None:
    text = await markdown(QUESTION, answer("Because **so**.\n\n- one"))
    assert text == (
        "# A title\n\n*model-x*\n\n## You\n\nWhy <b>?\n\n## model-x\n\nBecause **so**.\n\n- one\n"
    )


@pytest.mark.parametrize(
    ("cut", "closed"),
    [
        ("```python\nx = 1", "```python\nx = 1\n```"),
        ("~~~~\n```\nx", "~~~~\n```\nx\n~~~~"),
        ("```\nx\n```", "```\nx\n```"),
        ("text ``` text", "text ``` text"),
    ],
)
async def test_a_fence_that_was_cut_does_not_swallow_what_follows(cut: str, closed: str) -> None:
    text = await markdown(answer(cut, state=MessageState.STOPPED), QUESTION)
    assert f"{closed}\n\n*Stopped*\n\n## You" in text


async def test_markdown_holds_reasoning_tools_and_errors() -> None:
    call = ToolCall(id="1", name="look_up", arguments='{"a": "```"}')
    error = StreamInterruptedError("reset").report()
    text = await markdown(answer("", reasoning="Hm.", tool_calls=(call,), error=error))
    assert "<summary>Reasoning</summary>\n\nHm.\n" in text
    assert '````json\n{"a": "```"}\n````' in text
    assert f"> **Error:** {error.sentence}" in text


async def test_html_shows_what_was_typed_and_loads_nothing() -> None:
    page = await html(QUESTION, answer("![x](https://evil.example/a.png)\n\n<script>x</script>"))
    assert '<div class="typed">Why &lt;b&gt;?</div>' in page
    assert page.count("<article") == page.count("</article>") == 2
    assert "evil.example" in page
    for tag in ("<script", "<img", "<link", "<iframe", "src=", "url(", "@import"):
        assert tag not in page


async def test_saving_replaces_and_keeps_the_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out.md"
    path.write_bytes(b"old")
    path.chmod(0o640)
    await save(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_a_place_where_nothing_can_be_saved_is_known_before(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as gone:
        await check_place(tmp_path / "gone" / "out.md")
    assert "folder does not exist" in gone.value.sentence
    with pytest.raises(StorageError) as folder:
        await check_place(tmp_path)
    assert "folder of this name" in folder.value.sentence
