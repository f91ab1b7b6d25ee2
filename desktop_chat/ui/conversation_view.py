"""Binds the shown conversation to the transcript: loads it, follows its running turn, keeps the figures fresh."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_chat.chat.handlers import StreamContext, StreamResult
from desktop_chat.domain.deltas import StreamDelta
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.domain.metrics import Metrics, Phase

if TYPE_CHECKING:
    from desktop_chat.chat.library import Library
    from desktop_chat.chat.session import ChatSession
    from desktop_chat.ui.event_loop import Tasks
    from desktop_chat.ui.main_window import MainWindow
    from desktop_chat.ui.transcript.model import TranscriptModel

_REFRESH_MS: Final = 200
_LOADED_AT_ONCE: Final = 24
_PHASE_OF: Final = {
    MessageState.COMPLETE: Phase.DONE,
    MessageState.STOPPED: Phase.STOPPED,
    MessageState.INTERRUPTED: Phase.INTERRUPTED,
    MessageState.FAILED: Phase.FAILED,
}


class _Follower:
    """Hands each delta of one turn to the transcript: a plain call, no signal."""

    def __init__(self, model: TranscriptModel, message_id: int) -> None:
        self._model = model
        self._append = model.append_delta
        self._message_id = message_id

    @property
    def is_behind(self) -> bool:
        """The server waits while much is to be shown, so that it cannot fill memory faster than the screen."""
        return self._model.is_behind(self._message_id)

    def started(self, context: StreamContext) -> None:
        """Nothing to do: the message is there already."""

    def delta(self, delta: StreamDelta) -> None:
        self._append(self._message_id, delta)

    def finished(self, result: StreamResult) -> None:
        """Nothing to do: the library announces the message as it was kept."""


class ConversationView(QObject):
    """Args:
        view: the transcript widget; anything with its interface.

    Signals:
        shown(conversation_id): another conversation is shown now.
    """

    shown = Signal(int)

    def __init__(
        self, window: MainWindow, model: TranscriptModel, view: Any, library: Library, tasks: Tasks
    ) -> None:
        super().__init__(window)
        self._conversation_id = 0
        self._window, self._model, self.view = window, model, view
        self._library, self._tasks = library, tasks
        self._followed: tuple[ChatSession, _Follower] | None = None
        self._shows = 0
        self._newest: Message | None = None
        self._timer = QTimer(self, interval=_REFRESH_MS)
        self._timer.timeout.connect(self._refresh)
        model.needed.connect(lambda ids: tasks.spawn(self._provide(ids), "load messages"))
        view.reading.copying.notice.connect(window.toast.say)
        model.counting.connect(lambda *request: tasks.spawn(self._count(*request), "find"))

    @property
    def conversation_id(self) -> int:
        """The one shown; 0 for the conversation to come."""
        return self._conversation_id

    @conversation_id.setter
    def conversation_id(self, conversation_id: int) -> None:
        if conversation_id != self._conversation_id:
            self._conversation_id = conversation_id
            self.shown.emit(conversation_id)

    async def show(self, conversation_id: int, *, to_end: bool = True) -> None:
        """Show a conversation; 0 shows the empty state."""
        self._unfollow()
        self._shows += 1
        ticket = self._shows
        self.conversation_id = conversation_id
        self._newest = None
        if not conversation_id:
            self._model.reset(())
            self._window.show_empty_state()
            self._window.metrics_bar.show_metrics(Metrics())
            self._window.composer.set_streaming(False)
            return
        stubs = await self._library.stubs(conversation_id)
        messages = await self._library.messages([stub.id for stub in stubs[-_LOADED_AT_ONCE:]])
        if ticket != self._shows:
            return
        # No wait from here on: what has arrived is in `messages`, and the next delta comes after.
        self._model.reset(stubs, messages)
        self._newest = messages[-1] if messages else None
        if stubs:
            self._window.show_transcript()
        else:
            self._window.show_empty_state()
        self._follow(self._library.turn(conversation_id))
        if to_end and stubs:
            self.view.scroll_to_end()

    async def _provide(self, ids: list[int]) -> None:
        try:
            self._model.provide(await self._library.messages(ids))
        finally:
            self._model.miss(ids)  # none of them, if all went well

    async def _count(self, ids: list[int], text: str, answer: Callable[[dict[int, int]], None]) -> None:
        answer(await self._library.occurrences(ids, text))

    @property
    def has_messages(self) -> bool:
        return len(self._model) > 0

    def newest(self, role: Role) -> Message | None:
        """The last message of a role that is at hand."""
        found = [message for message in self._model.messages() if message.role is role]
        return found[-1] if found else None

    # --- what the library tells

    def message_added(self, message: Message) -> None:
        if message.conversation_id == self.conversation_id:
            self._model.append(message)
            self._newest = message
            self._window.show_transcript()
            if message.role is Role.USER:
                self.view.scroll_to_end()

    def message_changed(self, message: Message) -> None:
        if message.conversation_id == self.conversation_id:
            self._model.replace(message)
            if self._newest is None or message.id >= self._newest.id:
                self._newest = message

    def turn_started(self, turn: ChatSession) -> None:
        if turn.conversation_id == self.conversation_id:
            self._follow(turn)

    def turn_ended(self, turn: ChatSession) -> None:
        if self._followed is not None and self._followed[0] is turn:
            self._unfollow()
            self._follow(None)

    # --- the running turn

    @property
    def turn(self) -> ChatSession | None:
        return self._followed[0] if self._followed else None

    def _follow(self, turn: ChatSession | None) -> None:
        self._unfollow()
        self._window.composer.set_streaming(turn is not None)
        if turn is not None and turn.message_id is not None:
            follower = _Follower(self._model, turn.message_id)
            turn.attach(follower)
            self._followed = (turn, follower)
            self._timer.start()
        self._refresh()

    def _unfollow(self) -> None:
        self._timer.stop()
        if self._followed is not None:
            turn, follower = self._followed
            self._followed = None
            turn.detach(follower)

    def _refresh(self) -> None:
        if self._followed is not None:
            turn = self._followed[0]
            metrics = turn.metrics
            self._window.metrics_bar.show_metrics(metrics)
            if turn.message_id is not None:
                self._model.set_live_metrics(turn.message_id, metrics)
            return
        newest = self._newest
        if newest is not None and newest.role is Role.ASSISTANT and newest.metrics is not None:
            metrics = newest.metrics
            if metrics.phase.is_running or metrics.phase is Phase.IDLE:
                import msgspec

                metrics = msgspec.structs.replace(metrics, phase=_PHASE_OF.get(newest.state, Phase.DONE))
            self._window.metrics_bar.show_metrics(metrics)
        else:
            self._window.metrics_bar.show_metrics(Metrics())
