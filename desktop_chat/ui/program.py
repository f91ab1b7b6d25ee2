"""One run of the program behind its window: opens the data, binds it to the widgets, ends cleanly."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from PySide6.QtCore import QTimer

from desktop_chat.chat.handlers import installed_handler_classes, installed_handlers
from desktop_chat.chat.launch import ExitStatus, WindowOptions
from desktop_chat.chat.library import Library
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.providers import Providers
from desktop_chat.chat.recordings import RecordingFolder
from desktop_chat.chat.summary import STATUS_OF, summary_line
from desktop_chat.domain.errors import ChatError, ErrorReport, InternalError
from desktop_chat.domain.profiles import MISTRAL_PROFILE, Profile
from desktop_chat.markup import warm_up
from desktop_chat.storage.conversations import ConversationStore
from desktop_chat.storage.paths import DataPaths
from desktop_chat.storage.secrets import SecretStore
from desktop_chat.storage.settings_file import SettingsFile
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.collector import CycleCollector
from desktop_chat.ui.conversation_model import ConversationModel
from desktop_chat.ui.conversation_view import ConversationView
from desktop_chat.ui.diagnostics import Diagnostics
from desktop_chat.ui.event_loop import Signals, Tasks
from desktop_chat.ui.export_commands import ExportCommands
from desktop_chat.ui.image_commands import ImageCommands
from desktop_chat.ui.main_window import MainWindow
from desktop_chat.ui.notices import Banner, Offer
from desktop_chat.ui.single_instance import SingleInstance
from desktop_chat.ui.transcript.model import TranscriptModel
from desktop_chat.ui.transcript.pictures import math_renderer
from desktop_chat.ui.transcript.view import TranscriptView
from desktop_chat.ui.window_controller import WindowController
from desktop_chat.ui.window_state import WindowState

if TYPE_CHECKING:
    from desktop_chat.api.discovery import LocalServer

logger = logging.getLogger(__name__)

END_LIMIT_S: Final = 1.5
_KEEP_AFTER_MS: Final = 300
"""How long a conversation is shown before it is the one that the next start opens."""

_FIRST_START: Final = "first-start"


class Program:
    """Attributes:
    controller: there once the data is open.
    """

    def __init__(
        self,
        options: WindowOptions,
        window: MainWindow,
        appearance: Appearance,
        conversations: ConversationModel,
        state: WindowState,
    ) -> None:
        self._options, self.window, self._appearance = options, window, appearance
        self._conversations, self._state = conversations, state
        self._status = ExitStatus.COMPLETE
        self._asks_at_end = True
        self._wants_end = False
        self.controller: WindowController | None = None
        self._library: Library | None = None
        self._providers: Providers | None = None
        self._saving: asyncio.Future[None] | None = None
        self._keep_shown = QTimer(window, singleShot=True, interval=_KEEP_AFTER_MS)
        self._keep_shown.timeout.connect(self._save_shown)

    async def main(self) -> int:
        """Run until the window is closed; returns the exit status."""
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.tasks = Tasks(self._report)
        self.window.closed.connect(self._over.set)
        signals = Signals(self._signalled)
        collector = CycleCollector(self.window)
        paths = DataPaths.choose(self._options.data_dir)
        usable = self._make_folders(paths)
        diagnostics = Diagnostics(paths.log if usable else None, self._defect)
        instance = SingleInstance(paths.socket, self.window)
        instance.raise_requested.connect(self._raise)
        try:
            if usable and self._options.send is None and not instance.claim():
                print("Desktop Chat is already running; its window was raised.", file=sys.stderr)  # noqa: T201
                self.window.close()
                return ExitStatus.COMPLETE
            if not usable:
                if self._options.exit:
                    self._finish(ExitStatus.ERROR)
            elif await self._open(paths):
                self.tasks.spawn(self._after_start(), "start")
            await self._over.wait()
            while not await self._may_end():
                self._over.clear()
                await self._over.wait()
        finally:
            await self._end()
            collector.close()
            instance.release()
            diagnostics.close()
            signals.close()
        return self._status

    # --- beginning

    def _make_folders(self, paths: DataPaths) -> bool:
        try:
            paths.create()
        except ChatError as error:
            self._problem(error)
            return False
        return True

    async def _open(self, paths: DataPaths) -> bool:
        """Open settings, keys and conversations; what fails is said, and the window stays."""
        preferences = Preferences(SettingsFile(paths.settings))
        preferences.load()
        for warning in preferences.warnings:
            self.window.add_banner(Banner(self._appearance, warning, problem=True))
        try:
            providers = Providers(
                preferences,
                SecretStore(paths.secrets),
                override=self._run_only_profile(),
                environment=os.environ,
            )
            self._providers = providers
            store = await ConversationStore.open(paths.database)
        except ChatError as error:
            self._problem(error)
            if self._options.exit:
                self._finish(ExitStatus.ERROR)
            return False
        recordings = RecordingFolder()
        library = self._library = Library(
            store,
            providers,
            preferences,
            stream_handlers=installed_handlers,
            make_recorder=recordings.recorder,
        )
        # Looked through now, in a thread, so that the first turn need not.
        self.tasks.spawn(asyncio.to_thread(installed_handler_classes), "find stream handlers")
        model = TranscriptModel(self.window)
        view = TranscriptView()
        view.setObjectName("transcript")
        view.set_model(model)
        self.window.install_transcript(view)
        conversation_view = ConversationView(self.window, model, view, library, self.tasks)
        conversation_view.shown.connect(self._shown)
        self.controller = WindowController(
            self.window, self._conversations, conversation_view, library, providers, preferences, self.tasks,
            recordings,
        )  # fmt: skip
        self.controller.disk.over.connect(self._all_saved)
        self.window.is_held_open = self._would_lose
        ImageCommands(self.window, view, self.tasks)
        ExportCommands(self.window, self._conversations, conversation_view, library, self.tasks)
        return True

    def _run_only_profile(self) -> Profile | None:
        if not self._options.base_url:
            return None
        from desktop_chat.chat.endpoint import run_only_profile

        options = self._options
        return run_only_profile(options.base_url, options.model, options.api_key_env, os.environ)

    async def _after_start(self) -> None:
        controller = self.controller
        assert controller is not None
        if self._options.send is not None:
            await controller.start(0)
            await self._send_and_leave(controller, self._options.send)
            return
        await controller.start(self._state.conversation_id)
        # The first code block would hold up its frame for the 50 ms that loading the lexers takes.
        self.tasks.spawn(asyncio.to_thread(warm_up), "load lexers")
        await self._greet(controller)

    async def _greet(self, controller: WindowController) -> None:
        """Once, until it is dismissed: how to get from the demo to a real model."""
        settings = controller.preferences.settings
        if _FIRST_START in settings.dismissed or not controller.providers.default_profile.is_demo:
            return
        if await controller.providers.has_key(MISTRAL_PROFILE.id):
            return
        banner = Banner(
            self._appearance,
            "The built-in demo is answering.",
            "For a real model, add a key or use a server on this computer.",
            [Offer("Add a Mistral key", lambda: controller.open_settings("providers"))],
        )
        banner.setObjectName("firstStartBanner")
        banner.dismissed.connect(lambda: self.tasks.spawn(self._dismiss(controller), "dismiss banner"))
        self.window.add_banner(banner)
        for server in await controller.providers.find_local_servers():
            if banner in self.window.banners:
                use = partial(self._use, controller, banner, server)
                banner.add_offer(Offer(f"Use {server.name}", use))

    async def _dismiss(self, controller: WindowController) -> None:
        settings = controller.preferences.settings
        dismissed = (*settings.dismissed, _FIRST_START)
        await controller.preferences.change(msgspec.structs.replace(settings, dismissed=dismissed))

    def _use(self, controller: WindowController, banner: Banner, server: LocalServer) -> None:
        """Add a local server to the profiles, as the default."""
        settings = controller.preferences.settings
        profile = Profile(
            id=server.name.lower().replace(" ", "-").replace(".", ""),
            name=server.name,
            base_url=server.base_url,
            dialect=server.dialect,
            needs_key=False,
        )
        others = tuple(each for each in settings.profiles if each.id != profile.id)
        changed = msgspec.structs.replace(
            settings, profiles=(*others, profile), default_profile_id=profile.id
        )
        self.tasks.spawn(controller.preferences.change(changed), "use local server")
        self.window.remove_banner(banner)

    # --- --send

    async def _send_and_leave(self, controller: WindowController, text: str) -> None:
        turn = await controller.send(text)
        assert turn is not None
        result = await turn.wait()
        print(summary_line(result), file=sys.stderr)  # noqa: T201
        await asyncio.sleep(0.3)  # the transcript paints the end of the answer with its next frames
        if self._options.screenshot is not None and not self._save_picture():
            self._status = ExitStatus.ERROR
        elif not self._status:
            self._status = STATUS_OF[result.outcome]
        if self._options.exit:
            self._finish(self._status)

    def _save_picture(self) -> bool:
        path = self._options.screenshot
        assert path is not None
        saved = self.window.grab().save(str(path))
        if not saved:
            print(f"The picture cannot be saved as {path}.", file=sys.stderr)  # noqa: T201
        return saved

    # --- what is shown, for the next start

    def _shown(self, conversation_id: int) -> None:
        if conversation_id != self._state.conversation_id and not self._over.is_set():
            self._state.conversation_id = conversation_id
            self._keep_shown.start()

    def _save_shown(self) -> None:
        """Now rather than at the end, which may never come."""
        self._saving = self._loop.run_in_executor(None, self._state.save_conversation)

    # --- ending

    def _finish(self, status: int) -> None:
        self._status = status
        self._close_unasked()

    def _close_unasked(self) -> None:
        self._asks_at_end = False
        self.window.close()

    def _would_lose(self) -> bool:
        return self._asks_at_end and self._library is not None and bool(self._library.unsaved)

    async def _may_end(self) -> bool:
        """Whether everything is saved or nobody is to be asked; asks where the disk refuses what came."""
        if self._library is None or self.controller is None:
            return True
        if await self._library.settle(END_LIMIT_S) or not self._asks_at_end:
            return True
        self._wants_end = True
        self.window.show()
        self.controller.disk.ask(again=self._over.set, quit_anyway=self._close_unasked, stay=self._stay)
        return False

    def _stay(self) -> None:
        self._wants_end = False

    def _all_saved(self) -> None:
        """What the person was asked about has been saved meanwhile."""
        if self._wants_end:
            self._over.set()

    def _signalled(self, number: int) -> None:
        if number == signal.SIGINT and self._options.send is not None:
            self._status = ExitStatus.STOPPED
        self._close_unasked()

    async def _end(self) -> None:
        """Save what is typed and what arrived, and close everything."""
        self.window.hide()
        controller = self.controller
        if controller is not None:
            self.window.composer.flush_draft()
            settings = controller.preferences.settings
            theme, size = settings.text("appearance.theme"), settings.whole("appearance.font_size")
            self._keep_shown.stop()
            self._state.save(self.window, theme, size)
        if self._saving is not None:
            await asyncio.wait([self._saving], timeout=END_LIMIT_S)
        await self.tasks.join(END_LIMIT_S)
        if self._library is not None:
            await self._library.shutdown(END_LIMIT_S)
        if self._providers is not None:
            await self._providers.close()
        if controller is not None:
            controller.close()
        if math_renderer.cache_info().currsize:  # only a conversation with formulas starts it
            math_renderer().close()
            math_renderer.cache_clear()
        self.tasks.end()
        self.window.deleteLater()

    # --- what went wrong

    def _problem(self, error: ChatError) -> None:
        print(f"{error.sentence} {error.advice}".strip(), file=sys.stderr)  # noqa: T201
        self.window.show_empty_state()
        self.window.add_banner(Banner(self._appearance, error.sentence, error.advice, problem=True))

    def _defect(self, _error: BaseException) -> None:
        self._report(InternalError().report())

    def _report(self, report: ErrorReport) -> None:
        if self.controller is not None:
            self.controller.report(report)
        else:
            self.window.toast.say(f"{report.sentence} {report.advice}".strip())

    def _raise(self) -> None:
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
