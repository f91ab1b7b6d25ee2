"""Boxes: what a block becomes once it is laid out. A box is placed by its parent and paints relative to it.

Coordinates are whole device-independent pixels, relative to the box's top left corner. The text runs of a box are
numbered in reading order; a position in the transcript names a run by that number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from desktop_chat.markup.blocks import Block, InlineText
from desktop_chat.ui.theme import Palette
from desktop_chat.ui.transcript.inline import Mark, PictureMaker
from desktop_chat.ui.transcript.typography import TextStyle, Typography, color

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.code_run import Highlighter
    from desktop_chat.ui.transcript.sideways import Sideways


_ENTRY_PATH: Final = 3
"""Steps to a block that is an entry of its own: section, line and piece, see `column.Part`."""

END_MARK_ROOM: Final = 7
"""Pixels that the mark behind a growing text takes, with as much room on both sides; text that runs to the left has
it at its left."""


class Run(Protocol):
    """Selectable text; offsets are in UTF-16 units, geometry is relative to the run."""

    length: int
    height: int

    @property
    def text(self) -> str: ...
    def rects(self, start: int, end: int) -> Iterator[QRectF]: ...
    def offset_at(self, x: float, y: float) -> int: ...
    def caret(self, offset: int) -> QRectF: ...
    def href_at(self, x: float, y: float) -> tuple[str, str] | None: ...
    def slice(self, start: int, end: int) -> InlineText: ...
    def units(self, code_points: int) -> int: ...


class PlacedRun(NamedTuple):
    run: Run
    x: float
    y: float


class Control(NamedTuple):
    """Something to press. ``target`` is the box that knows what to do, ``name`` what an assistive tool says."""

    rect: QRectF
    action: str
    name: str
    target: Box

    def translated(self, x: float, y: float) -> Control:
        return self._replace(rect=self.rect.translated(x, y))


class DisplayMath(Protocol):
    """A display formula's picture."""

    width: float
    ascent: float

    @property
    def height(self) -> float: ...
    def paint(self, painter: QPainter, x: float, baseline: float) -> None: ...


class MathMaker(Protocol):
    """Gives a formula's picture, or ``None`` while there is none."""

    def __call__(self, tex: str, style: TextStyle) -> DisplayMath | None: ...


class BoxMaker(Protocol):
    """Gives the box that shows a block; `block_boxes.make_box`, which knows all kinds."""

    def __call__(self, block: Block, context: BoxContext) -> Box: ...


class Scrollable(NamedTuple):
    rect: QRectF
    sideways: Sideways


Rows = tuple[tuple[InlineText, ...], ...]
"""Of a table, each with its cells."""


@dataclass(slots=True)
class BlockState:
    """What the reader chose for one block, and what its parts must agree on; outlives its layout.

    Attributes:
        widths: of a table's columns, for a width of the table, a typography and the rows that choose them.
    """

    is_wrapped: bool = False
    is_expanded: bool = False
    is_copied: bool = False
    scroll_x: int = 0
    widths: tuple[int, Typography, Rows, list[int]] | None = None


class BlockStates(dict[tuple[object, ...], BlockState]):
    """The reader's choices by block path.

    Attributes:
        keep_open: someone reads here while the text grows: what would fold by itself stays as it is.
        on_paper: all is unfolded and fits the width, and nothing can be pressed.
    """

    keep_open = False
    on_paper = False


@dataclass(slots=True)
class BoxContext:
    """What boxes need to come into being.

    Attributes:
        style: of running text here (an answer, reasoning, a quotation).
        make_box: makes the boxes of blocks that stand within a block.
        states: the reader's choices by block path, kept by the message.
        depth: of list nesting, which chooses the bullet.
        right_to_left: how text runs that has no strong character.
        alignment: where lines stand that belong to the marker of a list; ``None`` where each text decides.
    """

    typography: Typography
    pictures: PictureMaker
    highlighter: Highlighter
    style: TextStyle
    display_math: MathMaker
    make_box: BoxMaker
    states: BlockStates = field(default_factory=BlockStates)
    path: tuple[object, ...] = ()
    depth: int = 0
    right_to_left: bool = False
    alignment: Qt.AlignmentFlag | None = None

    def inner(self, step: object, *, style: TextStyle | None = None, deeper: bool = False) -> BoxContext:
        return replace(self, style=style or self.style, path=(*self.path, step), depth=self.depth + deeper)

    def running(self, *, right_to_left: bool, alignment: Qt.AlignmentFlag | None = None) -> BoxContext:
        """The same for what stands in a block of that direction."""
        return replace(self, right_to_left=right_to_left, alignment=alignment)

    @property
    def palette(self) -> Palette:
        return self.typography.theme.palette

    def state(self) -> BlockState:
        paper = self.states.on_paper
        return self.states.setdefault(self.path, BlockState(is_wrapped=paper, is_expanded=paper))

    def whole_state(self) -> BlockState:
        """Of the block that this is a piece of; a block that is not cut is its own piece."""
        is_top_level = len(self.path) == _ENTRY_PATH
        return self.states.setdefault(self.path[:-1] if is_top_level else self.path, BlockState())


class MarkSource(Protocol):
    """Says what is selected or found in a run of the entry that is being painted."""

    def marks(self, run_number: int, run: Run) -> Sequence[Mark]: ...


@dataclass(slots=True)
class Paint:
    """One paint pass over one entry; ``clip`` is in the painter's coordinates."""

    painter: QPainter
    clip: QRectF
    typography: Typography
    marks: MarkSource
    hovered: Control | None = None

    @property
    def palette(self) -> Palette:
        return self.typography.theme.palette

    def rounded(self, rect: QRectF, radius: float, fill: str | QColor, border: str = "") -> None:
        """A filled rounded rectangle; a border is drawn inside its edge, on whole pixels."""
        self.painter.setBrush(color(fill) if isinstance(fill, str) else fill)
        if border:
            self.painter.setPen(color(border))
            rect = rect.adjusted(0.5, 0.5, -0.5, -0.5)
        else:
            self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.drawRoundedRect(rect, radius, radius)

    def text(self, style: TextStyle, x: float, top: float, text: str, ink: str = "") -> float:
        """One line of label text with its line's top at ``top``; returns its width."""
        self.painter.setFont(style.font)
        self.painter.setPen(color(ink) if ink else style.color)
        self.painter.drawText(QPointF(x, top + style.baseline), text)
        return style.metrics.horizontalAdvance(text)

    def is_hovered(self, target: Box, action: str) -> bool:
        hovered = self.hovered
        return hovered is not None and hovered.target is target and hovered.action == action


class Box:
    """A laid-out block. Subclasses set ``height`` in `lay_out` and number their runs.

    Attributes:
        changed_from: what stands above this y looks as before the last `update`.
    """

    run_count: int = 0
    width: int = 0
    height: int = 0
    changed_from: int = 0

    def lay_out(self, width: int) -> int:
        """Fit the box into ``width``; returns the height. Cheap when the width is the same."""
        raise NotImplementedError

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        raise NotImplementedError

    def refresh(self) -> None:
        """Forget places: some box within has changed its height by itself."""

    def update(self, _block: Block) -> bool:
        """Become ``_block`` in place, keeping what has not changed; ``False`` when a new box is needed."""
        return False

    def runs(self) -> Iterator[PlacedRun]:
        return iter(())

    def run(self, number: int) -> PlacedRun:
        for index, placed in enumerate(self.runs()):
            if index == number:
                return placed
        raise IndexError(number)

    def nearest(self, x: float, y: float) -> tuple[int, int] | None:
        """The run and offset nearest to a point; ``None`` for a box without text."""
        best: tuple[float, int, PlacedRun] | None = None
        for number, placed in enumerate(self.runs()):
            above, below = placed.y - y, y - placed.y - placed.run.height
            distance = max(0.0, above, below)
            if best is None or distance < best[0]:
                best = distance, number, placed
        if best is None:
            return None
        _, number, placed = best
        return number, placed.run.offset_at(x - placed.x, y - placed.y)

    def controls(self) -> Iterator[Control]:
        return iter(())

    def scrollables(self) -> Iterator[Scrollable]:
        """Parts that scroll sideways, with their areas."""
        return iter(())

    def activate(self, _action: str) -> bool:
        """Do what a control of this box says; returns whether the box needs a new layout."""
        return False

    def unfold(self) -> bool:
        """Show all of it, for a hit within; returns whether it needs a new layout."""
        return False

    def has_pictures(self) -> bool:
        """Whether a formula's picture may change how it looks."""
        return any(getattr(placed.run, "has_objects", False) for placed in self.runs())

    def solids(self) -> Iterator[tuple[float, float]]:
        """From where to where, from top to bottom, no page may end: lines of text, and what has none as a whole."""
        if not self.run_count:
            yield 0.0, float(self.height)
        for placed in self.runs():
            for area in placed.run.rects(0, placed.run.length):
                yield placed.y + area.top(), placed.y + area.bottom()

    def first_baseline(self) -> float | None:
        """Of its first line, where a list marker stands."""
        return None

    def end_point(self) -> QRectF | None:
        """A caret after its last character."""
        last = None
        for placed in self.runs():
            last = placed
        if last is None:
            return None
        end = last.run.caret(last.run.length).translated(last.x, last.y)
        return end.translated(-END_MARK_ROOM, 0) if getattr(last.run, "right_to_left", False) else end
