"""From the messages of a branch to the history that is sent."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from desktop_chat.domain.messages import Message, Role
from desktop_chat.domain.requests import RequestMessage


def request_messages(branch: Iterable[Message], system_prompt: str = "") -> tuple[RequestMessage, ...]:
    """The history as servers accept it: the system prompt first, no empty answers, roles in turn.

    Answers that ended before their first word are left out; the questions around them are joined, since many
    chat templates refuse two user messages in a row.
    """
    history: list[RequestMessage] = []
    if system_prompt.strip():
        history.append(RequestMessage(role=Role.SYSTEM, text=system_prompt))
    for message in branch:
        if message.role is Role.ASSISTANT and not message.text and not message.tool_calls:
            continue
        if history and message.role is Role.USER and history[-1].role is Role.USER:
            joined = f"{history[-1].text}\n\n{message.text}"
            history[-1] = msgspec.structs.replace(history[-1], text=joined)
            continue
        history.append(RequestMessage(role=message.role, text=message.text, tool_calls=message.tool_calls))
    return tuple(history)
