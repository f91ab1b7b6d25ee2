"""What the Tab key stops at within the focused message: its links and buttons, in reading order.

Without a focused message Tab leaves the transcript at once; in one, it leaves after the last stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from desktop_chat.markup.blocks import Heading, InlineText, Paragraph, RawText, Rule
from desktop_chat.ui.theme import Radius
from desktop_chat.ui.transcript.accessibility import focus_moved
from desktop_chat.ui.transcript.boxes import Box, Control
from desktop_chat.ui.transcript.code_run import CodeRun
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.outline import Link, links_of
from desktop_chat.ui.transcript.text_walk import TextWalk
from desktop_chat.ui.transcript.typography import color

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_MOST_WITHOUT: Final = 200
"""Entries that are laid out in vain in one step."""


class Stop(NamedTuple):
    """A link or a control of an entry; ``areas`` are relative to the entry's box, one a line of a link.

    ``run`` is the number of the link's run.
    """

    areas: tuple[QRectF, ...]
    run: int = 0
    link: Link | None = None
    control: Control | None = None


class Here(NamedTuple):
    """The stop the keyboard is on: the entry and the stop's number within it."""

    row: int
    part: Part
    number: int


def stops_of(box: Box) -> list[Stop]:
    """The links and controls of a box, in reading order."""
    found: list[Stop] = []
    for number, placed in enumerate(box.runs()):
        if isinstance(placed.run, CodeRun):
            continue
        for link in links_of(placed.run.slice(0, placed.run.length)):
            rects = [r.translated(placed.x, placed.y) for r in placed.run.rects(link.start, link.end)]
            if rects:
                found.append(Stop(tuple(rects), number, link=link))
    found += [Stop((control.rect,), control=control) for control in box.controls()]
    return sorted(found, key=lambda stop: (round(stop.areas[0].top()), stop.areas[0].left()))


def _may_stop(source: object) -> bool:
    """Whether an entry may have stops, without laying it out."""
    content = source.content if isinstance(source, (Paragraph, Heading)) else None
    if isinstance(content, InlineText):
        return any(span.href for span in content.spans)
    return not isinstance(source, (RawText, Rule))


class Stops:
    """The control within the focused message that the keyboard is on.

    Attributes:
        current: ``None`` while the message itself has it.
    """

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self.current: Here | None = None

    def clear(self) -> None:
        if self.current is not None:
            self.current = None
            self._view.viewport().update()

    def step(self, *, forward: bool) -> bool:
        """Go to the next or previous stop of the focused message; ``False`` when Tab shall leave."""
        view, row = self._view, self._view.reading.focused_row
        if row is None or row >= len(view.stack) or (self.current is None and not forward):
            return False
        walk = TextWalk(view)
        found = self._next(walk, row, forward=forward)
        if walk.has_measured:
            view.refresh()
        was, self.current = self.current, found
        view.viewport().update()
        area = self.area()
        if area is not None:
            view.reveal(area.translated(0, view.top))
        if found is not None or was is not None:
            focus_moved(view)
        return found is not None or (was is not None and not forward)

    def _next(self, walk: TextWalk, row: int, *, forward: bool) -> Here | None:
        layout = self._view.stack.layout(row)
        if layout is None:
            return None
        here = self.current
        index = 0
        if here is not None:
            index = layout.column.index_of(here.part)
            box = walk.box(row, index)
            number = here.number + (1 if forward else -1)
            if box is not None and 0 <= number < len(stops_of(box)):
                return here._replace(number=number)
            index += 1 if forward else -1
        left = _MOST_WITHOUT
        while 0 <= index < len(layout.column) and left:
            if _may_stop(layout.column.entries[index].spec.source):
                left -= 1
                box = walk.box(row, index)
                stops = [] if box is None else stops_of(box)
                if stops:
                    part = layout.column.entries[index].spec.part
                    return Here(row, part, 0 if forward else len(stops) - 1)
            index += 1 if forward else -1
        return None

    def stop(self) -> tuple[int, int, Stop] | None:
        """The message's row, the entry and the stop the keyboard is on; ``None`` when it is gone."""
        here = self.current
        layout = None if here is None else self._view.stack.known_layout(here.row)
        if here is None or layout is None:
            return None
        index = layout.column.index_of(here.part)
        entry = layout.column.entries[index]
        if entry.box is None or entry.spec.part != here.part:
            return None
        stops = stops_of(entry.box)
        return (here.row, index, stops[here.number]) if here.number < len(stops) else None

    def areas(self) -> list[QRectF]:
        """Where the stop is in the viewport."""
        found, view = self.stop(), self._view
        layout = None if found is None else view.stack.known_layout(found[0])
        if found is None or layout is None:
            return []
        row, index, stop = found
        left, top = layout.box_place(index)
        top += view.stack.message_top(row) - view.top
        return [area.translated(view.column_left + left, top) for area in stop.areas]

    def area(self) -> QRectF | None:
        areas = self.areas()
        return areas[0] if areas else None

    def press(self) -> None:
        """Do what a click there would."""
        found = self.stop()
        if found is None:
            return
        row, index, stop = found
        if stop.link is not None:
            self._view.link_activated.emit(stop.link.href, stop.link.text)
        elif stop.control is not None:
            self._view.pointer.activate(row, index, stop.control)

    def paint(self, painter: QPainter) -> None:
        if self.current is None or not self._view.hasFocus():
            return
        painter.setPen(QPen(color(self._view.theme.palette.focus), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for area in self.areas():
            painter.drawRoundedRect(area.adjusted(-2, -1, 2, 1), Radius.SMALL, Radius.SMALL)
