"""``--self-test``: the program checks what it stands on, one line a check."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop_chat import resources
from desktop_chat.chat.handlers import Outcome
from desktop_chat.chat.launch import WindowOptions
from desktop_chat.chat.library import Library
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.providers import Providers
from desktop_chat.chat.recordings import RecordingFolder
from desktop_chat.demo.prompts import TOUR
from desktop_chat.domain.errors import ChatError
from desktop_chat.domain.profiles import DEMO_PROFILE_ID
from desktop_chat.domain.settings import Settings
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.paths import DataPaths
from desktop_chat.storage.secrets import SecretStore
from desktop_chat.ui.application import open_main_window, paint_now
from desktop_chat.ui.conversation_view import ConversationView
from desktop_chat.ui.event_loop import Tasks
from desktop_chat.ui.metrics_bar import figures
from desktop_chat.ui.transcript.model import TranscriptModel
from desktop_chat.ui.transcript.view import TranscriptView
from desktop_chat.ui.window_controller import WindowController

_SPEED = 400  # tokens a second: fast, and still many frames
_RESOURCES = (resources.APPLICATION_ICON, "icons/phosphor.ttf", "fonts/Inter-Regular.otf", "demo/tour.md")

Check = Callable[[], Awaitable[str]]


class SelfTest:
    """Runs every check, also after one failed; uses the data folder of the options, or a temporary one."""

    def __init__(self, application: QApplication, options: WindowOptions) -> None:
        self._application, self._options = application, options
        self._failures = 0

    async def run(self) -> int:
        """The exit status: 0 when every check passed, 1 otherwise."""
        with tempfile.TemporaryDirectory(prefix="desktop-chat-self-test-") as scratch:
            folder = self._options.data_dir or Path(scratch)
            self._paths = DataPaths.choose(folder)
            await self._check("resources", self._resources)
            if await self._check("data folder", self._folders):
                await self._check("keychain", self._keychain)
                await self._check("window and stream", self._window)
                await self._check("database", self._database)
        self._say("self-test", "failed" if self._failures else "passed")
        return 1 if self._failures else 0

    async def _check(self, name: str, check: Check) -> bool:
        try:
            found = await check()
        except ChatError as error:
            self._failures += 1
            self._say(name, f"FAILED: {error.sentence} {error.message}".strip())
            return False
        except (OSError, AssertionError) as error:
            self._failures += 1
            self._say(name, f"FAILED: {error}")
            return False
        self._say(name, found)
        return True

    @staticmethod
    def _say(name: str, text: str) -> None:
        print(f"{name}: {text}", flush=True)  # noqa: T201

    async def _resources(self) -> str:
        for name in _RESOURCES:
            if not resources.read_bytes(name):
                raise AssertionError(f"{name} is empty")
        return f"ok, {len(_RESOURCES)} looked at"

    async def _folders(self) -> str:
        self._paths.create()
        return "ok, can be written to"

    async def _keychain(self) -> str:
        available = await SecretStore(self._paths.secrets).keychain_available()
        return (
            "ok"
            if available
            else "none on this computer; keys are kept for one run, or in a file if you choose so"
        )

    async def _window(self) -> str:
        window, _appearance, conversations, _state = open_main_window(self._application, self._paths.data)
        paint_now(window)
        problems: list[str] = []
        tasks = Tasks(lambda report: problems.append(report.sentence))
        preferences = Preferences()
        preferences.settings = msgspec.structs.replace(
            Settings().with_value("demo.tokens_per_second", _SPEED), default_profile_id=DEMO_PROFILE_ID
        )
        providers = Providers(preferences, None)
        store = await ConversationStore.open(self._paths.database)
        library = Library(store, providers, preferences)
        view = TranscriptView()
        view.set_model(model := TranscriptModel(window))
        window.install_transcript(view)
        controller = WindowController(
            window,
            conversations,
            ConversationView(window, model, view, library, tasks),
            library,
            providers,
            preferences,
            tasks,
            RecordingFolder(),
        )
        try:
            await controller.start(0)
            turn = await controller.send(TOUR)
            result = await turn.wait() if turn else None
            if result is None or result.outcome is not Outcome.COMPLETE or not result.text:
                raise AssertionError(f"the demo's answer ended as {result.outcome if result else 'nothing'}")
            await asyncio.sleep(0.3)  # the end of the answer is painted with the next frames
            self._check_picture(window.grab().toImage().size().isEmpty())
            if self._options.screenshot is not None and not window.grab().save(str(self._options.screenshot)):
                raise AssertionError(f"the picture cannot be saved as {self._options.screenshot}")
            if problems:
                raise AssertionError(problems[0])
            shown = ", ".join(f"{value} {name}" for name, value in figures(result.metrics))
            if turn is not None and turn.conversation_id is not None:
                await library.delete(turn.conversation_id)
            return f"ok on {QGuiApplication.platformName()}, {shown}"
        finally:
            window.hide()
            await tasks.join(1.0)
            await library.shutdown()
            await providers.close()
            controller.close()
            window.deleteLater()

    @staticmethod
    def _check_picture(is_empty: bool) -> None:
        if is_empty:
            raise AssertionError("the window painted nothing")

    async def _database(self) -> str:
        store = await ConversationStore.open(self._paths.database)
        try:
            return f"ok, {len(await store.conversations())} conversations"
        finally:
            await store.close()
