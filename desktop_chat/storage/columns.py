"""How values become columns and come back."""

from __future__ import annotations

import json
import logging
from typing import Any, TypeVar

import msgspec

from desktop_chat.domain.text import without_lone_surrogates

T = TypeVar("T")

log = logging.getLogger(__name__)


def storable(text: str) -> str:
    """Text as the database takes it: no lone surrogates, and U+FFFD for NUL, where SQL functions would stop."""
    return without_lone_surrogates(text).replace("\x00", "\ufffd")


def to_json(value: object) -> str | None:
    """A value as JSON text; ``None`` stays SQL's NULL. Odd text in it never fails."""
    if value is None:
        return None
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # a lone surrogate in a server's words
        return without_lone_surrogates(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))


def from_json(text: str | None, kind: type[T]) -> T | None:
    """The value kept as ``text``; one that cannot be read costs only itself, and is named in the log."""
    return None if text is None else _decoded(text, kind)


def tuple_from_json(text: str | None, kind: type[T]) -> tuple[T, ...]:
    """As `from_json`, for a list of values."""
    items: Any = None if text is None else _decoded(text, tuple[kind, ...])  # type: ignore[valid-type]
    return items or ()


def _decoded(text: str, kind: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        log.warning("a stored %s is not readable: %s", kind, error)
        return None
