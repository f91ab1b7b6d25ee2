"""The program as a person meets it: a process on an X11 screen, real key presses, the database as the witness."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import pytest
from virtual_screen import virtual_screen

from desktop_chat.domain.messages import MessageState
from desktop_chat.storage.paths import DataPaths

Found = TypeVar("Found")

PATIENCE_S = 30.0
"""How long a condition may take before the test gives up; nothing asserts on it."""

pytestmark = [
    pytest.mark.xvfb,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")),
        reason="needs a virtual screen: Xvfb and xdotool",
    ),
]


@pytest.fixture(scope="module")
def screen() -> Iterator[dict[str, str]]:
    with virtual_screen() as environment:
        yield environment


class Program:
    """One running window.

    Attributes:
        paths: where it keeps everything.
    """

    def __init__(self, screen: dict[str, str], folder: Path) -> None:
        self.paths = DataPaths.under(folder / "data")
        self._screen = screen
        self._said = folder / "said.txt"
        with self._said.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "desktop_chat", "--data-dir", str(folder / "data")],
                env=screen,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def until(self, condition: Callable[[], Found | None], what: str) -> Found:
        """Wait until the condition gives something true, as long as the program runs."""
        deadline = monotonic() + PATIENCE_S
        while not (found := condition()):
            try:
                status = self._process.wait(0.05)
            except subprocess.TimeoutExpired:
                if monotonic() > deadline:
                    pytest.fail(
                        f"waited in vain for {what}; it says: {self.said}; it keeps: {self.messages()}"
                    )
            else:
                pytest.fail(f"ended with status {status} while waiting for {what}: {self.said}")
        return found

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8", errors="replace")

    def focus(self) -> None:
        """Wait for the window, and give it the keyboard: a bare X server has no window manager to do so."""
        window = self.until(self._window, "the window")
        self._xdotool("windowfocus", "--sync", window)

    def type(self, text: str) -> None:
        self._xdotool("type", "--delay", "5", text)

    def send(self, text: str) -> None:
        """Type, see the draft kept, and press Enter."""
        self.type(text)
        self.until_draft(text)
        self.press("Return")

    def until_draft(self, text: str) -> None:
        self.until(
            lambda: (text,) in self.query("SELECT draft FROM conversation"), f"the draft {text!r} to be kept"
        )

    def press(self, *keys: str) -> None:
        self._xdotool("key", *keys)

    def wait(self) -> int:
        """The exit status, once it has ended by itself."""
        return self._process.wait(PATIENCE_S)

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the database as it is now; none while there is no database yet."""
        if not self.paths.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.paths.database}?mode=ro", uri=True)) as connection:
            try:
                return connection.execute(statement).fetchall()
            except sqlite3.OperationalError:
                return []  # being created or written to: look again

    def messages(self) -> list[tuple[str, str, str]]:
        """Role, state and kept text of all messages, the oldest first."""
        return self.query(
            "SELECT role, state, text || COALESCE((SELECT group_concat(text, '') FROM"
            " (SELECT text FROM journal WHERE message_id = message.id ORDER BY position)), '')"
            " FROM message JOIN content ON message_id = id ORDER BY id"
        )

    def answer(self, number: int, state: MessageState) -> str | None:
        """The text of the answer with this number (from 0) once it is in this state."""
        answers = [(state, text) for role, state, text in self.messages() if role == "assistant"]
        return answers[number][1] if len(answers) > number and answers[number][0] == state else None

    def _window(self) -> str | None:
        found = self._xdotool("search", "--onlyvisible", "--pid", str(self._process.pid), "--name", ".")
        return found.split()[0] if found else None

    def _xdotool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments],
            env=self._screen,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.stdout


@pytest.fixture
def start(screen: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], Program]]:
    """Start the program on the same data folder each time."""
    running: list[Program] = []

    def begin() -> Program:
        running.append(Program(screen, tmp_path))
        running[-1].focus()
        return running[-1]

    yield begin
    for program in running:
        program.end()


def test_type_send_stop_quit_and_find_it_again(start: Callable[[], Program]) -> None:
    program = start()

    # A question typed and sent with Enter is answered, piece by piece, and kept.
    program.send("hello")
    answer = program.until(lambda: program.answer(0, MessageState.COMPLETE), "the answer")
    assert program.messages()[0] == ("user", MessageState.COMPLETE, "hello")
    assert len(answer) > 50

    # Escape stops a long one; what had arrived stays.
    program.send("/tokens 5000")
    program.until(lambda: program.answer(1, MessageState.STREAMING), "the second answer to begin")
    program.press("Escape")
    part = program.until(lambda: program.answer(1, MessageState.STOPPED), "the stop")
    assert len(part.split()) < 5000

    # A draft that was not sent survives, as does everything else.
    program.type("to be continued")
    program.until_draft("to be continued")
    program.press("ctrl+q")
    assert program.wait() == 0, program.said
    assert "Traceback" not in program.said

    # The next start shows the same conversation: the draft is back in the composer, can be gone on with, and Enter
    # sends it there.
    program = start()
    program.type("!")
    program.until(
        lambda: program.query(
            "SELECT 1 FROM conversation WHERE draft LIKE '%to be continued%' AND draft LIKE '%!%'"
        ),
        "the draft to be gone on with",
    )
    program.press("Return")
    program.until(lambda: program.answer(2, MessageState.COMPLETE), "an answer after the restart")
    assert [role for role, _, _ in program.messages()] == ["user", "assistant"] * 3
    assert "to be continued" in program.messages()[4][2]
    assert program.query("SELECT COUNT(*) FROM conversation WHERE deleted_at IS NULL") == [(1,)]
    program.press("ctrl+q")
    assert program.wait() == 0, program.said


def test_quitting_while_an_answer_streams_keeps_it(start: Callable[[], Program]) -> None:
    program = start()
    program.send("/tokens 5000")
    program.until(lambda: program.answer(0, MessageState.STREAMING), "the answer to begin")
    program.press("ctrl+q")
    assert program.wait() == 0, program.said

    ((_, state, _), (_, answer_state, answer)) = program.messages()
    assert state == MessageState.COMPLETE
    assert answer_state in {MessageState.STOPPED, MessageState.INTERRUPTED}
    assert answer


def test_a_killed_program_has_kept_what_arrived(start: Callable[[], Program]) -> None:
    program = start()
    program.send("/tokens 5000")
    seen = program.until(lambda: program.answer(0, MessageState.STREAMING), "the answer to begin")
    program.end()

    program = start()
    kept = program.until(lambda: program.answer(0, MessageState.INTERRUPTED), "the recovery")
    assert kept.startswith(seen)
    program.press("ctrl+q")
    assert program.wait() == 0, program.said
