"""The conversation store: everything said, on disk, at once.

An asyncio front over the SQL in `conversation_rows`, `message_rows` and `search`, which run one after the other on
the store's own thread. Every method may raise `StorageError`, with a sentence and an advice for people.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final, Unpack

import msgspec

from desktop_chat.domain.conversations import Conversation, SearchHit
from desktop_chat.domain.errors import ErrorReport
from desktop_chat.domain.messages import Message, MessageState, MessageStub, Role, ToolCall
from desktop_chat.domain.metrics import Metrics
from desktop_chat.domain.requests import GenerationParameters
from desktop_chat.storage import conversation_rows, message_rows, occurrences, search
from desktop_chat.storage.conversation_rows import ConversationChanges
from desktop_chat.storage.database import Database
from desktop_chat.storage.owners import Owner
from desktop_chat.storage.waiting import result_of

_NO_PARAMETERS: Final = GenerationParameters()
_BATCH: Final = 100  # messages a transaction in long jobs, so that a running answer's journal need not wait
_MERGED_PAGES: Final = 200  # of a search index in one step


class ConversationStore:
    """Conversations, their messages and the journal of running answers.

    Made by `open`. A write that was started is carried out even if the task that awaits it is cancelled.
    """

    def __init__(self, database: Database, owner: Owner) -> None:
        self._database = database
        self._owner = owner
        self._unwritten: dict[int, tuple[str, str]] = {}  # touched on the store's thread only

    @classmethod
    async def open(cls, path: Path, *, busy_timeout_s: float = 5.0) -> ConversationStore:
        """Open or make the database, bring its schema up to date, and recover answers cut by a crash."""
        store = cls(Database(path, busy_timeout_s=busy_timeout_s), Owner(path))
        try:
            await store._database.open()
            await store._database.run(lambda _: store._owner.open())
            await store.recover_abandoned()
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Carry out every queued write, then close. May be called twice."""
        await self._database.close(self._owner.close)

    async def recover_abandoned(self) -> int:
        """End answers whose program died as INTERRUPTED, text kept; how many. Those of a living copy stay."""

        def recover(connection: sqlite3.Connection) -> int:
            owners = message_rows.streaming_owners(connection)
            return message_rows.interrupt(
                connection, [owner for owner in owners if not self._owner.is_alive(owner)]
            )

        return await self._database.write_durably(recover)

    # --- conversations -----------------------------------------------------------------------------

    async def conversations(self, limit: int | None = None) -> list[Conversation]:
        """Newest first, without deleted ones."""
        return await self._database.run(conversation_rows.listed, limit)

    async def conversation(self, conversation_id: int) -> Conversation | None:
        """``None`` for a deleted or unknown one."""
        return await self._database.run(conversation_rows.find, conversation_id)

    async def create_conversation(
        self,
        *,
        title: str = "",
        profile_id: str = "",
        model: str = "",
        system_prompt: str = "",
        parameters: GenerationParameters = _NO_PARAMETERS,
    ) -> Conversation:
        return await self._database.write(
            conversation_rows.create, title, profile_id, model, system_prompt, parameters
        )

    async def update_conversation(
        self, conversation_id: int, **changes: Unpack[ConversationChanges]
    ) -> Conversation:
        """Change what is named; its place in the list stays. Raises ValueError for a leaf from elsewhere."""
        return await self._database.write(conversation_rows.update, conversation_id, changes)

    async def delete_conversation(self, conversation_id: int) -> None:
        """Take it out of the list and the search; `restore_conversation` brings it back until the purge."""
        await self._database.write(conversation_rows.mark_deleted, conversation_id)

    async def restore_conversation(self, conversation_id: int) -> Conversation:
        return await self._database.write(conversation_rows.restore, conversation_id)

    async def purge_deleted(self, older_than_s: float = 0) -> int:
        """Remove for good what was deleted at least that many seconds ago; how many conversations.

        Not a word of theirs stays in the file. Takes seconds for large ones, in steps that let other writes pass.
        """
        due = await self._database.write(conversation_rows.begin_purge, older_than_s)
        for conversation_id in due:
            while not await self._database.write(conversation_rows.purge_some, conversation_id, _BATCH):
                pass
        if due:
            await self._forget_removed_words()
        return len(due)

    async def import_conversation(
        self, conversation: Conversation, messages: Iterable[Message]
    ) -> Conversation:
        """Add a conversation with all its messages; it appears when it is whole. Times are kept.

        ``messages`` come parents first; their ids, and ``conversation.leaf_id``, are only used to find each other
        and are given anew. Without a leaf the last message becomes it.

        Raises:
            ValueError: a message comes before its parent.
        """
        created = await self._database.write(_begin_import, conversation)
        ids: dict[int | None, int | None] = {None: None}
        last: int | None = None
        remaining = iter(messages)
        while batch := list(itertools.islice(remaining, _BATCH)):
            await self._database.write(_import_some, created.id, batch, ids)
            last = batch[-1].id
        leaf = conversation.leaf_id if conversation.leaf_id in ids else None
        return await self._database.write_durably(
            conversation_rows.end_import,
            created.id,
            conversation,
            ids[last if leaf is None else leaf],
            len(ids) - 1,
        )

    # --- messages ----------------------------------------------------------------------------------

    async def stubs(self, conversation_id: int) -> list[MessageStub]:
        """The shown branch, root first, without any text: one pass over an index."""
        return await self._database.run(message_rows.stubs, conversation_id)

    async def messages(self, ids: Sequence[int]) -> list[Message]:
        """Whole messages in the order asked; unknown ids are left out. A running answer comes as it stands."""
        return await self._database.run(message_rows.messages, ids)

    async def occurrences(
        self, ids: Sequence[int], needle: str, newer: Mapping[int, tuple[str, str]]
    ) -> dict[int, int]:
        """How often ``needle``, in lower case, stands in each message that has it; ``newer`` replaces what is stored.

        Args:
            newer: text and reasoning by message id.
        """
        return await self._database.run(occurrences.occurrences, ids, needle, newer)

    async def branch(self, conversation_id: int, upto: int | None = None) -> list[Message]:
        """Whole messages, root first, down to the message ``upto`` (inclusive) or to the shown leaf."""
        return await self._database.run(message_rows.branch, conversation_id, upto)

    async def add_message(
        self,
        *,
        conversation_id: int,
        parent_id: int | None,
        role: Role,
        text: str,
        state: MessageState = MessageState.COMPLETE,
        model: str = "",
        profile_name: str = "",
    ) -> Message:
        """Add a message and show it as the leaf. The first user message gives an untitled conversation its title."""
        message = Message(
            id=0,
            conversation_id=conversation_id,
            parent_id=parent_id,
            role=role,
            text=text,
            state=state,
            model=model,
            profile_name=profile_name,
        )
        # What a person typed waits for the disk; the row of an answer that only begins does not.
        streaming = state is MessageState.STREAMING
        write = self._database.write if streaming else self._database.write_durably
        return await write(message_rows.add, message, self._owner.token)

    async def append(self, message_id: int, text: str = "", reasoning: str = "") -> None:
        """Journal what arrived, and wait until it is written; see `begin_append`."""
        await result_of(self.begin_append(message_id, text, reasoning))

    def begin_append(self, message_id: int, text: str, reasoning: str) -> Future[None]:
        """Journal what arrived. The cost does not depend on what is there already.

        After an error the piece is kept and written before the next one, which may be empty: never append the same
        piece twice.
        """
        return self._database.begin(self._append, message_id, text, reasoning)

    async def finish_message(
        self,
        message_id: int,
        *,
        state: MessageState,
        text: str,
        reasoning: str = "",
        tool_calls: tuple[ToolCall, ...] = (),
        finish_reason: str | None = None,
        error: ErrorReport | None = None,
        metrics: Metrics | None = None,
        model: str | None = None,
    ) -> Message:
        """The final state: ``text`` and ``reasoning`` are whole and replace the journal. Waits for the disk."""

        def finish(connection: sqlite3.Connection) -> Message:
            message = message_rows.finish(
                connection,
                message_id,
                state=state,
                text=text,
                reasoning=reasoning,
                tool_calls=tool_calls,
                finish_reason=finish_reason,
                error=error,
                metrics=metrics,
                model=model,
            )
            self._unwritten.pop(message_id, None)
            return message

        return await self._database.write_durably(finish)

    async def reopen_message(self, message_id: int) -> Message:
        """Back to STREAMING with its text, for Continue. Raises StorageError while it is streaming."""
        return await self._database.write(message_rows.reopen, message_id, self._owner.token)

    async def select_sibling(self, message_id: int, offset: int) -> int:
        """Show another version: the one ``offset`` places on (clamped), with its newest leaf, which is returned."""
        return await self._database.write(message_rows.select_sibling, message_id, offset)

    # --- all of it ---------------------------------------------------------------------------------

    async def search(self, query: str, limit: int = 50) -> list[SearchHit]:
        """Titles, then messages, newest first; any text is a valid query. See `search`."""
        return await self._database.run(search.search, query, limit)

    async def backup(self, target: Path) -> None:
        """Write a consistent copy while everything goes on; ``target`` is replaced by a whole copy or not at all."""
        await self._database.backup(target)

    async def _forget_removed_words(self) -> None:
        for index in search.INDEXES:
            pages = -_MERGED_PAGES
            while await self._database.write(search.merge_some, index, pages):
                pages = _MERGED_PAGES

    def _append(self, connection: sqlite3.Connection, message_id: int, text: str, reasoning: str) -> None:
        kept_text, kept_reasoning = self._unwritten.pop(message_id, ("", ""))
        text, reasoning = kept_text + text, kept_reasoning + reasoning
        if not (text or reasoning):
            return
        try:
            message_rows.append(connection, message_id, text, reasoning)
        except sqlite3.Error:
            self._unwritten[message_id] = (text, reasoning)
            raise


def _begin_import(connection: sqlite3.Connection, original: Conversation) -> Conversation:
    created = conversation_rows.create(
        connection,
        original.title,
        original.profile_id,
        original.model,
        original.system_prompt,
        original.parameters,
    )
    conversation_rows.hide_for_import(connection, created.id)
    return created


def _import_some(
    connection: sqlite3.Connection,
    conversation_id: int,
    batch: list[Message],
    ids: dict[int | None, int | None],
) -> None:
    """Insert a batch; ``ids`` maps the original ids to the new ones and grows."""
    for message in batch:
        if message.parent_id not in ids:
            raise ValueError(f"message {message.id} comes before its parent {message.parent_id}")
        running = message.state is MessageState.STREAMING  # exported before it had ended
        placed = msgspec.structs.replace(
            message,
            conversation_id=conversation_id,
            parent_id=ids[message.parent_id],
            state=MessageState.INTERRUPTED if running else message.state,
        )
        ids[message.id] = message_rows.insert(connection, placed)
