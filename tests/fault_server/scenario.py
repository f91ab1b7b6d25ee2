"""What a scenario of the fault server is."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from fault_server.server import Script

from desktop_chat.domain.requests import Timeouts

PATIENT: Final = Timeouts(connect=10, first_payload=20, idle=20)
BRIEF: Final = Timeouts(connect=10, first_payload=0.15, idle=0.15)
"""For scenarios in which a limit is what ends the wait."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One fault.

    Attributes:
        then: what later connections get, where the client is to come again at once.
        kind: `ChatError.kind` of the error, None when the answer is complete.
        sentence: part of what the person is told.
        message: part of the server's own words.
        facts: further attributes of the error.
        warning: part of a warning.
    """

    name: str
    script: Script
    then: Script = []
    text: str = ""
    reasoning: str = ""
    tool_calls: list[dict[str, str]] = []
    finish_reason: str | None = None
    kind: str | None = None
    sentence: str = ""
    message: str = ""
    facts: dict[str, Any] = {}
    warning: str = ""
    timeouts: Timeouts = PATIENT


INTERRUPTED: Final = "before the answer was complete"
