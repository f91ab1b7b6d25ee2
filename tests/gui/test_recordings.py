"""Recording and replaying from the window's menu, with real files, the real window and the demo server."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from gui import test_window
from PySide6.QtWidgets import QFileDialog

from desktop_chat.api.recording import Recording
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.ui.replay_dialog import ReplayDialog

Start = test_window.Start
start = test_window.start
until = test_window.until


def recordings(folder: Path) -> list[Path]:
    return list(folder.glob("*.sse"))


def slow_recording(path: Path, words: int, every_s: float) -> Path:
    """A recording with times, as `StreamRecorder` writes it."""
    events = [b'data: {"choices":[{"delta":{"content":"w%d "}}]}\n\n' % number for number in range(words)] + [
        b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
        b"data: [DONE]\n\n",
    ]
    footer = {
        "times_s": [number * every_s for number in range(len(events))],
        "sizes": [len(event) for event in events],
        "headers": {},
    }
    path.write_bytes(b"".join(events) + b"\n: desktop-chat recording " + json.dumps(footer).encode() + b"\n")
    return path


async def file_dialog(run: Any, name: str) -> QFileDialog:
    await until(lambda: run.window.findChild(QFileDialog, name), "the file dialog")
    dialog = run.window.findChild(QFileDialog, name)
    assert isinstance(dialog, QFileDialog)
    return dialog


async def test_answers_are_recorded_until_it_is_turned_off(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    run = await start()
    window, record = run.window, run.window.actions_["record"]
    assert not window.recording_button.isVisible()
    run.type("Not recorded")
    await run.answered()

    record.trigger()
    dialog = await file_dialog(run, "recordFolderDialog")
    dialog.fileSelected.emit(str(folder))
    dialog.reject()
    await until(window.recording_button.isVisible, "the sign that recording is on")
    assert record.text() == "Stop recording answers"
    assert str(folder) in window.toast.text

    await run.controller.open(0)
    run.type("Show me a *table*, please!")
    await run.answered()
    await until(lambda: window.toast.text.startswith("Recorded as"), "the toast")
    (path,) = folder.glob("*.sse")
    assert window.toast.text == f"Recorded as {path.name}"
    assert path.stem.endswith("-show-me-a-table-please")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    recording = Recording.load(path)
    assert recording.body.endswith(b"data: [DONE]\n\n")
    assert recording.times_s

    window.recording_button.click()
    assert not window.recording_button.isVisible()
    assert record.text() == "Record answers…"
    run.type("Not recorded either")
    await run.answered()
    assert len(list(folder.iterdir())) == 1


async def test_a_disk_that_refuses_is_said_and_the_answer_is_whole(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    run = await start()
    await run.controller.recording.record_into(folder)
    folder.rmdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("desktop_chat.api.recording.logger.warning", lambda *_: None)
        run.type("hello")
        await run.answered()
        await until(lambda: "could not be written" in run.window.toast.text, "the toast")
    assert "The answer itself is not affected." in run.window.toast.text
    assert run.newest().state is MessageState.COMPLETE


async def test_a_folder_that_is_not_there_is_refused_at_once(start: Start, tmp_path: Path) -> None:
    run = await start()
    await run.controller.recording.record_into(tmp_path / "none")
    assert "Choose another folder" in run.window.toast.text
    assert not run.window.recording_button.isVisible()


async def test_what_was_recorded_is_replayed_in_a_conversation_of_its_own(
    start: Start, tmp_path: Path
) -> None:
    run = await start()
    await run.controller.recording.record_into(tmp_path)
    run.type("hello")
    await run.answered()
    first, conversation_id = run.newest(), run.controller.view.conversation_id
    await until(lambda: run.window.toast.text.startswith("Recorded as"), "the recording's end")
    (path,) = recordings(tmp_path)

    run.window.actions_["replay"].trigger()
    dialog = await file_dialog(run, "replayFileDialog")
    dialog.fileSelected.emit(str(path))
    dialog.reject()
    await until(lambda: run.window.findChild(ReplayDialog), "the question for the speed")
    question = run.window.findChild(ReplayDialog)
    assert isinstance(question, ReplayDialog)
    question.speed.setCurrentIndex(2)
    question.replay_button.click()
    await until(lambda: run.controller.view.conversation_id != conversation_id, "another conversation")
    await until(lambda: getattr(run.newest(), "profile_name", "") == "Recording", "the replay")
    await until(lambda: run.newest().state is MessageState.COMPLETE, "the answer's end")
    replayed = run.newest()
    assert (replayed.text, replayed.finish_reason) == (first.text, first.finish_reason)
    assert (replayed.profile_name, replayed.model) == ("Recording", path.name)
    assert replayed.metrics.tokens == first.metrics.tokens
    user = run.controller.view.newest(Role.USER)
    assert user is not None
    assert user.text == f"Replay of {path.name}, all at once"
    assert recordings(tmp_path) == [path]  # a replay is not recorded again
    stored = (await run.controller.library.messages([replayed.id]))[0]
    assert stored.text == first.text
    # The next question goes to the provider.
    run.ended_turns.clear()
    run.type("hello again")
    await run.answered()
    assert run.newest().profile_name == first.profile_name


async def test_stop_ends_a_replay(start: Start, tmp_path: Path) -> None:
    run = await start()
    path = await asyncio.to_thread(slow_recording, tmp_path / "slow.sse", 50, 60.0)
    await run.controller.recording.prepare(path)
    dialog = run.window.findChild(ReplayDialog)
    assert isinstance(dialog, ReplayDialog)
    dialog.replay_button.click()
    await run.streaming()
    turn = run.controller.view.turn
    assert turn is not None
    await until(lambda: turn.text == "w0 ", "the first word")
    run.window.composer.stop_button.click()
    await until(lambda: run.controller.view.turn is None, "the stop")
    message: Message = run.newest()
    assert (message.state, message.text) == (MessageState.STOPPED, "w0 ")
    assert not run.controller.library.can_continue(message)


async def test_a_file_that_is_no_recording(start: Start, tmp_path: Path) -> None:
    run = await start()
    path = tmp_path / "notes.txt"
    await asyncio.to_thread(path.write_text, "Dear diary\n")
    await run.controller.recording.prepare(path)
    await until(lambda: getattr(run.newest(), "state", None) is MessageState.FAILED, "the failure")
    assert run.newest().error.advice
    run.controller.tasks.spawn(run.controller.recording.prepare(tmp_path / "none.sse"), "open recording")
    await until(lambda: "cannot be read" in run.window.toast.text, "the toast")


@pytest.mark.shared_data
async def test_every_recorded_stream_replays(start: Start, shared_data: Path) -> None:
    """Files without times: each answers at once, and says what the client makes of it."""
    run = await start()
    expected = json.loads(await asyncio.to_thread((shared_data / "streams/expected.json").read_text, "utf-8"))
    for name, facts in expected.items():
        await run.controller.recording.prepare(shared_data / "streams" / f"{name}.sse")
        await until(lambda: not run.controller.library.running, name)
        message = run.newest()
        assert message.model == f"{name}.sse"
        if name != "groq__model_thinking_part_iter":  # its tags become reasoning
            assert message.text == facts["text"], name
            assert message.reasoning == facts["reasoning"], name
        assert (message.state is MessageState.COMPLETE) == (facts["error"] is None), name
