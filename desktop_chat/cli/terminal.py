"""Markdown blocks set for a terminal: ANSI styles, wrapped lines, boxes for tables and rules."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from desktop_chat.cli.display import without_controls
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
    MathBlock,
    Paragraph,
    Quote,
    RawText,
    Rule,
    Style,
    Table,
)

_RESET: Final = "\x1b[0m"
_CODES: Final = {
    Style.BOLD: "1",
    Style.ITALIC: "3",
    Style.STRIKE: "9",
    Style.CODE: "36",
    Style.LINK: "4",
    Style.FOOTNOTE: "2",
}
_BULLETS: Final = ("•", "◦", "▪")


def set_blocks(blocks: Iterable[Block], width: int, *, depth: int = 0) -> list[str]:
    """The lines of some blocks, an empty one between two of them; no line is wider than ``width`` columns
    unless a word, a table or code is."""
    lines: list[str] = []
    for block in blocks:
        if lines:
            lines.append("")
        lines += _set(block, width, depth)
    return lines


def _set(block: Block, width: int, depth: int) -> list[str]:
    match block:
        case Paragraph(content):
            return _wrapped(_styled(content), width)
        case Heading(level, content):
            return _wrapped(_styled(content, "1;4" if level == 1 else "1"), width)
        case CodeBlock(code=code):
            return [f"    \x1b[36m{without_controls(line)}{_RESET}" for line in code.split("\n")]
        case MathBlock(tex=tex):
            return [f"    {without_controls(line)}" for line in tex.split("\n")]
        case Rule():
            return ["─" * min(width, 40)]
        case Table():
            return _table(block)
        case ListBlock():
            return _list(block, width, depth)
        case Quote(blocks):
            return [f"│ {line}" for line in set_blocks(blocks, width - 2, depth=depth)]
        case Footnotes(notes):
            return [
                line
                for label, content in notes
                for line in _hanging(f"[{label}] ", set_blocks(content, width - 4, depth=depth))
            ]
        case RawText(text):
            return [without_controls(line) for line in text.split("\n")]


def _list(block: ListBlock, width: int, depth: int) -> list[str]:
    lines: list[str] = []
    for index, item in enumerate(block.items):
        if item.checked is not None:
            marker = "☑ " if item.checked else "☐ "
        elif block.start is not None:
            marker = f"{block.start + index}. "
        else:
            marker = f"{_BULLETS[min(depth, 2)]} "
        inner = width - len(marker)
        if block.tight:
            content = [line for part in item.blocks for line in _set(part, inner, depth + 1)]
        else:
            content = set_blocks(item.blocks, inner, depth=depth + 1)
            if index:
                lines.append("")
        lines += _hanging(marker, content)
    return lines


def _hanging(marker: str, lines: list[str]) -> list[str]:
    indent = " " * len(marker)
    first, *rest = lines or [""]
    return [marker + first, *(indent + line if line else "" for line in rest)]


def _table(table: Table) -> list[str]:
    cells = [[_styled(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(_columns(row[column]) for row in cells) for column in range(len(table.alignments))]

    def line(row: list[str]) -> str:
        padded = (
            _padded(cell, width, alignment)
            for cell, width, alignment in zip(row, widths, table.alignments, strict=True)
        )
        return " │ ".join(padded).rstrip()

    header = line([f"\x1b[1m{cell}{_RESET}" for cell in cells[0]])
    return [header, "─┼─".join("─" * width for width in widths), *(line(row) for row in cells[1:])]


def _padded(cell: str, width: int, alignment: Alignment) -> str:
    room = max(0, width - _columns(cell))
    if alignment is Alignment.RIGHT:
        return " " * room + cell
    if alignment is Alignment.CENTER:
        return " " * (room // 2) + cell + " " * (room - room // 2)
    return cell + " " * room


def _styled(content: InlineText, base: str = "") -> str:
    """The text with escape sequences around each word, so that it can be wrapped anywhere."""
    pieces: list[str] = []
    position = 0
    objects = {item.position: item for item in content.objects}
    for span in (*content.spans, None):
        end = span.start if span else len(content.text)
        pieces.append(_colored(_plain(content.text, position, end, objects), base))
        if span is None:
            break
        codes = [code for style, code in _CODES.items() if span.style & style]
        text = _plain(content.text, span.start, span.end, objects)
        pieces.append(_colored(text, ";".join([*([base] if base else []), *codes])))
        if span.href and span.href.removeprefix("mailto:") != text:
            pieces.append(f" ({without_controls(span.href)})")
        position = span.end
    return "".join(pieces)


def _plain(text: str, start: int, end: int, objects: dict[int, InlineMath | InlineImage]) -> str:
    shown = []
    for position in range(start, end):
        item = objects.get(position) if text[position] == OBJECT_CHARACTER else None
        if isinstance(item, InlineMath):
            shown.append(f"${item.tex}$")
        elif isinstance(item, InlineImage):
            shown.append(f"[image: {item.alt or item.url}]")
        else:
            shown.append("\n" if text[position] == LINE_BREAK else text[position])
    return without_controls("".join(shown))


def _colored(text: str, codes: str) -> str:
    if not codes:
        return text
    words = text.split(" ")
    return " ".join(f"\x1b[{codes}m{word}{_RESET}" if word else "" for word in words)


def _wrapped(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` columns; line feeds in it stay."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0
        for word in paragraph.split(" "):
            columns = _columns(word)
            if line and used + 1 + columns > width:
                lines.append(line)
                line, used = word, columns
            else:
                line = f"{line} {word}" if line else word
                used += columns + (1 if used else 0)
        lines.append(line)
    return lines


def _columns(text: str) -> int:
    """Columns on a terminal, without escape sequences; wide and combining characters counted as drawn."""
    count, inside = 0, False
    for character in text:
        if character == "\x1b":
            inside = True
        elif inside:
            inside = character != "m"
        elif not unicodedata.combining(character):
            count += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return count
