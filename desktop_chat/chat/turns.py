"""Setting up, running and keeping turns: from a conversation's branch to a saved answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
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
from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import ChatError, ErrorReport, InternalError, InvalidRequestError
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

Ended = Callable[[ChatSession, Message, "ErrorReport | None"], None]
"""Told once a turn: the session, its message as kept, and what could not be kept on disk."""

MakeRecorder = Callable[[str], "StreamRecorder | None"]


class Turns:
    """The running turns, at most one a conversation.

    Args:
        ended: see `Ended`.
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
        stream_handlers: Callable[[], Sequence[StreamHandler]] = tuple,
        make_recorder: MakeRecorder = lambda _title: None,
    ) -> None:
        self._store = store
        self._providers = providers
        self._preferences = preferences
        self._ended = ended
        self._stream_handlers = stream_handlers
        self._make_recorder = make_recorder
        self._running: dict[int, ChatSession] = {}
        self._starting: set[int] = set()
        self._closed = False

    @property
    def running(self) -> tuple[ChatSession, ...]:
        return tuple(self._running.values())

    def turn(self, conversation_id: int) -> ChatSession | None:
        return self._running.get(conversation_id)

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
        """Refuse new turns, stop the running ones and wait at most ``limit_s`` seconds for their saving."""
        self._closed = True
        turns = self.running
        for turn in turns:
            turn.stop()
        if not turns:
            return
        waits = [asyncio.ensure_future(turn.wait()) for turn in turns]
        _done, late = await asyncio.wait(waits, timeout=limit_s)
        for wait in late:
            logger.error("a turn did not end within %.1f s", limit_s)
            wait.cancel()

    def sole_start(self, conversation_id: int) -> _SoleStart:
        """A ``with`` block within which no other turn of this conversation may begin. Raises InvalidRequestError."""
        self.refuse_while_running(conversation_id)
        return _SoleStart(self._starting, conversation_id)

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
        journal = Journal(self._store, message.id)
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
        """Save the final state; when the disk refuses, the window still gets the whole message."""
        await journal.drained()
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
        problem: ChatError | None = journal.problem
        try:
            final = await self._store.finish_message(
                message.id,
                state=final.state,
                model=final.model,
                text=final.text,
                reasoning=final.reasoning,
                tool_calls=final.tool_calls,
                finish_reason=final.finish_reason,
                error=final.error,
                metrics=final.metrics,
            )
            problem = None
        except ChatError as error:
            problem = error
        except Exception as error:
            logger.exception("message %d could not be saved", message.id)
            problem = InternalError(str(error))
        if source is not None:
            await source.client.aclose()
        del self._running[message.conversation_id]
        self._ended(turn, final, problem.report() if problem else None)


class _SoleStart:
    """While a turn is being set up, no second one may begin in the same conversation."""

    def __init__(self, starting: set[int], conversation_id: int) -> None:
        self._starting = starting
        self._conversation_id = conversation_id

    def __enter__(self) -> None:
        self._starting.add(self._conversation_id)

    def __exit__(self, *_exception: object) -> None:
        self._starting.discard(self._conversation_id)
