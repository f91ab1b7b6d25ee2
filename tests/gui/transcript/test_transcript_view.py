"""The transcript: streamed text looks as the same text opened later, following lets go, what is read stays still."""

from __future__ import annotations

import json

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_chat.api.errors import error_from_response
from desktop_chat.domain.deltas import ReasoningDelta, TextDelta
from desktop_chat.domain.errors import ErrorReport, StreamInterruptedError
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.storage.message_rows import ABANDONED
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.heights import FenwickHeights
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.message_parts import ErrorBox
from desktop_chat.ui.transcript.model import TranscriptModel, stub_of
from desktop_chat.ui.transcript.places import Place, Selection
from desktop_chat.ui.transcript.view import TranscriptView

SAMPLE = """# Sorting

Use `sorted` for a **new** list, see [the guide](https://docs.example.org/sort), *always*.

- one
- two
  1. nested
  2. deeper

> A quotation
> of two lines

```python
def f(x: int) -> int:
    return x + 1
```

| Name | Count |
|------|------:|
| a | 1 |
| long name | 1,000 |

- [x] done
- [ ] open

שלום עולם, and 漢字 with 🙂 emoji.
"""


def message(number: int, role: Role, text: str, **more: object) -> Message:
    parent = number - 1 if number > 1 else None
    fields = {"id": number, "conversation_id": 1, "parent_id": parent, "role": role, "text": text, **more}
    return msgspec.convert(fields, Message)


@pytest.fixture
def view(qtbot: QtBot) -> TranscriptView:
    made = TranscriptView(theme_for(dark=False, reduce_motion=True))
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    qtbot.waitExposed(made)
    return made


def picture(view: TranscriptView) -> QImage:
    QApplication.processEvents()
    return view.viewport().grab().toImage()


def open_all(view: TranscriptView, messages: list[Message]) -> None:
    view.model.reset([stub_of(each) for each in messages], messages)
    QApplication.processEvents()


def stream(view: TranscriptView, text: str, step: int = 9) -> Message:
    """Stream ``text`` as message 2; returns it as it ended."""
    view.model.append(message(1, Role.USER, "Question?"))
    view.model.append(message(2, Role.ASSISTANT, "", state="streaming", model="model"))
    for start in range(0, len(text), step):
        view.model.append_delta(2, TextDelta(text[start : start + step]))
        view.clock.flush_all()
        QApplication.processEvents()
    ended = message(2, Role.ASSISTANT, text, model="model", finish_reason="stop")
    view.model.replace(ended)
    return ended


@pytest.mark.parametrize("length", [len(SAMPLE), 60, 133, 190, 260, 330])
def test_streamed_equals_opened(view: TranscriptView, length: int) -> None:
    ended = stream(view, SAMPLE[:length])
    streamed = picture(view)
    open_all(view, [message(1, Role.USER, "Question?"), ended])
    assert picture(view) == streamed


@pytest.mark.parametrize("is_opened", [False, True])
def test_a_continued_answer_goes_on_where_it_stands(
    view: TranscriptView, qtbot: QtBot, is_opened: bool
) -> None:
    half = SAMPLE[: len(SAMPLE) // 2 + 3]
    stopped = msgspec.structs.replace(stream(view, half), state=MessageState.STOPPED)
    if is_opened:
        open_all(view, [message(1, Role.USER, "Question?"), stopped])
    layout = view.stack.known_layout(1)
    assert layout is not None
    entries = len(layout.column)
    view.model.replace(msgspec.structs.replace(stopped, state=MessageState.STREAMING))
    assert len(layout.column) >= entries - 1  # nothing collapses
    view.model.append_delta(2, TextDelta(SAMPLE[len(half) :]))
    ended = msgspec.structs.replace(stopped, state=MessageState.COMPLETE, text=SAMPLE)
    view.model.replace(ended)
    qtbot.waitUntil(lambda: not layout.is_behind)
    streamed = picture(view)
    open_all(view, [message(1, Role.USER, "Question?"), ended])
    assert picture(view) == streamed


def wheel(view: TranscriptView, notches: int) -> None:
    point = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        point, point, QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    view.wheelEvent(event)


def test_scrolling_up_lets_go_and_nothing_moves(view: TranscriptView, qtbot: QtBot) -> None:
    view.model.append(message(1, Role.USER, "Question?"))
    view.model.append(message(2, Role.ASSISTANT, "word " * 4000, state="streaming"))
    layout = view.stack.known_layout(1)
    assert layout is not None
    qtbot.waitUntil(lambda: not layout.is_behind and not view.clock.is_waiting)
    assert view.is_following
    assert view.is_at_end()
    wheel(view, 6)
    assert not view.is_following
    before, top = picture(view), view.top  # type: ignore[unreachable]  # a property that changed
    for _ in range(20):
        view.model.append_delta(2, TextDelta("more words\n\n- and a list "))
        view.clock.flush_all()
    assert view.top == top
    assert picture(view) == before
    view.scroll_to_end()
    assert view.is_following
    assert view.is_at_end()


def test_guesses_that_turn_exact_do_not_move_what_is_read(view: TranscriptView) -> None:
    open_all(view, [message(n, Role.ASSISTANT, f"{SAMPLE}\n\nEnd {n}") for n in range(1, 60)])
    for _ in range(40):
        row = view.visible_rows()[-1]
        y = view.stack.message_top(row) + view.stack.heights[row] - view.top
        wheel(view, 1)
        moved = view.stack.message_top(row) + view.stack.heights[row] - view.top - y
        assert moved == 84


def test_only_what_shows_is_laid_out_and_the_rest_is_asked_for(view: TranscriptView) -> None:
    messages = [message(n, Role.ASSISTANT, SAMPLE) for n in range(1, 5001)]
    by_id = {each.id: each for each in messages}
    asked: list[int] = []

    def provide(ids: list[int]) -> None:
        asked.extend(ids)
        view.model.provide(by_id[each] for each in ids)

    view.model.needed.connect(provide)
    view.model.reset([stub_of(each) for each in messages])
    QApplication.processEvents()
    assert 5000 in asked
    assert len(asked) < 30
    assert len(dict(view.stack.laid_out())) < 30


def test_a_long_answer_is_laid_out_in_part(view: TranscriptView) -> None:
    open_all(view, [message(1, Role.ASSISTANT, f"{SAMPLE}\n\nEnd\n\n" * 1500)])
    layout = view.stack.known_layout(0)
    assert layout is not None
    assert sum(entry.box is not None for entry in layout.column.entries) < 60


def test_resize_keeps_the_place(view: TranscriptView) -> None:
    open_all(view, [message(n, Role.ASSISTANT, SAMPLE) for n in range(1, 30)])
    view.scroll_to_message(15)
    view.resize(500, 500)
    QApplication.processEvents()
    assert view.stack.row_at(view.top + 30) == 14


def test_select_all_copies_the_source(view: TranscriptView) -> None:
    open_all(view, [message(1, Role.USER, "Question?"), message(2, Role.ASSISTANT, SAMPLE)])
    view.select_all()
    view.copy()
    assert QGuiApplication.clipboard().text() == f"Question?\n\n{SAMPLE}"
    view.copy_as("rich")
    assert "<table>" in QGuiApplication.clipboard().mimeData().html()


def test_selected_by_mouse(view: TranscriptView, qtbot: QtBot) -> None:
    open_all(view, [message(1, Role.ASSISTANT, "First line of text.\n\nSecond \x1b[31mparagraph.")])
    layout = view.stack.known_layout(0)
    assert layout is not None
    left, top = layout.box_place(1)
    origin = QPoint(view.column_left + left, view.stack.message_top(0) + top - view.top + 8)
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=origin + QPoint(5, 0))  # type: ignore[no-untyped-call]  # pytest-qt
    view.copy()
    assert QGuiApplication.clipboard().text() == "First"


def test_a_link_says_where_it_leads(view: TranscriptView, qtbot: QtBot) -> None:
    open_all(view, [message(1, Role.ASSISTANT, "[bank.example](https://evil.example/x) and more **weight**")])
    layout = view.stack.known_layout(0)
    assert layout is not None
    left, top = layout.box_place(1)
    at = QPoint(view.column_left + left + 20, view.stack.message_top(0) + top - view.top + 8)
    with qtbot.waitSignal(view.link_activated) as opened:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)  # type: ignore[no-untyped-call]  # pytest-qt
    assert opened.args == ["https://evil.example/x", "bank.example"]
    part = layout.column.entries[1].spec.part
    view.reading.select(Selection(Place(0, part, 0, 13), Place(0, part, 0, 28)))
    view.copy()
    assert QGuiApplication.clipboard().text() == "and more **weight**"


def test_a_selection_over_blocks_copies_their_source(view: TranscriptView) -> None:
    text = "First **bold** words.\n\n```python\nx = 1\n```\n\n- one\n- two\n\nLast words here."
    open_all(view, [message(1, Role.ASSISTANT, text)])
    layout = view.stack.known_layout(0)
    assert layout is not None
    body = [entry.spec.part for entry in layout.column.entries if entry.spec.part.section == Section.BODY]
    view.reading.select(Selection(Place(0, body[0], 0, 6), Place(0, body[-1], 0, 4)))
    view.copy()
    assert (
        QGuiApplication.clipboard().text()
        == "**bold** words.\n\n```python\nx = 1\n```\n\n- one\n- two\n\nLast"
    )
    view.copy_as("plain")
    assert QGuiApplication.clipboard().text() == "bold words.\n\nx = 1\n\none\ntwo\n\nLast"


def on_screen(view: TranscriptView) -> QImage:
    """What was really painted so far, by parts and shifts."""
    QApplication.processEvents()
    return view.screen().grabWindow(view.winId()).toImage().copy(view.viewport().geometry())


def test_shifted_pixels_are_the_right_ones(view: TranscriptView) -> None:
    stream(view, SAMPLE * 3, step=23)
    assert on_screen(view) == picture(view)
    for notches in (2, 3, -1, 4, -2):
        wheel(view, notches)
        assert on_screen(view).copy(0, 0, 600, 440) == picture(view).copy(0, 0, 600, 440)


def test_find_counts_and_steps(view: TranscriptView, qtbot: QtBot) -> None:
    open_all(view, [message(n, Role.ASSISTANT, f"The needle of {n}") for n in range(1, 40)])
    with qtbot.waitSignal(view.find_result, check_params_cb=lambda _, count: count == 39) as found:
        view.find("NEEDLE")
    assert found.args == [1, 39]
    with qtbot.waitSignal(view.find_result) as found:
        view.find_previous()
    assert found.args == [39, 39]


@pytest.mark.parametrize("report", [StreamInterruptedError("reset").report(), ABANDONED])
@pytest.mark.parametrize("text", ["Half an ans", ""])
@pytest.mark.parametrize("can_continue", [True, False])
def test_error_card_advises_what_it_offers(
    view: TranscriptView, report: ErrorReport, text: str, can_continue: bool
) -> None:
    view.set_can_continue(lambda _: can_continue)
    failed = message(1, Role.ASSISTANT, text, state="interrupted")
    open_all(view, [msgspec.structs.replace(failed, error=report)])
    layout = view.stack.known_layout(0)
    assert layout is not None
    box = next(entry.box for entry in layout.column.entries if isinstance(entry.box, ErrorBox))
    said = " ".join(placed.run.text for placed in box.runs()).lower()
    offered = {control.name.lower() for control in box.controls()}
    assert offered
    for action in ("continue", "regenerate", "try again"):
        assert (f"{action}" in said) == (action in offered)


CRASHED = "The model crashed while decoding"


@pytest.mark.parametrize(
    ("status", "body", "shown"),
    [
        (500, {"message": f"{CRASHED}."}, [f"The server failed: {CRASHED}.", "HTTP 500"]),
        (500, {"message": f"{CRASHED}. " * 20}, ["The server failed.", "HTTP 500  " + f"{CRASHED}. " * 20]),
        (400, {"message": "top_p: above 1", "param": "top_p"}, ["refused “top_p”: above 1.", "HTTP 400"]),
        (401, {"message": "No such key."}, ["did not accept the API key.", "HTTP 401  No such key."]),
        (500, {}, ["The server failed.", "HTTP 500"]),
    ],
)
def test_error_card_shows_the_servers_words_once(
    view: TranscriptView, status: int, body: dict[str, str], shown: list[str]
) -> None:
    error = error_from_response(status, {}, json.dumps({"error": body}).encode(), has_key=True)
    open_all(
        view, [msgspec.structs.replace(message(1, Role.ASSISTANT, "", state="failed"), error=error.report())]
    )
    layout = view.stack.known_layout(0)
    assert layout is not None
    box = next(entry.box for entry in layout.column.entries if isinstance(entry.box, ErrorBox))
    sentence, *_, words = [placed.run.text for placed in box.runs()]
    assert sentence.endswith(shown[0])
    assert words.strip() == shown[1].strip()


def test_find_unfolds_long_code(view: TranscriptView) -> None:
    code = "\n".join(f"line {n}" for n in range(100))
    open_all(view, [message(1, Role.ASSISTANT, f"```text\n{code}\n```")])
    height = view.stack.height
    view.find("line 93")
    assert view.stack.height > height


def test_error_card_offers_to_go_on(view: TranscriptView, qtbot: QtBot) -> None:
    view.set_can_continue(lambda _: True)
    failed = message(1, Role.ASSISTANT, "Half an ans", state="interrupted")
    failed = msgspec.structs.replace(failed, error=StreamInterruptedError("reset").report())
    open_all(view, [failed])
    layout = view.stack.known_layout(0)
    assert layout is not None
    assert layout.error_actions() == ("continue", "regenerate")
    index = len(layout.column) - 2
    box = layout.column.entries[index].box
    assert box is not None
    control = next(box.controls())
    left, top = layout.box_place(index)
    at = control.rect.center().toPoint() + QPoint(
        view.column_left + left, view.stack.message_top(0) + top - view.top
    )
    with qtbot.waitSignal(view.action_requested) as pressed:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)  # type: ignore[no-untyped-call]  # pytest-qt
    assert pressed.args == ["continue", 1]


def test_reasoning_is_open_while_thinking(view: TranscriptView) -> None:
    view.model.append(message(1, Role.ASSISTANT, "", state=MessageState.STREAMING))
    view.model.append_delta(1, ReasoningDelta("Let me think about it."))
    view.clock.flush_all()
    layout = view.stack.known_layout(0)
    assert layout is not None
    assert layout.is_reasoning_open
    view.model.append_delta(1, TextDelta("Answer"))
    view.clock.flush_all()
    assert not layout.is_reasoning_open


@pytest.mark.parametrize("reads", [True, False])
def test_long_code_folds_when_it_ends_unless_someone_reads(view: TranscriptView, reads: bool) -> None:
    code = "\n".join(f"line {n}" for n in range(100))
    view.model.append(message(1, Role.ASSISTANT, "", state="streaming"))
    view.model.append_delta(1, TextDelta(f"```text\n{code}\n"))
    view.clock.flush_all()
    height = view.stack.height
    if reads:
        wheel(view, 3)
    before = picture(view)
    view.model.append_delta(1, TextDelta("```\n\nAfter it.\n"))
    view.clock.flush_all()
    assert (view.stack.height > height) == reads
    assert (picture(view) == before) == reads


def test_no_timer_runs_when_nothing_streams(view: TranscriptView) -> None:
    stream(view, SAMPLE)
    QApplication.processEvents()
    assert not view.clock.is_waiting
    assert not view.cursor_mark.is_breathing


def test_switching_models_lets_go_of_the_old_one(view: TranscriptView) -> None:
    old, new = view.model, TranscriptModel()
    view.set_model(new)
    old.append(message(1, Role.USER, "gone"))
    assert len(view.stack) == 0


def test_heights_agree_with_sums() -> None:
    heights = FenwickHeights([5, 0, 7])
    heights.append(11)
    heights.set(1, 3)
    assert [heights.top(i) for i in range(5)] == [0, 5, 8, 15, 26]
    assert [heights.row_at(y) for y in (-1, 0, 4, 5, 8, 25, 99)] == [0, 0, 0, 1, 2, 3, 3]
    heights.truncate(2)
    assert heights.total == 8
