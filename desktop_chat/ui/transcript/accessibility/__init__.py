"""The transcript for assistive tools: a list of messages, and in them everything that is read or pressed.

Elements follow from the blocks, so that a long answer is complete although little of it is laid out; a message far
away is one element with its text.
"""

from __future__ import annotations

from desktop_chat.ui.transcript.accessibility.events import (
    announce_end,
    caret_moved,
    focus_moved,
    message_came,
    was_reset,
)
from desktop_chat.ui.transcript.accessibility.tree import install

__all__ = [
    "announce_end",
    "caret_moved",
    "focus_moved",
    "install",
    "message_came",
    "was_reset",
]
