"""Goes through the text of the conversation place by place, laying out what it comes to and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF

from desktop_chat.ui.transcript.boxes import Box, PlacedRun, Run
from desktop_chat.ui.transcript.code_run import CodeRun
from desktop_chat.ui.transcript.places import Place

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_MOST_EMPTY: Final = 100
"""Messages without any text that are passed over in one step."""

_FEEL: Final = 6
"""Pixels between the points at which the next line is felt for; less than any line is high."""


def visible_end(run: Run) -> int:
    """The last offset that shows; in a folded code card the rest is hidden."""
    if isinstance(run, CodeRun) and run.visible_lines < run.line_count:
        return run.units(run.line_bounds(run.visible_lines - 1)[1])
    return run.length


class TextWalk:
    """Steps over runs.

    Attributes:
        has_measured: something was laid out on the way, so that the window needs settling again.
    """

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self.has_measured = False

    def box(self, row: int, index: int) -> Box | None:
        """The box of an entry, laid out; ``None`` beyond the message's end or while its text is not loaded."""
        stack = self._view.stack
        is_known = stack.known_layout(row) is not None
        layout = stack.layout(row)
        if layout is None:
            self._view.model.ask([row])
            return None
        self.has_measured = self.has_measured or not is_known
        while index < len(layout.column):
            if layout.measure(index):
                stack.touched(row, index)
                self.has_measured = True
            box = layout.column.entries[index].box
            if box is not None:  # else a segment gave way to its blocks
                return box
        return None

    def index(self, place: Place) -> int | None:
        """The entry a place is in, laid out; ``None`` when it is gone."""
        if not 0 <= place.row < len(self._view.stack):
            return None
        layout = self._view.stack.layout(place.row)
        if layout is None:
            self._view.model.ask([place.row])
            return None
        index = layout.column.index_of(place.part)
        box = self.box(place.row, index)
        if box is None or layout.column.entries[index].spec.part != place.part or place.run >= box.run_count:
            return None
        return index

    def run(self, place: Place) -> PlacedRun | None:
        """The run of a place, placed within its message."""
        if self.index(place) is None:
            return None
        layout = self._view.stack.known_layout(place.row)
        return None if layout is None else layout.run(place.part, place.run)

    def settled(self, place: Place) -> Place | None:
        """``place``, or the nearest one with text when it names none."""
        placed = self.run(place)
        if placed is not None:
            return place._replace(offset=min(place.offset, placed.run.length))
        row = max(0, min(place.row, len(self._view.stack) - 1))
        layout = self._view.stack.layout(row) if len(self._view.stack) else None
        if layout is None:
            return None
        index = layout.column.index_of(place.part)
        index += layout.column.entries[index].spec.part < place.part
        after = self.first_from(row, index)
        if after is not None and after.row == row:
            return after
        return self.last_before(row, index) or after

    # --- to the runs around ------------------------------------------------------------------------------

    def first_from(self, row: int, index: int = 0) -> Place | None:
        """The first place with text in entry ``index`` of a message or after it."""
        for _ in range(_MOST_EMPTY):
            if row >= len(self._view.stack):
                return None
            while (box := self.box(row, index)) is not None:
                if box.run_count:
                    layout = self._view.stack.layout(row)
                    assert layout is not None
                    return Place(row, layout.column.entries[index].spec.part, 0, 0)
                index += 1
            if self._view.stack.known_layout(row) is None:
                return None  # until its text is there
            row, index = row + 1, 0
        return None

    def last_before(self, row: int, index: int) -> Place | None:
        """The last place with text before entry ``index`` of a message."""
        stack = self._view.stack
        for _ in range(_MOST_EMPTY):
            while index > 0:
                index -= 1
                box = self.box(row, index)
                layout = stack.known_layout(row)
                if box is None or layout is None:
                    return None
                if box.run_count:
                    last = box.run_count - 1
                    part = layout.column.entries[index].spec.part
                    return Place(row, part, last, visible_end(box.run(last).run))
            row -= 1
            if row < 0:
                return None
            layout = stack.layout(row)
            if layout is None:
                self._view.model.ask([row])
                return None
            index = len(layout.column)
        return None

    def next_run(self, place: Place) -> Place | None:
        index = self.index(place)
        if index is None:
            return None
        box = self.box(place.row, index)
        if box is not None and place.run + 1 < box.run_count:
            return place._replace(run=place.run + 1, offset=0)
        return self.first_from(place.row, index + 1)

    def previous_run(self, place: Place) -> Place | None:
        """The end of the run before."""
        index = self.index(place)
        if index is None:
            return None
        box = self.box(place.row, index)
        if box is not None and place.run:
            number = place.run - 1
            return place._replace(run=number, offset=visible_end(box.run(number).run))
        return self.last_before(place.row, index)

    def last(self) -> Place | None:
        """The conversation's last place with text."""
        return self.last_before(len(self._view.stack), 0)

    # --- to the lines around -----------------------------------------------------------------------------

    def caret(self, place: Place) -> QRectF | None:
        """A caret's place within its message."""
        placed = self.run(place)
        if placed is None:
            return None
        return placed.run.caret(place.offset).translated(placed.x, placed.y)

    def line_edge(self, place: Place, *, forward: bool) -> Place | None:
        """The start or end of the line a place is on, in reading order."""
        placed = self.run(place)
        if placed is None:
            return None
        y = placed.run.caret(place.offset).center().y()
        edges = placed.run.offset_at(-1e6, y), placed.run.offset_at(1e6, y)
        return place._replace(offset=max(edges) if forward else min(edges))

    def next_line(self, place: Place, x: float, *, forward: bool) -> Place | None:
        """The place at ``x`` of the message on the line below or above; ``None`` where there is none."""
        index, caret = self.index(place), self.caret(place)
        layout = self._view.stack.known_layout(place.row)
        if index is None or caret is None or layout is None:
            return None
        box = self.box(place.row, index)
        assert box is not None
        left, top = layout.box_place(index)
        y = (caret.bottom() if forward else caret.top()) - top
        while 0 <= y <= box.height:
            found = self._near(place, box, x - left, y)
            there = None if found is None else self.caret(found)
            if found is None or there is None:
                break
            if there.top() >= caret.bottom() - 1 if forward else there.bottom() <= caret.top() + 1:
                return found
            y += _FEEL if forward else -_FEEL
        beyond = self.first_from(place.row, index + 1) if forward else self.last_before(place.row, index)
        if beyond is None:
            return None
        index, layout = self.index(beyond), self._view.stack.known_layout(beyond.row)
        if index is None or layout is None:
            return None
        box = self.box(beyond.row, index)
        assert box is not None
        left = layout.box_place(index)[0]
        return self._near(beyond, box, x - left, 0 if forward else box.height)

    def _near(self, place: Place, box: Box, x: float, y: float) -> Place | None:
        near = box.nearest(x, y)
        return None if near is None else Place(place.row, place.part, *near)
