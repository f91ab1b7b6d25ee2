"""Reading by keyboard: selecting with a caret, going through links and buttons, the menu where the keyboard is."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop_chat.domain.deltas import TextDelta
from desktop_chat.domain.messages import Message, Role
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.copying import Form
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.pictures import close_math_renderer
from desktop_chat.ui.transcript.view import TranscriptView

SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL_SHIFT = SHIFT | Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
KEY = Qt.Key

TEXT = """First line 🙂 of text.

- one
- two

| Name | Count |
|------|------:|
| apple | 1 |

```python
x = 1
y = 2
```

Last words."""


def message(number: int, text: str, role: Role = Role.ASSISTANT, **more: object) -> Message:
    fields = {"id": number, "conversation_id": 1, "parent_id": None, "role": role, "text": text, **more}
    return msgspec.convert(fields, Message)


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[TranscriptView]:
    made = TranscriptView(theme_for(dark=False, reduce_motion=True))
    qtbot.addWidget(made)
    made.resize(700, 700)
    made.show()
    qtbot.waitExposed(made)
    made.setFocus()
    yield made
    close_math_renderer()


def show(view: TranscriptView, *messages: Message) -> None:
    view.model.reset([stub_of(each) for each in messages], messages)
    QApplication.processEvents()


def keys(
    qtbot: QtBot,
    view: QWidget,
    key: Qt.Key,
    modifier: Qt.KeyboardModifier = SHIFT,
    times: int = 1,
) -> None:
    for _ in range(times):
        qtbot.keyClick(view, key, modifier)  # type: ignore[no-untyped-call]  # pytest-qt


def selected(view: TranscriptView) -> str:
    found: list[str] = []
    view.reading.take_out(Form.PLAIN, lambda copied: found.append(copied.text))
    while view.reading.copying.is_active:
        QApplication.processEvents()
    return "".join(found)


def start_at(view: TranscriptView, row: int = 0) -> None:
    """Put the keyboard on a message, where a selection then begins."""
    view.reading.select(None)
    view.go_to_row(row)


def test_characters_and_words(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(1, TEXT))
    start_at(view)
    keys(qtbot, view, KEY.Key_Right, times=3)
    assert selected(view) == "Fir"
    keys(qtbot, view, KEY.Key_Left)
    assert selected(view) == "Fi"
    keys(qtbot, view, KEY.Key_Right, CONTROL_SHIFT, times=2)
    assert selected(view) == "First line 🙂 "[: len(selected(view))]
    keys(qtbot, view, KEY.Key_End)
    assert selected(view) == "First line 🙂 of text."
    keys(qtbot, view, KEY.Key_Home)
    assert selected(view) == ""
    keys(qtbot, view, KEY.Key_Right, times=12)
    assert selected(view) == "First line 🙂"  # one step over both of its units


def test_lines_go_through_blocks_and_cells(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(1, TEXT))
    start_at(view)
    keys(qtbot, view, KEY.Key_Down, times=9)
    assert selected(view).startswith(
        "First line 🙂 of text.\n\none\ntwo\n\nName\nCount\napple\n1\n\nx = 1\ny = 2"
    )
    keys(qtbot, view, KEY.Key_Up, times=20)
    assert selected(view) == ""


def test_runs_follow_each_other(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(1, "a\n\nb"), message(2, "c"))
    start_at(view)
    keys(qtbot, view, KEY.Key_Right, times=5)
    assert selected(view) == "a\n\nb\n\nc"
    keys(qtbot, view, KEY.Key_Left, times=2)
    assert selected(view) == "a\n\nb"
    keys(qtbot, view, KEY.Key_Up, CONTROL_SHIFT)
    assert selected(view) == "a"
    keys(qtbot, view, KEY.Key_Down, CONTROL_SHIFT, times=2)
    assert selected(view) == "a\n\nb\n\nc"


def test_the_whole_conversation_without_laying_it_out(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, *(message(number, f"{TEXT}\n\nEnd {number}") for number in range(1, 400)))
    start_at(view, 0)
    keys(qtbot, view, KEY.Key_End, CONTROL_SHIFT)
    assert view.is_at_end()
    assert len(dict(view.stack.laid_out())) < 80
    assert selected(view).endswith("End 399")
    assert selected(view).startswith("First line")
    keys(qtbot, view, KEY.Key_Home, CONTROL_SHIFT)
    assert view.top == 0
    assert selected(view) == ""


def test_pages_extend_and_the_caret_stays_in_sight(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, *(message(number, f"{TEXT}\n\nEnd {number}") for number in range(1, 60)))
    start_at(view, 20)
    lengths = []
    for _ in range(4):
        keys(qtbot, view, KEY.Key_PageDown)
        lengths.append(len(selected(view)))
        selection = view.reading.selection
        caret = None if selection is None else view.reading.caret.rect(selection.head)
        assert caret is not None
        assert view.viewport().rect().contains(caret.center().toPoint())
    assert lengths == sorted(set(lengths))
    keys(qtbot, view, KEY.Key_PageUp, times=4)
    assert len(selected(view)) < lengths[0]


def test_far_text_is_laid_out_as_the_caret_comes(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, *(message(number, f"{TEXT}\n\nEnd {number}") for number in range(1, 60)))
    view.go_to_start()
    start_at(view, 0)
    keys(qtbot, view, KEY.Key_Down, times=60)
    assert "End 3" in selected(view)
    keys(qtbot, view, KEY.Key_Up, times=60)
    assert selected(view) == ""


def test_a_message_that_is_not_loaded_is_asked_for(view: TranscriptView, qtbot: QtBot) -> None:
    first, second = message(1, "word"), message(2, "more")
    asked: list[int] = []
    view.model.needed.connect(asked.extend)
    view.model.reset([stub_of(first), stub_of(second)], [first])
    start_at(view)
    keys(qtbot, view, KEY.Key_Right, times=6)
    assert selected(view) == "word"
    assert asked == [2]
    view.model.provide([second])
    keys(qtbot, view, KEY.Key_Right, times=2)
    assert selected(view) == "word\n\nm"


def test_escape_lets_go(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(1, TEXT))
    start_at(view)
    keys(qtbot, view, KEY.Key_Right, times=3)
    before = view.viewport().grab().toImage()
    keys(qtbot, view, KEY.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert view.reading.selection is None
    assert view.viewport().grab().toImage() != before


def test_a_caret_shows_where_keys_select(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(1, "word"))
    start_at(view)
    keys(qtbot, view, KEY.Key_Right, times=4)
    selection = view.reading.selection
    assert selection is not None
    caret = view.reading.caret.rect(selection.head)
    assert caret is not None
    shot = view.viewport().grab().toImage()
    ink = shot.pixelColor(round(caret.x()), round(caret.center().y()))
    assert ink.name() == view.theme.palette.text
    view.reading.caret.is_shown = False
    shot = view.viewport().grab().toImage()
    assert shot.pixelColor(round(caret.x()), round(caret.center().y())) != ink


def test_selecting_while_text_streams(view: TranscriptView, qtbot: QtBot) -> None:
    view.model.append(message(1, "", state="streaming"))
    view.model.append_delta(1, TextDelta("First paragraph.\n\nSecond"))
    view.clock.flush_all()
    start_at(view)
    for number in range(60):
        keys(qtbot, view, KEY.Key_Right if number % 3 else KEY.Key_Down)
        view.model.append_delta(1, TextDelta(" words\n\n- and\n- more" if number % 5 == 0 else " x"))
        view.clock.flush_all()
    assert selected(view).startswith("First paragraph.\n\nSecond")
    view.model.replace(message(1, "Only this."))
    keys(qtbot, view, KEY.Key_Left)
    keys(qtbot, view, KEY.Key_End, CONTROL_SHIFT)
    assert selected(view).endswith("this.")


def test_folded_code_is_passed_over(view: TranscriptView, qtbot: QtBot) -> None:
    code = "\n".join(f"line {number}" for number in range(100))
    show(view, message(1, f"```text\n{code}\n```\n\nAfter."))
    start_at(view)
    keys(qtbot, view, KEY.Key_Down, times=39)
    assert "After" not in selected(view)
    keys(qtbot, view, KEY.Key_Down)
    keys(qtbot, view, KEY.Key_End)
    assert selected(view).endswith("line 99\n\nAfter.")


LINKS = """See [one](https://one.example/) and [two](https://two.example/).

```python
x = 1
```
"""


def stop_names(view: TranscriptView) -> str:
    found = view.reading.stops.stop()
    assert found is not None
    stop = found[2]
    if stop.link is not None:
        return stop.link.text
    assert stop.control is not None
    return stop.control.name


def test_tab_goes_through_the_focused_message_and_leaves(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    before, after = QLineEdit(), QLineEdit()
    view = TranscriptView(theme_for(dark=False, reduce_motion=True))
    for widget in (before, view, after):
        layout.addWidget(widget)
    window.resize(700, 700)
    window.show()
    qtbot.waitExposed(window)
    show(view, message(1, LINKS), message(2, LINKS))
    plain = Qt.KeyboardModifier.NoModifier
    view.setFocus()
    keys(qtbot, view, KEY.Key_Tab, plain)
    assert after.hasFocus()
    view.setFocus()
    keys(qtbot, view, KEY.Key_Up, ALT)
    view.go_to_row(0)
    names = []
    for _ in range(6):
        keys(qtbot, view, KEY.Key_Tab, plain)
        assert view.hasFocus()
        names.append(stop_names(view))
    assert names == ["one", "two", "Wrap lines", "Copy code", "Copy message", "Regenerate"]
    keys(qtbot, view, KEY.Key_Backtab, SHIFT)
    assert stop_names(view) == "Copy message"
    keys(qtbot, view, KEY.Key_Tab, plain, times=2)
    assert after.hasFocus()
    view.setFocus()
    keys(qtbot, view, KEY.Key_Tab, plain)
    keys(qtbot, view, KEY.Key_Backtab, SHIFT)
    assert view.hasFocus()
    assert view.reading.stops.current is None
    keys(qtbot, view, KEY.Key_Backtab, SHIFT)
    assert before.hasFocus()


def test_a_stop_is_pressed_and_ringed(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(3, LINKS))
    view.go_to_row(0)
    plain = Qt.KeyboardModifier.NoModifier
    without = view.viewport().grab().toImage()
    keys(qtbot, view, KEY.Key_Tab, plain)
    assert view.viewport().grab().toImage() != without
    with qtbot.waitSignal(view.link_activated) as opened:
        keys(qtbot, view, KEY.Key_Return, plain)
    assert opened.args == ["https://one.example/", "one"]
    keys(qtbot, view, KEY.Key_Tab, plain, times=3)
    keys(qtbot, view, KEY.Key_Space, plain)
    assert QGuiApplication.clipboard().text() == "x = 1"
    keys(qtbot, view, KEY.Key_Tab, plain, times=2)
    with qtbot.waitSignal(view.action_requested) as asked:
        keys(qtbot, view, KEY.Key_Space, plain)
    assert asked.args == ["regenerate", 3]
    keys(qtbot, view, KEY.Key_Escape, plain)
    assert view.reading.stops.current is None
    assert view.reading.focused_row == 0


def test_tab_comes_to_what_is_not_laid_out_yet(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(1, "plain words\n\n" * 300 + "[far](https://far.example/)"))
    view.go_to_row(0)
    keys(qtbot, view, KEY.Key_Tab, Qt.KeyboardModifier.NoModifier)
    area = view.reading.stops.area()
    assert area is not None
    assert view.viewport().rect().contains(area.center().toPoint())


def offered(view: TranscriptView) -> list[str]:
    menu = view.findChild(QMenu)
    assert isinstance(menu, QMenu)
    names = [action.text() for action in menu.actions()]
    menu.close()
    return names


def test_the_menu_is_about_where_the_keyboard_is(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(1, LINKS))
    view.go_to_row(0)
    keys(qtbot, view, KEY.Key_Tab, Qt.KeyboardModifier.NoModifier)
    view.reading.open_menu()
    names = offered(view)
    assert names[0] == "Copy link address"
    assert "Regenerate" in names
