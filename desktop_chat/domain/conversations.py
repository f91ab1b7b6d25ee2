"""Conversations: what the list shows and what each remembers of its own settings."""

from __future__ import annotations

import msgspec

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
