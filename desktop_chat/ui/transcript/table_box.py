"""Tables: as wide as they need, wrapped to the column where that reads well, scrolling sideways where not.

A table whose header runs from right to left begins at the right, its columns too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QRectF, Qt

from desktop_chat.markup.blocks import Alignment, Block, InlineText, Table
from desktop_chat.markup.tables import table_to_csv
from desktop_chat.ui.theme import Radius, Space
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Control, Paint, PlacedRun, Scrollable
from desktop_chat.ui.transcript.direction import runs_right_to_left
from desktop_chat.ui.transcript.icons import paint_icon
from desktop_chat.ui.transcript.inline import leading_edge
from desktop_chat.ui.transcript.sideways import BAR_HEIGHT, Sideways
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import color

SAMPLED_ROWS: Final = 24
"""Only the header and these first rows choose the column widths, so that a growing table stays still."""

WIDTH_STEP: Final = 8
"""Column widths grow in steps, so that they change seldom while the first rows arrive."""

NARROWEST_COLUMN: Final = 48
WIDEST_SCROLLED_COLUMN: Final = 260
ROW_PADDING: Final = 7
BUTTON_SIZE: Final = 26
TALLEST_WHOLE_ROW: Final = 320
"""A page may end within a row that is taller."""

_ALIGNMENTS: Final = {
    Alignment.LEFT: Qt.AlignmentFlag.AlignLeft,
    Alignment.CENTER: Qt.AlignmentFlag.AlignHCenter,
    Alignment.RIGHT: Qt.AlignmentFlag.AlignRight,
}


class TablePart(Table, frozen=True, kw_only=True):
    """Some consecutive rows of a long table.

    Attributes:
        sample: the rows of the whole table that choose the column widths with the header.
        first: how many rows stand before; the header shows above row 0 only.
        is_last: whether the table ends here.
    """

    sample: tuple[tuple[InlineText, ...], ...]
    first: int
    is_last: bool


def column_widths(natural: Sequence[float], words: Sequence[float], available: int) -> list[int]:
    """Text widths of the columns, in pixels.

    Every column gets what it asks for (``natural``) when all fit. Otherwise all give way in proportion, down to their
    longest words; when even that is too wide, the table keeps readable columns and scrolls sideways.
    """
    wanted = [max(WIDTH_STEP, -(-round(width) // WIDTH_STEP) * WIDTH_STEP) for width in natural]
    if sum(wanted) <= available:
        return wanted
    least = [
        min(want, max(NARROWEST_COLUMN, min(round(word) + 2, WIDEST_SCROLLED_COLUMN)))
        for want, word in zip(wanted, words, strict=True)
    ]
    spare = available - sum(least)
    if spare < 0:
        return [min(want, WIDEST_SCROLLED_COLUMN) for want in wanted]
    asked = sum(wanted) - sum(least)
    return [low + spare * (want - low) // asked for low, want in zip(least, wanted, strict=True)]


def squeezed(widths: Sequence[int], available: int) -> list[int]:
    """``widths`` in proportion, so that together they fit."""
    total = sum(widths)
    return list(widths) if total <= available else [max(1, width * available // total) for width in widths]


class TableBox(Box):
    """A table with a header row, or some of its rows. Rows keep their layouts while more are appended."""

    def __init__(self, block: Table, context: BoxContext) -> None:
        self._context = context
        self._block = block
        self._state = context.whole_state()
        found = runs_right_to_left(block)
        self._is_mirrored = context.right_to_left if found is None else found
        self._sideways = Sideways(self._state, is_mirrored=self._is_mirrored)
        self._rows: list[list[TextRun]] = []
        if self._has_header:
            self._rows.append(self._cells(block.header, is_header=True))
        self._rows += [self._cells(row) for row in block.rows]
        self._widths: list[int] = []
        self._lefts: list[int] = []
        self._tops: list[int] = []
        self._inset = 0
        self.is_squeezed = False  # on paper: columns are narrower than their longest words
        self._count()

    @property
    def _has_header(self) -> bool:
        return not isinstance(self._block, TablePart) or self._block.first == 0

    @property
    def _is_last(self) -> bool:
        return not isinstance(self._block, TablePart) or self._block.is_last

    def _cells(self, row: Sequence[InlineText], *, is_header: bool = False) -> list[TextRun]:
        type_ = self._context.typography
        style = type_.table_header if is_header else type_.table
        mirrored = self._is_mirrored
        edge = leading_edge(right_to_left=mirrored)
        return [
            TextRun(
                cell,
                style,
                self._context.pictures,
                _ALIGNMENTS.get(alignment, edge),
                right_to_left=mirrored,
            )
            for cell, alignment in zip(row, self._block.alignments, strict=True)
        ]

    def _count(self) -> None:
        self.run_count = len(self._rows) * len(self._block.alignments)

    @property
    def block(self) -> Table:
        return self._block

    def update(self, block: Block) -> bool:
        if (
            not isinstance(block, Table)
            or block.alignments != self._block.alignments
            or block.header != self._block.header
            or getattr(block, "first", 0) != getattr(self._block, "first", 0)
        ):
            return False
        same = 0
        for before, after in zip(self._block.rows, block.rows, strict=False):
            if before is not after and before != after:
                break
            same += 1
        if getattr(block, "sample", None) != getattr(self._block, "sample", None):
            self._widths = []  # other rows choose them
        self._block = block
        del self._rows[same + self._has_header :], self._tops[same + self._has_header :]
        self._rows += [self._cells(row) for row in block.rows[same:]]
        self._count()
        return True

    # --- layout ------------------------------------------------------------------------------------------

    def lay_out(self, width: int) -> int:
        block = self._block
        sampled = SAMPLED_ROWS + 1
        chooses = not isinstance(block, TablePart) and len(self._tops) <= len(self._rows[:sampled])
        if width != self.width or not self._widths or chooses:
            widths = self._choose_widths(width)
            if widths != self._widths:
                self._widths = widths
                self._tops.clear()
                lefts, left = [], 0
                for each in reversed(widths) if self._is_mirrored else widths:
                    lefts.append(left + Space.M)
                    left += each + 2 * Space.M
                self._lefts = lefts[::-1] if self._is_mirrored else lefts
                self._sideways.content_width = left
        self.width = width
        self._sideways.window_width = min(width, self._sideways.content_width)
        self._inset = width - self._sideways.window_width if self._is_mirrored else 0
        start = max(0, len(self._tops) - 1)
        y = self._tops[start] if self._tops else 0
        del self._tops[start:]
        for row in self._rows[start:]:
            self._tops.append(y)
            y += (
                max(cell.lay_out(each) for cell, each in zip(row, self._widths, strict=True))
                + 2 * ROW_PADDING
                + 1
            )
        self._tops.append(y)
        bar = Space.S + BAR_HEIGHT if self._sideways.is_needed else 0
        self.height = y + (1 + bar if self._is_last else 0)
        return self.height

    def _choose_widths(self, width: int) -> list[int]:
        """The column widths; the parts of a table choose them together."""
        block = self._block
        available = width - len(block.alignments) * 2 * Space.M
        if not isinstance(block, TablePart):
            widths = self._fitting_widths(self._rows[: SAMPLED_ROWS + 1], available)
            if self._context.states.on_paper:
                self.is_squeezed = sum(widths) > available
                widths = squeezed(widths, available)
            return widths
        chosen = self._state.widths
        if chosen is None or chosen[:3] != (width, self._context.typography, block.sample):
            rows = [self._cells(block.header, is_header=True), *map(self._cells, block.sample)]
            widths = self._fitting_widths(rows, available)
            chosen = width, self._context.typography, block.sample, widths
            self._state.widths = chosen
        return chosen[3]

    @staticmethod
    def _fitting_widths(rows: Sequence[Sequence[TextRun]], available: int) -> list[int]:
        columns = range(len(rows[0]))
        return column_widths(
            [max(row[i].natural_width() + 1 for row in rows) for i in columns],
            [max(row[i].longest_word_width() for row in rows) for i in columns],
            available,
        )

    # --- painting ----------------------------------------------------------------------------------------

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        painter, palette = paint.painter, paint.palette
        window = QRectF(x + self._inset, y, self._sideways.window_width, self._tops[-1] + self._is_last)
        painter.save()
        try:
            # The frame of the whole table, of which this part's lines are seen.
            painter.setClipRect(window.intersected(paint.clip))
            above = 0 if self._has_header else Radius.MEDIUM
            below = 0 if self._is_last else Radius.MEDIUM
            paint.rounded(window.adjusted(0, -above, 0, below), Radius.MEDIUM, palette.page, palette.border)
            visible = window.adjusted(1, 0, -1, 0).intersected(paint.clip)
            painter.setClipRect(visible)
            self._paint_rows(paint, visible, window.x(), y, first_run)
        finally:
            painter.restore()
        if self._sideways.is_needed and self._is_last:
            self._sideways.paint(paint, window.adjusted(0, 0, 0, Space.S + BAR_HEIGHT))
        for control in self.controls():
            if paint.is_hovered(self, control.action):
                rect = control.rect.translated(x, y)
                paint.rounded(rect, Radius.SMALL, palette.raised, palette.border)
                icon, ink = ("check", palette.success) if self._state.is_copied else ("copy", palette.text)
                paint_icon(painter, icon, rect, ink)

    def _paint_rows(self, paint: Paint, visible: QRectF, x: float, y: float, first_run: int) -> None:
        palette = paint.palette
        left = x - self._sideways.offset
        columns = len(self._widths)
        index = max(0, bisect_right(self._tops, visible.top() - y) - 1)
        if index == 0 and self._has_header:
            header = QRectF(x, y, self._sideways.window_width, self._tops[1])
            paint.rounded(header.adjusted(1, 1, -1, Radius.MEDIUM), Radius.MEDIUM - 1, palette.code_card)
            rest = QRectF(header.x(), header.bottom(), header.width(), Radius.MEDIUM + 2)
            paint.painter.fillRect(rest, color(palette.page))
        while index < len(self._rows) and y + self._tops[index] < visible.bottom():
            top = y + self._tops[index] + ROW_PADDING
            for column, cell in enumerate(self._rows[index]):
                cell_x = left + self._lefts[column]
                if cell_x + self._widths[column] < visible.left() or cell_x > visible.right():
                    continue
                marks = paint.marks.marks(first_run + index * columns + column, cell)
                pill = color(palette.inline_code)
                cell.paint(paint.painter, cell_x, top, visible, pill, marks)
            if index + 1 < len(self._rows) or not self._is_last:
                line = QRectF(x, y + self._tops[index + 1] - 1, self._sideways.window_width, 1)
                is_head = index == 0 and self._has_header
                paint.painter.fillRect(line, color(palette.border_strong if is_head else palette.border))
            index += 1

    # --- interaction -------------------------------------------------------------------------------------

    def controls(self) -> Iterator[Control]:
        if not self._has_header:
            return
        left = self._inset + 4
        if not self._is_mirrored:
            left = self._sideways.window_width - BUTTON_SIZE - 4
        rect = QRectF(left, 4, BUTTON_SIZE, BUTTON_SIZE)
        yield Control(rect, "copy-table", "Copied" if self._state.is_copied else "Copy table as CSV", self)

    def copy_text(self) -> str:
        """These rows as CSV."""
        return table_to_csv(self._block)

    def set_copied(self, *, is_copied: bool) -> None:
        self._state.is_copied = is_copied

    def scrollables(self) -> Iterator[Scrollable]:
        yield Scrollable(QRectF(0, 0, self.width, self.height), self._sideways)

    def runs(self) -> Iterator[PlacedRun]:
        for number in range(self.run_count):
            yield self.run(number)

    def run(self, number: int) -> PlacedRun:
        row, column = divmod(number, len(self._widths))
        x = self._inset + self._lefts[column] - self._sideways.offset
        return PlacedRun(self._rows[row][column], x, self._tops[row] + ROW_PADDING)

    def nearest(self, x: float, y: float) -> tuple[int, int] | None:
        row = max(0, min(bisect_right(self._tops, y) - 1, len(self._rows) - 1))
        inside = x - self._inset + self._sideways.offset
        column = max(0, bisect_right(sorted(left - Space.M for left in self._lefts), inside) - 1)
        if self._is_mirrored:
            column = len(self._widths) - 1 - column
        number = row * len(self._widths) + column
        placed = self.run(number)
        return number, placed.run.offset_at(x - placed.x, y - placed.y)

    @property
    def header_height(self) -> int:
        return self._tops[1]

    def solids(self) -> Iterator[tuple[float, float]]:
        for row, (top, bottom) in enumerate(pairwise(self._tops)):
            if bottom - top <= TALLEST_WHOLE_ROW:
                yield top, bottom
                continue
            lines = [
                (area.top(), area.bottom()) for cell in self._rows[row] for area in cell.rects(0, cell.length)
            ]
            for first, last in sorted(lines):
                yield top + ROW_PADDING + first, top + ROW_PADDING + last

    def first_baseline(self) -> float:
        return ROW_PADDING + self._rows[0][0].baseline_at(0)
