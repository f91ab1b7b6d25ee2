"""Setting up, running and keeping turns: from a conversation's branch to a saved answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from desktop_chat.api.client import ChatClient
from desktop_chat.api.continuation import can_continue
from desktop_chat.api.retry import RetryPolicy
from desktop_chat.chat.handlers import Outcome, StreamContext, StreamHandler, StreamResult
from desktop_chat.chat.history import request_messages
from desktop_chat.chat.journal import Journal
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.providers import Providers
from desktop_chat.chat.session import ChatSession
from desktop_chat.chat.unsaved import UnsavedAnswers
from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import (
    ChatError,
    DatabaseError,
    ErrorReport,
    InternalError,
    InvalidRequestError,
    StorageError,
)
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.domain.requests import ChatRequest
from desktop_chat.storage.conversations import ConversationStore

if TYPE_CHECKING:
    from desktop_chat.api.recording import StreamRecorder
    from desktop_chat.chat.recordings import AnswerSource

logger = logging.getLogger(__name__)

_STATE_OF = {
    Outcome.COMPLETE: MessageState.COMPLETE,
    Outcome.STOPPED: MessageState.STOPPED,
    Outcome.INTERRUPTED: MessageState.INTERRUPTED,
    Outcome.ERROR: MessageState.FAILED,
}

Ended = Callable[[ChatSession, Message], None]
"""Told once a turn, at once when it is over: the session, and its message, whose saving begins."""

Unsaved = Callable[[Message, ErrorReport], None]
"""Told of a message that could not be kept on disk, or not while it was received; it is tried again."""

AllSaved = Callable[[], None]
"""Told when the disk took everything that it had refused."""

MakeRecorder = Callable[[str], "StreamRecorder | None"]


class Turns:
    """The running turns, at most one a conversation.

    Args:
        ended / unsaved / all_saved: see `Ended`, `Unsaved` and `AllSaved`.
        stream_handlers: makes the extra handlers of each new turn (user plug-ins).
        make_recorder: makes the recorder of each new turn, given its conversation's title; may give None.
    """

    def __init__(
        self,
        store: ConversationStore,
        providers: Providers,
        preferences: Preferences,
        *,
        ended: Ended,
        unsaved: Unsaved,
        all_saved: AllSaved,
        stream_handlers: Callable[[], Sequence[StreamHandler]] = tuple,
        make_recorder: MakeRecorder = lambda _title: None,
    ) -> None:
        self._store = store
        self._providers = providers
        self._preferences = preferences
        self._ended = ended
        self._unsaved = unsaved
        self._all_saved = all_saved
        self._stream_handlers = stream_handlers
        self._make_recorder = make_recorder
        self._running: dict[int, ChatSession] = {}
        self._saving: dict[int, tuple[ChatSession, Message]] = {}  # over, and not on disk yet
        self._starting: set[int] = set()
        self._refused = UnsavedAnswers(self._store_whole, self._tell_when_all_saved)
        self._refused_journals: set[int] = set()  # by conversation
        self._closed = False

    @property
    def running(self) -> tuple[ChatSession, ...]:
        return tuple(self._running.values())

    def turn(self, conversation_id: int) -> ChatSession | None:
        return self._running.get(conversation_id)

    def being_saved(self) -> tuple[Message, ...]:
        """Messages that are whole and of which the store may know only a part."""
        return (*(message for _, message in self._saving.values()), *self._refused.messages)

    @property
    def unsaved(self) -> frozenset[int]:
        """The conversations of which the disk refused something that it has not taken since."""
        refused = (message.conversation_id for message in self._refused.messages)
        return frozenset((*self._refused_journals, *refused))

    async def saved(self, conversation_id: int | None = None) -> None:
        """Wait until what is over is on disk; in one conversation or in all."""
        for saving_id, (turn, _) in list(self._saving.items()):
            if conversation_id in (None, saving_id):
                await turn.wait()

    def can_continue(self, message: Message) -> bool:
        """Whether the rest of this answer can be asked of the provider that gave it."""
        cut = message.state in (MessageState.STOPPED, MessageState.INTERRUPTED, MessageState.FAILED)
        if message.role is not Role.ASSISTANT or not message.text.strip() or message.tool_calls:
            return False
        if not cut and message.finish_reason not in ("length", "model_length"):
            return False
        profile = next((p for p in self._providers.profiles if p.name == message.profile_name), None)
        return profile is not None and can_continue(profile.dialect, profile.base_url)

    async def answer(
        self, conversation: Conversation, parent_id: int | None, source: AnswerSource | None = None
    ) -> tuple[ChatSession, Message]:
        """Add an empty answer below ``parent_id`` and start to receive it, from ``source`` if there is one."""
        profile = source.profile if source else self._providers.profile(conversation.profile_id)
        message = await self._store.add_message(
            conversation_id=conversation.id,
            parent_id=parent_id,
            role=Role.ASSISTANT,
            text="",
            state=MessageState.STREAMING,
            model=profile.default_model if source else conversation.model or profile.default_model,
            profile_name=profile.name,
        )
        return self._start(conversation, message, source), message

    async def resume(self, conversation: Conversation, message: Message) -> tuple[ChatSession, Message]:
        """Receive into an answer that exists: try again when it is empty, continue it when it is not."""
        message = await self._store.reopen_message(message.id)
        return self._start(conversation, message), message

    async def shutdown(self, limit_s: float) -> None:
        """Refuse new turns, and try no more what `settle` could not save either."""
        self._closed = True
        if not await self.settle(limit_s):
            logger.error("not saved at the end: answers in conversations %s", sorted(self.unsaved))
        await self._refused.close()

    async def settle(self, limit_s: float) -> bool:
        """Stop the running turns, and save what was refused; whether the disk has everything now.

        Waits at most ``limit_s`` seconds for the turns and as long for what was refused before.
        """
        for turn in self.running:
            turn.stop()
        turns = [*self.running, *(turn for turn, _ in self._saving.values())]
        earlier = self._refused.messages
        if turns:
            waits = [asyncio.ensure_future(turn.wait()) for turn in turns]
            _done, late = await asyncio.wait(waits, timeout=limit_s)
            for wait in late:
                logger.error("a turn did not end within %.1f s", limit_s)
                wait.cancel()
        if earlier:
            saving = asyncio.ensure_future(self._refused.save())
            await asyncio.wait([saving], timeout=limit_s)
            if saving.cancel():
                await asyncio.wait([saving])
        return not self.unsaved

    @contextlib.asynccontextmanager
    async def sole_start(self, conversation_id: int) -> AsyncIterator[None]:
        """A block within which no other turn of this conversation may begin, and the last one is on disk.

        Raises:
            InvalidRequestError: one runs or starts.
            StorageError: the disk still refuses the last one.
        """
        self.refuse_while_running(conversation_id)
        self._starting.add(conversation_id)
        try:
            await self.saved(conversation_id)
            refusal = await self._refused.save(conversation_id)
            if refusal is not None:
                raise refusal
            yield
        finally:
            self._starting.discard(conversation_id)

    def refuse_while_running(self, conversation_id: int) -> None:
        """Raises InvalidRequestError when a turn runs or starts in the conversation, or the program ends."""
        if self._closed:
            raise InvalidRequestError(sentence="The program is about to end.", advice="")
        if conversation_id in self._running or conversation_id in self._starting:
            raise InvalidRequestError(
                sentence="An answer is still being written in this conversation.",
                advice="Stop it first, or wait until it is complete.",
            )

    def _start(
        self, conversation: Conversation, message: Message, source: AnswerSource | None = None
    ) -> ChatSession:
        profile = source.profile if source else self._providers.profile(conversation.profile_id)
        retries = 0 if source else self._preferences.settings.whole("network.retries")
        journal = Journal(self._store, message.id, partial(self._journal_changed, message))
        turn = ChatSession(
            StreamContext(
                conversation_id=conversation.id,
                message_id=message.id,
                profile_name=profile.name,
                model=message.model or conversation.model or profile.default_model,
            ),
            partial(self._prepare, conversation, message, source),
            save=lambda result: self._keep(turn, message, journal, result, source),
            retry_policy=RetryPolicy(max_retries=retries),
            pacer=None if source else self._providers.pacer(profile.id),
            handlers=[journal, *self._stream_handlers()],
            recorder=None if source else self._make_recorder(conversation.title),
            text=message.text,
            reasoning=message.reasoning,
        )
        self._running[conversation.id] = turn
        turn.start()
        return turn

    async def _prepare(
        self, conversation: Conversation, message: Message, source: AnswerSource | None
    ) -> tuple[ChatClient, ChatRequest]:
        if source is not None:
            client, model = source.client, source.profile.default_model
        else:
            profile = self._providers.profile(conversation.profile_id)
            client = await self._providers.client(profile.id)
            model = await self._providers.model_for(profile.id, conversation.model)
        branch: list[Message] = []
        if message.parent_id is not None:
            branch = await self._store.branch(conversation.id, upto=message.parent_id)
        request = ChatRequest(
            model=model,
            messages=request_messages(branch, conversation.system_prompt),
            parameters=conversation.parameters,
            continue_from=message.text or None,
        )
        return client, request

    async def _keep(
        self,
        turn: ChatSession,
        message: Message,
        journal: Journal,
        result: StreamResult,
        source: AnswerSource | None,
    ) -> None:
        """Tell of the end, which need not wait for the disk, then save the final state."""
        final = msgspec.structs.replace(
            message,
            state=_STATE_OF[result.outcome],
            model=turn.model,
            text=result.text,
            reasoning=result.reasoning,
            tool_calls=result.tool_calls,
            finish_reason=result.finish_reason,
            error=result.error,
            metrics=result.metrics,
        )
        conversation_id = message.conversation_id
        del self._running[conversation_id]
        self._saving[conversation_id] = turn, final
        self._ended(turn, final)
        if source is not None:
            await source.client.aclose()
        await journal.drained()
        problem = await self._store_whole(final)
        del self._saving[conversation_id]
        if isinstance(problem, DatabaseError):
            self._refused.add(final)
        if conversation_id in self._refused_journals:
            self._refused_journals.discard(conversation_id)
            self._tell_when_all_saved()
        if problem is not None:
            self._unsaved(final, problem.report())

    def _journal_changed(self, message: Message, problem: StorageError | None) -> None:
        if problem is None:
            self._refused_journals.discard(message.conversation_id)
            self._tell_when_all_saved()
        else:
            self._refused_journals.add(message.conversation_id)
            self._unsaved(message, problem.report())

    def _tell_when_all_saved(self) -> None:
        if not self.unsaved:
            self._all_saved()

    async def _store_whole(self, final: Message) -> ChatError | None:
        """Save a whole message; returns why the disk refused."""
        try:
            await self._store.finish_message(
                final.id,
                state=final.state,
                model=final.model,
                text=final.text,
                reasoning=final.reasoning,
                tool_calls=final.tool_calls,
                finish_reason=final.finish_reason,
                error=final.error,
                metrics=final.metrics,
            )
        except ChatError as error:
            return error
        except Exception as error:
            logger.exception("message %d could not be saved", final.id)
            return InternalError(str(error))
        return None
