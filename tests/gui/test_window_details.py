"""Details of the window: edges that line up, commands that wait for messages, what a crash leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from gui import test_window
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
    QListWidget,
    QMenu,
    QScrollArea,
    QScrollBar,
    QToolButton,
    QWidget,
)

from desktop_chat.domain.errors import DatabaseError, StorageError
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.storage.paths import DataPaths
from desktop_chat.ui.controls import Select, Switch
from desktop_chat.ui.form import SettingRow
from desktop_chat.ui.model_picker import ModelPopup
from desktop_chat.ui.settings_dialog import PAGES, SettingsDialog
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.message_content import Section

Start = test_window.Start
start = test_window.start
until = test_window.until

OF_MESSAGES = ("find", "copy_answer", "print", "export_pdf", "export_markdown", "export_html")


async def test_the_shown_conversation_is_on_disk_before_the_end(start: Start, tmp_path: Path) -> None:
    run = await start()
    state = DataPaths.under(tmp_path).config / "window.ini"

    def kept() -> str:
        lines = state.read_text().splitlines() if state.exists() else []
        return next((line for line in lines if line.startswith("conversation=")), "")

    run.type("one")
    await run.answered()
    first = run.controller.view.conversation_id
    await until(lambda: kept() == f"conversation={first}", "the first conversation")
    run.window.actions_["new"].trigger()
    await until(lambda: kept() == "conversation=0", "the empty conversation")
    run.window.sidebar.list.chosen.emit(first, 0)
    await until(lambda: kept() == f"conversation={first}", "the first conversation again")


async def test_trouble_with_the_database_is_over_with_the_next_write(
    start: Start, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("cannot be|could not|locked")
    run = await start()
    run.controller.report(StorageError(sentence="The settings could not be saved.").report())
    with closing(sqlite3.connect(DataPaths.under(tmp_path).database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        run.type("hello")
        await until(lambda: "Another program is using" in said(run), "the banner")
        other.rollback()
    run.window.composer.submit()
    await run.answered()
    assert "Another program is using" not in said(run)
    assert "The settings could not be saved." in said(run)


async def test_a_saved_draft_ends_trouble_with_the_database(start: Start) -> None:
    run = await start()
    run.type("hello")
    await run.answered()
    run.controller.report(DatabaseError().report())
    assert DatabaseError.default_sentence in said(run)
    run.window.composer.edit.insert("more")
    run.window.composer.flush_draft()
    await until(lambda: DatabaseError.default_sentence not in said(run), "the banner to go")


def said(run: Any) -> str:
    return "\n".join(banner.sentence for banner in run.window.banners)


async def test_what_needs_messages_is_offered_when_there_are_some(start: Start) -> None:
    run = await start()
    actions = run.window.actions_

    def export_menu() -> bool:
        run.window.menu_button.click()
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        offered = next(action for action in menu.actions() if action.text() == "Export").isEnabled()
        menu.close()
        return offered

    assert not any(actions[name].isEnabled() for name in OF_MESSAGES)
    assert not export_menu()
    run.type("hello")
    await run.answered()
    assert all(actions[name].isEnabled() for name in OF_MESSAGES)
    assert export_menu()
    actions["new"].trigger()
    await until(lambda: not run.controller.view.conversation_id, "the empty conversation")
    assert not any(actions[name].isEnabled() for name in OF_MESSAGES)


async def test_notes_among_the_models_are_no_choices(start: Start) -> None:
    run = await start()
    run.window.composer.model_picker.click()
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, ModelPopup)
    names = popup.findChild(QListWidget)
    assert isinstance(names, QListWidget)
    wanted = "Mistral needs an API key."
    await until(lambda: not names.findItems("Loading…", Qt.MatchFlag.MatchExactly), "the models")
    (note,) = names.findItems(wanted, Qt.MatchFlag.MatchExactly)
    assert note.flags() == Qt.ItemFlag.NoItemFlags
    assert note.foreground().color().name() == run.window.appearance.palette.text_faint
    popup.close()


async def test_edges_line_up_at_every_text_size_and_width(start: Start) -> None:
    run = await start()
    run.type("hello")
    await run.answered()
    run.window.find_bar.begin()
    run.controller.report(DatabaseError().report())
    window, view = run.window, run.controller.view.view

    def edges(widget: QWidget) -> tuple[int, int]:
        left = widget.mapTo(window, QPoint(0, 0)).x()
        return left, left + widget.width()

    def column() -> tuple[int, int]:
        left = view.viewport().mapTo(window, QPoint(view.column_left, 0)).x()
        return left, left + view.stack.width

    def in_line(expected: int) -> bool:
        if expected and view.stack.width != expected:
            return False
        others = [window.composer, window.find_bar, window.banners[-1]]
        return all(edges(widget) == column() for widget in others)

    for size, most in ((15, 760), (18, 912)):
        settings = run.controller.preferences.settings.with_value("appearance.font_size", size)
        await run.controller.preferences.change(settings)
        for width in (1500, 1040, 560):
            window.resize(width, 800)
            await until(
                partial(in_line, most if width == 1500 else 0),
                f"edges in line, window {width} wide, text of {size}",
            )


async def test_settings_fit_a_small_screen(start: Start) -> None:
    run = await start()
    run.controller.open_settings("providers")
    dialog = run.window.findChild(SettingsDialog)
    assert dialog is not None
    room = dialog.screen().availableSize()
    assert dialog.frameGeometry().width() <= room.width()
    dialog.resize(400, 480)
    await until(lambda: dialog.width() == 400 and dialog.chooser.isVisible(), "the narrow dialog")
    assert not dialog.list.isVisible()
    for number, name in enumerate(PAGES):
        dialog.chooser.setCurrentIndex(number)
        assert dialog.list.currentRow() == number
        area = dialog.pages.currentWidget()
        assert isinstance(area, QScrollArea)
        bar = area.horizontalScrollBar()
        await until(partial(is_idle, bar), f"all of {name} in sight")
    dialog.resize(780, 560)
    await until(dialog.list.isVisible, "the wide dialog")
    dialog.open_page("appearance")
    rows = [row for row in dialog.findChildren(SettingRow) if row.isVisible()]
    assert {type(row.control) for row in rows} == {Select, QLineEdit, Switch}
    await until(lambda: len({drawn_end(row) for row in rows}) == 1, "controls that end at the same place")
    dialog.close()


def is_idle(bar: QScrollBar) -> bool:
    return bar.maximum() == 0


def drawn_end(row: SettingRow) -> int:
    """Where the control ends that a person sees; a switch has room for its ring around it."""
    end = row.control.mapTo(row, QPoint(row.control.width(), 0)).x()
    return end - 4 if isinstance(row.control, Switch) else end


async def test_an_opened_reasoning_stands_apart_from_the_answer(start: Start) -> None:
    run = await start()
    run.type("/think about it")
    await run.answered()
    view, message = run.controller.view.view, run.newest()
    assert isinstance(message, Message)
    assert (message.role, message.state) == (Role.ASSISTANT, MessageState.COMPLETE)

    def gap() -> int:
        layout = view.stack.known_layout(1)
        assert layout is not None
        entry = layout.column.entries[layout.column.index_of(Part(Section.BODY, -1))]
        assert entry.spec.part.section == Section.BODY
        return int(entry.spec.gap)

    await until(lambda: view.stack.known_layout(1) is not None, "the answer")
    assert gap() == Space.XS
    view.stack.known_layout(1).toggle_reasoning()
    assert gap() == Space.L
    view.stack.known_layout(1).toggle_reasoning()
    assert gap() == Space.XS


async def streaming_answer(start: Start) -> Any:
    """A run in which a long answer streams, of which more has come than the window shows."""
    run = await start()
    settings = run.controller.preferences.settings.with_value("demo.tokens_per_second", 400)
    await run.controller.preferences.change(settings)
    run.type("/tokens 100000")
    await run.streaming()
    view = run.controller.view.view
    await until(lambda: view.stack.height > 2 * view.viewport().height(), "more than the window shows")
    QTest.keyClick(run.window.composer.edit, Qt.Key.Key_Return)
    assert run.window.toast.isVisible()
    assert "still coming" in run.window.toast.text
    return run


async def test_that_an_answer_is_still_coming_is_said_until_it_ends(start: Start) -> None:
    run = await streaming_answer(start)
    run.controller.stop()
    await until(lambda: run.controller.view.turn is None, "the end")
    assert not run.window.toast.isVisible()

    QTest.keyClick(run.window.composer.edit, Qt.Key.Key_Return)
    assert run.window.toast.text == "Write a message first."
    assert run.window.toast.isVisible()
    QTest.keyClicks(run.window.composer.edit, "a")
    assert not run.window.toast.isVisible()


async def test_what_is_over_takes_no_other_notice_away(start: Start) -> None:
    run = await streaming_answer(start)
    run.window.toast.say("Copied")
    run.controller.stop()
    await until(lambda: run.controller.view.turn is None, "the end")
    assert run.window.toast.isVisible()
    assert run.window.toast.text == "Copied"


async def test_a_notice_leaves_the_way_to_the_end_free_and_is_no_wider_than_the_composer(
    start: Start,
) -> None:
    run = await streaming_answer(start)
    window, view, toast = run.window, run.controller.view.view, run.window.toast
    view.go_to_start()
    jump = view.findChild(QToolButton, "jumpToLatestButton")
    assert jump is not None

    def area(widget: QWidget) -> QRect:
        return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())

    for size, width in ((15, 420), (15, 1120), (9, 1120), (32, 420)):
        settings = run.controller.preferences.settings.with_value("appearance.font_size", size)
        await run.controller.preferences.change(settings)
        window.resize(width, 760)
        toast.say("The answer is still coming. Stop it first, or wait for its end.")
        await until(lambda: window.composer.width() + 2 * Space.L < window.stack.width(), "the layout")
        assert jump.isVisible()
        assert not area(jump).intersects(area(toast))
        assert area(toast).left() >= area(window.composer).left()
        assert area(toast).right() <= area(window.composer).right()
        assert window.childAt(area(jump).center()) is jump
    top = jump.y()
    toast.hide()
    assert jump.y() > top
    QTest.mouseClick(jump, Qt.MouseButton.LeftButton)
    assert view.is_following
