"""A growing paragraph to which plain words are added: they need no parsing.

Most of what a model writes are words. Where a paragraph leaves nothing open, words that follow it on its line are
added to its text; the next character that could mean something has all of it read again.
"""

from __future__ import annotations

import re
from typing import Final

from desktop_chat.markup.blocks import Block, Heading, InlineText, ListBlock, ListItem, Paragraph, Quote

_LONGEST: Final = 240
"""Characters that are added before the paragraph is read again: settling must go on, and so must its limits."""

_SIGNS: Final = ",.?'\"\u2019\u201c\u201d\u2013\u2014\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f-"
_PLAIN: Final = re.compile(rf"[\w {_SIGNS}]+")

_BEGINS_AS_TEXT: Final = re.compile(r"[ >]*(?:(?:[-*+]|\d{1,9}[.)])[ ]+(?:\[[ xX]\][ ]+)?)*[^\W\d_]")
"""A line that is text whatever follows on it, behind the marks of lists and quotations."""


class PlainGrowth:
    """What words are added to.

    Args:
        source: the text that was parsed last; ``block`` is the last block of it as shown.
    """

    def __init__(self, block: Block, source: str) -> None:
        self._block = block
        content = leaf_content(block)
        self._text = "" if content is None else content.text
        line = source[source.rfind("\n") + 1 :]
        words = line.rstrip(" ")
        self._space = line[len(words) :]
        self._word = words.rpartition(" ")[2]
        last = content.spans[-1].end if content is not None and content.spans else 0
        self._can_grow = (
            content is not None
            and _BEGINS_AS_TEXT.match(line) is not None
            and _is_plain(self._word)  # no part of an address, and no mark is beside it
            and self._text.endswith(words[-2:])
            # What follows may belong to a link, and says whether a mark closes.
            and (not content.spans or " " in self._text[last:] + self._space)
        )

    def with_words(self, added: str) -> Block | None:
        """The block with what was added to the source since; ``None`` where it must be read."""
        if not self._can_grow or len(added) > _LONGEST or not _is_plain(added):
            return None
        if "www" in self._word + self._space + added:
            return None
        return _with_text(self._block, (self._text + self._space + added).rstrip(" "))


def _is_plain(text: str) -> bool:
    return "_" not in text and _PLAIN.fullmatch(text) is not None


def leaf_content(block: Block) -> InlineText | None:
    """The running text that a block ends with; ``None`` where it ends with something else."""
    match block:
        case Paragraph(content) | Heading(_, content):
            return content
        case ListBlock(items) if items[-1].blocks:
            return leaf_content(items[-1].blocks[-1])
        case Quote(blocks) if blocks:
            return leaf_content(blocks[-1])
    return None


def _with_text(block: Block, text: str) -> Block:
    """``block`` whose last running text is another; its styles and objects stay."""
    match block:
        case Paragraph(InlineText(_, spans, objects)):
            return Paragraph(InlineText(text, spans, objects))
        case Heading(level, InlineText(_, spans, objects)):
            return Heading(level, InlineText(text, spans, objects))
        case ListBlock(items, start, tight):
            item = items[-1]
            blocks = (*item.blocks[:-1], _with_text(item.blocks[-1], text))
            return ListBlock((*items[:-1], ListItem(blocks, item.checked)), start, tight)
        case Quote(blocks):
            return Quote((*blocks[:-1], _with_text(blocks[-1], text)))
    raise TypeError(f"no text to add to: {type(block).__name__}")
