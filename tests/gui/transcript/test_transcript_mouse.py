"""The mouse on text: words, paragraphs, extending, dragging out, the menu."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QDrag, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from desktop_chat.domain.messages import Message, Role
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript import drag
from desktop_chat.ui.transcript.copying import Form
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.pictures import close_math_renderer
from desktop_chat.ui.transcript.view import TranscriptView

LEFT = Qt.MouseButton.LeftButton
NO_BUTTON = Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier


def message(text: str) -> Message:
    fields = {"id": 1, "conversation_id": 1, "parent_id": None, "role": Role.ASSISTANT, "text": text}
    return msgspec.convert(fields, Message)


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[TranscriptView]:
    made = TranscriptView(theme_for(dark=False, reduce_motion=True))
    qtbot.addWidget(made)
    made.resize(700, 700)
    made.show()
    qtbot.waitExposed(made)
    yield made
    close_math_renderer()


def show(view: TranscriptView, text: str) -> None:
    only = message(text)
    view.model.reset([stub_of(only)], [only])
    QApplication.processEvents()


def at(view: TranscriptView, text: str) -> QPoint:
    """The middle of the first character of ``text``, in the viewport."""
    layout = view.stack.known_layout(0)
    assert layout is not None
    for index, entry in enumerate(layout.column.entries):
        for placed in entry.box.runs() if entry.box is not None else ():
            found = placed.run.text.find(text)
            if found >= 0:
                start = placed.run.units(found)
                area = next(iter(placed.run.rects(start, start + 1)))
                left, top = layout.box_place(index)
                origin = QPointF(
                    view.column_left + left + placed.x, view.stack.message_top(0) + top + placed.y
                )
                return (area.center() + origin - QPointF(1, view.top)).toPoint()
    raise AssertionError(text)


def mouse(
    view: TranscriptView, kind: QEvent.Type, point: QPoint, *, modifier: Qt.KeyboardModifier = PLAIN
) -> None:
    button = NO_BUTTON if kind is QEvent.Type.MouseMove else LEFT
    buttons = NO_BUTTON if kind is QEvent.Type.MouseButtonRelease else LEFT
    place = QPointF(point)
    event = QMouseEvent(kind, place, QPointF(view.viewport().mapToGlobal(point)), button, buttons, modifier)
    QApplication.sendEvent(view.viewport(), event)


def press(view: TranscriptView, text: str, modifier: Qt.KeyboardModifier = PLAIN) -> None:
    mouse(view, QEvent.Type.MouseButtonPress, at(view, text), modifier=modifier)


def release(view: TranscriptView, text: str) -> None:
    mouse(view, QEvent.Type.MouseButtonRelease, at(view, text))


def draw(view: TranscriptView, text: str) -> None:
    mouse(view, QEvent.Type.MouseMove, at(view, text))


def selected(view: TranscriptView) -> str:
    found: list[str] = []
    view.reading.take_out(Form.PLAIN, lambda copied: found.append(copied.text))
    while view.reading.copying.is_active:
        QApplication.processEvents()
    return "".join(found)


TEXT = "The quick 🙂 brown_fox jumps over.\n\nA second paragraph.\n\nThird and last."


def double(view: TranscriptView, text: str) -> None:
    press(view, text)
    release(view, text)
    mouse(view, QEvent.Type.MouseButtonDblClick, at(view, text))


def test_a_double_click_takes_a_word_and_drags_by_words(view: TranscriptView) -> None:
    show(view, TEXT)
    double(view, "own_fox")
    assert selected(view) == "brown_fox"
    draw(view, "ver")
    assert selected(view) == "brown_fox jumps over"
    draw(view, "ick")
    assert selected(view) == "quick 🙂 brown_fox"
    draw(view, "cond")
    assert selected(view) == "brown_fox jumps over.\n\nA second"
    release(view, "cond")
    draw(view, "Third")
    assert selected(view) == "brown_fox jumps over.\n\nA second"


def test_a_triple_click_takes_a_paragraph_and_drags_by_paragraphs(view: TranscriptView) -> None:
    show(view, TEXT)
    double(view, "second")
    release(view, "second")
    press(view, "second")
    assert selected(view) == "A second paragraph."
    draw(view, "and")
    assert selected(view) == "A second paragraph.\n\nThird and last."
    draw(view, "jumps")
    assert selected(view) == "The quick 🙂 brown_fox jumps over.\n\nA second paragraph."


def test_shift_extends_to_the_click(view: TranscriptView) -> None:
    show(view, TEXT)
    press(view, "quick")
    release(view, "quick")
    press(view, "second", Qt.KeyboardModifier.ShiftModifier)
    release(view, "second")
    assert selected(view) == "quick 🙂 brown_fox jumps over.\n\nA "
    press(view, "jumps", Qt.KeyboardModifier.ShiftModifier)
    assert selected(view) == "quick 🙂 brown_fox "


@pytest.fixture
def dragged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The data of drags; a real one would wait for the mouse of a person."""
    found: list[Any] = []

    class Dropped(QDrag):
        def exec(self, *actions: Qt.DropAction) -> Qt.DropAction:
            data = self.mimeData()
            found.append((data.text(), data.html(), self.pixmap().isNull(), actions))
            return Qt.DropAction.CopyAction

    monkeypatch.setattr(drag, "QDrag", Dropped)
    return found


def test_a_selection_is_dragged_out(view: TranscriptView, dragged: list[Any]) -> None:
    show(view, "Some **bold** words.\n\nMore of \x1b[31mthem.")
    view.select_all()
    press(view, "bold")
    assert dragged == []
    draw(view, "More")
    ((text, html, no_picture, actions),) = dragged
    assert text == "Some **bold** words.\n\nMore of them."
    assert "<strong>bold</strong>" in html
    assert not no_picture
    assert actions == (Qt.DropAction.CopyAction,)
    draw(view, "Some")
    assert len(dragged) == 1
    assert selected(view).startswith("Some bold words.")


def test_a_click_on_a_selection_lets_it_go(view: TranscriptView, dragged: list[Any]) -> None:
    show(view, TEXT)
    view.select_all()
    press(view, "jumps")
    assert selected(view) != ""
    release(view, "jumps")
    assert selected(view) == ""
    assert dragged == []
    press(view, "quick")
    draw(view, "jumps")
    assert selected(view) == "quick 🙂 brown_fox "


def test_a_selected_link_opens_by_a_click_and_not_by_drawing(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, "Go [to the place](https://example.org/) now")
    opened: list[str] = []
    view.link_activated.connect(lambda href, _: opened.append(href))
    press(view, "to")
    draw(view, "now")
    release(view, "now")
    assert opened == []
    mouse(view, QEvent.Type.MouseMove, at(view, "place"))
    press(view, "place")
    release(view, "place")
    assert opened == ["https://example.org/"]


def test_the_pointer_held_below_scrolls_on(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, "\n\n".join(f"Paragraph number {number}" for number in range(200)))
    view.go_to_start()
    press(view, "Paragraph")
    mouse(view, QEvent.Type.MouseMove, QPoint(200, view.viewport().height() + 80))
    qtbot.waitUntil(lambda: view.top > 200)
    mouse(view, QEvent.Type.MouseButtonRelease, QPoint(200, view.viewport().height() + 80))
    assert "number 20" in selected(view)


THINGS = """See [one](https://one.example/) and $x^2$ and ![cat](https://example.org/cat.png).

- item

  ```python
  x = 1
  ```

| Name |
|------|
| a, b |

$$\\frac{1}{2}$$

The end."""


def menu_at(view: TranscriptView, point: QPoint) -> dict[str, str]:
    event = QContextMenuEvent(
        QContextMenuEvent.Reason.Mouse, point, view.viewport().mapToGlobal(point), PLAIN
    )
    QApplication.sendEvent(view.viewport(), event)
    menu = view.findChild(QMenu)
    assert isinstance(menu, QMenu)
    copies: dict[str, str] = {}
    for action in menu.actions():
        if action.isSeparator():
            break
        if not action.text().startswith("Copy"):
            continue
        action.trigger()
        copies[action.text()] = QGuiApplication.clipboard().text()
    menu.close()
    menu.deleteLater()
    QApplication.sendPostedEvents(menu, QEvent.Type.DeferredDelete)
    return copies


@pytest.mark.parametrize(
    ("under", "offer", "copied"),
    [
        ("one", "Copy link address", "https://one.example/"),
        ("x = 1", "Copy code", "x = 1"),
        ("a, b", "Copy table as CSV", 'Name\r\n"a, b"\r\n'),
    ],
)
def test_the_menu_copies_what_it_is_over(view: TranscriptView, under: str, offer: str, copied: str) -> None:
    show(view, THINGS)
    assert menu_at(view, at(view, under)) == {offer: copied}


def test_the_menu_copies_formulas_and_picture_addresses(view: TranscriptView) -> None:
    show(view, THINGS)
    objects = [at(view, "\ufffc"), at(view, "\ufffc.")]
    assert menu_at(view, objects[0]) == {"Copy formula as TeX": "x^2"}
    assert menu_at(view, objects[1]) == {"Copy image address": "https://example.org/cat.png"}
    layout = view.stack.known_layout(0)
    assert layout is not None
    index = next(
        i
        for i, entry in enumerate(layout.column.entries)
        if entry.box is not None and any(control.action == "copy-math" for control in entry.box.controls())
    )
    left, top = layout.box_place(index)
    middle = QPoint(view.column_left + left + 300, view.stack.message_top(0) + top + 10 - view.top)
    assert menu_at(view, middle) == {"Copy formula as TeX": "\\frac{1}{2}"}


def test_over_plain_text_the_menu_is_as_before(view: TranscriptView) -> None:
    show(view, THINGS)
    offers = menu_at(view, at(view, "The end"))
    assert not {"Copy code", "Copy link address", "Copy formula as TeX"} & offers.keys()
