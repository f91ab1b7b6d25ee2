"""The block model: what a Markdown text means, free of HTML and of any widget.

A text is a tuple of top-level `SourceBlock`s; the transcript lays each out on its own, and a streamed
answer replaces only the last ones. Everything is frozen and compares by value, so that an unchanged block is
recognised and its layout kept. What is frozen when it is made is part of no cycle: the cycle collector need not look
at it, and long answers consist of hundreds of thousands of such objects.
"""

from __future__ import annotations

import enum

import msgspec

OBJECT_CHARACTER = "\ufffc"
"""Stands in `InlineText.text` for each inline object (a formula, an image placeholder)."""

LINE_BREAK = "\u2028"
"""A hard line break inside `InlineText.text`; a soft one is a space."""


class Style(enum.IntFlag):
    """Character styles; they combine."""

    PLAIN = 0
    BOLD = 1
    ITALIC = 2
    STRIKE = 4
    CODE = 8
    LINK = 16
    FOOTNOTE = 32


class Span(msgspec.Struct, frozen=True, gc=False):
    """A run ``[start, end)`` of characters (Python code points) with one style; ``href`` for links only."""

    start: int
    end: int
    style: Style
    href: str = ""


class InlineMath(msgspec.Struct, frozen=True, gc=False):
    """A formula within a line; ``tex`` without its delimiters. At ``position`` stands OBJECT_CHARACTER."""

    position: int
    tex: str


class InlineImage(msgspec.Struct, frozen=True, gc=False):
    """An image that is not fetched: shown as a placeholder with its alternative text and host."""

    position: int
    alt: str
    url: str


class InlineText(msgspec.Struct, frozen=True, gc=False):
    """One run of text for one paragraph-like box.

    ``spans`` are sorted, do not overlap and cover only what is not plain.
    """

    text: str
    spans: tuple[Span, ...] = ()
    objects: tuple[InlineMath | InlineImage, ...] = ()


class Paragraph(msgspec.Struct, frozen=True, gc=False):
    content: InlineText


class Heading(msgspec.Struct, frozen=True, gc=False):
    level: int
    content: InlineText


class CodeBlock(msgspec.Struct, frozen=True, gc=False):
    """A fenced or indented code block; ``code`` without the final newline; ``closed`` once its fence is."""

    language: str
    code: str
    closed: bool = True


class MathBlock(msgspec.Struct, frozen=True, gc=False):
    """A display formula, ``tex`` without its delimiters."""

    tex: str
    closed: bool = True


class Rule(msgspec.Struct, frozen=True, gc=False):
    pass


class Alignment(enum.StrEnum):
    NONE = "none"
    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


class Table(msgspec.Struct, frozen=True, gc=False):
    """A GFM table; every row has ``len(alignments)`` cells."""

    alignments: tuple[Alignment, ...]
    header: tuple[InlineText, ...]
    rows: tuple[tuple[InlineText, ...], ...]


class ListItem(msgspec.Struct, frozen=True, gc=False):
    """One item; ``checked`` is ``None`` for an item that is no task."""

    blocks: tuple[Block, ...]
    checked: bool | None = None


class ListBlock(msgspec.Struct, frozen=True, gc=False):
    """A bullet or ordered list; ``start`` is the first ordinal, ``None`` for bullets.

    ``right_to_left`` is told of a part that goes on as its list began, ``None`` where its own text decides.
    """

    items: tuple[ListItem, ...]
    start: int | None = None
    tight: bool = True
    right_to_left: bool | None = None


class Quote(msgspec.Struct, frozen=True, gc=False):
    blocks: tuple[Block, ...]


class Footnotes(msgspec.Struct, frozen=True, gc=False):
    """The footnotes of a text, at its end: label and content, in order of first reference."""

    notes: tuple[tuple[str, tuple[Block, ...]], ...]


class RawText(msgspec.Struct, frozen=True, gc=False):
    """Text shown as it is: raw HTML blocks, and anything beyond the parser's limits."""

    text: str


Block = Paragraph | Heading | CodeBlock | MathBlock | Rule | Table | ListBlock | Quote | Footnotes | RawText


class SourceBlock(msgspec.Struct, frozen=True, gc=False):
    """A top-level block and the lines ``[first_line, end_line)`` of the source it came from."""

    block: Block
    first_line: int
    end_line: int


class Patch(msgspec.Struct, frozen=True, gc=False):
    """A change to the list of a text's blocks: keep the first ``keep``, then append ``tail``.

    ``frozen`` of the resulting blocks will never change again, whatever is still to come.
    """

    keep: int
    tail: tuple[SourceBlock, ...]
    frozen: int
