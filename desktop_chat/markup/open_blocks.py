"""Blocks that are still growing, and how much of each need not be parsed again.

A long last block would make every update cost more than the one before. So its settled part is kept as blocks, and
only the rest is parsed, behind a ``prelude`` that puts the grammar into the same state: a fence's opening line, a
table's header, a word standing for the beginning of a paragraph. What comes out is joined to what was kept.

Each ``open_*`` function returns the open block and the position in the parsed source at which its unsettled rest
begins, or ``None`` while there is nothing to settle. They look only at lines that are complete.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from desktop_chat.markup import syntax
from desktop_chat.markup.allowance import NOTHING_READ, Budget
from desktop_chat.markup.blocks import (
    Block,
    CodeBlock,
    InlineText,
    ListBlock,
    ListItem,
    Paragraph,
    Quote,
    RawText,
    Table,
)
from desktop_chat.markup.grammar import Piece
from desktop_chat.markup.parser import lines_of


class Parsed(NamedTuple):
    """What `open_*` functions look at.

    Attributes:
        source: the text parsed, any prelude included.
        lines: its lines; ``complete`` of them ended with a line feed.
        numbers: footnote numbers.
        environment: the definitions known, for reading inlines.
    """

    source: str
    lines: list[str]
    complete: int
    numbers: Mapping[str, int]
    environment: syntax.Environment

    def offset(self, line: int) -> int:
        """Where a line begins in ``source``."""
        return sum(map(len, self.lines[:line])) + line

    def is_blank(self, line: int) -> bool:
        return line >= len(self.lines) or not self.lines[line].strip(" \t")


class OpenBlock(ABC):
    """The settled beginning of the last block.

    Attributes:
        prelude: goes before the rest when it is parsed.
        rule: reads the first line, see `syntax.block_tokens`.
        before: what of the first inline content was read.
        lines_before: how many rows of a table, or lines of a quotation, were read.
        in_fence / in_table: what an unfinished last line is part of.
    """

    prelude: str = ""
    rule: syntax.BlockRule | None = None
    before: Budget = NOTHING_READ
    lines_before: int = 0
    in_fence: bool = False
    in_table: bool = False

    @abstractmethod
    def joined(self, rest: Block, piece: Piece, parsed: Parsed) -> Block | None:
        """The whole block, its beginning being the very objects of the last time.

        ``None`` if the rest is of another kind after all: then the whole must be parsed again.
        """

    @abstractmethod
    def settle(self, rest: Block, piece: Piece, parsed: Parsed) -> int | None:
        """Settle as much more as possible; where the rest begins in ``parsed.source``, ``None`` for no change."""


def open_block(block: Block, piece: Piece, parsed: Parsed) -> tuple[OpenBlock, int] | None:
    """Begin to settle parts of the last block of a text, if it is of a kind that can be."""
    opened: OpenBlock
    if isinstance(block, ListBlock):
        opened = _OpenList(block)
    elif isinstance(block, Quote):
        opened = _OpenQuote()
    elif isinstance(block, Table):
        opened = _OpenTable(block, parsed.lines[piece.first_line : piece.first_line + 2])
    elif isinstance(block, RawText) and piece.tokens[0].meta.get("rows"):
        opened = _OpenRows()
    elif isinstance(block, CodeBlock) and not block.closed:
        opened = _OpenFence(parsed.lines[piece.first_line])
    else:
        return None
    rest = opened.settle(block, piece, parsed)
    return None if rest is None else (opened, rest)


class _OpenList(OpenBlock):
    """A list, settled item by item."""

    def __init__(self, block: ListBlock) -> None:
        self.rule = syntax.list_rule
        self._items: tuple[ListItem, ...] = ()
        self._start = block.start
        self._tight = True

    def joined(self, rest: Block, piece: Piece, parsed: Parsed) -> Block | None:
        if not isinstance(rest, ListBlock):
            return None
        items = self._items + rest.items
        return ListBlock(items, self._start, self._is_tight(items, piece, parsed))

    def _is_tight(self, items: Iterable[ListItem], piece: Piece, parsed: Parsed) -> bool:
        tight = self._tight and not any(_loosening(piece, parsed))
        # As where the list is parsed at once: without a paragraph there is nothing to tell them by.
        return tight or not any(isinstance(block, Paragraph) for item in items for block in item.blocks)

    def settle(self, rest: Block, piece: Piece, parsed: Parsed) -> int | None:
        assert isinstance(rest, ListBlock)
        element = piece.element
        assert element is not None
        last = len(element) - 1
        while last > 0 and lines_of(element[last])[0] >= parsed.complete:
            last -= 1
        if last <= 0:
            return None
        self._tight = self._tight and not any(_loosening(piece, parsed)[:last])
        self._items += rest.items[:last]
        return parsed.offset(lines_of(element[last])[0])


def _loosening(piece: Piece, parsed: Parsed) -> list[bool]:
    """For each item of a top-level list whether it makes the list loose, by markdown-it's rules.

    An item does with a blank line between two of its children, or at its end if another item follows.
    """
    items: list[bool] = []
    ends_blank = blank_before = False
    for token in piece.tokens:
        if token.map is None or token.nesting < 0 or token.type == "inline":
            continue
        first, end = token.map
        if token.level == 1:
            if items and ends_blank:
                items[-1] = True
            items.append(False)
            ends_blank = end - first > 1 and parsed.is_blank(end - 1)
            blank_before = False
        elif token.level == 2:
            items[-1] = items[-1] or blank_before
            blank_before = blank_before or parsed.is_blank(end - 1) or parsed.is_blank(end)
    return items


class _OpenQuote(OpenBlock):
    """A quote, settled block by block."""

    def __init__(self) -> None:
        self.rule = syntax.quote_rule
        self._blocks: tuple[Block, ...] = ()

    def joined(self, rest: Block, piece: Piece, parsed: Parsed) -> Block | None:
        if not isinstance(rest, Quote):
            return None
        return Quote(self._blocks + rest.blocks)

    def settle(self, rest: Block, piece: Piece, parsed: Parsed) -> int | None:
        assert isinstance(rest, Quote)
        element = piece.element
        assert element is not None
        last = len(element) - 1
        while last > 0 and not is_decided(element[last].tag, lines_of(element[last])[0], parsed):
            last -= 1
        if last <= 0 or not parsed.lines[lines_of(element[last])[0]].lstrip(" ").startswith(">"):
            return None
        self._blocks += rest.blocks[:last]
        first = lines_of(element[last])[0]
        self.lines_before += first - piece.first_line
        return parsed.offset(first)


def is_decided(tag: str, first_line: int, parsed: Parsed) -> bool:
    """Whether a block surely begins at that line, whatever follows: only then is the one before it finished.

    A table is one by its second line only.
    """
    return first_line + (tag == "table") < parsed.complete


class _OpenTable(OpenBlock):
    """A table, settled row by row."""

    in_table = True

    def __init__(self, block: Table, head: Sequence[str]) -> None:
        self.prelude = "\n".join(head) + "\n"
        self._head = block
        self._rows: tuple[tuple[InlineText, ...], ...] = ()

    def joined(self, rest: Block, piece: Piece, parsed: Parsed) -> Block | None:
        if not isinstance(rest, Table):
            return None
        return Table(self._head.alignments, self._head.header, self._rows + rest.rows)

    def settle(self, rest: Block, piece: Piece, parsed: Parsed) -> int | None:
        assert isinstance(rest, Table)
        first = piece.first_line + 2
        if first > parsed.complete:
            return None
        complete = max(0, min(len(rest.rows), parsed.complete - first))
        self._rows += rest.rows[:complete]
        self.lines_before = len(self._rows)
        return parsed.offset(first + complete)


class _OpenRows(OpenBlock):
    """The rows beyond the limit of a table, settled line by line; the last complete one tells that they go on."""

    in_table = True
    rule = staticmethod(syntax.rows_rule)

    def __init__(self) -> None:
        self._text = ""

    def joined(self, rest: Block, piece: Piece, parsed: Parsed) -> Block | None:
        if not isinstance(rest, RawText):
            return None
        return RawText(self._text + rest.text)

    def settle(self, rest: Block, piece: Piece, parsed: Parsed) -> int | None:
        last = max(piece.first_line, min(parsed.complete, piece.end_line) - 1)
        self._text += "".join(line + "\n" for line in parsed.lines[piece.first_line : last])
        return parsed.offset(last)


class _OpenFence(OpenBlock):
    """A fenced code block, settled line by line."""

    in_fence = True

    def __init__(self, opening: str) -> None:
        self.prelude = opening + "\n"
        self._code = ""

    def joined(self, rest: Block, piece: Piece, parsed: Parsed) -> Block | None:
        if not isinstance(rest, CodeBlock):
            return None
        self.in_fence = not rest.closed
        code = piece.tokens[0].content
        return CodeBlock(rest.language, (self._code + code).removesuffix("\n"), rest.closed)

    def settle(self, rest: Block, piece: Piece, parsed: Parsed) -> int | None:
        assert isinstance(rest, CodeBlock)
        first = piece.first_line + 1
        if rest.closed or first > parsed.complete:
            return None
        lines = piece.tokens[0].content.split("\n")[: parsed.complete - first]
        self._code += "".join(line + "\n" for line in lines)
        return parsed.offset(parsed.complete)
