"""All conversations and the turns that run in them; what the window and ``ask`` talk to.

Turns belong to conversations, never to a view: switching, closing or redrawing a view touches none of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, Unpack

import msgspec

from desktop_chat.chat.handlers import StreamHandler
from desktop_chat.chat.preferences import Preferences
from desktop_chat.chat.providers import Providers
from desktop_chat.chat.session import ChatSession
from desktop_chat.chat.turns import MakeRecorder, Turns
from desktop_chat.domain.conversations import Conversation, SearchHit
from desktop_chat.domain.errors import ErrorReport, InvalidRequestError
from desktop_chat.domain.messages import Message, MessageStub, Role
from desktop_chat.domain.requests import GenerationParameters
from desktop_chat.domain.text import sanitized_input
from desktop_chat.storage.conversation_rows import ConversationChanges
from desktop_chat.storage.conversations import ConversationStore

if TYPE_CHECKING:
    from desktop_chat.chat.recordings import AnswerSource

logger = logging.getLogger(__name__)


class LibraryListener(Protocol):
    """Hears of coarse events, in the event loop's thread; never of tokens."""

    def conversation_changed(self, conversation: Conversation) -> None:
        """Created, restored, renamed, configured, or a message was added."""

    def conversation_removed(self, conversation_id: int) -> None: ...

    def message_added(self, message: Message) -> None:
        """A message joined the end of its conversation's shown branch."""

    def message_changed(self, message: Message) -> None:
        """A message reached another state; its text is whole."""

    def branch_changed(self, conversation_id: int) -> None:
        """Another branch is shown now; load its stubs again."""

    def turn_started(self, turn: ChatSession) -> None: ...

    def turn_ended(self, turn: ChatSession) -> None: ...

    def problem(self, conversation_id: int, report: ErrorReport) -> None:
        """Something could not be kept on disk; the conversation goes on."""

    def problem_over(self) -> None:
        """The disk took everything of the answers that it had refused."""


class Library:
    """The conversations of one database.

    Args:
        store: an open store; the library closes it in `shutdown`.
        stream_handlers: makes the extra handlers of each new turn (user plug-ins).
        make_recorder: makes the recorder of each new turn, given its conversation's title; may give None.
    """

    def __init__(
        self,
        store: ConversationStore,
        providers: Providers,
        preferences: Preferences,
        *,
        stream_handlers: Callable[[], Sequence[StreamHandler]] = tuple,
        make_recorder: MakeRecorder = lambda _title: None,
    ) -> None:
        self._store = store
        self._listeners: list[LibraryListener] = []
        self._turns = Turns(
            store,
            providers,
            preferences,
            ended=self._turn_ended,
            unsaved=self._not_saved,
            all_saved=lambda: self._tell("problem_over"),
            stream_handlers=stream_handlers,
            make_recorder=make_recorder,
        )

    # --- conversations

    def subscribe(self, listener: LibraryListener) -> Callable[[], None]:
        """Tell ``listener`` of every event; returns the function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def conversations(self) -> list[Conversation]:
        """All conversations, newest first."""
        return await self._store.conversations()

    async def conversation(self, conversation_id: int) -> Conversation | None:
        return await self._store.conversation(conversation_id)

    async def create(self, profile_id: str = "", model: str = "") -> Conversation:
        conversation = await self._store.create_conversation(profile_id=profile_id, model=model)
        self._tell("conversation_changed", conversation)
        return conversation

    async def rename(self, conversation_id: int, title: str) -> Conversation:
        """Give a conversation a title; white space is folded, and an empty title changes nothing."""
        title = " ".join(sanitized_input(title).split())
        if not title:
            return await self._known(conversation_id)
        return await self._update(conversation_id, title=title)

    async def delete(self, conversation_id: int) -> None:
        """Stop what runs in it and hide it; `restore` brings it back."""
        turn = self._turns.turn(conversation_id)
        if turn is not None:
            turn.stop()
            await turn.wait()
        await self._turns.saved(conversation_id)
        await self._store.delete_conversation(conversation_id)
        self._tell("conversation_removed", conversation_id)

    async def restore(self, conversation_id: int) -> Conversation:
        conversation = await self._store.restore_conversation(conversation_id)
        self._tell("conversation_changed", conversation)
        return conversation

    async def save_draft(self, conversation_id: int, text: str) -> None:
        await self._store.update_conversation(conversation_id, draft=sanitized_input(text))

    async def configure(
        self,
        conversation_id: int,
        *,
        profile_id: str | None = None,
        model: str | None = None,
        system_prompt: str | None = None,
        parameters: GenerationParameters | None = None,
    ) -> Conversation:
        """Change what the next turn uses; ``None`` leaves a value as it is."""
        old = await self._known(conversation_id)
        return await self._update(
            conversation_id,
            profile_id=old.profile_id if profile_id is None else profile_id,
            model=old.model if model is None else model,
            system_prompt=old.system_prompt if system_prompt is None else sanitized_input(system_prompt),
            parameters=old.parameters if parameters is None else parameters,
        )

    async def search(self, query: str) -> list[SearchHit]:
        return await self._store.search(query)

    # --- messages

    async def stubs(self, conversation_id: int) -> list[MessageStub]:
        """The shown branch, oldest first."""
        stubs = await self._store.stubs(conversation_id)
        unsaved = {message.id: message for message in self._turns.being_saved()}
        return [
            MessageStub(stub.id, stub.role, whole.state, len(whole.text), len(whole.reasoning))
            if (whole := unsaved.get(stub.id)) is not None
            else stub
            for stub in stubs
        ]

    async def messages(self, ids: Sequence[int]) -> list[Message]:
        """Whole messages; those still being received carry what has arrived at this moment."""
        messages = await self._store.messages(ids)
        unsaved = {message.id: message for message in self._turns.being_saved()}
        running = {turn.message_id: turn for turn in self._turns.running}
        return [
            msgspec.structs.replace(
                message, text=turn.text, reasoning=turn.reasoning, tool_calls=turn.tool_calls
            )
            if (turn := running.get(message.id)) is not None
            else unsaved.get(message.id, message)
            for message in messages
        ]

    async def occurrences(self, ids: Sequence[int], text: str) -> dict[int, int]:
        """How often ``text`` stands in these messages and their reasoning, whatever case; only those that have it."""
        wanted = set(ids)
        newer = {
            message.id: (message.text, message.reasoning)
            for message in self._turns.being_saved()
            if message.id in wanted
        }
        for turn in self._turns.running:
            if turn.message_id in wanted:
                newer[turn.message_id] = (turn.text, turn.reasoning)
        return await self._store.occurrences(ids, text.lower(), newer)

    async def select_version(self, message_id: int, offset: int) -> None:
        """Show the version ``offset`` places from this one (-1 the previous, +1 the next)."""
        message = await self._message(message_id)
        self._turns.refuse_while_running(message.conversation_id)
        await self._store.select_sibling(message_id, offset)
        self._tell("branch_changed", message.conversation_id)

    def can_continue(self, message: Message) -> bool:
        """Whether the rest of this answer can be asked for where its conversation stands."""
        return self._turns.can_continue(message)

    # --- turns

    @property
    def running(self) -> tuple[ChatSession, ...]:
        return self._turns.running

    def turn(self, conversation_id: int) -> ChatSession | None:
        """The turn that runs in a conversation."""
        return self._turns.turn(conversation_id)

    @property
    def unsaved(self) -> frozenset[int]:
        """The conversations with text that the disk refuses; it is tried again every few seconds."""
        return self._turns.unsaved

    async def settle(self, limit_s: float) -> bool:
        """Stop every turn and save what was refused; whether nothing would be lost if the program ended now."""
        return await self._turns.settle(limit_s)

    async def send(
        self, conversation_id: int, text: str, *, source: AnswerSource | None = None
    ) -> ChatSession:
        """Keep a user's message, then ask for the answer. Raises ChatError when it could not be kept.

        Args:
            source: answers this turn in place of the conversation's provider: a recording.
        """
        text = self._sendable(text)
        async with self._turns.sole_start(conversation_id):
            conversation = await self._known(conversation_id)
            return await self._ask(conversation, conversation.leaf_id, text, joins=True, source=source)

    async def edit_and_resend(self, message_id: int, text: str) -> ChatSession:
        """Send another version of a user's message; the old one stays as its sibling."""
        text = self._sendable(text)
        message = await self._message(message_id)
        async with self._turns.sole_start(message.conversation_id):
            conversation = await self._known(message.conversation_id)
            return await self._ask(conversation, message.parent_id, text, joins=False)

    async def regenerate(self, message_id: int) -> ChatSession:
        """Ask for another version of an answer; the old one stays as its sibling."""
        message = await self._message(message_id)
        async with self._turns.sole_start(message.conversation_id):
            conversation = await self._known(message.conversation_id)
            parent_id = message.parent_id if message.role is Role.ASSISTANT else message.id
            return await self._answer(conversation, parent_id, joins=False)

    async def retry(self, message_id: int) -> ChatSession:
        """Try a failed answer again: in place when nothing of it had arrived, else as another version."""
        message = await self._message(message_id)
        if message.role is not Role.ASSISTANT or message.text or message.reasoning or message.tool_calls:
            return await self.regenerate(message_id)
        async with self._turns.sole_start(message.conversation_id):
            conversation = await self._known(message.conversation_id)
            return await self._resume(conversation, message)

    async def continue_answer(self, message_id: int) -> ChatSession:
        """Ask for the rest of an answer that was cut. Raises ChatError where the provider cannot."""
        message = await self._message(message_id)
        if not self.can_continue(message):
            raise InvalidRequestError(
                sentence="This provider cannot continue an answer.", advice="Regenerate the answer instead."
            )
        async with self._turns.sole_start(message.conversation_id):
            conversation = await self._known(message.conversation_id)
            return await self._resume(conversation, message)

    async def shutdown(self, limit_s: float = 2.0) -> None:
        """Stop every turn, wait until each is saved (at most ``limit_s`` seconds), close the store."""
        await self._turns.shutdown(limit_s)
        await self._store.close()

    # --- internals

    async def _ask(
        self,
        conversation: Conversation,
        parent_id: int | None,
        text: str,
        *,
        joins: bool,
        source: AnswerSource | None = None,
    ) -> ChatSession:
        user = await self._store.add_message(
            conversation_id=conversation.id, parent_id=parent_id, role=Role.USER, text=text
        )
        if joins:
            self._tell("message_added", user)
        conversation = await self._update(conversation.id, draft="")
        return await self._answer(conversation, user.id, joins=joins, source=source)

    async def _answer(
        self,
        conversation: Conversation,
        parent_id: int | None,
        *,
        joins: bool,
        source: AnswerSource | None = None,
    ) -> ChatSession:
        """Start an answer; ``joins`` says that it stands at the end of the branch shown now."""
        turn, message = await self._turns.answer(conversation, parent_id, source)
        if joins:
            self._tell("message_added", message)
        else:
            self._tell("branch_changed", conversation.id)
        self._tell("turn_started", turn)
        return turn

    async def _resume(self, conversation: Conversation, message: Message) -> ChatSession:
        turn, message = await self._turns.resume(conversation, message)
        self._tell("message_changed", message)
        self._tell("turn_started", turn)
        return turn

    def _turn_ended(self, turn: ChatSession, message: Message) -> None:
        self._tell("message_changed", message)
        self._tell("turn_ended", turn)

    def _not_saved(self, message: Message, problem: ErrorReport) -> None:
        self._tell("problem", message.conversation_id, problem)

    async def _update(self, conversation_id: int, **changes: Unpack[ConversationChanges]) -> Conversation:
        conversation = await self._store.update_conversation(conversation_id, **changes)
        self._tell("conversation_changed", conversation)
        return conversation

    async def _known(self, conversation_id: int) -> Conversation:
        conversation = await self._store.conversation(conversation_id)
        if conversation is None:
            raise InvalidRequestError(
                sentence="This conversation was deleted.", advice="Choose another one, or undo the deletion."
            )
        return conversation

    async def _message(self, message_id: int) -> Message:
        await self._turns.saved()
        messages = await self.messages([message_id])
        if not messages:
            raise InvalidRequestError(sentence="This message no longer exists.", advice="")
        return messages[0]

    @staticmethod
    def _sendable(text: str) -> str:
        text = sanitized_input(text)
        if not text.strip():
            raise InvalidRequestError(sentence="There is nothing to send.", advice="Type a message first.")
        return text

    def _tell(self, event: str, *arguments: object) -> None:
        for listener in tuple(self._listeners):
            try:
                getattr(listener, event)(*arguments)
            except Exception:
                logger.exception("a listener failed in %s", event)
