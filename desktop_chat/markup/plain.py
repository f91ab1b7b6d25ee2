"""Markdown as plain text, for the clipboard, a terminal and the search index."""

from __future__ import annotations

from collections.abc import Iterable

from desktop_chat.markup.blocks import (
    LINE_BREAK,
    OBJECT_CHARACTER,
    Block,
    CodeBlock,
    Footnotes,
    InlineMath,
    InlineText,
    ListBlock,
    ListItem,
    MathBlock,
    Quote,
    RawText,
    Rule,
    Table,
)
from desktop_chat.markup.parser import parse


def plain_text(text: str) -> str:
    """``text`` without its markup: list markers and quote marks stay, tables have tabs between cells."""
    return _joined(found.block for found in parse(text))


def block_plain_text(block: Block) -> str:
    """One block as plain text."""
    if isinstance(block, CodeBlock):
        return block.code
    if isinstance(block, MathBlock):
        return block.tex
    if isinstance(block, RawText):
        return block.text
    if isinstance(block, Rule):
        return "* * *"
    if isinstance(block, Table):
        rows = (block.header, *block.rows)
        return "\n".join("\t".join(map(inline_plain_text, row)) for row in rows)
    if isinstance(block, Quote):
        return _indented(_joined(block.blocks), "> ", "> ")
    if isinstance(block, Footnotes):
        return "\n".join(_indented(_joined(blocks), f"[{label}] ", "    ") for label, blocks in block.notes)
    if isinstance(block, ListBlock):
        return ("\n" if block.tight else "\n\n").join(
            _item(item, "- " if block.start is None else f"{number}. ")
            for number, item in enumerate(block.items, block.start or 0)
        )
    return inline_plain_text(block.content)


def inline_plain_text(content: InlineText) -> str:
    """Inline content as plain text: formulas as TeX, images as their alternative text."""
    pieces: list[str] = []
    position = 0
    for found in content.objects:
        pieces.append(content.text[position : found.position])
        pieces.append(found.tex if isinstance(found, InlineMath) else found.alt)
        position = found.position + len(OBJECT_CHARACTER)
    pieces.append(content.text[position:])
    return "".join(pieces).replace(LINE_BREAK, "\n")


def _item(item: ListItem, marker: str) -> str:
    if item.checked is not None:
        marker += "[x] " if item.checked else "[ ] "
    return _indented("\n".join(map(block_plain_text, item.blocks)), marker, "  ")


def _joined(blocks: Iterable[Block]) -> str:
    return "\n\n".join(map(block_plain_text, blocks))


def _indented(text: str, first: str, following: str) -> str:
    lines = text.split("\n")
    return "\n".join([first + lines[0], *(following + line if line else line for line in lines[1:])])
