"""Markdown to the block model of `blocks`, from the same element tree as the HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element

from desktop_chat.markup import grammar
from desktop_chat.markup.blocks import (
    LINE_BREAK,
    OBJECT_CHARACTER,
    Alignment,
    Block,
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
    SourceBlock,
    Span,
    Style,
    Table,
)
from desktop_chat.markup.source import normalized

_STYLES = {
    "strong": Style.BOLD,
    "em": Style.ITALIC,
    "del": Style.STRIKE,
    "code": Style.CODE,
    "sup": Style.FOOTNOTE,
}
_EMPTY = InlineText("")


def parse(text: str) -> tuple[SourceBlock, ...]:
    """The blocks of a whole text; footnotes, if any, are the last block.

    Costs 1-2 ms a kilobyte: open long texts through `IncrementalParser`, which works in slices.
    """
    tree = grammar.build_tree(normalized(text))
    numbers = grammar.footnote_numbers((piece.asked for piece in tree.pieces), tree.notes)
    blocks: list[SourceBlock] = []
    notes: list[Note] = []
    for element in tree.root:
        if element.tag == "footnote":
            notes.append(note_of(element, numbers))
        else:
            blocks.append(source_block(element, numbers))
    return (*blocks, *footnotes_block(notes, numbers))


def source_block(element: Element, numbers: Mapping[str, int], first_line: int = 0) -> SourceBlock:
    """The block of one top-level element; ``first_line`` is where its text begins in the source."""
    start, end = lines_of(element)
    return SourceBlock(block_of(element, numbers), first_line + start, first_line + end)


def lines_of(element: Element) -> tuple[int, int]:
    start, _, end = element.get("lines", "0 0").partition(" ")
    return int(start), int(end)


Note = tuple[str, SourceBlock]
"""A footnote's label, and its blocks as a quote with the lines it was defined on."""


def note_of(element: Element, numbers: Mapping[str, int], first_line: int = 0) -> Note:
    start, end = lines_of(element)
    content = Quote(tuple(_blocks(element, numbers)))
    return element.get("label", ""), SourceBlock(content, first_line + start, first_line + end)


def footnotes_block(notes: Iterable[Note], numbers: Mapping[str, int]) -> tuple[SourceBlock, ...]:
    """All notes as the one block at the end; the first definition of a label wins."""
    by_label: dict[str, SourceBlock] = {}
    for label, definition in notes:
        by_label.setdefault(label, definition)
    if not by_label:
        return ()
    entries: list[tuple[str, tuple[Block, ...]]] = []
    for label in sorted(by_label, key=numbers.__getitem__):
        content = by_label[label].block
        assert isinstance(content, Quote)
        entries.append((str(numbers[label]), content.blocks))
    definitions = by_label.values()
    first = min(definition.first_line for definition in definitions)
    end = max(definition.end_line for definition in definitions)
    return (SourceBlock(Footnotes(tuple(entries)), first, end),)


def _blocks(parent: Element, numbers: Mapping[str, int]) -> Iterator[Block]:
    for element in parent:
        yield block_of(element, numbers)


def block_of(element: Element, numbers: Mapping[str, int]) -> Block:
    """One block-level element of the tree as a block."""
    tag = element.tag
    if tag == "p":
        return Paragraph(inline_text(element, numbers))
    if tag in ("ul", "ol"):
        return list_of(element, numbers)
    if tag == "pre":
        code = element[0]
        language = code.get("class", "").removeprefix("language-")
        return CodeBlock(language, (code.text or "").removesuffix("\n"), "closed" not in element.attrib)
    if tag == "blockquote":
        return Quote(tuple(_blocks(element, numbers)))
    if tag == "table":
        return table_of(element, numbers)
    if tag == "hr":
        return Rule()
    if tag == "formula":
        return MathBlock(element.text or "", "closed" not in element.attrib)
    if tag == "raw":
        return RawText((element.text or "").rstrip("\n"))
    return Heading(int(tag[1]), inline_text(element, numbers))


def list_of(element: Element, numbers: Mapping[str, int]) -> ListBlock:
    items = tuple(item_of(item, numbers) for item in element)
    loose = any(block.tag == "p" and "tight" not in block.attrib for item in element for block in item)
    start = int(element.get("start", "1")) if element.tag == "ol" else None
    return ListBlock(items, start, not loose)


def item_of(element: Element, numbers: Mapping[str, int]) -> ListItem:
    checked = element.get("checked")
    return ListItem(tuple(_blocks(element, numbers)), None if checked is None else checked == "true")


def table_of(element: Element, numbers: Mapping[str, int]) -> Table:
    alignments = tuple(Alignment(cell.get("align", "none")) for cell in element[0][0])
    header = tuple(inline_text(cell, numbers) for cell in element[0][0])
    return Table(alignments, header, rows_of(element, numbers))


def rows_of(element: Element, numbers: Mapping[str, int]) -> tuple[tuple[InlineText, ...], ...]:
    return tuple(tuple(inline_text(cell, numbers) for cell in row) for body in element[1:] for row in body)


def inline_text(element: Element, numbers: Mapping[str, int]) -> InlineText:
    """The inline content of an element as flat text with spans."""
    if not len(element):
        return InlineText(_shown(element.text)) if element.text else _EMPTY
    run = _Run(numbers)
    run.add(element, Style.PLAIN, "")
    return run.finished()


def _shown(text: str) -> str:
    """Soft breaks are spaces; the two characters with a meaning in `InlineText` cannot come from a model."""
    return text.replace("\n", " ").replace(OBJECT_CHARACTER, "\ufffd").replace(LINE_BREAK, " ")


class _Run:
    """Collects one `InlineText`: the text piece by piece, adjacent spans of one kind joined."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self._numbers = numbers
        self._pieces: list[str] = []
        self._length = 0
        self._spans: list[Span] = []
        self._objects: list[InlineMath | InlineImage] = []

    def finished(self) -> InlineText:
        return InlineText("".join(self._pieces), tuple(self._spans), tuple(self._objects))

    def add(self, element: Element, style: Style, href: str) -> None:
        if element.text:
            self._write(_shown(element.text), style, href)
        for child in element:
            tag = child.tag
            if tag == "br":
                self._write(LINE_BREAK, style, href)
            elif tag == "formula":
                self._objects.append(InlineMath(self._length, child.text or ""))
                self._write(OBJECT_CHARACTER, style, href)
            elif tag == "img":
                self._objects.append(InlineImage(self._length, child.get("alt", ""), child.get("src", "")))
                self._write(OBJECT_CHARACTER, style, href)
            elif tag == "sup":
                self._write(str(self._numbers[child.get("label", "")]), style | Style.FOOTNOTE, href)
            elif tag == "a":
                self.add(child, style | Style.LINK, child.get("href", ""))
            else:
                self.add(child, style | _STYLES.get(tag, Style.PLAIN), href)
            if child.tail:
                self._write(_shown(child.tail), style, href)

    def _write(self, text: str, style: Style, href: str) -> None:
        start, self._length = self._length, self._length + len(text)
        self._pieces.append(text)
        if style is Style.PLAIN or not text:
            return
        last = self._spans[-1] if self._spans else None
        if last is not None and last.end == start and last.style == style and last.href == href:
            self._spans[-1] = Span(last.start, self._length, style, href)
        else:
            self._spans.append(Span(start, self._length, style, href))
