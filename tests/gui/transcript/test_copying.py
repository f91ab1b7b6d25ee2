"""What is copied is what is selected, all of it: of text that grows, in pieces, or not in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QDrag, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_chat.domain.deltas import ReasoningDelta, TextDelta
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.markup import to_html
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript import drag, flow
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.pictures import close_math_renderer
from desktop_chat.ui.transcript.places import Place, Selection
from desktop_chat.ui.transcript.view import TranscriptView


def message(
    text: str,
    number: int = 1,
    role: Role = Role.ASSISTANT,
    state: MessageState = MessageState.COMPLETE,
    reasoning: str = "",
) -> Message:
    fields = {"id": number, "conversation_id": 1, "parent_id": None, "role": role, "text": text}
    return msgspec.convert({**fields, "state": state, "reasoning": reasoning}, Message)


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[TranscriptView]:
    made = TranscriptView(theme_for(dark=False, reduce_motion=True))
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    qtbot.waitExposed(made)
    QGuiApplication.clipboard().clear()
    yield made
    close_math_renderer()


def show(view: TranscriptView, *messages: Message) -> None:
    view.model.reset([stub_of(each) for each in messages], messages)
    QApplication.processEvents()


def while_copying(view: TranscriptView) -> Iterator[None]:
    for _ in range(10_000):
        if not view.reading.copying.is_active:
            return
        yield
    pytest.fail("copying does not end")


def copied(view: TranscriptView, kind: str = "markdown") -> str:
    QGuiApplication.clipboard().clear()
    view.copy_as(kind)
    for _ in while_copying(view):
        QApplication.processEvents()
    data = QGuiApplication.clipboard().mimeData()
    return data.html() if kind == "rich" else data.text()


def parts(view: TranscriptView, row: int = 0, section: Section = Section.BODY) -> list[Part]:
    """The entries of a message's text, all laid out."""
    layout = view.stack.layout(row)
    assert layout is not None
    index = 0
    while index < len(layout.column):
        layout.measure(index)
        index += layout.column.entries[index].box is not None
    view.stack.touched(row, 0)
    return [entry.spec.part for entry in layout.column.entries if entry.spec.part.section == section]


def select(view: TranscriptView, first: int, end: int) -> None:
    """From character ``first`` of the message's first run to character ``end`` of its last entry's first."""
    found = parts(view)
    view.reading.select(Selection(Place(0, found[0], 0, first), Place(0, found[-1], 0, end)))


def select_between(view: TranscriptView, first: str, end: str) -> None:
    """From before one word to behind another, wherever they are."""
    places: list[Place] = []
    layout = view.stack.layout(0)
    assert layout is not None
    for part in parts(view):
        box = layout.column.entries[layout.column.index_of(part)].box
        assert box is not None
        for number, placed in enumerate(box.runs()):
            for word, is_end in ((first, False), (end, True)):
                at = placed.run.text.find(word)
                if at >= 0:
                    places.append(Place(0, part, number, at + is_end * len(word)))
    start, stop = places
    view.reading.select(Selection(start, stop))


# --- text that grows ---------------------------------------------------------------------------------------

STREAMED = "First paragraph.\n\nSecond paragraph.\n\n- a\n- b\n\nThird paragraph.\n"


def test_a_streaming_answer_is_copied_as_it_stands(view: TranscriptView) -> None:
    show(view, message("", state=MessageState.STREAMING))
    view.model.append_delta(1, TextDelta(STREAMED))
    view.clock.flush_all()
    select(view, 6, 5)
    assert copied(view) == "paragraph.\n\nSecond paragraph.\n\n- a\n- b\n\nThird"
    assert copied(view, "plain") == "paragraph.\n\nSecond paragraph.\n\na\nb\n\nThird"
    assert "<li>a</li>" in copied(view, "rich")
    view.select_all()
    assert copied(view) == STREAMED


def test_a_continued_answer_is_copied_with_what_came(view: TranscriptView) -> None:
    show(view, message("First paragraph.\n\nSecond", state=MessageState.STREAMING))
    view.model.append_delta(1, TextDelta(" paragraph.\n\nThird.\n\nFourth paragraph.\n"))
    view.clock.flush_all()
    select(view, 0, 6)
    assert copied(view) == "First paragraph.\n\nSecond paragraph.\n\nThird.\n\nFourth"


def test_line_ends_of_all_kinds_count_as_lines(view: TranscriptView) -> None:
    show(view, message("First.\r\n\r\n1. a\r\n2. b\r\rMiddle.\r\n\r\nLast."))
    select(view, 0, 4)
    assert copied(view) == "First.\n\n1. a\n2. b\n\nMiddle.\n\nLast"


def test_reasoning_is_copied_as_source_while_it_grows(view: TranscriptView) -> None:
    show(view, message("", state=MessageState.STREAMING))
    view.model.append_delta(1, ReasoningDelta("I think.\n\n- one\n- two\n\nSo be it."))
    view.clock.flush_all()
    found = parts(view, section=Section.REASONING)
    view.reading.select(Selection(Place(0, found[0], 0, 2), Place(0, found[-1], 0, 2)))
    assert copied(view) == "think.\n\n- one\n- two\n\nSo"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_text_beyond_what_is_read_as_markdown(
    view: TranscriptView, monkeypatch: pytest.MonkeyPatch, is_streamed: bool
) -> None:
    monkeypatch.setattr(flow, "LONGEST_MARKUP", 3_000)
    text = "Begin.\n\n" + "".join(f"- item number {n}\n" for n in range(400)) + "The\n\nend."
    show(
        view, message("" if is_streamed else text, state=MessageState(["complete", "streaming"][is_streamed]))
    )
    if is_streamed:
        for start in range(0, len(text), 70):
            view.model.append_delta(1, TextDelta(text[start : start + 70]))
            view.clock.flush_all()
    found = parts(view)
    assert found[-1].line > flow.PLAIN_LINE
    layout = view.stack.layout(0)
    assert layout is not None
    box = layout.column.entries[layout.column.index_of(found[-1])].box
    assert box is not None
    end = box.run(0).run.length - 1
    view.reading.select(Selection(Place(0, found[0], 0, 1), Place(0, found[-1], 0, end)))
    assert copied(view) == text[1:-1]


# --- blocks in several pieces ------------------------------------------------------------------------------

SENTENCES = " ".join(f"Sentence number {n} says {'so' if n % 40 else '**so**'}." for n in range(400))
PLAIN_SENTENCES = SENTENCES.replace("*", "")
NUMBERS = range(100)
BLOCKS = {
    "paragraph": (SENTENCES, PLAIN_SENTENCES),
    "list": (
        "\n".join(f"- item **{n}** w{n}w" for n in NUMBERS),
        "\n".join(f"item {n} w{n}w" for n in NUMBERS),
    ),
    "numbered list": (
        "\n".join(f"{n + 1}. item {n}" for n in NUMBERS),
        "\n".join(f"item {n}" for n in NUMBERS),
    ),
    "long item": (
        f"- short\n- {SENTENCES}\n\n  second\n\n  - nested\n  - {SENTENCES}\n- last",
        f"short\n{PLAIN_SENTENCES}\nsecond\nnested\n{PLAIN_SENTENCES}\nlast",
    ),
    "table": (
        "| a | b |\n|---|---|\n" + "\n".join(f"| {n} | x |" for n in NUMBERS),
        "a\nb\n" + "\n".join(f"{n}\nx" for n in NUMBERS),
    ),
    "quotation": (f"> {SENTENCES}\n>\n> Another.", f"{PLAIN_SENTENCES}\nAnother."),
    "quotation of paragraphs": (
        "\n>\n".join(f"> Paragraph {n} {'word ' * 100}end." for n in range(30)),
        "\n".join(f"Paragraph {n} {'word ' * 100}end." for n in range(30)),
    ),
}


STREAMED_BLOCKS = ["list", "numbered list", "table", "quotation of paragraphs"]
"""Those whose lines are short: a line without an end may show with a delay while it grows."""


@pytest.mark.parametrize(
    ("kind", "is_streamed"),
    [*((kind, False) for kind in BLOCKS), *((kind, True) for kind in STREAMED_BLOCKS)],
)
def test_a_block_in_pieces_is_copied_as_one(view: TranscriptView, kind: str, is_streamed: bool) -> None:
    source, plain = BLOCKS[kind]
    text = f"Intro.\n\n{source}\n\nEnd words.\n"
    show(
        view, message("" if is_streamed else text, state=MessageState(["complete", "streaming"][is_streamed]))
    )
    if is_streamed:
        for start in range(0, len(text), 200):
            view.model.append_delta(1, TextDelta(text[start : start + 200]))
            view.clock.flush_all()
    select(view, 2, 3)
    assert any(part.piece for part in parts(view))
    assert copied(view) == f"tro.\n\n{source}\n\nEnd"
    assert copied(view, "plain") == f"tro.\n\n{plain}\n\nEnd"
    items = {"list": 100, "numbered list": 100, "long item": 5}
    assert copied(view, "rich").count("<li>") == items.get(kind, 0)
    assert copied(view, "rich").count("<table>") == (kind == "table")
    assert copied(view, "rich").count("<blockquote>") == kind.startswith("quotation")
    view.select_all()
    assert copied(view) == text
    assert copied(view, "plain") == f"Intro.\n\n{plain}\n\nEnd words."


@pytest.mark.parametrize(
    ("kind", "first", "end", "expected"),
    [
        ("paragraph", "number 3 says", "number 350 says", None),
        ("list", "w3w", "w77w", "w3w\n" + "\n".join(f"item **{n}** w{n}w" for n in range(4, 78))),
        ("table", "38", "71", "38\nx\n" + "\n".join(f"{n}\nx" for n in range(39, 71)) + "\n71"),
    ],
)
def test_a_part_of_a_block_in_pieces(
    view: TranscriptView, kind: str, first: str, end: str, expected: str | None
) -> None:
    source = BLOCKS[kind][0]
    show(view, message(f"Intro.\n\n{source}\n\nEnd words."))
    select_between(view, first, end)
    if expected is None:
        expected = source[source.index(first) : source.index(end) + len(end)]
    assert copied(view) == expected
    assert copied(view, "plain") == expected.replace("*", "")


def test_typed_text_in_pieces_is_copied_exactly(view: TranscriptView) -> None:
    lines = "".join(f"    '{'a' * 70}',\n" for _ in range(70))
    text = f"x = [\n{lines}]\n# then\n```py\ny = 1\n```\nand so on\n\n\n```\nz\n```\n# end"
    show(view, message(text, role=Role.USER))
    select(view, 1, 5)
    assert any(part.piece for part in parts(view))
    assert copied(view) == text[1:]
    view.select_all()
    assert copied(view) == text
    show(view, message(lines, role=Role.USER))
    view.select_all()
    assert copied(view, "plain") == lines.rstrip("\n")


def test_a_selection_outlives_the_layout_it_was_made_in(view: TranscriptView) -> None:
    text = "\n\n".join(f"Paragraph {n} {'word ' * 20}end." for n in range(400))
    show(view, message(text))
    select(view, 0, 9)
    places = view.reading.selection
    assert places is not None
    found = parts(view)
    view.reading.select(Selection(Place(0, found[150], 0, 0), Place(0, found[-150], 0, 9)))
    expected = copied(view), copied(view, "plain")
    assert expected[0].startswith("Paragraph 150")
    assert expected[0].endswith("Paragraph")
    view.stack.reset()
    assert (copied(view), copied(view, "plain")) == expected


def test_notes_are_copied_where_they_are_defined(view: TranscriptView) -> None:
    text = "First[^1].\n\nOne.\n\n[^1]: The note.\n\nLast words."
    show(view, message(text), message("More.", 2))
    found = parts(view)
    end = Place(1, parts(view, 1)[0], 0, 2)
    view.reading.select(Selection(Place(0, found[0], 0, 1), end))
    assert copied(view) == f"{text[1:]}\n\nMo"
    last = next(part for part in found if part.line == 2)
    view.reading.select(Selection(Place(0, last, 0, 1), end))
    assert copied(view) == "ne.\n\nLast words.\n\nThe note.\n\nMo"


def test_notes_of_a_long_text_repeat_nothing(view: TranscriptView) -> None:
    text = "\n\n".join(f"Paragraph {n}[^1] {'word ' * 60}end." for n in range(60)) + "\n\n[^1]: The note.\n"
    show(view, message(text), message("More.", 2))
    found = parts(view)
    view.reading.select(Selection(Place(0, found[0], 0, 1), Place(1, parts(view, 1)[0], 0, 2)))
    for number in range(60):
        assert copied(view).count(f"Paragraph {number}[^1] ") == (number > 0)
    assert "[^1]: The note." in copied(view)


def test_copying_lays_out_nothing_that_stays(view: TranscriptView) -> None:
    show(view, *(message("A\n\nB", n) for n in range(1, 200)))
    view.select_all()
    view.scroll_to_end()
    before = len(list(view.stack.laid_out()))
    assert copied(view, "plain").count("A\n\nB") == 199
    assert len(list(view.stack.laid_out())) <= before + 1


def test_a_long_text_that_defines_labels_is_formatted_as_a_whole(view: TranscriptView) -> None:
    text = "See [it][1] and [`b`][b].\n\n```\n[b]: x\n```\n\n" * 200 + "[1]: https://example.org/"
    show(view, message(text))
    view.select_all()
    assert copied(view, "rich").replace("\n", "") == to_html(text).replace("\n", "")


def test_a_long_text_is_formatted_while_the_window_goes_on(view: TranscriptView) -> None:
    block = "Some **bold** text, see [it](https://example.org/).\n\n- one\n- two\n\n```py\nx = 1\n```\n\n"
    text = block * 800 + "The end."
    show(view, message(text))
    view.select_all()
    view.copy_as("rich")
    assert view.reading.copying.is_active
    assert copied(view, "rich").replace("\n", "") == to_html(text).replace("\n", "")
    assert QGuiApplication.clipboard().text() == text


# --- messages that are not in memory -----------------------------------------------------------------------


class Owner:
    """Loads what a view asks for when it is told to."""

    def __init__(self, view: TranscriptView, messages: Sequence[Message], loaded: int) -> None:
        self._by_id = {each.id: each for each in messages}
        self._model = view.model
        self.asked: list[list[int]] = []
        view.model.needed.connect(self.asked.append)
        view.model.reset([stub_of(each) for each in messages], messages[len(messages) - loaded :])
        QApplication.processEvents()

    def answer(self) -> None:
        asked, self.asked[:] = list(self.asked), []
        for ids in asked:
            self._model.provide([self._by_id[each] for each in ids])
        QApplication.processEvents()


def many(count: int = 200) -> list[Message]:
    return [message(f"Message **number** {n}.", n) for n in range(1, count + 1)]


@pytest.mark.parametrize("kind", ["markdown", "plain"])
def test_messages_not_in_memory_are_copied_too(view: TranscriptView, kind: str) -> None:
    messages = many()
    owner = Owner(view, messages, 24)
    view.select_all()
    selection = view.reading.selection
    view.copy_as(kind)
    assert QGuiApplication.clipboard().text() == ""
    rounds = 0
    for _ in while_copying(view):
        assert all(len(ids) <= 40 for ids in owner.asked)
        owner.answer()
        QApplication.processEvents()
        rounds += 1
    text = "\n\n".join(each.text for each in messages)
    assert QGuiApplication.clipboard().text() == (text if kind == "markdown" else text.replace("*", ""))
    assert view.reading.selection == selection
    assert rounds > 1


def test_more_than_the_model_keeps_is_copied(view: TranscriptView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop_chat.ui.transcript.model.KEPT_CHARACTERS", 10)
    messages = many()
    owner = Owner(view, messages, 24)
    view.select_all()
    view.copy()
    for _ in while_copying(view):
        owner.answer()
    assert QGuiApplication.clipboard().text() == "\n\n".join(each.text for each in messages)


@pytest.mark.parametrize("change", ["selection", "conversation", "failure"])
def test_copying_is_given_up_and_said_to_be(view: TranscriptView, change: str) -> None:
    said: list[str] = []
    view.reading.copying.notice.connect(said.append)
    owner = Owner(view, many(), 24)
    view.select_all()
    view.copy()
    is_active = view.reading.copying.is_active
    assert is_active
    if change == "selection":
        view.reading.select(None)
    elif change == "conversation":
        show(view, message("Another."))
    else:
        view.model.miss([number for ids in owner.asked for number in ids])
    assert not view.reading.copying.is_active
    (sentence,) = said
    assert sentence.startswith("Nothing was copied, because")
    if change == "failure":  # and can be tried again
        owner.asked.clear()
        view.copy()
        assert owner.asked
    owner.answer()
    view.reading.copying.stop()
    assert QGuiApplication.clipboard().text() == ""


def test_what_takes_long_is_said_to_be_going_on(view: TranscriptView, qtbot: QtBot) -> None:
    owner = Owner(view, many(30), 10)
    view.select_all()
    with qtbot.waitSignal(view.reading.copying.notice) as going_on:
        view.copy()
    assert "loaded" in going_on.args[0]
    with qtbot.waitSignal(view.reading.copying.notice) as done:
        owner.answer()
    assert done.args == ["Copied"]
    assert QGuiApplication.clipboard().text().endswith("Message **number** 30.")


# --- dragging out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_held", [True, False])
def test_a_drag_waits_for_all_of_it(
    view: TranscriptView, monkeypatch: pytest.MonkeyPatch, is_held: bool
) -> None:
    dropped: list[str] = []

    class Dropped(QDrag):
        def exec(self, *actions: Qt.DropAction) -> Qt.DropAction:
            dropped.append(self.mimeData().text())
            return Qt.DropAction.CopyAction

    def mouse(kind: QEvent.Type, point: QPoint) -> None:
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        event = QMouseEvent(
            kind,
            QPointF(point),
            QPointF(view.viewport().mapToGlobal(point)),
            none if kind is QEvent.Type.MouseMove else left,
            none if kind is QEvent.Type.MouseButtonRelease else left,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(view.viewport(), event)

    monkeypatch.setattr(drag, "QDrag", Dropped)
    messages = many()
    owner = Owner(view, messages, 24)
    view.select_all()
    layout = view.stack.known_layout(199)
    assert layout is not None
    left, top = layout.box_place(1)
    origin = QPoint(view.column_left + left + 10, view.stack.message_top(199) + top - view.top + 8)
    mouse(QEvent.Type.MouseButtonPress, origin)
    mouse(QEvent.Type.MouseMove, origin + QPoint(60, 0))
    assert dropped == []
    assert owner.asked
    if not is_held:
        mouse(QEvent.Type.MouseButtonRelease, origin)
        assert not view.reading.copying.is_active
    for _ in while_copying(view):
        owner.answer()
    assert dropped == ["\n\n".join(each.text for each in messages)] * is_held
    selection = view.reading.selection
    assert selection is not None
    assert not selection.is_empty
    mouse(QEvent.Type.MouseButtonRelease, origin)
