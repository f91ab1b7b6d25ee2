"""Finding in a conversation of which most is on disk only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from gui import test_window
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_chat import resources
from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.messages import Message, Role
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.paths import DataPaths
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.hits import texts_of
from desktop_chat.ui.transcript.math_box import FormulaSource
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.pictures import close_math_renderer, math_renderer
from desktop_chat.ui.transcript.places import EntryMarks, Place
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


@pytest.fixture(scope="module", autouse=True)
def _formula_thread() -> Iterator[None]:
    """One thread renders the formulas of all tests."""
    math_renderer().render("x", 10.0)
    yield
    close_math_renderer()


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


def shown(view: TranscriptView, *messages: Message) -> Owner:
    owner = Owner(view, list(messages))
    view.model.counting.connect(lambda *_: owner.count())
    view.model.reset([stub_of(each) for each in messages], messages)
    QApplication.processEvents()
    return owner


def marked(view: TranscriptView, row: int = 0) -> list[tuple[Place, int, bool]]:
    """Each highlighted range of a message: where it begins, where it ends, and whether it is the current hit's."""
    layout = view.stack.layout(row)
    assert layout is not None
    found, index = [], 0
    while index < len(layout.column):
        layout.measure(index)
        entry = layout.column.entries[index]
        if entry.box is None:
            continue
        marks = EntryMarks(QColor("white"), QColor("yellow"), QColor("red"))
        view.reading.prepare(marks)
        marks.row = row
        marks.begin(layout.column.entries, index)
        for number, placed in enumerate(entry.box.runs()):
            for mark in marks.marks(number, placed.run):
                place = Place(row, entry.spec.part, number, mark.start)
                found.append((place, mark.end, mark.color == QColor("red")))
        index += 1
    return found


def stepped(view: TranscriptView, owner: Owner) -> list[Place]:
    """The places that stepping through all hits visits."""
    found = []
    for number in range(1, owner.results[-1][1] + 1):
        assert owner.results[-1] == (number, owner.results[-1][1])
        current = view.reading.search.current
        assert current is not None
        found.append(current)
        view.find_next()
    return found


SENTENCES = " ".join(f"word{number} says something here." for number in range(400))


@pytest.mark.parametrize("before", ["", "> ", "- ", "1. > - ", "One[^1]\n\n[^1]: ", "# ", "typed"])
def test_hits_across_the_seams_of_a_long_text_are_found_and_marked(view: TranscriptView, before: str) -> None:
    role = Role.USER if before == "typed" else Role.ASSISTANT
    question = message(1, f"{before} {SENTENCES}")
    owner = shown(view, msgspec.structs.replace(question, role=role))
    layout = view.stack.layout(0)
    assert layout is not None
    view.find("here. word")
    places = stepped(view, owner)
    assert owner.results[-1] == (1, 399)
    assert places == sorted(set(places))
    words = []
    for place in places:
        found = layout.run(place.part, place.run)
        assert found is not None
        part = place.part
        text = found.run.text[place.offset :]
        if len(text) <= len("here. word"):
            following = layout.run(part._replace(piece=part.piece + 1), 0)
            assert following is not None
            text += following.run.text
        words.append(text.split()[1])
    assert words == [f"word{number}" for number in range(1, 400)]
    cut = [place for place in places if len({each.part for each in places}) > 1 and is_cut(view, place)]
    assert cut
    marks = marked(view)
    assert len(marks) == 399 + len(cut)
    view.find("here. " + next(word for word, place in zip(words, places, strict=True) if place == cut[0]))
    current = view.reading.search.current
    assert current == cut[0]
    parts = [place.part.piece for place, _, is_current in marked(view) if is_current]
    assert parts == [cut[0].part.piece, cut[0].part.piece + 1], "both parts are the current hit's"


def is_cut(view: TranscriptView, place: Place) -> bool:
    layout = view.stack.layout(place.row)
    assert layout is not None
    placed = layout.run(place.part, place.run)
    assert placed is not None
    return place.offset + len("here. word") > placed.run.length


def test_what_only_stands_beside_each_other_is_no_hit(view: TranscriptView) -> None:
    items = "\n".join(f"- from {number} to" for number in range(100))
    quoted = "\n>\n".join(f"> {'words ' * 300}to\n>\n> from there" for _ in range(6))
    owner = shown(view, message(1, f"{items}\n\n{quoted}"))
    view.find("tofrom")
    assert owner.results[-1] == (0, 0)
    view.find("to from")
    assert owner.results[-1] == (0, 0)
    assert marked(view) == []


MARKED_UP = """A **bo**ld word, [bold](https://bold.example/bold) and `bold`, b\\*old, BOLD
**two** words

| bold | bold&amp;bold |
|------|------|
| [x](https://bold.example) | **b**old |

- one <!-- bold -->
  1. [bold][far]

> bold *bo*l**d**

```
{long}bold
bold
```

[far]: https://bold.example/bold

$$
bold
$$
""".replace("{long}", "x" * 998 + "bold" + "y" * 995)


@pytest.mark.parametrize("size", [0, 12_000])
def test_stepping_visits_every_place_that_is_highlighted_once_and_in_order(
    view: TranscriptView, qtbot: QtBot, size: int
) -> None:
    filling = "Some other words. " * 20 + "\n\n"
    text = filling * (size // len(filling)) + MARKED_UP
    owner = shown(view, message(1, text, "So **bo**ld"), message(2, "a bold end"))
    for needle in ("bold", "d word", "bold two"):
        view.find(needle)
        highlighted = [place for row in (0, 1) for place, _, _ in marked(view, row)]
        qtbot.waitUntil(lambda: owner.results[-1][1] == len(highlighted))  # noqa: B023 - called here
        while view.reading.search.current != highlighted[0]:
            view.find_previous()
        assert stepped(view, owner) == highlighted, needle
        view.find_previous()
        assert view.reading.search.current == highlighted[-1]


def test_a_message_that_shows_none_of_its_hits_is_passed_over(view: TranscriptView) -> None:
    long = "Words. " * 10_000
    hidden = f"[link](https://needle.example)\n\n{long}"
    owner = shown(view, message(1, "needle"), message(2, hidden), message(3, "needle"))
    view.find("needle")
    assert owner.results[-1] == (1, 3)
    view.find_next()
    assert owner.results[-1] == (2, 2)
    assert view.reading.search.current is not None
    assert view.reading.search.current.row == 2
    owner = shown(view, message(1, hidden))
    view.find("needle")
    assert owner.results[-1] == (0, 0)
    assert view.reading.search.current is None


def test_the_count_becomes_that_of_what_is_shown_when_a_message_is_loaded(
    view: TranscriptView, qtbot: QtBot
) -> None:
    texts = [
        "**nee**dle",
        *("filling " * 400 for _ in range(40)),
        "needle [x](https://needle.example)",
        "needle",
    ]
    messages = [message(number, text) for number, text in enumerate(texts, 1)]
    owner = Owner(view, messages)
    view.model.reset([stub_of(each) for each in messages])
    QApplication.processEvents()
    owner.loaded.clear()
    view.find("needle")
    owner.count()
    assert owner.results[-1] == (1, 3)
    owner.loaded.append(42)
    owner.load(view)
    qtbot.waitUntil(lambda: owner.results[-1] == (1, 2))
    view.model.provide([messages[0]])
    qtbot.waitUntil(lambda: owner.results[-1] == (2, 3))


def test_texts_are_searched_as_they_are_shown(view: TranscriptView) -> None:
    text = resources.read_text("demo/long.md")
    rows = "\n".join(f"| {number} | cell |" for number in range(60))
    shown(view, message(1, f"{text}\n\n{MARKED_UP}\n\n| a | b |\n|---|---|\n{rows}\n\n> - {SENTENCES}\n"))
    layout = view.stack.layout(0)
    assert layout is not None
    index = 0
    while index < len(layout.column):
        layout.measure(index)
        entry = layout.column.entries[index]
        if entry.box is None:
            continue
        if entry.spec.part.section == Section.BODY:
            runs = [each.run for each in entry.box.runs()]
            texts = [each.text for each in runs if not isinstance(each, FormulaSource)]
            assert list(texts_of(entry.spec.source)) == texts
        index += 1
    assert index > 20


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
