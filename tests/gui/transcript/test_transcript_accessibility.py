"""The transcript as assistive tools see it: by Qt's own interfaces, the way its bridges to the platforms ask."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from desktop_chat.domain.deltas import TextDelta
from desktop_chat.domain.errors import StreamInterruptedError
from desktop_chat.domain.messages import Message, MessageStub, Role
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.accessibility import events
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.pictures import close_math_renderer
from desktop_chat.ui.transcript.view import TranscriptView

ANSWER = """## Sorting

Use `sorted` for a **new** list, see [the guide](https://docs.example.org/sort), or $x^2$ 🙂.

- one
- two
  1. nested
- [x] done
- [ ] open

> A quotation

```python
def f(x: int) -> int:
    return x + 1
```

| Name | Count |
|------|------:|
| apple | 1 |
| pear | 1,000 |

![a cat](https://example.org/cat.png)
"""

ROLE = QAccessible.Role
TEXT = QAccessible.Text
KINDS = QAccessible.InterfaceType


def message(number: int, role: Role, text: str, **more: object) -> Message:
    parent = number - 1 if number > 1 else None
    fields = {"id": number, "conversation_id": 1, "parent_id": parent, "role": role, "text": text, **more}
    return msgspec.convert(fields, Message)


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[TranscriptView]:
    made = TranscriptView(theme_for(dark=False, reduce_motion=True))
    qtbot.addWidget(made)
    made.resize(700, 900)
    made.show()
    qtbot.waitExposed(made)
    yield made
    close_math_renderer()


@pytest.fixture
def active() -> Iterator[None]:
    """As if an assistive tool were running."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


def show(view: TranscriptView, *messages: Message) -> None:
    view.model.reset([stub_of(each) for each in messages], messages)
    QApplication.processEvents()
    view.go_to_start()


def interface(view: TranscriptView) -> QAccessibleInterface:
    return QAccessible.queryAccessibleInterface(view)


def text_of(node: QAccessibleInterface) -> Any:
    """The text interface as C++ gets it: by the base class, not by the Python attribute."""
    return QAccessibleInterface.textInterface(node)


def actions_of(node: QAccessibleInterface) -> Any:
    return QAccessibleInterface.actionInterface(node)


def children(node: QAccessibleInterface) -> list[QAccessibleInterface]:
    return [node.child(index) for index in range(node.childCount())]


def everything(node: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    yield node
    for child in children(node):
        assert child.parent() is node
        assert node.child(node.indexOfChild(child)) is child
        yield from everything(child)


def named(view: TranscriptView, role: QAccessible.Role, name: str) -> QAccessibleInterface:
    return next(n for n in everything(interface(view)) if n.role() == role and n.text(TEXT.Name) == name)


def press(node: QAccessibleInterface) -> None:
    actions_of(node).doAction(actions_of(node).actionNames()[0])


def test_an_answer_is_a_tree_of_what_it_consists_of(view: TranscriptView) -> None:
    show(view, message(1, Role.USER, "Question?"), message(2, Role.ASSISTANT, ANSWER, model="tiny"))
    root = interface(view)
    assert (root.role(), root.text(TEXT.Name), root.childCount()) == (ROLE.List, "Conversation", 2)
    question, answer = children(root)
    assert question.text(TEXT.Name) == "You"
    assert (answer.role(), answer.text(TEXT.Name)) == (ROLE.ListItem, "tiny")
    parts = children(answer)
    assert [part.role() for part in parts] == [
        ROLE.Heading, ROLE.Paragraph, ROLE.List, ROLE.BlockQuote, ROLE.Section, ROLE.Table, ROLE.Paragraph,
        ROLE.Grouping,
    ]  # fmt: skip
    heading, paragraph, items, _, code, table, picture, footer = parts
    attributes = QAccessibleInterface.attributesInterface(heading)
    assert attributes.attributeValue(QAccessible.Attribute.Level) == 2
    assert [part.role() for part in children(paragraph)] == [ROLE.Link, ROLE.Equation]
    assert [part.text(TEXT.Name) for part in children(items)] == ["one", "two\nnested", "done", "open"]
    assert [part.state().checked for part in children(items)] == [False, False, True, False]
    assert [part.role() for part in children(children(items)[1])] == [ROLE.Paragraph, ROLE.List]
    assert code.text(TEXT.Name) == "Python code"
    assert text_of(code).text(0, 5) == "def f"
    assert [part.text(TEXT.Name) for part in children(code)] == ["Copy code", "Wrap lines"]
    assert children(picture)[0].role() == ROLE.Graphic
    assert children(picture)[0].text(TEXT.Name) == "a cat"
    assert {part.text(TEXT.Name) for part in children(footer)} == {"Copy message", "Regenerate"}
    assert table.text(TEXT.Name) == "Table, 3 rows, 2 columns"
    for node in everything(root):
        assert node.isValid()
        assert root.rect().intersects(node.rect()), node.text(TEXT.Name)


def test_cells_know_their_place_and_their_headers(view: TranscriptView) -> None:
    show(view, message(1, Role.ASSISTANT, ANSWER))
    price = named(view, ROLE.Cell, "1,000")
    cell = QAccessibleInterface.tableCellInterface(price)
    assert (cell.rowIndex(), cell.columnIndex(), cell.rowExtent(), cell.columnExtent()) == (2, 1, 1, 1)
    assert [each.text(TEXT.Name) for each in cell.columnHeaderCells()] == ["Count"]
    assert cell.table().role() == ROLE.Table
    assert [row.role() for row in children(cell.table())[:3]] == [ROLE.Row] * 3
    assert QAccessibleInterface.tableCellInterface(price.parent()) is None


def test_text_is_read_as_it_is_said_and_found_where_it_stands(view: TranscriptView) -> None:
    show(view, message(1, Role.ASSISTANT, ANSWER))
    paragraph = children(children(interface(view))[0])[1]
    text = text_of(paragraph)
    said = "Use sorted for a new list, see the guide, or x^2 🙂."
    assert text.text(0, text.characterCount()) == said
    assert text.characterCount() == len(said) + 1  # in UTF-16 units
    assert text.text(4, 10) == "sorted"
    for offset in (0, 5, said.index("guide"), len(said)):
        area = text.characterRect(offset)
        assert paragraph.rect().contains(area.center())
        assert text.offsetAtPoint(QPoint(area.left(), area.center().y())) == offset
    assert paragraph.childAt(
        *named(view, ROLE.Link, "the guide").rect().center().toTuple()
    ) is named(view, ROLE.Link, "the guide")  # fmt: skip


def test_a_tool_sets_caret_and_selection(view: TranscriptView) -> None:
    show(view, message(1, Role.ASSISTANT, ANSWER))
    text = text_of(children(children(interface(view))[0])[1])
    text.setSelection(0, 4, 16)
    view.copy_as("plain")
    assert QGuiApplication.clipboard().text() == "sorted for a"
    assert text.cursorPosition() == 16
    text.removeSelection(0)
    assert view.reading.selection is None
    code = text_of(named(view, ROLE.Section, "Python code"))
    code.setCursorPosition(4)
    assert code.cursorPosition() == 4
    assert text.cursorPosition() == 0


def test_qt_is_told_of_no_selection_that_it_could_not_read(view: TranscriptView) -> None:
    show(view, message(1, Role.ASSISTANT, ANSWER))
    view.select_all()
    assert text_of(children(children(interface(view))[0])[0]).selectionCount() == 0


def test_links_and_buttons_are_pressed_the_way_a_click_does(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(7, Role.ASSISTANT, ANSWER))
    link = named(view, ROLE.Link, "the guide")
    assert link.text(TEXT.Value) == "https://docs.example.org/sort"
    assert link.state().linked
    with qtbot.waitSignal(view.link_activated) as opened:
        press(link)
    assert opened.args == ["https://docs.example.org/sort", "the guide"]
    with qtbot.waitSignal(view.action_requested) as asked:
        press(named(view, ROLE.Button, "Regenerate"))
    assert asked.args == ["regenerate", 7]
    press(named(view, ROLE.Button, "Copy code"))
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text().startswith("def f"))
    press(named(view, ROLE.Button, "Wrap lines"))
    qtbot.waitUntil(lambda: "Do not wrap lines" in {n.text(TEXT.Name) for n in everything(interface(view))})


def test_a_press_may_take_the_pressed_button_away(view: TranscriptView, qtbot: QtBot, active: None) -> None:
    show(view, message(1, Role.ASSISTANT, ANSWER))
    view.action_requested.connect(lambda *_: view.model.reset([], []))
    button = named(view, ROLE.Button, "Regenerate")
    with qtbot.waitSignal(view.model.was_reset):
        press(button)
    assert not isValid(button)
    assert interface(view).childCount() == 0


def test_reasoning_unfolds(view: TranscriptView, qtbot: QtBot) -> None:
    show(view, message(1, Role.ASSISTANT, "Answer", reasoning="Let me *think*."))
    head = children(children(interface(view))[0])[0]
    assert head.role() == ROLE.Button
    assert head.state().expandable
    assert not head.state().expanded
    press(head)
    qtbot.waitUntil(lambda: children(interface(view))[0].childCount() == 4)
    head, thought, *_ = children(children(interface(view))[0])
    assert head.state().expanded
    assert text_of(thought).text(0, 99) == "Let me think."


def test_an_error_says_what_to_do(view: TranscriptView, qtbot: QtBot) -> None:
    report = StreamInterruptedError("reset").report()
    show(view, msgspec.structs.replace(message(1, Role.ASSISTANT, "Half"), error=report))
    answer = children(interface(view))[0]
    assert "Regenerate the answer" in answer.text(TEXT.Description)
    alert = next(part for part in children(answer) if part.role() == ROLE.AlertMessage)
    assert report.sentence in alert.text(TEXT.Name)
    assert children(alert)[-1].role() == ROLE.Button


def test_a_long_answer_is_complete_and_a_far_message_is_one_element(view: TranscriptView) -> None:
    long = "".join(f"## Section {number}\n\nText of it.\n\n" for number in range(400))
    stubs = [MessageStub(id=number, role=Role.USER, state=message(1, Role.USER, "").state, text_length=40,
                         reasoning_length=0) for number in range(2, 100_001)]  # fmt: skip
    first = message(1, Role.ASSISTANT, long)
    view.model.reset([stub_of(first), *stubs], [first])
    view.go_to_start()
    root = interface(view)
    assert root.childCount() == 100_000
    far = root.child(90_000)
    assert (far.text(TEXT.Name), far.childCount(), root.indexOfChild(far)) == ("You", 0, 90_000)
    assert far.state().offscreen
    headings = [part for part in everything(root.child(0)) if part.role() == ROLE.Heading]
    assert headings[-1].text(TEXT.Name) == "Section 399"
    assert text_of(headings[-1]).text(0, 7) == "Section"
    layout = view.stack.known_layout(0)
    assert layout is not None
    assert sum(entry.box is not None for entry in layout.column.entries) < 100
    assert len(dict(view.stack.laid_out())) < 30
    text_of(headings[-1]).scrollToSubstring(0, 3)
    assert root.rect().contains(text_of(headings[-1]).characterRect(0))


def test_what_streams_is_seen_as_it_is_now(view: TranscriptView) -> None:
    view.model.append(message(1, Role.ASSISTANT, "", state="streaming", model="tiny"))
    view.model.append_delta(1, TextDelta("# Title\n\nFirst words"))
    view.clock.flush_all()
    answer = interface(view).child(0)
    assert answer.state().busy
    heading, paragraph = children(answer)[:2]
    view.model.append_delta(1, TextDelta(" and more\n\n- item"))
    view.clock.flush_all()
    assert text_of(paragraph).text(0, 99) == "First words and more"
    assert children(answer)[2].role() == ROLE.List
    ended = message(1, Role.ASSISTANT, "Only this", model="tiny")
    view.model.replace(ended)
    assert heading.text(TEXT.Name) == "Only this"
    assert not paragraph.isValid() or paragraph.role() == ROLE.Grouping
    assert not answer.state().busy


class Told:
    """What the tools are told, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[Any] = []
        real = QAccessible.updateAccessibility

        class Recorder(QAccessible):
            @staticmethod
            def updateAccessibility(event: Any) -> None:  # noqa: N802  # Qt's name
                self.events.append((type(event).__name__, event.type(), event.accessibleInterface()))
                if hasattr(event, "message"):
                    self.events[-1] = (*self.events[-1], event.message())
                real(event)

        monkeypatch.setattr(events, "QAccessible", Recorder)

    def take(self) -> list[Any]:
        found, self.events = self.events, []
        return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, active: None) -> Told:
    return Told(monkeypatch)


def test_tools_are_told_of_an_answers_beginning_and_end_and_nothing_between(
    view: TranscriptView, told: Told
) -> None:
    interface(view)
    told.take()
    view.model.append(message(1, Role.ASSISTANT, "", state="streaming"))
    assert [each[1].name for each in told.take()] == ["ObjectCreated", "Announcement"]
    for _ in range(20):
        view.model.append_delta(1, TextDelta("Some **bold** words. "))
        view.clock.flush_all()
    assert told.take() == []
    view.model.replace(message(1, Role.ASSISTANT, "Some **bold** words."))
    (ended,) = told.take()
    assert ended[3] == "Answer complete. Some bold words."


def test_tools_follow_the_keyboard(view: TranscriptView, qtbot: QtBot, told: Told) -> None:
    show(view, message(1, Role.USER, "Question?"), message(2, Role.ASSISTANT, ANSWER))
    root = interface(view)
    view.setFocus()
    told.take()
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)  # type: ignore[no-untyped-call]  # pytest-qt
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)  # type: ignore[no-untyped-call]  # pytest-qt
    assert [(each[1].name, each[2]) for each in told.take()] == [
        ("Focus", root.child(0)),
        ("Focus", root.child(1)),
    ]
    assert root.child(1).state().focused
    assert root.focusChild() is root.child(1)
    qtbot.keyClick(view, Qt.Key.Key_Tab)  # type: ignore[no-untyped-call]  # pytest-qt
    link = named(view, ROLE.Link, "the guide")
    assert [(each[1].name, each[2]) for each in told.take()] == [("Focus", link)]
    assert link.state().focused
    qtbot.keyClick(view, Qt.Key.Key_Tab)  # type: ignore[no-untyped-call]  # pytest-qt
    assert {named(view, ROLE.Button, name).state().focused for name in ("Copy code", "Wrap lines")} == {
        True, False,
    }  # fmt: skip
    told.take()
    qtbot.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)  # type: ignore[no-untyped-call]  # pytest-qt
    heading = children(root.child(1))[0]
    assert [(each[1].name, each[2]) for each in told.take()] == [
        ("TextSelectionChanged", heading),
        ("TextCaretMoved", heading),
    ]


def test_a_view_goes_while_a_tool_holds_its_elements(qtbot: QtBot, active: None) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    for _ in range(3):
        view = TranscriptView(theme_for(dark=True, reduce_motion=True), owner)
        view.resize(600, 400)
        show(view, message(1, Role.USER, "Question?"), message(2, Role.ASSISTANT, ANSWER))
        held = list(everything(interface(view)))
        ids = [QAccessible.uniqueId(node) for node in held]
        assert len(ids) > 30
        view.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert not any(isValid(node) for node in held)
        assert not any(QAccessible.accessibleInterface(each) for each in ids)
        del view, held
        gc.collect()
    close_math_renderer()


def test_elements_of_another_conversation_are_taken_from_qt(view: TranscriptView, active: None) -> None:
    show(view, message(1, Role.ASSISTANT, ANSWER))
    held = list(everything(interface(view)))[1:]
    show(view, message(1, Role.ASSISTANT, "Other"))
    assert not any(isValid(node) for node in held)
    assert interface(view).child(0).child(0).text(TEXT.Name) == "Other"
