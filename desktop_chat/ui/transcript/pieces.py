"""Cuts what is too large to lay out at once: long blocks into pieces, very long texts into segments.

Both cut at places that depend only on what stands before them, so that a growing text is cut as the whole one is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from desktop_chat.markup.blocks import (
    Block,
    CodeBlock,
    InlineText,
    ListBlock,
    Paragraph,
    RawText,
)
from desktop_chat.ui.transcript.direction import runs_right_to_left
from desktop_chat.ui.transcript.inline import sliced

LIST_PIECE: Final = 40
"""Items of a list that are laid out together."""

TEXT_PIECE: Final = 16_000
"""Characters of one paragraph that are laid out together; beyond, a line is broken where it would not be."""

LONG_TEXT: Final = 32_000
"""Characters from which a finished text is parsed segment by segment, as it is seen."""

SEGMENT: Final = 6_000
"""Characters after which a segment ends at the next safe place."""

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_BEGINS_ANEW: Final = re.compile(r"(?:#{1,6} |[A-Za-z\u00c0-\uffff*`\"'(])(?![ )])|#{1,6} |[`~]{3}")
_ITEM: Final = re.compile(r"[*+-](?: |$)|\d{1,9}[.)]")
_DEFINITION: Final = re.compile(r"^ {0,3}\[[^\]\n]+\]:.*$", re.MULTILINE)
_MATH: Final = re.compile(r"^\s*(\$\$|\\\[|\\\])", re.MULTILINE)


def pieces(block: Block) -> Sequence[Block]:
    """``block`` in parts that follow each other without a visible seam; most blocks are their own only part."""
    if isinstance(block, ListBlock) and len(block.items) > LIST_PIECE:
        direction = bool(runs_right_to_left(block))
        return [
            ListBlock(
                block.items[first : first + LIST_PIECE],
                None if block.start is None else block.start + first,
                block.tight,
                direction if first else None,
            )
            for first in range(0, len(block.items), LIST_PIECE)
        ]
    if isinstance(block, Paragraph) and len(block.content.text) > TEXT_PIECE:
        return [Paragraph(part) for part in _text_pieces(block.content)]
    if isinstance(block, RawText) and len(block.text) > TEXT_PIECE:
        return [RawText(part.text) for part in _text_pieces(InlineText(block.text))]
    return (block,)


def _text_pieces(content: InlineText) -> Iterator[InlineText]:
    text, first = content.text, 0
    while len(text) - first > TEXT_PIECE:
        cut = max(text.rfind("\n", first, first + TEXT_PIECE), text.rfind(" ", first, first + TEXT_PIECE)) + 1
        end = cut if cut > first + TEXT_PIECE // 2 else first + TEXT_PIECE
        yield sliced(content, first, end)
        first = end
    yield sliced(content, first, len(text))


class Segment(NamedTuple):
    """A part of a long text that can be parsed on its own; ``first_line`` counts from the text's start."""

    text: str
    first_line: int


def segments(text: str) -> tuple[list[Segment], str]:
    """A long text cut at blank lines that end every block, and the definitions that all parts share.

    Never cuts inside fences, formulas, lists or quotations: the line after a cut begins a paragraph or a heading.
    """
    found: list[Segment] = []
    start = position = 0
    start_line = 0
    fence = ""
    formula = False
    blank = False
    for line_number, line in enumerate(text.splitlines(keepends=True) if "\r" in text else _lines(text)):
        if not formula and (match := _FENCE.match(line)):
            mark = match.group(1)
            if not fence:
                fence = mark
            elif mark[0] == fence[0] and len(mark) >= len(fence) and not line.strip().strip(mark[0]):
                fence = ""
        elif not fence and _MATH.match(line):
            opened = line.count("$$") % 2 == 1 or ("\\[" in line) != ("\\]" in line)
            formula = formula != opened
        if (
            blank
            and not fence
            and not formula
            and position - start >= SEGMENT
            and _BEGINS_ANEW.match(line)
            and not _ITEM.match(line)
        ):
            found.append(Segment(text[start:position], start_line))
            start, start_line = position, line_number
        blank = not line.strip() and not fence
        position += len(line)
    found.append(Segment(text[start:], start_line))
    definitions = "\n".join(match.group() for match in _DEFINITION.finditer(text)) if len(found) > 1 else ""
    return found, definitions


def _lines(text: str) -> Iterator[str]:
    first = 0
    while first < len(text):
        end = text.find("\n", first) + 1 or len(text)
        yield text[first:end]
        first = end


_USER_FENCE: Final = re.compile(
    r"^ {0,3}(`{3,}|~{3,})([^\n`]*)\n(.*?)(?:\n {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)


def typed_blocks(text: str) -> list[tuple[int, Block]]:
    """What a person typed, as typed: line breaks kept and nothing interpreted but fenced code.

    Returns each block with the source line it begins on.
    """
    found: list[tuple[int, Block]] = []
    position = 0

    def add_text(start: int, end: int) -> None:
        raw = text[start:end].strip("\n")
        if raw.strip():
            found.append((text.count("\n", 0, start), RawText(raw)))

    for match in _USER_FENCE.finditer(text):
        add_text(position, match.start())
        info = match.group(2).split()
        code = CodeBlock(info[0] if info else "", match.group(3).rstrip("\n"))
        found.append((text.count("\n", 0, match.start()), code))
        position = match.end()
    add_text(position, len(text))
    return found or [(0, RawText(text))]
