"""What the window does: from buttons and keys to the library, and from the library's events to the widgets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from desktop_chat.domain.errors import ChatError, ErrorReport
from desktop_chat.domain.messages import Message, Role
from desktop_chat.domain.settings import Settings
from desktop_chat.domain.text import title_from
from desktop_chat.ui.conversation_model import UNTITLED
from desktop_chat.ui.disk_trouble import DiskTrouble
from desktop_chat.ui.links import open_link
from desktop_chat.ui.model_choice import ModelChoice
from desktop_chat.ui.notices import Offer
from desktop_chat.ui.recording_commands import RecordingCommands

if TYPE_CHECKING:
    from desktop_chat.chat.library import Library
    from desktop_chat.chat.preferences import Preferences
    from desktop_chat.chat.providers import Providers
    from desktop_chat.chat.recordings import RecordingFolder
    from desktop_chat.chat.session import ChatSession
    from desktop_chat.domain.conversations import Conversation
    from desktop_chat.ui.conversation_model import ConversationModel
    from desktop_chat.ui.conversation_view import ConversationView
    from desktop_chat.ui.event_loop import Tasks
    from desktop_chat.ui.main_window import MainWindow


class WindowController(QObject):
    """Connects one window to one library; hears of the library's events (see `LibraryListener`)."""

    def __init__(
        self,
        window: MainWindow,
        conversations: ConversationModel,
        view: ConversationView,
        library: Library,
        providers: Providers,
        preferences: Preferences,
        tasks: Tasks,
        recordings: RecordingFolder,
    ) -> None:
        super().__init__(window)
        self.window, self.conversations, self.view = window, conversations, view
        self.library, self.providers, self.preferences, self.tasks = library, providers, preferences, tasks
        self.models = ModelChoice(
            window, library, providers, tasks,
            shown=lambda: conversations.conversation(view.conversation_id),
            changed=lambda: self._show_header(None),
        )  # fmt: skip
        self.recording = RecordingCommands(window, library, recordings, tasks, self.open)
        self._creating = asyncio.Lock()
        self._said: set[str] = set()
        self.disk = DiskTrouble(window, conversations, library)
        self._connect()
        self._unsubscribe = (library.subscribe(self), preferences.subscribe(self._settings_changed))
        self._settings_changed(preferences.settings)

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    def _spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        self.tasks.spawn(coroutine, name)

    def _connect(self) -> None:
        window, actions = self.window, self.window.actions_
        composer, sidebar = window.composer, window.sidebar
        composer.send_requested.connect(lambda text: self._spawn(self.send(text), "send"))
        composer.edit_requested.connect(
            lambda message_id, text: self._spawn(self._resend(message_id, text), "edit and resend")
        )
        composer.stop_requested.connect(self.stop)
        composer.recall_requested.connect(self._edit_last)
        composer.draft_changed.connect(
            lambda conversation_id, text: self._spawn(self._save_draft(conversation_id, text), "save draft")
        )
        window.metrics_bar.cancel_requested.connect(self.stop)
        window.escape_pressed.connect(self.stop)
        window.empty_state.prompt_chosen.connect(lambda text: self._spawn(self.send(text), "send an example"))
        window.empty_state.prompt_chosen.connect(composer.edit.setFocus)
        sidebar.list.chosen.connect(self._open)
        sidebar.list.delete_requested.connect(lambda it: self._spawn(self.delete(it), "delete"))
        sidebar.search_requested.connect(lambda query: self._spawn(self._search(query), "search"))
        self.conversations.renamed.connect(
            lambda it, title: self._spawn(self.library.rename(it, title), "rename")
        )
        actions["new"].triggered.connect(lambda: self._spawn(self.open(0), "new conversation"))
        actions["next"].triggered.connect(lambda: self._step(1))
        actions["previous"].triggered.connect(lambda: self._step(-1))
        actions["rename"].triggered.connect(self._rename)
        actions["delete"].triggered.connect(
            lambda: self._spawn(self.delete(self.view.conversation_id), "delete")
        )
        actions["copy_answer"].triggered.connect(self._copy_answer)
        actions["model"].triggered.connect(self.models.pick)
        actions["configure"].triggered.connect(
            lambda: self._spawn(self._configure(), "conversation settings")
        )
        actions["settings"].triggered.connect(lambda _checked=False: self.open_settings())
        actions["shortcuts"].triggered.connect(self._show_shortcuts)
        for name, step in (("zoom_in", 1), ("zoom_out", -1), ("zoom_reset", 0)):
            actions[name].triggered.connect(lambda _checked=False, step=step: self.zoom(step))
        view = self.view.view
        view.action_requested.connect(self._act)
        view.link_activated.connect(partial(open_link, window))
        view.zoom_requested.connect(self.zoom)
        view.find_result.connect(window.find_bar.show_result)
        window.toast.covers.connect(view.keep_clear)
        view.set_can_continue(self.library.can_continue)
        window.find_bar.changed.connect(view.find)
        window.find_bar.next_requested.connect(view.find_next)
        window.find_bar.previous_requested.connect(view.find_previous)
        window.find_bar.closed.connect(view.clear_find)
        window.find_bar.closed.connect(window.composer.edit.setFocus)

    # --- conversations

    async def start(self, conversation_id: int) -> None:
        """Fill the list, and show the conversation of the last run unless it is gone."""
        self.conversations.set_conversations(await self.library.conversations())
        if self.conversations.conversation(conversation_id) is None:
            conversation_id = 0
        typed = self.window.composer.text  # while everything was still loading
        await self.open(conversation_id)
        if typed and typed not in self.window.composer.text:
            self.window.composer.restore(self.view.conversation_id, typed)
        self.window.composer.set_ready(True)

    async def open(self, conversation_id: int, message_id: int = 0) -> None:
        """Show a conversation; 0 begins a new one, which is made with its first message."""
        conversation = await self.library.conversation(conversation_id) if conversation_id else None
        self._show_header(conversation)
        self.window.composer.show_conversation(
            conversation.id if conversation else 0, conversation.draft if conversation else ""
        )
        self.window.sidebar.list.set_current(conversation.id if conversation else 0)
        self.window.close_overlay()
        await self.view.show(conversation.id if conversation else 0)
        query = self.window.sidebar.search.text().strip()
        if message_id and query:
            self.window.find_bar.field.setText(query)
            self.window.find_bar.begin()
        else:
            self.window.composer.edit.setFocus()

    def _open(self, conversation_id: int, message_id: int) -> None:
        if conversation_id != self.view.conversation_id or message_id:
            self._spawn(self.open(conversation_id, message_id), "open conversation")

    def _show_header(self, conversation: Conversation | None) -> None:
        self.window.set_title((conversation.title or UNTITLED) if conversation else "")
        profile, model = self.models.of(conversation)
        model = model or "first model"
        self.window.composer.model_picker.setText(f"{model} · {profile.name.partition(' (')[0]}")
        self.window.composer.model_picker.updateGeometry()
        self.window.empty_state.set_line(
            "The demo answers: pages written for this program, on this computer. It is no model."
            if profile.is_demo
            else f"{model} at {profile.name} answers."
        )

    def _step(self, step: int) -> None:
        ids = self.conversations.ids()
        if ids:
            here = ids.index(self.view.conversation_id) if self.view.conversation_id in ids else -step
            self._open(ids[max(0, min(len(ids) - 1, here + step))], 0)

    def _rename(self) -> None:
        if self.view.conversation_id:
            if not self.window.sidebar.isVisible():
                self.window.toggle_sidebar()
            self.window.sidebar.list.rename(self.view.conversation_id)

    async def delete(self, conversation_id: int) -> None:
        """Delete with the offer to undo."""
        conversation = self.conversations.conversation(conversation_id)
        if conversation is None:
            return
        ids = self.conversations.ids()
        shown = conversation_id == self.view.conversation_id
        place = ids.index(conversation_id) if conversation_id in ids else 0
        await self.library.delete(conversation_id)
        if shown:
            rest = self.conversations.ids()
            await self.open(rest[min(place, len(rest) - 1)] if rest else 0)
        title = title_from(conversation.title or UNTITLED, 40)
        undo = Offer("Undo", lambda: self._spawn(self._restore(conversation_id), "undo delete"))
        self.window.toast.say(f"“{title}” was deleted.", undo)

    async def _restore(self, conversation_id: int) -> None:
        await self.library.restore(conversation_id)
        await self.open(conversation_id)

    async def _search(self, query: str) -> None:
        hits = await self.library.search(query) if query.strip() else []
        if query == self.window.sidebar.search.text() or not query:
            self.conversations.set_search(query, hits)

    async def _save_draft(self, conversation_id: int, text: str) -> None:
        if conversation_id:
            await self.library.save_draft(conversation_id, text)
            self.disk.written()
        elif text.strip():
            conversation = await self._create()
            await self.library.save_draft(conversation.id, text)

    async def _create(self) -> Conversation:
        """Make the conversation to come, and show it."""
        async with self._creating:
            if self.view.conversation_id:
                found = await self.library.conversation(self.view.conversation_id)
                if found is not None:
                    return found
            conversation = await self.library.create(*self.models.next)
            self.view.conversation_id = conversation.id
            self.window.composer.conversation_created(conversation.id)
            self.window.sidebar.list.set_current(conversation.id)
            self._show_header(conversation)
            return conversation

    # --- turns

    async def send(self, text: str) -> ChatSession | None:
        """Send in the shown conversation, or in a new one; a text that could not be kept comes back."""
        conversation_id = self.view.conversation_id or (await self._create()).id
        self.window.composer.clear_sent(conversation_id, text)
        try:
            return await self.library.send(conversation_id, text)
        except ChatError:
            self.window.composer.restore(conversation_id, text)
            raise

    async def _resend(self, message_id: int, text: str) -> None:
        conversation_id = self.view.conversation_id
        await self.library.edit_and_resend(message_id, text)
        self.window.composer.clear_edit(conversation_id)

    def stop(self) -> None:
        if self.window.composer.is_editing and self.view.turn is None:
            self.window.composer.cancel_edit()
        elif self.view.turn is not None:
            self.view.turn.stop()

    def _act(self, action: str, message_id: int) -> None:
        """A button under a message."""
        library = self.library
        starts: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "regenerate": lambda: library.regenerate(message_id),
            "retry": lambda: library.retry(message_id),
            "continue": lambda: library.continue_answer(message_id),
            "edit": lambda: self._edit(message_id),
            "copy": lambda: self._copy(message_id),
            "previous_version": lambda: library.select_version(message_id, -1),
            "next_version": lambda: library.select_version(message_id, +1),
        }
        if action in starts:
            self._spawn(starts[action](), action)

    async def _edit(self, message_id: int) -> None:
        for message in await self.library.messages([message_id]):
            self.window.composer.begin_edit(message_id, message.text)

    def _edit_last(self) -> None:
        message = self.view.newest(Role.USER)
        if message is not None and self.view.turn is None:
            self.window.composer.begin_edit(message.id, message.text)

    async def _copy(self, message_id: int) -> None:
        for message in await self.library.messages([message_id]):
            QGuiApplication.clipboard().setText(message.text)
            self.window.toast.say("Copied")

    def _copy_answer(self) -> None:
        message = self.view.newest(Role.ASSISTANT)
        if message is None:
            self.window.toast.say("There is no answer to copy yet.")
        else:
            self._spawn(self._copy(message.id), "copy")

    # --- what the library tells

    def conversation_changed(self, conversation: Conversation) -> None:
        self.disk.written()
        self.conversations.update_conversation(conversation)
        if conversation.id == self.view.conversation_id:
            self._show_header(conversation)
            self.window.sidebar.list.set_current(conversation.id)

    def conversation_removed(self, conversation_id: int) -> None:
        self.conversations.remove_conversation(conversation_id)

    def message_added(self, message: Message) -> None:
        self.view.message_added(message)

    def message_changed(self, message: Message) -> None:
        self.view.message_changed(message)

    def branch_changed(self, conversation_id: int) -> None:
        if conversation_id == self.view.conversation_id:
            self._spawn(self.view.show(conversation_id), "show branch")

    def turn_started(self, turn: ChatSession) -> None:
        if turn.conversation_id is not None:
            self.conversations.set_streaming(turn.conversation_id, True)
        self.view.turn_started(turn)

    def turn_ended(self, turn: ChatSession) -> None:
        if turn.conversation_id is not None:
            self.conversations.set_streaming(turn.conversation_id, False)
        self.view.turn_ended(turn)
        self.recording.turn_ended(turn)
        for sentence in turn.concessions:
            if sentence not in self._said:  # once a run: it is the same with every answer
                self._said.add(sentence)
                self.window.toast.say(sentence)

    def problem(self, conversation_id: int, report: ErrorReport) -> None:
        self.report(report)

    def problem_over(self) -> None:
        self.disk.all_saved()

    def report(self, report: ErrorReport) -> None:
        """Say in the window what went wrong; trouble with the disk stays until it is over or dismissed."""
        if report.kind == "storage":
            self.disk.say(report)
            return
        offer = None
        if report.kind in ("configuration", "authentication") and "Settings" in report.advice:
            offer = Offer("Settings", lambda: self.open_settings("providers"))
        self.window.toast.say(f"{report.sentence} {report.advice}".strip(), offer)

    # --- settings and dialogs

    def _settings_changed(self, settings: Settings) -> None:
        appearance = self.window.appearance
        appearance.choose(
            settings.text("appearance.theme"),
            settings.whole("appearance.font_size"),
            reduce_motion=settings.flag("appearance.reduce_motion"),
        )
        self.view.view.set_theme(appearance.theme)
        key = settings.text("composer.send_key")
        self.window.composer.set_send_key(key)
        self.window.metrics_bar.set_hint(
            "Enter sends, Shift+Enter breaks the line"
            if key == "enter"
            else "Ctrl+Enter sends, Enter breaks the line"
        )
        self._show_header(self.conversations.conversation(self.view.conversation_id))

    def zoom(self, step: int) -> None:
        """Larger (+1), smaller (-1) or usual (0) text."""
        settings = self.preferences.settings
        size = settings.whole("appearance.font_size") + step if step else 15
        if 9 <= size <= 32:
            change = self.preferences.change(settings.with_value("appearance.font_size", size))
            self._spawn(change, "zoom")

    def open_settings(self, page: str = "appearance") -> None:
        from desktop_chat.ui.settings_dialog import SettingsDialog

        dialog = self.window.findChild(SettingsDialog)
        if dialog is None:
            dialog = SettingsDialog(
                self.window.appearance, self.preferences, self.providers, self.tasks, self.window
            )
        dialog.open_page(page)

    async def _configure(self) -> None:
        from desktop_chat.ui.conversation_settings import ConversationSettingsDialog

        conversation = await self._create()
        dialog = ConversationSettingsDialog(self.window.appearance, conversation, self.window)
        dialog.saved.connect(
            lambda prompt, parameters: self._spawn(
                self.library.configure(conversation.id, system_prompt=prompt, parameters=parameters),
                "configure",
            )
        )
        dialog.open()

    def _show_shortcuts(self) -> None:
        from desktop_chat.ui.shortcuts_dialog import ShortcutsDialog

        ShortcutsDialog(self.window.appearance, self.window).open()
