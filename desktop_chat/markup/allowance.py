"""How much markup a paragraph may hold: what lies beyond is shown as text, never dropped.

The limits depend only on what comes before a place, so that a growing paragraph reads as it will when it is complete.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from desktop_chat.markup.long_runs import LongRun

MAX_INLINE = 64 * 1024
"""Characters of one paragraph, heading or cell whose inline markup is read; the rest of it is shown as plain text."""

MARKUP_ALLOWANCE = 240
"""What the marks of a paragraph may weigh beyond a sixth of its characters; where they weigh more, the rest is
plain text."""

_WEIGHTS = {"[": 8, "<": 4}
"""Of marks that are looked for an end far away; any other weighs 2."""

LETTER = r"[^\W\d_a-zA-Z]"
"""A letter outside ASCII: such words may be as long as a paragraph, and are settled between two of them."""

PICTURES = "\u2600-\u27bf\U0001f000-\U0001faff"
"""Emoji and other pictures, as the inside of a regular expression's class."""

_LAST_PAIR = re.compile(f".*{LETTER}(?={LETTER})", re.DOTALL)

_LONGEST_WORD = 1500
_SOLID = LongRun(r"\S", _LONGEST_WORD)
_SIGNS = LongRun(r"[^\w\s]", 300)

_MARKS = "*_~`[]<&$\\@!"
_MARK = re.compile(f"[{re.escape(_MARKS)}]")


class Budget(NamedTuple):
    """What of a paragraph was read before: characters, and what their marks weigh."""

    read: int = 0
    spent: int = 0


NOTHING_READ = Budget()
ALL_SPENT = 1 << 40
"""The allowance for markup is used up."""


def markup_end(content: str, before: Budget) -> int:
    """Where the reading of a paragraph's markup stops; real text never gets there.

    Depends on what comes before a place only, so that a growing paragraph reads as it will when it is complete.
    """
    if before.spent >= ALL_SPENT:
        return 0
    end = min(len(content), max(0, MAX_INLINE - before.read))
    if max(_WEIGHTS.values()) * len(content) + before.spent <= MARKUP_ALLOWANCE:
        return end
    spent = before.spent
    for match in _MARK.finditer(content, 0, end):
        spent += _WEIGHTS.get(match[0], 2)
        if spent > MARKUP_ALLOWANCE + (before.read + match.start()) // 6:
            end = match.start()
            break
    end = _unbreakable(content, end)
    found = _SIGNS.search(content, 0, end)
    return end if found is None else found.start()


def _unbreakable(content: str, end: int) -> int:
    """Where something begins that no text has, a word without end; else ``end``. From there on, a paragraph is plain.

    Neither such a word nor so many signs contain a place up to which a growing paragraph is settled.
    """
    at = 0
    while (found := _SOLID.search(content, at, end)) is not None:
        pair = _LAST_PAIR.match(content, *found.span())
        if pair is None:
            return found.start()
        at = pair.end()
    return end


def markup_weight(content: str) -> int:
    """What the marks of ``content`` spend of the allowance."""
    return sum(_WEIGHTS.get(mark, 2) for mark in _MARK.findall(content))


def count_marks(content: str) -> int:
    return sum(map(content.count, _MARKS))
