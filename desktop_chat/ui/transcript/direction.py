"""Which way text runs, by its first strong character (Unicode UAX #9, rules P2 and P3).

Paragraphs decide for themselves, lists and quotations once for all they hold (a list within a list follows the outer
one), tables by their header. What has no strong character runs as what it stands in. A growing text is decided by the
first strong character that comes, so that it does not turn round later. Inline code says nothing: it is isolated
within the text (see `isolates`), and a sentence may well begin with the name of a function.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from desktop_chat.markup.blocks import (
    Block,
    Footnotes,
    Heading,
    InlineText,
    ListBlock,
    Paragraph,
    Quote,
    RawText,
    Style,
    Table,
)

_LATIN: Final = re.compile("[A-Za-z]")
_RUNS_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_WEAK: Final = re.compile("[\x00-@\\[-`{-~\u2000-\u200d\u2010-\u206f\ufffc\ufffd]*")
"""Common characters that are none; the others are asked for one by one."""

_LONGEST: Final = 6_000
_LOOKED_AT: Final = 40
"""Items or blocks among which a strong character is looked for; the rest of a long list is none of its beginning."""


def is_right_to_left(text: str) -> bool | None:
    """Whether the first strong character says so; ``None`` where there is none near its beginning."""
    text = text[:_LONGEST]
    if text.isascii():
        return False if _LATIN.search(text) else None
    weak = _WEAK.match(text)
    for character in text[weak.end() if weak else 0 :]:
        kind = unicodedata.bidirectional(character)
        if kind == "L":
            return False
        if kind in {"R", "AL"}:
            return True
    return None


def direction_of(content: InlineText) -> bool | None:
    """The same of running text."""
    position = 0
    for span in content.spans:
        if span.style & Style.CODE:
            if (found := is_right_to_left(content.text[position : span.start])) is not None:
                return found
            position = span.end
    return is_right_to_left(content.text[position:])


def holds_right_to_left(text: str) -> bool:
    """Whether any character of the text runs from right to left."""
    return not text.isascii() and _RUNS_LEFT.search(text) is not None


def runs_right_to_left(block: Block) -> bool | None:
    """The same of a block with others in it; code and formulas say nothing."""
    return next((found for text in _texts(block) if (found := direction_of(text)) is not None), None)


def _texts(block: Block) -> Iterator[InlineText]:
    """The running text of a block's beginning, in reading order."""
    match block:
        case Paragraph() | Heading():
            yield block.content
        case RawText():
            yield InlineText(block.text)
        case ListBlock():
            for item in islice(block.items, _LOOKED_AT):
                yield from _texts_of(item.blocks)
        case Quote():
            yield from _texts_of(block.blocks)
        case Footnotes():
            for _, blocks in islice(block.notes, _LOOKED_AT):
                yield from _texts_of(blocks)
        case Table():
            yield from block.header
        case _:
            return


def _texts_of(blocks: Iterable[Block]) -> Iterator[InlineText]:
    for block in islice(blocks, _LOOKED_AT):
        yield from _texts(block)


def is_mirrored(block: ListBlock | Quote | Footnotes, right_to_left_around: bool) -> bool:
    """Whether the markers of a block stand at the right; what stands around it decides for one without letters."""
    found: bool | None = getattr(block, "right_to_left", None)
    if found is None:
        found = runs_right_to_left(block)
    return right_to_left_around if found is None else found
