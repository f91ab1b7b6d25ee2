"""Finding in a conversation of which most is on disk only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from gui import test_window
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.messages import Message, Role
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.paths import DataPaths
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.view import TranscriptView

until = test_window.until
Answer = Callable[[dict[int, int]], None]


def message(number: int, text: str, reasoning: str = "") -> Message:
    fields = {"id": number, "conversation_id": 1, "parent_id": number - 1 or None, "role": Role.ASSISTANT}
    return msgspec.convert({**fields, "text": text, "reasoning": reasoning}, Message)


class Owner:
    """Answers the transcript's questions when told to."""

    def __init__(self, view: TranscriptView, messages: list[Message]) -> None:
        self.messages = {each.id: each for each in messages}
        self.asked: list[tuple[list[int], str, Answer]] = []
        self.loaded: list[int] = []
        self.results: list[tuple[int, int]] = []
        view.model.counting.connect(lambda *request: self.asked.append(request))
        view.model.needed.connect(self.loaded.extend)
        view.find_result.connect(lambda *result: self.results.append(result))

    def count(self) -> None:
        """Answer the oldest question."""
        ids, needle, answer = self.asked.pop(0)
        counts = {key: self.messages[key].text.lower().count(needle) for key in ids}
        answer({key: count for key, count in counts.items() if count})

    def load(self, view: TranscriptView) -> None:
        ids, self.loaded[:] = list(self.loaded), []
        view.model.provide(self.messages[each] for each in ids)


@pytest.fixture
def view(qtbot: QtBot) -> TranscriptView:
    made = TranscriptView(theme_for(dark=False, reduce_motion=True))
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    return made


def test_hits_come_in_the_order_of_the_messages_wherever_they_are_counted(
    view: TranscriptView, qtbot: QtBot
) -> None:
    texts = [f"A needle and a Needle in {number}" if number % 2 else "Nothing" for number in range(1, 41)]
    messages = [message(number, text) for number, text in enumerate(texts, 1)]
    owner = Owner(view, messages)
    view.model.reset([stub_of(each) for each in messages], messages[10:20])
    QApplication.processEvents()
    owner.load(view)
    owner.results.clear()
    view.find("NEEDLE")
    assert not owner.results, "the first rows are not counted yet"
    ids, needle, _ = owner.asked[0]
    assert needle == "needle"
    assert not set(range(11, 21)) & set(ids), "what is at hand needs no question"
    owner.count()
    assert owner.results[-1] == (1, 40)
    qtbot.waitUntil(lambda: 1 in owner.loaded)
    owner.load(view)
    qtbot.waitUntil(lambda: view.reading.search.current is not None)
    current = view.reading.search.current
    assert current is not None
    assert current.row == 0
    view.find_previous()
    assert owner.results[-1] == (40, 40)


def test_the_first_hit_shows_while_the_rest_is_not_counted(view: TranscriptView, qtbot: QtBot) -> None:
    messages = [message(number, f"{'text ' * 2000}needle") for number in range(1, 501)]
    owner = Owner(view, messages)
    view.model.reset([stub_of(each) for each in messages])
    view.find("needle")
    assert len(owner.asked[0][0]) < 200
    owner.count()
    assert owner.results[-1][0] == 1
    owner.load(view)
    qtbot.waitUntil(lambda: view.reading.search.current is not None)
    first = owner.results[-1][1]
    while owner.results[-1][1] < 500:
        qtbot.waitUntil(lambda: bool(owner.asked))
        owner.count()
    assert first < 200
    assert owner.results[-1] == (1, 500)


def test_an_answer_to_an_earlier_search_is_not_taken_for_this_one(view: TranscriptView) -> None:
    messages = [message(number, "one two two") for number in range(1, 101)]
    owner = Owner(view, messages)
    view.model.reset([stub_of(each) for each in messages])
    owner.results.clear()
    view.find("two")
    view.find("one")
    owner.count()
    assert owner.results == []
    owner.count()
    assert owner.results[-1] == (1, 100)


def test_a_long_message_is_not_counted_in_the_windows_thread(view: TranscriptView) -> None:
    messages = [message(1, "needle " * 20_000), message(2, "needle")]
    owner = Owner(view, messages)
    view.model.reset([stub_of(each) for each in messages], messages)
    view.find("needle")
    assert owner.asked[0][0] == [1]
    owner.count()
    assert owner.results[-1] == (1, 20_001)


@pytest.fixture
async def run(qapp: QApplication, tmp_path: Path) -> AsyncIterator[test_window.Run]:
    """The program over a conversation of 600 messages."""
    paths = DataPaths.choose(tmp_path)
    paths.create()
    store = await ConversationStore.open(paths.database)
    texts = [f"Message {number}" for number in range(1, 601)]
    texts[299] = "Das ist GRÖẞER."
    await store.import_conversation(
        Conversation(id=1, title="Long"), [message(number, text) for number, text in enumerate(texts, 1)]
    )
    await store.close()
    started = test_window.Run(qapp, tmp_path)
    yield await started.ready()
    await started.close()
    qapp.setStyleSheet("")


async def test_a_hit_on_disk_is_counted_and_shown(run: test_window.Run) -> None:
    (conversation,) = await run.controller.library.conversations()
    await run.controller.open(conversation.id)
    view = run.controller.view.view
    results: list[tuple[int, int]] = []
    view.find_result.connect(lambda *result: results.append(result))
    run.window.find_bar.begin()
    run.window.find_bar.field.setText("größer")
    await until(lambda: view.reading.search.current is not None, "the hit to be shown")
    assert results[-1] == (1, 1)
    assert view.reading.search.current.row == 299
    assert 299 in view.visible_rows()
    run.window.find_bar.field.setText("message")
    await until(lambda: results[-1] == (1, 599), "the whole count")
