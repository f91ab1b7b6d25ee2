"""A table for a spreadsheet."""

from __future__ import annotations

import csv
import io

from desktop_chat.markup.blocks import Table
from desktop_chat.markup.plain import inline_plain_text
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


def _inert(cell: str) -> str:
    if not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell.replace(",", "").rstrip("%"))
    except ValueError:
        return "'" + cell
    return cell
