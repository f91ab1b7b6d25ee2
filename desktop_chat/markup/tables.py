"""A table for a spreadsheet."""

from __future__ import annotations

import csv
import io

from desktop_chat.markup.blocks import LINE_BREAK, OBJECT_CHARACTER, InlineMath, InlineText, Table
from desktop_chat.markup.safety import without_controls


def table_to_csv(table: Table) -> str:
    """The table as CSV (RFC 4180, CRLF line ends), header first, formulas of TeX as their source.

    A cell that a spreadsheet would run as its own formula (``=``, ``+``, ``-``, ``@`` before something that is no
    number) gets an apostrophe before it.
    """
    output = io.StringIO()
    writer = csv.writer(output)
    for row in (table.header, *table.rows):
        writer.writerow([_inert(without_controls(inline_plain_text(cell))) for cell in row])
    return output.getvalue()


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


def _inert(cell: str) -> str:
    if not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell.replace(",", "").rstrip("%"))
    except ValueError:
        return "'" + cell
    return cell
