"""Text that may safely be stored, encoded and shown."""

from __future__ import annotations

import re
from typing import Final

_WHITE_SPACE: Final = re.compile(r"\s")
_LOWERED_AT_ONCE: Final = 65_536
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def without_lone_surrogates(text: str) -> str:
    """Replace surrogate code points, which no encoding accepts, by U+FFFD; pairs become their character.

    Surrogates get into a ``str`` through JSON escapes and through operating-system interfaces.
    """
    if text.isascii() or not _LONE_SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def printable(text: str) -> str:
    """Words of a server that are quoted: one line without controls, which a terminal would obey."""
    return "".join(filter(str.isprintable, without_lone_surrogates(" ".join(text.split()))))


def sanitized_input(text: str) -> str:
    """What a person typed or pasted, made fit to send: no NUL, no lone surrogates, line ends as LF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return without_lone_surrogates(text.replace("\u2029", "\n"))


def occurrences_in(text: str, needle: str) -> int:
    """How often ``needle``, which is in lower case, stands in ``text``, whatever the case there; none overlap."""
    return _lowered(text).count(needle)


def _lowered(text: str) -> str:
    """``text.lower()``, which takes long for a long text in other scripts, in pieces: other threads may run between.

    The pieces end with white space, where the one rule of `str.lower` that looks at neighbours (the final sigma) ends.
    """
    if len(text) <= _LOWERED_AT_ONCE or text.isascii():
        return text.lower()
    pieces, start = [], 0
    while start < len(text):
        space = _WHITE_SPACE.search(text, start + _LOWERED_AT_ONCE)
        end = space.end() if space else len(text)
        pieces.append(text[start:end].lower())
        start = end
    return "".join(pieces)


def title_from(text: str, limit: int = 60) -> str:
    """A conversation's title from its first message: the first line with words, cut at a word boundary."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    line = re.sub(r"\s+", " ", line.lstrip("#>*-` ")) or line
    if len(line) <= limit:
        return line
    cut = line[:limit]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > limit // 2 else cut).rstrip(" ,;:.") + "…"
