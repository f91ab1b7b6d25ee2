"""The window as a person uses it: real widgets, the real library, the demo server, a data folder of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QFontMetrics, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QListWidget, QMenu

from desktop_chat.chat.launch import WindowOptions
from desktop_chat.chat.session import ChatSession
from desktop_chat.domain.messages import MessageState, Role
from desktop_chat.domain.metrics import Metrics, Phase
from desktop_chat.domain.profiles import ModelInfo
from desktop_chat.storage.paths import DataPaths
from desktop_chat.storage.secrets import SecretPlace
from desktop_chat.ui import application
from desktop_chat.ui.conversation_list import with_match_in_sight
from desktop_chat.ui.conversation_model import Kind, Row
from desktop_chat.ui.conversation_settings import ConversationSettingsDialog
from desktop_chat.ui.empty_state import PromptCard
from desktop_chat.ui.main_window import MainWindow
from desktop_chat.ui.metrics_bar import first_token, rate
from desktop_chat.ui.model_picker import ModelPopup
from desktop_chat.ui.program import Program
from desktop_chat.ui.provider_page import ProviderPage
from desktop_chat.ui.settings_dialog import SettingsDialog
from desktop_chat.ui.transcript.labels import SEPARATOR, metrics_line, seconds, waiting_text
from desktop_chat.ui.window_controller import WindowController

PATIENCE_S = 20.0


async def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition while Qt's events go on."""
    for _ in range(int(PATIENCE_S / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"waited in vain for {what}")


class Run:
    """One run of the program on a data folder."""

    def __init__(self, qapp: QApplication, folder: Path) -> None:
        # One may be over before anybody asks whether it runs.
        self.ended_turns: list[ChatSession] = []
        options = WindowOptions(data_dir=folder)
        window, appearance, conversations, state = application.open_main_window(qapp, folder)
        self.window: MainWindow = window
        self.program = Program(options, window, appearance, conversations, state)
        self.ended = asyncio.ensure_future(self.program.main())

    @property
    def controller(self) -> WindowController:
        assert self.program.controller is not None
        return self.program.controller

    async def ready(self, speed: int = 2000) -> Run:
        await until(
            lambda: self.program.controller is not None and self.window.composer.is_ready, "the program"
        )
        settings = self.controller.preferences.settings.with_value("demo.tokens_per_second", speed)
        await self.controller.preferences.change(settings)
        tell = self.controller.turn_ended

        def note(turn: ChatSession) -> None:
            tell(turn)
            self.ended_turns.append(turn)

        self.controller.turn_ended = note  # type: ignore[method-assign]
        return self

    def type(self, text: str, key: Qt.Key = Qt.Key.Key_Return) -> None:
        edit = self.window.composer.edit
        edit.setFocus()
        QTest.keyClicks(edit, text)
        QTest.keyClick(edit, key)

    async def streaming(self) -> None:
        await until(lambda: self.controller.view.turn is not None, "the turn to begin")

    async def answered(self) -> None:
        """An answer has ended since this was asked last, and the window shows it so."""
        await until(lambda: self.ended_turns, "an answer")
        turn = self.ended_turns[-1]
        await until(
            lambda: (
                self.controller.view.turn is None
                and (newest := self.newest()) is not None
                and newest.id == turn.message_id
                and newest.state is not MessageState.STREAMING
            ),
            "the answer's end",
        )
        self.ended_turns.clear()

    def newest(self) -> Any:
        return self.controller.view.newest(Role.ASSISTANT)

    async def close(self) -> int:
        self.window.close()
        return await asyncio.wait_for(self.ended, 10)


Start = Callable[[], Awaitable[Run]]


@pytest.fixture
async def start(qapp: QApplication, tmp_path: Path) -> AsyncIterator[Start]:
    runs: list[Run] = []

    async def begin() -> Run:
        run = Run(qapp, tmp_path)
        runs.append(run)
        return await run.ready()

    yield begin
    for run in runs:
        if not run.ended.done():
            await run.close()
    await asyncio.sleep(0)
    qapp.setStyleSheet("")


async def test_a_typed_question_is_answered_and_measured(start: Start) -> None:
    run = await start()
    assert not run.window.composer.send_button.isEnabled()
    run.type("hello")
    await run.answered()
    message = run.newest()
    assert message.state is MessageState.COMPLETE
    assert message.text
    assert run.window.metrics_bar.metrics.phase is Phase.DONE
    assert run.window.metrics_bar.metrics.tokens > 0
    assert run.window.composer.text == ""
    assert run.window.title.full_text == "hello"
    assert run.window.stack.currentWidget() is run.window.transcript


async def test_what_is_typed_after_choosing_an_example_or_reading_goes_into_the_composer(
    start: Start,
) -> None:
    run = await start()
    window = run.window
    window.activateWindow()
    example = window.empty_state.findChildren(PromptCard)[0]
    example.setFocus(Qt.FocusReason.MouseFocusReason)
    example.click()
    await run.answered()
    assert window.focusWidget() is window.composer.edit
    view = run.controller.view.view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert window.focusWidget() is view
    QTest.keyClicks(view, "W")
    assert window.focusWidget() is window.composer.edit
    QTest.keyClicks(window.composer.edit, "hy?")
    assert window.composer.text == "Why?"


async def test_the_menu_button_forgets_the_pointer_when_its_menu_closes(start: Start) -> None:
    run = await start()
    button = run.window.menu_button
    button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)  # as it is when the pointer pressed it
    button.click()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.close()
    assert not button.underMouse()


async def test_the_list_of_models_stands_above_the_picker_however_long_it_grows(start: Start) -> None:
    run = await start()
    run.window.resize(900, 700)
    picker = run.window.composer.model_picker
    picker.click()
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, ModelPopup)
    names = popup.findChild(QListWidget)
    assert isinstance(names, QListWidget)
    await until(lambda: not names.findItems("Loading…", Qt.MatchFlag.MatchExactly), "the models")
    demo = run.controller.preferences.settings.default_profile_id
    popup.set_models(demo, [ModelInfo(id=f"model-{number}") for number in range(30)])
    top = picker.mapToGlobal(picker.rect().topLeft()).y()
    await until(lambda: popup.height() > 360, "the list to grow")
    assert popup.geometry().bottom() < top
    popup.close()


def test_figures_have_no_more_digits_than_room() -> None:
    assert [rate(speed) for speed in (0.04, 59.96, 999.9, 4413.7, 157285.5)] == [
        "0.0",
        "60.0",
        "999.9",
        "4,414",
        "157,286",
    ]


def test_a_short_time_is_never_said_to_be_none() -> None:
    assert [first_token(value) for value in (0.0004, 0.0099, 0.01, 1.5)] == [
        "<0.01 s",
        "<0.01 s",
        "0.01 s",
        "1.50 s",
    ]
    assert [seconds(value) for value in (0.0004, 0.01, 3.14)] == ["under 0.01 s", "0.01 s", "3.1 s"]


def test_figures_that_do_not_fit_under_an_answer_are_left_out_whole() -> None:
    metrics = Metrics(tokens=1234, tokens_per_second=56.7, ttft_s=0.4, elapsed_s=22.0, cost=0.5)

    def shown(characters: int) -> list[str]:
        line = metrics_line(metrics, lambda line: len(line) <= characters)
        return line.split(SEPARATOR)

    count, speed, first, elapsed, cost = "~1,234 tokens", "56.7 tok/s", "first token 0.40 s", "22 s", "$0.50"
    assert shown(200) == [count, speed, first, elapsed, cost]
    assert shown(len(SEPARATOR.join((count, speed, first, elapsed)))) == [count, speed, first, elapsed]
    assert shown(45) == [count, speed, elapsed]
    assert shown(30) == [count, speed]
    assert shown(13) == [count]
    assert shown(12) == [""]


def test_a_countdown_never_says_zero() -> None:
    bar_metrics = Metrics(phase=Phase.RETRYING, retry_in_s=0.2)
    assert waiting_text(bar_metrics, "m") == "Trying again in 1 s"


async def test_a_hit_is_in_sight_in_the_narrow_list() -> None:
    metrics = QFontMetrics(QApplication.font())
    before, after = "many words that come before it and say little, ", " and some more"
    snippet = f"{before}zebra{after}"
    row = Row(kind=Kind.HIT, title="T", snippet=snippet, highlights=((len(before), len(before) + 5),))
    width = metrics.horizontalAdvance(before)
    text, highlights = with_match_in_sight(row, metrics, width)
    ((start, end),) = highlights
    assert text[start:end] == "zebra"
    assert text.endswith(after)
    assert metrics.horizontalAdvance(text[:end]) <= width
    assert with_match_in_sight(row, metrics, 10 * width) == (snippet, row.highlights)


async def test_shift_enter_breaks_the_line_and_the_setting_swaps_the_keys(start: Start) -> None:
    run = await start()
    edit = run.window.composer.edit
    QTest.keyClicks(edit, "a")
    QTest.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(edit, "b")
    assert run.window.composer.text == "a\nb"
    settings = run.controller.preferences.settings.with_value("composer.send_key", "ctrl+enter")
    await run.controller.preferences.change(settings)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert run.window.composer.text == "a\nb\n"
    QTest.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    await run.answered()
    assert run.controller.view.newest(Role.USER).text.startswith("a\nb")  # type: ignore[union-attr]


@pytest.mark.parametrize("way", ["escape", "button"])
async def test_stop_keeps_what_arrived(start: Start, way: str) -> None:
    run = await start()
    await run.controller.preferences.change(
        run.controller.preferences.settings.with_value("demo.tokens_per_second", 100)
    )
    run.type("/tokens 5000")
    await run.streaming()
    turn = run.controller.view.turn
    assert turn is not None
    await until(lambda: turn.text, "the first words")
    assert run.window.composer.stop_button.isVisible()
    assert not run.window.composer.send_button.isVisible()
    if way == "escape":
        QTest.keyClick(run.window.composer.edit, Qt.Key.Key_Escape)
    else:
        run.window.composer.stop_button.click()
    await until(lambda: run.controller.view.turn is None, "the stop")
    assert run.newest().state is MessageState.STOPPED
    assert run.newest().text
    assert run.window.composer.send_button.isVisible()


async def test_switching_stops_and_loses_nothing(start: Start) -> None:
    run = await start()
    await run.controller.preferences.change(
        run.controller.preferences.settings.with_value("demo.tokens_per_second", 400)
    )
    run.type("/tokens 300")
    await run.streaming()
    first = run.controller.view.conversation_id
    await run.controller.open(0)
    run.type("/tokens 250")
    await run.streaming()
    second = run.controller.view.conversation_id
    assert first != second
    assert run.controller.conversations.streaming == {first, second}
    await run.controller.open(first)
    shown = run.controller.view.turn
    assert shown is not None
    assert shown.conversation_id == first
    await until(lambda: not run.controller.library.running, "both answers")
    for conversation_id in (first, second):
        await run.controller.open(conversation_id)
        assert run.newest().state is MessageState.COMPLETE
    stored = await run.controller.library.messages([run.newest().id])
    assert stored[0].text == run.newest().text
    assert not run.controller.conversations.streaming


async def test_a_restart_brings_back_draft_conversation_and_sidebar(start: Start) -> None:
    run = await start()
    run.type("hello")
    await run.answered()
    shown = run.controller.view.conversation_id
    QTest.keyClicks(run.window.composer.edit, "not sent yet")
    run.window.toggle_sidebar()
    run.window.resize(760, 640)
    assert await run.close() == 0

    run = await start()
    assert run.controller.view.conversation_id == shown
    assert run.window.composer.text == "not sent yet"
    assert not run.window.sidebar_wanted
    assert run.window.size().width() == 760
    assert run.newest().state is MessageState.COMPLETE


async def test_closing_while_streaming_saves(start: Start) -> None:
    run = await start()
    run.type("/tokens 50000")
    await run.streaming()
    turn = run.controller.view.turn
    assert turn is not None
    await until(lambda: turn.text, "the first words")
    assert await run.close() == 0
    text = turn.text

    run = await start()
    assert run.newest().state is MessageState.STOPPED
    assert run.newest().text == text


async def test_rename_in_the_list(start: Start) -> None:
    run = await start()
    run.type("hello")
    await run.answered()
    run.window.actions_["rename"].trigger()
    editor = run.window.sidebar.list.findChild(QLineEdit)
    assert editor is not None
    editor.setText("A better title")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    await until(lambda: run.window.title.full_text == "A better title", "the new title")


async def test_delete_can_be_undone(start: Start) -> None:
    run = await start()
    run.type("hello")
    await run.answered()
    shown = run.controller.view.conversation_id
    QTest.keyClick(run.window.sidebar.list, Qt.Key.Key_Delete)
    await until(lambda: len(run.controller.conversations) == 0, "the deletion")
    assert run.window.stack.currentWidget() is run.window.empty_state
    assert "deleted" in run.window.toast.text
    run.window.toast.accept()
    await until(lambda: run.controller.view.conversation_id == shown, "the undo")
    await until(lambda: run.newest() is not None, "the list to show it again")


async def test_enter_before_the_program_is_ready_sends_as_soon_as_it_is(
    qapp: QApplication, tmp_path: Path
) -> None:
    run = Run(qapp, tmp_path)
    assert not run.window.composer.is_ready
    run.type("hello")
    await until(lambda: run.program.controller is not None, "the program")
    await until(
        lambda: run.newest() is not None and run.newest().state is MessageState.COMPLETE, "the answer"
    )
    assert run.window.composer.text == ""
    await run.close()


async def test_an_error_stands_under_the_question_and_can_be_retried(start: Start) -> None:
    run = await start()
    run.type("/error 401")
    await run.answered()
    failed = run.newest()
    assert failed.state is MessageState.FAILED
    assert failed.error is not None
    assert failed.error.kind == "authentication"
    assert run.window.metrics_bar.metrics.phase is Phase.FAILED
    answers = await run.controller.library.messages([failed.id])
    run.controller.view.view.action_requested.emit("retry", failed.id)
    # The refusal comes back sooner than a poll can see the turn, so the kept figures are the witness.
    await until(
        lambda: (
            run.newest() is not None
            and run.newest().state is MessageState.FAILED
            and run.newest().metrics != answers[0].metrics
        ),
        "the second refusal",
    )
    assert run.newest().id == failed.id


async def test_edit_and_resend_makes_another_version(start: Start) -> None:
    run = await start()
    run.type("hello")
    await run.answered()
    QTest.keyClicks(run.window.composer.edit, "draft")
    message = run.controller.view.newest(Role.USER)
    assert message is not None
    run.controller.view.view.action_requested.emit("edit", message.id)
    await until(lambda: run.window.composer.is_editing, "the editing")
    assert run.window.composer.text == "hello"
    run.window.composer.edit.replace_text("thanks")
    run.window.composer.submit()
    await run.answered()
    edited = run.controller.view.newest(Role.USER)
    assert edited is not None
    assert (edited.text, edited.sibling_count) == ("thanks", 2)
    assert run.window.composer.text == "draft"
    run.controller.view.view.action_requested.emit("previous_version", edited.id)
    await until(lambda: run.controller.view.newest(Role.USER).text == "hello", "the other version")  # type: ignore[union-attr]


async def test_a_megabyte_pasted_is_kept_as_it_was(start: Start) -> None:
    run = await start()
    pasted = QMimeData()
    line = "x" * 1_000_000
    pasted.setText(f"first\x00\r\n{line}\nlast")
    pasted.setHtml("<b>first</b>")
    run.window.composer.edit.insertFromMimeData(pasted)
    assert run.window.composer.text == f"first\n{line}\nlast"
    assert run.window.composer.edit.height() <= run.window.height() // 3


async def test_nul_and_lone_surrogates_are_sent_as_text(start: Start) -> None:
    run = await start()
    session = await run.controller.send("hello\x00 \ud800 there")
    assert session is not None
    await session.wait()
    message = run.controller.view.newest(Role.USER)
    assert message is not None
    assert message.text == "hello \ufffd there"


async def test_search_finds_words_in_messages(start: Start) -> None:
    run = await start()
    run.type("hello zebra")
    await run.answered()
    await run.controller.open(0)
    QTest.keyClicks(run.window.sidebar.search, "zebra")
    await until(lambda: run.controller.conversations.is_searching, "the search")
    assert run.controller.conversations.ids()
    QTest.keyClick(run.window.sidebar.search, Qt.Key.Key_Escape)
    await until(lambda: not run.controller.conversations.is_searching, "the whole list")


async def test_settings_change_the_theme_and_refuse_bad_numbers(start: Start) -> None:
    run = await start()
    run.controller.open_settings("appearance")
    dialog = run.window.findChild(SettingsDialog)
    assert dialog is not None
    size = dialog.findChild(QLineEdit, "appearance.font_size")
    assert size is not None
    size.selectAll()
    QTest.keyClicks(size, "99")
    assert run.controller.preferences.settings.whole("appearance.font_size") == 15 or size.text() != "99"
    assert size.accessibleDescription() == "Text size must be between 9 and 32."
    theme: Any = dialog.findChild(object, "appearance.theme")
    theme.setCurrentIndex(theme.findData("dark"))
    await until(lambda: run.window.appearance.theme.is_dark, "the dark theme")
    theme.setCurrentIndex(theme.findData("system"))
    await until(lambda: not run.window.appearance.theme.is_dark, "the light theme")
    dialog.close()


async def test_a_key_without_a_keychain_is_kept_for_this_run(start: Start) -> None:
    run = await start()
    run.controller.open_settings("providers")
    page = run.window.findChild(ProviderPage)
    assert page is not None
    page.choose("mistral")
    await until(lambda: page.place.currentData() == SecretPlace.THIS_RUN, "the place that is left")
    page.key.text = "not-a-real-key"
    page.save_button.click()
    await until(page.result.text, "the result")
    assert "this run only" in page.result.text()
    assert await run.controller.providers.has_key("mistral")
    page.base_url.text = "no url"
    page.save_button.click()
    await until(lambda: page.base_url.problem.text, "the problem with the address")
    dialog = run.window.findChild(SettingsDialog)
    assert dialog is not None
    dialog.close()


async def test_parameters_are_checked_as_they_are_typed(start: Start) -> None:
    run = await start()
    run.window.actions_["configure"].trigger()
    await until(lambda: run.window.findChild(ConversationSettingsDialog) is not None, "the dialog")
    dialog = run.window.findChild(ConversationSettingsDialog)
    assert dialog is not None
    dialog.fields["temperature"].text = "9"
    assert dialog.fields["temperature"].problem.text == "Temperature must be between 0 and 2."
    assert not dialog.save_button.isEnabled()
    dialog.fields["temperature"].text = "0.5"
    dialog.save_button.click()
    conversation_id = run.controller.view.conversation_id
    await until(
        lambda: run.controller.conversations.conversation(conversation_id).parameters.temperature == 0.5,  # type: ignore[union-attr]
        "the saved temperature",
    )


async def test_a_narrow_window_hides_the_sidebar_and_shows_it_over_the_page(start: Start) -> None:
    run = await start()
    run.window.resize(420, 700)
    await until(lambda: not run.window.sidebar.isVisible(), "the narrow layout")
    run.window.toggle_sidebar()
    assert run.window.sidebar.isVisible()
    QTest.keyClick(run.window, Qt.Key.Key_Escape)
    assert not run.window.sidebar.isVisible()
    run.window.resize(1000, 700)
    await until(run.window.sidebar.isVisible, "the wide layout")


async def test_a_broken_settings_file_is_kept_aside_and_said(tmp_path: Path, start: Start) -> None:
    DataPaths.under(tmp_path).settings.write_text("{ broken", encoding="utf-8")
    run = await start()
    assert any(banner.problem for banner in run.window.banners)
    assert any("broken" in path.name for path in tmp_path.iterdir())  # noqa: ASYNC240 - a test may wait


async def test_every_control_has_a_name_and_every_command_one_owner_of_its_keys(start: Start) -> None:
    run = await start()
    keys: list[QKeySequence] = []
    for action in run.window.actions_.values():
        keys.extend(action.shortcuts())
    assert len(keys) == len({key.toString() for key in keys})
    names = (
        "conversationList", "newConversationButton", "searchField", "transcript", "composer", "sendButton",
        "stopButton", "modelPicker", "metricsBar",
    )  # fmt: skip
    for name in names:
        widget: Any = run.window.findChild(object, name)
        assert widget is not None, name
        assert widget.accessibleName(), name


async def test_a_data_folder_that_cannot_be_used_is_said_and_the_window_stays(
    qapp: QApplication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder", encoding="utf-8")
    run = Run(qapp, in_the_way)
    await until(lambda: run.window.banners, "the banner")
    assert "cannot be used" in run.window.banners[0].sentence
    assert not run.window.composer.is_ready
    assert await run.close() == 0
    assert "Traceback" not in capsys.readouterr().err


async def test_a_second_start_raises_the_first_window(
    qapp: QApplication, tmp_path: Path, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await start()
    run.window.hide()
    second = Run(qapp, tmp_path)
    assert await asyncio.wait_for(second.ended, 10) == 0
    await until(run.window.isVisible, "the first window")
    assert "already running" in capsys.readouterr().err


async def test_a_locked_database_is_said_and_the_message_comes_back(
    start: Start, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("cannot be|could not|locked")
    run = await start()
    with closing(sqlite3.connect(DataPaths.under(tmp_path).database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        run.type("do not lose this")
        await until(lambda: run.window.banners and run.window.banners[-1].problem, "the banner")
        assert run.window.composer.text == "do not lose this"
        other.rollback()
    run.window.composer.submit()
    await run.answered()
    assert run.newest().state is MessageState.COMPLETE
