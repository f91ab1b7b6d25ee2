"""Conversations: what the list shows and what each remembers of its own settings."""

from __future__ import annotations

import msgspec

from desktop_chat.domain.messages import Role
from desktop_chat.domain.requests import GenerationParameters


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation without its messages.

    Attributes:
        title: empty until the first message gives it one.
        updated_at: seconds since the epoch of the last message; the list is ordered by it.
        profile_id / model: what the next turn uses; empty means the program's default.
        draft: text typed and not yet sent.
        leaf_id: the message the shown branch ends with; ``None`` when there is none.
        message_count: messages on all branches.
    """

    id: int
    title: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
    profile_id: str = ""
    model: str = ""
    system_prompt: str = ""
    parameters: GenerationParameters = GenerationParameters()
    draft: str = ""
    leaf_id: int | None = None
    message_count: int = 0


class SearchHit(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a search found something.

    Attributes:
        message_id: ``None`` when the conversation's title was found.
        snippet: a short piece of the text around the first match, on one line.
        highlights: the matches within ``snippet`` as (start, end), in characters.
        created_at: seconds since the epoch, of the message or the conversation.
    """

    conversation_id: int
    title: str
    message_id: int | None = None
    role: Role | None = None
    snippet: str = ""
    highlights: tuple[tuple[int, int], ...] = ()
    created_at: float = 0.0
