"""How values become columns and come back.

Reads of many rows come back as one JSON text that SQLite makes without Python's lock: fetching row by row gives
the lock up and asks for it again at each row, which costs a thousand rows 350 ms beside a busy interface thread,
instead of 10.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import msgspec

from desktop_chat.domain.text import without_lone_surrogates

log = logging.getLogger(__name__)


def storable(text: str) -> str:
    """Text as the database takes it: no lone surrogates, and U+FFFD for NUL, where SQL functions would stop."""
    return without_lone_surrogates(text).replace("\x00", "\ufffd")


def moment(seconds: float) -> float:
    """A time since the epoch in steps of 10 µs: JSON made by SQLite keeps 15 digits."""
    return round(seconds, 5)


def to_json(value: object) -> str | None:
    """A struct, or a tuple of one kind of structs, as JSON text; ``None`` stays SQL's NULL.

    Odd text never fails. What could not be read again (a number that is not finite) is not stored at all: one bad
    value must not make a conversation unreadable.
    """
    if value is None:
        return None
    try:
        text = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # a lone surrogate in a server's words
        text = without_lone_surrogates(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))
    kind: Any = type(value)
    if isinstance(value, tuple) and value:
        kind = tuple[type(value[0]), ...]  # type: ignore[misc]  # made at run time
    try:
        msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        log.warning("not stored, for it could not be read again: %r (%s)", value, error)
        return None
    return text
