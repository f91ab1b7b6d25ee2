"""Cuts what is too large to lay out at once into pieces that follow each other without a visible seam.

A block is cut at places that depend only on what stands before them, so that a growing text is cut as the whole one
is. What is nested is cut too: the pieces of a long list item are lists of one item each, of which only the first has
its marker.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from string import punctuation
from typing import Final

from desktop_chat.markup.allowance import PICTURES
from desktop_chat.markup.blocks import (
    LINE_BREAK,
    Block,
    CodeBlock,
    Footnotes,
    Heading,
    InlineText,
    ListBlock,
    ListItem,
    MathBlock,
    Paragraph,
    Quote,
    RawText,
    Table,
)
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.block_stack import gap_between
from desktop_chat.ui.transcript.continued import ContinuedItem, ContinuedNotes, ContinuedQuote
from desktop_chat.ui.transcript.direction import runs_right_to_left
from desktop_chat.ui.transcript.inline import sliced
from desktop_chat.ui.transcript.table_box import SAMPLED_ROWS, TablePart

PIECE: Final = 4_000
"""Characters that are laid out together. Beyond, a line is broken where it would not be, at a sentence's end if there
is one near."""

HEADING_PIECE: Final = 1_200
"""The same of a heading, which is larger."""

MOST_ITEMS: Final = 40
MOST_ROWS: Final = 20
_BLOCK: Final = 60
"""What each box costs, in characters."""

_SOLID: Final = 1_200
"""ASCII characters without a space, and characters that show nothing, which cost more to break into lines, that are
laid out together."""

_HIDDEN: Final = "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufffd"
_SOLID_BEGIN: Final = re.compile(rf"[!-~]{{{_SOLID}}}|[{_HIDDEN}]{{{_SOLID}}}")
_SOLID_RUN: Final = re.compile(rf"(?<![!-~])[!-~]{{{_SOLID}}}|(?<![{_HIDDEN}])[{_HIDDEN}]{{{_SOLID}}}")
MOST_LINES: Final = 120
_LINES: Final = re.compile(rf"(?:[^\n{LINE_BREAK}]*[\n{LINE_BREAK}]){{{MOST_LINES}}}")
_MOST_WORDS: Final = 1_000
_MOST_SIGNS: Final = 1_200
_WORDS: Final = re.compile(rf"(?:\S*+\s++){{{_MOST_WORDS}}}")
_SIGNS: Final = re.compile(rf"(?:[^{re.escape(punctuation)}]*+[{re.escape(punctuation)}]){{{_MOST_SIGNS}}}")
"""More than `PIECE` characters of any language have; each costs as much to lay out, however short."""

_MOST_PICTURES: Final = 400
_PICTURE_RUN: Final = re.compile(rf"(?:[^{PICTURES}]*+[{PICTURES}]){{{_MOST_PICTURES}}}")
"""Signs from a font of their own: before and after each, a run of glyphs ends."""
_CLUSTER: Final = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|.(?:[\u0300-\u036f\u20e3\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]|\u200d.)*",
    re.DOTALL,
)
"""A flag, an emoji with its skin and what it is joined with, or any other character with its accents."""

_SENTENCE_END: Final = re.compile(r"[.!?][\"')\]]*[ \n]")


def pieces(block: Block, former: Block | None = None, known: Sequence[Block] = ()) -> Sequence[Block]:
    """``block`` in parts; most blocks are their own only part.

    ``known`` are the parts of ``former``, an earlier state of the block: those that still hold are kept, so that a
    growing block costs what it grows by.
    """
    match block:
        case ListBlock():
            return _list_pieces(block, known)
        case Table():
            return _table_pieces(block, former, known)
        case Paragraph() | Heading():
            most = PIECE if isinstance(block, Paragraph) else HEADING_PIECE
            texts = _text_pieces(block.content, former, known, most)
            return (block,) if len(texts) == 1 else [_with_text(block, part) for part in texts]
        case RawText():
            texts = _text_pieces(InlineText(block.text), former, known)
            return (block,) if len(texts) == 1 else [RawText(part.text) for part in texts]
        case Quote() if _extent(block.blocks, PIECE) > PIECE:
            (_, first), *rest = _stacked(block.blocks)
            direction = runs_right_to_left(block)
            return [Quote(first), *(ContinuedQuote(blocks, lead, direction) for lead, blocks in rest)]
        case Footnotes() if sum(_extent(blocks, PIECE) for _, blocks in block.notes) > PIECE:
            return _note_pieces(block)
    return (block,)


def _extent(blocks: Iterable[Block], limit: int) -> int:
    """About what blocks cost to lay out, in characters of running text; counted up to ``limit``."""
    total = 0
    for block in blocks:
        total += _BLOCK + _own_extent(block, limit - total)
        if total > limit:
            break
    return total


def _own_extent(block: Block, limit: int) -> int:
    match block:
        case Paragraph(InlineText(text)) | Heading(_, InlineText(text)) | RawText(text):
            return _cost(text)
        case CodeBlock(_, code):
            return min(len(code), PIECE // 4)  # its lines are laid out as they are seen
        case MathBlock(tex):
            return len(tex)
        case Quote(blocks):
            return _extent(blocks, limit)
        case ListBlock(items):
            return _sum((_BLOCK + _extent(item.blocks, limit) for item in items), limit)
        case Table(_, header, rows):
            return _sum((_row_extent(row) for row in (header, *rows)), limit)
        case Footnotes(notes):
            return _sum((_extent(blocks, limit) for _, blocks in notes), limit)
    return 0


def _row_extent(row: Sequence[InlineText]) -> int:
    return _BLOCK + sum(_BLOCK + len(cell.text) for cell in row)


def _sum(extents: Iterable[int], limit: int) -> int:
    total = 0
    for extent in extents:
        total += extent
        if total > limit:
            break
    return total


@lru_cache(maxsize=4)  # asked at each level of nesting
def _cost(text: str) -> int:
    """Solid text and short lines count for what they cost."""
    begin = text[:PIECE]
    breaks = begin.count("\n") + begin.count(LINE_BREAK)
    is_solid = max(map(len, begin.split()), default=0) >= _SOLID and _SOLID_RUN.search(begin) is not None
    return (len(text) * PIECE // _SOLID if is_solid else len(text)) + breaks * PIECE // MOST_LINES


# --- lists and quotations --------------------------------------------------------------------------------


def _list_pieces(block: ListBlock, known: Sequence[Block]) -> Sequence[Block]:
    items, taken = block.items, 0
    side = bool(runs_right_to_left(block))
    found: list[Block] = []
    for piece in known[:-1]:
        if not isinstance(piece, ListBlock) or piece != _part(block, taken, taken + len(piece.items), side):
            break
        found.append(piece)
        taken += len(piece.items)
    first, spent = taken, 0
    for index in range(taken, len(items)):
        own = _BLOCK + _extent(items[index].blocks, PIECE)
        if first < index and (spent + own > PIECE or index - first >= MOST_ITEMS):
            found.append(_part(block, first, index, side))
            first, spent = index, 0
        spent += own
        if own > PIECE:
            found += _item_pieces(block, index, side)
            first, spent = index + 1, 0
    if first == 0:
        return (block,)
    if first < len(items):
        found.append(_part(block, first, len(items), side))
    return found


def _part(block: ListBlock, first: int, end: int, side: bool) -> ListBlock:
    """Some items of a list, which begin on the same side as the others."""
    number = None if block.start is None else block.start + first
    return ListBlock(block.items[first:end], number, block.tight, side if first else None)


def _item_pieces(block: ListBlock, index: int, side: bool) -> Iterator[ListBlock]:
    whole = _part(block, index, index + 1, side)
    item = block.items[index]
    for number, (lead, blocks) in enumerate(_stacked(item.blocks, tight=block.tight)):
        part = ContinuedItem(blocks, item.checked, lead) if number else ListItem(blocks, item.checked)
        yield ListBlock((part,), whole.start, block.tight, side if index or number else None)


def _stacked(blocks: Sequence[Block], *, tight: bool = False) -> list[tuple[int, tuple[Block, ...]]]:
    """Blocks in groups that can be laid out together, each with the room above it in pixels."""
    found: list[tuple[int, tuple[Block, ...]]] = []
    group: list[Block] = []
    lead = spent = 0
    for index, block in enumerate(blocks):
        own = _extent((block,), PIECE)
        gap = 0
        if index:
            gap = Space.XS if tight else gap_between(blocks[index - 1], block)
        if group and spent + own > PIECE:
            found.append((lead, tuple(group)))
            group, spent = [], 0
        if not group:
            lead = gap
        parts = pieces(block) if own > PIECE else (block,)
        for part, following in pairwise(parts):
            found.append((lead, (part,)))
            lead = seam(following)
        group.append(parts[-1])
        spent += own if len(parts) == 1 else PIECE
    found.append((lead, tuple(group)))
    return found


def seam(piece: Block) -> int:
    """The room above a piece that is not the first of its block, in pixels: as within the block."""
    if isinstance(piece, ListBlock):
        first = piece.items[0]
        if isinstance(first, ContinuedItem):
            return first.lead
        return Space.XS if piece.tight else Space.M
    if isinstance(piece, ContinuedNotes):
        return Space.XS if piece.lead is None else piece.lead
    return 0


# --- the others ------------------------------------------------------------------------------------------


def _table_pieces(block: Table, former: Block | None, known: Sequence[Block]) -> Sequence[Block]:
    rows, sample = block.rows, block.rows[:SAMPLED_ROWS]
    found: list[Block] = []
    first = spent = 0
    if isinstance(former, Table) and known and isinstance(last := known[-1], TablePart):
        heads = (former.alignments, former.header, last.sample) == (block.alignments, block.header, sample)
        if heads and former.rows[: last.first] == rows[: last.first]:
            found, first = list(known[:-1]), last.first

    def part(end: int, *, is_last: bool = False) -> TablePart:
        taken = rows[first:end]
        return TablePart(block.alignments, block.header, taken, sample=sample, first=first, is_last=is_last)

    for index in range(first, len(rows)):
        own = _row_extent(rows[index])
        if index > first and (spent + own > PIECE or index - first >= MOST_ROWS):
            found.append(part(index))
            first, spent = index, 0
        spent += own
    if not found:
        return (block,)
    found.append(part(len(rows), is_last=True))
    return found


def _note_pieces(block: Footnotes) -> Sequence[Block]:
    found: list[Block] = []
    first = spent = 0
    direction = runs_right_to_left(block)

    def add(notes: Sequence[tuple[str, tuple[Block, ...]]], lead: int | None = None) -> None:
        part = ContinuedNotes(tuple(notes), lead, direction) if found else Footnotes(tuple(notes))
        found.append(part)

    for index, (label, blocks) in enumerate(block.notes):
        own = _BLOCK + _extent(blocks, PIECE)
        if index > first and spent + own > PIECE:
            add(block.notes[first:index])
            first, spent = index, 0
        spent += own
        if own > PIECE:
            for number, (lead, group) in enumerate(_stacked(blocks)):
                add([(label, group)], lead if number else None)
            first, spent = index + 1, 0
    if first < len(block.notes):
        add(block.notes[first:])
    return found


def _with_text(block: Paragraph | Heading, content: InlineText) -> Paragraph | Heading:
    return Paragraph(content) if isinstance(block, Paragraph) else Heading(block.level, content)


def _text_pieces(
    content: InlineText, former: Block | None = None, known: Sequence[Block] = (), most: int = PIECE
) -> Sequence[InlineText]:
    text = content.text
    if len(text) <= 2 * MOST_LINES:
        return (content,)
    found = _kept(content, former, known)
    first = sum(len(part.text) for part in found)
    while (end := _cut(text, first, most)) is not None:
        found.append(sliced(content, first, end))
        first = end
    found.append(sliced(content, first, len(text)))
    return found


def _kept(content: InlineText, former: Block | None, known: Sequence[Block]) -> list[InlineText]:
    """The parts of ``former`` that are parts of ``content`` too."""
    if len(known) < 2 or not isinstance(former, (Paragraph, Heading, RawText)):
        return []
    parts = [_content(part) for part in known if isinstance(part, (Paragraph, Heading, RawText))]
    old, last = _content(former), len(parts[-1].text)
    end = len(old.text) - last
    shared = bisect_left(old.spans, end, key=lambda span: span.start)
    objects = bisect_left(old.objects, end, key=lambda found: found.position)
    if (
        content.text.startswith(old.text[:end])
        and content.spans[:shared] == old.spans[:shared]
        and content.objects[:objects] == old.objects[:objects]
        and (shared == len(content.spans) or content.spans[shared].start >= end)
    ):
        return parts[:-1]
    return []


def _content(block: Paragraph | Heading | RawText) -> InlineText:
    return InlineText(block.text) if isinstance(block, RawText) else block.content


def _cut(text: str, first: int, most: int) -> int | None:
    """Where the piece that begins at ``first`` ends; ``None`` at the text's end."""
    stop = first + most
    dense = None
    if text.count("\n", first, stop) + text.count(LINE_BREAK, first, stop) >= MOST_LINES:
        dense = stop = _end_of(_LINES, text, first, stop) or stop
    words = text[first:stop].split()
    if (end := _dense_end(text, first, stop, len(words))) is not None:
        dense = stop = end
    if max(map(len, words), default=0) >= _SOLID:
        solid = _SOLID_BEGIN.match(text, first, stop) or _SOLID_RUN.search(text, first, stop)
        if solid is not None and solid.start() > first:
            return solid.start()
        if solid is not None:
            return solid.end() if solid.end() < len(text) else None
    if len(text) <= stop:
        return None
    if dense is not None:
        return stop
    line = max(text.rfind(mark, stop - most // 4, stop) for mark in ("\n", LINE_BREAK))
    if line >= 0:  # a line ends here anyway
        return line + 1
    ends = [found.end() for found in _SENTENCE_END.finditer(text, stop - most // 4, stop)]
    if ends:
        return ends[-1]
    space = max(text.rfind("\n", first, stop), text.rfind(" ", first, stop)) + 1
    return space if space > first + most // 2 else stop


def _dense_end(text: str, first: int, stop: int, words: int) -> int | None:
    """Where there have been so many short words or signs since ``first`` that they cost a piece."""
    end = None
    if min(stop, len(text)) - first < min(_MOST_SIGNS, _MOST_PICTURES):
        return end
    if words >= _MOST_WORDS and (found := _end_of(_WORDS, text, first, stop)):
        end = stop = found
    if sum(text.count(sign, first, stop) for sign in punctuation) >= _MOST_SIGNS:
        end = stop = _word_end(text, first, _end_of(_SIGNS, text, first, stop) or stop)
    if not text.isascii() and (pictures := _end_of(_PICTURE_RUN, text, first, stop)) is not None:
        end = _word_end(text, first, pictures)
        if not text[end - 1].isspace():
            end = next(found.end() for found in _CLUSTER.finditer(text, first) if found.end() >= end)
    return end


def _word_end(text: str, first: int, stop: int) -> int:
    """Behind the last space before ``stop``, or there."""
    return max(text.rfind("\n", first, stop), text.rfind(" ", first, stop)) + 1 or stop


def _end_of(pattern: re.Pattern[str], text: str, first: int, stop: int) -> int | None:
    found = pattern.match(text, first, stop)
    return None if found is None else found.end()
