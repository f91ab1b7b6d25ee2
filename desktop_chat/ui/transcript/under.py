"""What can be copied of the thing at a point: a link, a formula, a table, a code card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from desktop_chat.markup.blocks import InlineMath
from desktop_chat.markup.safety import without_controls
from desktop_chat.ui.transcript.boxes import Box
from desktop_chat.ui.transcript.code_box import CodeBox
from desktop_chat.ui.transcript.code_run import CodeRun
from desktop_chat.ui.transcript.math_box import MathBox
from desktop_chat.ui.transcript.outline import inlines_of
from desktop_chat.ui.transcript.table_box import TableBox, TablePart

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

Copy = tuple[str, Callable[[], str]]
"""The name of an offer, and what gives its text."""


def copies_at(view: TranscriptView, point: QPointF) -> Iterator[Copy]:
    """What a menu at a point of the viewport offers to copy, the innermost first."""
    found = view.pointer.entry_at(point)
    layout = None if found is None else view.stack.known_layout(found[0])
    if found is None or layout is None:
        return
    box, inside = layout.column.entries[found[1]].box, found[2]
    if box is None:
        return
    yield from _in_run(box, inside)
    if isinstance(layout.column.entries[found[1]].spec.source, TablePart):
        yield "Copy table as CSV", partial(layout.table_csv, found[1])
    else:
        yield from _in_card(box, inside)


def _in_run(box: Box, point: QPointF) -> Iterator[Copy]:
    near = box.nearest(point.x(), point.y())
    if near is None:
        return
    placed = box.run(near[0])
    if isinstance(placed.run, CodeRun):
        return
    x, y = point.x() - placed.x, point.y() - placed.y
    link = placed.run.href_at(x, y)
    if link is not None:
        yield "Copy link address", partial(without_controls, link[0])
    for picture in inlines_of(placed.run.slice(0, placed.run.length)):
        if not any(rect.contains(x, y) for rect in placed.run.rects(picture.start, picture.end)):
            continue
        if isinstance(picture.item, InlineMath):  # an image has a menu of its own
            yield "Copy formula as TeX", partial(without_controls, picture.item.tex)


def _in_card(box: Box, point: QPointF) -> Iterator[Copy]:
    """The code card, table or formula a point is in: of those with a button to copy, the last that begins above it."""
    inner: CodeBox | TableBox | MathBox | None = None
    for control in box.controls():
        target, rect = control.target, control.rect
        if not isinstance(target, (CodeBox, TableBox, MathBox)) or not control.action.startswith("copy"):
            continue
        top = rect.top() if isinstance(target, MathBox) else rect.top() - 4
        if top <= point.y() <= top + target.height and rect.right() - target.width - 8 <= point.x():
            inner = target
    names = {CodeBox: "Copy code", TableBox: "Copy table as CSV", MathBox: "Copy formula as TeX"}
    if inner is not None:
        yield names[type(inner)], inner.copy_text
