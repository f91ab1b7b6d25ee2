"""How often a text stands in messages, whatever case: SQLite leaves out most of them, Python counts in the rest.

SQLite's LIKE folds ASCII letters only, but fast and without Python's lock. So it is given a pattern that fits every
message in which Python may find the text.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from desktop_chat.domain.text import occurrences_in
from desktop_chat.storage import message_rows

_LONGEST_PATTERN: Final = 100
_SELECTIVE: Final = 5
"""Characters that a pattern has at least, if there are as many."""

_COMMONNESS: Final = {letter: rank for rank, letter in enumerate("zqxjvbpygfwmucldrhsnioate ", 1)}
_COMMON: Final = 100
_ROWS: Final = msgspec.json.Decoder(list[tuple[int, str, str]])


def occurrences(
    connection: sqlite3.Connection, ids: Sequence[int], needle: str, newer: Mapping[int, tuple[str, str]]
) -> dict[int, int]:
    """How often ``needle``, which is in lower case, stands in texts and reasoning; messages without it are left out.

    Args:
        newer: text and reasoning of messages of which the database has only a part.
    """
    found = {key: _count(text, reasoning, needle) for key, (text, reasoning) in newer.items()}
    runs = json.dumps(_runs(sorted(set(ids) - newer.keys())))
    (streaming,) = connection.execute(
        """
        SELECT json_group_array(id) FROM message INDEXED BY message_streaming
        WHERE state = 'streaming' AND EXISTS (
            SELECT * FROM json_each(?) AS run WHERE message.id BETWEEN run.value ->> 0 AND run.value ->> 1)""",
        (runs,),
    ).fetchone()
    # These have a journal; they are few, for they are being received by another copy of the program.
    for message in message_rows.messages(connection, json.loads(streaming)):
        found[message.id] = _count(message.text, message.reasoning, needle)
    (rows,) = connection.execute(
        r"""
        SELECT json_group_array(json_array(c.message_id, c.text, c.reasoning))
        FROM json_each(?1) AS run JOIN content c ON c.message_id BETWEEN run.value ->> 0 AND run.value ->> 1
        WHERE c.text LIKE ?2 ESCAPE '\' OR c.reasoning LIKE ?2 ESCAPE '\'""",
        (runs, _pattern(needle)),
    ).fetchone()
    for key, text, reasoning in _ROWS.decode(rows):
        if key not in found:
            found[key] = _count(text, reasoning, needle)
    return {key: count for key, count in found.items() if count}


def _runs(ids: list[int]) -> list[list[int]]:
    """First and last of each run of consecutive ids; messages of one conversation mostly are."""
    if ids and ids[-1] - ids[0] + 1 == len(ids):
        return [[ids[0], ids[-1]]]
    ends = [place for place, key in enumerate(ids, 1) if place == len(ids) or ids[place] != key + 1]
    return [[ids[start], ids[end - 1]] for start, end in zip([0, *ends], ends, strict=False)]


def _count(text: str, reasoning: str, needle: str) -> int:
    return occurrences_in(text, needle) + (occurrences_in(reasoning, needle) if reasoning else 0)


def _pattern(needle: str) -> str:
    r"""What LIKE (with ``\`` as its ESCAPE) finds in every text that has ``needle``, and in few others."""
    # U+0130 is the one character that becomes two in lower case: an i and this dot.
    needle = needle.partition("\u0307")[0][:_LONGEST_PATTERN]
    last = len(needle) - 1
    wild = [
        not _is_plain(character) or (character == "i" and at == last) for at, character in enumerate(needle)
    ]
    # SQLite goes from one place of the first character to the next, which is quick when it is a rare one.
    start = min(
        range(max(1, len(needle) - _SELECTIVE + 1)),
        key=lambda at: _COMMON if not needle or wild[at] else _COMMONNESS.get(needle[at], 0),
    )
    characters = (
        "_" if is_wild else re.sub(r"([\\%_])", r"\\\1", character)
        for character, is_wild in list(zip(needle, wild, strict=True))[start:]
    )
    return f"%{''.join(characters)}%"


def _is_plain(character: str) -> bool:
    """Whether only this character, or its ASCII capital, becomes this one in lower case.

    Not so ``k``, which the Kelvin sign becomes too. Of other scripts those characters have it that know no case.
    """
    return character != "k" if character.isascii() else character.lower() == character.upper()
