"""What an entry of a message consists of: headings, items, cells, links, formulas, buttons, each with its runs.

The outline follows from the blocks alone; where an entry is laid out, its boxes add the numbers of the runs and the
buttons. It is built step by step as it is asked for.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from desktop_chat.markup.blocks import (
    LINE_BREAK,
    CodeBlock,
    Footnotes,
    Heading,
    InlineImage,
    InlineMath,
    InlineText,
    ListBlock,
    ListItem,
    MathBlock,
    Paragraph,
    Quote,
    RawText,
    Rule,
    Table,
)
from desktop_chat.markup.safety import visible_code
from desktop_chat.ui.transcript.boxes import Box, Control
from desktop_chat.ui.transcript.continued import ContinuedItem, ContinuedNotes, ContinuedQuote
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.segments import Segment
from desktop_chat.ui.transcript.spoken import Spoken
from desktop_chat.ui.transcript.stack_box import StackBox
from desktop_chat.ui.transcript.table_box import TablePart
from desktop_chat.ui.transcript.utf16 import Utf16Offsets


class Kind(enum.Enum):
    """What an element is."""

    HEADING = enum.auto()
    PARAGRAPH = enum.auto()
    LIST = enum.auto()
    ITEM = enum.auto()
    QUOTE = enum.auto()
    TABLE = enum.auto()
    HEADER_ROW = enum.auto()
    ROW = enum.auto()
    HEADER_CELL = enum.auto()
    CELL = enum.auto()
    CODE = enum.auto()
    FORMULA = enum.auto()
    IMAGE = enum.auto()
    LINK = enum.auto()
    RULE = enum.auto()
    NOTES = enum.auto()
    NOTE = enum.auto()
    BUTTON = enum.auto()
    GROUP = enum.auto()


TEXTS: Final = frozenset({Kind.HEADING, Kind.PARAGRAPH, Kind.HEADER_CELL, Kind.CELL, Kind.CODE, Kind.FORMULA})
"""Elements that are one run of text."""


class Link(NamedTuple):
    """A link ``[start, end)`` of a run, in UTF-16 units; where it leads and what it says."""

    start: int
    end: int
    href: str
    text: str


class Inline(NamedTuple):
    """A formula or an image within a run, at an offset in UTF-16 units."""

    start: int
    item: InlineMath | InlineImage

    @property
    def end(self) -> int:
        return self.start + 1


def links_of(content: InlineText) -> Iterator[Link]:
    offsets = Utf16Offsets(content.text)
    for span in content.spans:
        if span.href:
            shown = content.text[span.start : span.end]
            yield Link(offsets.units(span.start), offsets.units(span.end), span.href, shown)


def inlines_of(content: InlineText) -> Iterator[Inline]:
    offsets = Utf16Offsets(content.text)
    for item in content.objects:
        yield Inline(offsets.units(item.position), item)


class Element:
    """One element and what it contains.

    Attributes:
        value: what it shows: a block, an item, a row or cell, a link, a picture; of a button, its number among the
            controls of the entry's box.
        box: where it is laid out on its own.
        root: the entry's box; ``None`` while it is not laid out.
        first_run / run_count: its runs in the entry's box; a count of 0 for none, or while it is not laid out.
    """

    __slots__ = ("_children", "box", "first_run", "kind", "root", "run_count", "value")

    def __init__(
        self,
        kind: Kind,
        value: object,
        box: Box | None,
        root: Box | None,
        runs: tuple[int, int] = (0, 0),
    ) -> None:
        self.kind = kind
        self.value = value
        self.box = box
        self.root = root
        self.first_run, self.run_count = runs
        self._children: list[Element] | None = None

    @property
    def children(self) -> Sequence[Element]:
        if self._children is None:
            self._children = list(_children(self))
        return self._children

    @property
    def content(self) -> InlineText:
        """The text of one of `TEXTS`, as its run has it."""
        match self.value:
            case Paragraph(content) | Heading(_, content):
                return content
            case InlineText():
                return self.value
            case RawText(text) | str(text):
                return InlineText(text.replace("\n", LINE_BREAK))
            case CodeBlock(_, code):
                return InlineText(visible_code(code))
            case MathBlock(tex):
                return InlineText(tex.strip())
            case Inline(_, InlineMath(_, tex)):
                return InlineText(tex)
        return InlineText("")

    def control(self) -> Control | None:
        """What a button does; ``None`` when it is gone."""
        controls = self.root.controls() if self.root is not None else ()
        return next((c for number, c in enumerate(controls) if number == self.value), None)

    def text(self) -> str:
        """All of its text as it reads, a line a block."""
        if self.kind in TEXTS:
            return Spoken(self.content).text
        if self.kind in {Kind.BUTTON, Kind.LINK, Kind.IMAGE}:
            return ""
        separator = "\t" if self.kind in {Kind.ROW, Kind.HEADER_ROW} else "\n"
        parts = [child.text() for child in self.children if child.kind is not Kind.BUTTON]
        return separator.join(part for part in parts if part)

    def texts(self) -> Iterator[Element]:
        """The elements within it that are runs of text, in reading order."""
        if self.kind in TEXTS:
            yield self
        else:
            for child in self.children:
                yield from child.texts()

    def path_to(self, run: int) -> tuple[int, ...] | None:
        """The way, by child numbers, to the text that is run number ``run``."""
        if not self.first_run <= run < self.first_run + self.run_count:
            return None
        if self.kind in TEXTS:
            return ()
        for number, child in enumerate(self.children):
            rest = child.path_to(run)
            if rest is not None:
                return (number, *rest)
        return None

    def at(self, path: Sequence[int]) -> Element | None:
        """The element at the end of a way of child numbers."""
        found = self
        for number in path:
            if number >= len(found.children):
                return None
            found = found.children[number]
        return found


def outline(section: int, source: object, box: Box | None) -> Element:
    """The outline of an entry that shows ``source``; ``box`` where it is laid out."""
    if section in {Section.BODY, Section.REASONING}:
        return _element(source, box, box, 0)
    kind = Kind.BUTTON if section in {Section.REASONING_HEAD, Section.TOOLS} else Kind.GROUP
    if section == Section.WAITING:
        kind = Kind.PARAGRAPH
    value = 0 if kind is Kind.BUTTON else source
    return Element(kind, value, box, box, (0, 0 if box is None else box.run_count))


_KINDS: Final[dict[type, Kind]] = {
    Paragraph: Kind.PARAGRAPH,
    RawText: Kind.PARAGRAPH,
    Heading: Kind.HEADING,
    ListBlock: Kind.LIST,
    ListItem: Kind.ITEM,
    Quote: Kind.QUOTE,
    Table: Kind.TABLE,
    CodeBlock: Kind.CODE,
    MathBlock: Kind.FORMULA,
    Rule: Kind.RULE,
    Footnotes: Kind.NOTES,
    ContinuedItem: Kind.ITEM,
    ContinuedQuote: Kind.QUOTE,
    ContinuedNotes: Kind.NOTES,
    TablePart: Kind.TABLE,
}


def _element(value: object, box: Box | None, root: Box | None, first_run: int) -> Element:
    runs = (first_run, 0 if box is None else box.run_count)
    return Element(_KINDS.get(type(value), Kind.GROUP), value, box, root, runs)


def _inner(element: Element, values: Sequence[object], box: Box | None) -> Iterator[Element]:
    """The elements of ``values``, which ``box`` shows below each other."""
    boxes = box.boxes if isinstance(box, StackBox) else []
    run = element.first_run
    for number, value in enumerate(values):
        inner = boxes[number] if number < len(boxes) else None
        made = _element(value, inner, element.root, run)
        if element.kind is Kind.NOTES:
            made.kind = Kind.NOTE
        yield made
        run += made.run_count


def _buttons(element: Element) -> Iterator[Element]:
    """The controls of the element's own box."""
    if element.box is None or element.root is None:
        return
    for number, control in enumerate(element.root.controls()):
        if control.target is element.box:
            yield Element(Kind.BUTTON, number, element.box, element.root)


def _children(element: Element) -> Iterator[Element]:
    value, box = element.value, element.box
    match element.kind:
        case Kind.LIST if isinstance(value, ListBlock):
            yield from _inner(element, value.items, box)
        case Kind.ITEM | Kind.QUOTE if isinstance(value, (ListItem, Quote)):
            yield from _inner(element, value.blocks, box)
        case Kind.NOTES if isinstance(value, Footnotes):
            yield from _inner(element, value.notes, box)
        case Kind.NOTE if isinstance(value, tuple):
            yield from _inner(element, value[1], box)
        case Kind.TABLE if isinstance(value, Table):
            yield from _rows(element, value)
            yield from _buttons(element)
        case Kind.ROW | Kind.HEADER_ROW if isinstance(value, tuple):
            kind = Kind.CELL if element.kind is Kind.ROW else Kind.HEADER_CELL
            for number, cell in enumerate(value):
                runs = (element.first_run + number, min(1, element.run_count))
                yield Element(kind, cell, None, element.root, runs)
        case Kind.HEADING | Kind.PARAGRAPH | Kind.CELL | Kind.HEADER_CELL:
            yield from _inlines(element)
        case Kind.CODE | Kind.FORMULA:
            yield from _buttons(element)
        case Kind.BUTTON if isinstance(box, StackBox):  # an unfolded call of a tool
            for inner in box.boxes:
                yield _element(getattr(inner, "block", None), inner, element.root, 0)
        case Kind.GROUP:
            yield from _group(element)


def _group(element: Element) -> Iterator[Element]:
    """What is no block of its own: a part of a text that was not seen yet, or a part of a message beside its text."""
    if isinstance(element.value, Segment):
        for found in element.value.blocks():
            yield _element(found.block, None, None, 0)
    elif element.box is not None:
        for number, placed in enumerate(element.box.runs()):
            content = placed.run.slice(0, placed.run.length)
            yield Element(Kind.PARAGRAPH, content, None, element.box, (number, 1))
        yield from _buttons(element)


def _rows(element: Element, table: Table) -> Iterator[Element]:
    width = len(table.alignments)
    has_header = not isinstance(table, TablePart) or table.first == 0
    for number, cells in enumerate((table.header, *table.rows) if has_header else table.rows):
        first = number * width
        runs = (element.first_run + first, width if first + width <= element.run_count else 0)
        kind = Kind.HEADER_ROW if has_header and not number else Kind.ROW
        yield Element(kind, cells, None, element.root, runs)


def _inlines(element: Element) -> Iterator[Element]:
    """The links, formulas and images of a text, in reading order."""
    content, runs = element.content, (element.first_run, min(1, element.run_count))
    found: list[Link | Inline] = [*links_of(content), *inlines_of(content)]
    for each in sorted(found, key=lambda part: part.start):
        if isinstance(each, Link):
            kind = Kind.LINK
        else:
            kind = Kind.FORMULA if isinstance(each.item, InlineMath) else Kind.IMAGE
        yield Element(kind, each, None, element.root, runs)
