"""Fills pages from top to bottom with bands: slices of boxes that a page's end may separate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPagedPaintDevice, QPainter

from desktop_chat.ui.theme import Radius, Space
from desktop_chat.ui.transcript.boxes import Box, Paint
from desktop_chat.ui.transcript.places import EntryMarks
from desktop_chat.ui.transcript.table_box import TableBox
from desktop_chat.ui.transcript.typography import Typography, color, elided

SCALE: Final = 96 / 72 * 10 / 15
"""Of the screen's sizes at 96 dots an inch: text of 15 pixels is printed at 10 points."""

FOOTER: Final = 36
"""Room for the page number below the text, in the screen's pixels."""

MARGIN_MM: Final = 22.0
"""Left and right; lines get some 90 characters, and code its 80 columns."""
TOP_MM: Final = 18.0
BOTTOM_MM: Final = 12.0
"""Below the page number."""

_PAINTED_AT_ONCE: Final = 16
"""Lines of one box between two steps."""
_OVERLAP: Final = 0.5
_BLEED: Final = 6.0
"""How far a card that a page's end cuts reaches beyond its lines."""


@dataclass(slots=True, eq=False)
class Band:
    """From ``top`` to ``bottom`` of a box; empty room where there is none.

    Attributes:
        gap: empty room above, unless it begins a page.
        keeps: must stand on the page of the next one.
        ground: of the card behind it; bands of one card follow each other and share it.
        closes: the card ends with it.
    """

    box: Box | None
    left: float
    top: float
    bottom: float
    gap: float = 0.0
    keeps: bool = False
    ground: Ground | None = None
    closes: bool = False

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(slots=True, eq=False)
class Ground:
    """What is painted behind bands: a card, or a bar along their left side."""

    is_card: bool
    is_begun: bool = False


def bands(box: Box, left: float, gap: float, *, keeps: bool, ground: Ground | None = None) -> Iterator[Band]:
    """``box`` in as many bands as it has lines. The first two stay together, and the last two.

    Args:
        keeps: the last one stays with what follows.
    """
    cuts = [0.0]
    reach = 0.0
    for top, bottom in box.solids():
        if reach and top >= reach - 0.5:
            cuts.append(top)
            reach = bottom
        reach = max(reach, bottom)
    count = len(cuts)
    for index, top in enumerate(cuts):
        is_last = index == count - 1
        band = Band(box, left, top, float(box.height) if is_last else cuts[index + 1], ground=ground)
        band.gap = 0.0 if index else gap
        band.keeps = keeps if is_last else index in {0, count - 2}
        yield band


class _Placed(NamedTuple):
    band: Band
    y: float


class Pages:
    """The pages of one device; the painter is in the screen's pixels, with the text's top left corner as origin.

    Args:
        footer: what stands beside the page number.
        first / last: the pages to be painted, from 1.

    Attributes:
        width / height: the room for text.
        number: of the page being filled, from 1.
    """

    def __init__(
        self,
        device: QPagedPaintDevice,
        painter: QPainter,
        type_: Typography,
        footer: str,
        *,
        first: int = 1,
        last: int = 1 << 30,
    ) -> None:
        self._device, self._painter, self._type, self._footer = device, painter, type_, footer
        self._first, self._last = first, last
        self._scale = device.logicalDpiX() / 96 * SCALE
        self.width = int(device.width() / self._scale)
        self.height = max(200.0, device.height() / self._scale - FOOTER)
        self.number = 1
        self._painted = 0
        self._placed: list[_Placed] = []
        self._y = 0.0
        white = color("#ffffff")
        self._marks = EntryMarks(white, white, white)
        painter.scale(self._scale, self._scale)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    @property
    def is_past(self) -> bool:
        """Whether no further page is wanted."""
        return self.number > self._last

    def add(self, band: Band) -> Iterator[None]:
        """Place ``band``; if that fills a page, each step paints a part of it."""
        if band.height > self.height:  # a picture taller than the page
            middle = band.top + self.height
            yield from self.add(replace(band, bottom=middle, keeps=False, closes=False))
            yield from self.add(replace(band, top=middle, gap=0.0))
            return
        self._place(band)
        while self._y > self.height + 0.5 and len(self._placed) > 1:
            count = self._break()
            rest = [placed.band for placed in self._placed[count:]]
            del self._placed[count:]
            yield from self._finish_page()
            self._repeat_header(rest[0])
            for each in rest:
                self._place(each)

    def _repeat_header(self, begins: Band) -> None:
        """A page that ``begins`` within a table begins with its header."""
        box = begins.box
        if (
            isinstance(box, TableBox)
            and begins.top >= box.header_height
            and box.header_height + begins.height <= self.height
        ):
            self._place(Band(box, begins.left, 0, box.header_height, keeps=True))

    def end(self) -> Iterator[None]:
        """Paint the last page, a part with each step."""
        if self._placed:
            yield from self._finish_page()

    def _place(self, band: Band) -> None:
        y = self._y + (band.gap if self._placed else 0.0)
        self._placed.append(_Placed(band, y))
        self._y = y + band.height

    def _break(self) -> int:
        """How many of the placed bands stay on this page."""
        for count in range(len(self._placed) - 1, 0, -1):
            before = self._placed[count - 1]
            if not before.band.keeps and self._placed[count].y > self.height / 3:
                return count
        return max(1, len(self._placed) - 1)

    # --- painting ----------------------------------------------------------------------------------------

    def _finish_page(self) -> Iterator[None]:
        placed, self._placed, self._y = self._placed, [], 0.0
        number, self.number = self.number, self.number + 1
        if not self._first <= number <= self._last:
            return
        if self._painted:
            yield
            self._device.newPage()  # compresses the page before: some milliseconds that cannot be divided
            yield
        self._painted += 1
        self._paint_grounds(placed)
        start = 0
        while start < len(placed):
            end = start + 1
            while end < min(len(placed), start + _PAINTED_AT_ONCE) and _continues(
                placed[end - 1], placed[end]
            ):
                end += 1
            is_seam = start > 0 and _continues(placed[start - 1], placed[start])
            self._paint_slice(placed[start], placed[end - 1], _OVERLAP if is_seam else 0.0)
            start = end
            yield
        self._paint_footer(number)

    def _paint_slice(self, first: _Placed, last: _Placed, overlap: float) -> None:
        """Consecutive bands of one box at once; ``overlap`` covers the seam to those painted before."""
        box, painter = first.band.box, self._painter
        if box is None:
            return
        y = first.y - first.band.top
        top = first.y - overlap
        clip = QRectF(-Space.L, top, self.width + 2 * Space.L, last.y + last.band.height - top)
        painter.save()
        try:
            painter.setClipRect(clip)
            paint = Paint(painter, clip, self._type, self._marks)
            box.paint(paint, first.band.left, y, 0)
        finally:
            painter.restore()

    def _paint_grounds(self, placed: Sequence[_Placed]) -> None:
        start = 0
        while start < len(placed):
            ground = placed[start].band.ground
            end = start + 1
            while end < len(placed) and placed[end].band.ground is ground:
                end += 1
            if ground is not None:
                last = placed[end - 1]
                self._paint_ground(
                    ground, placed[start].y, last.y + last.band.height, is_end=last.band.closes
                )
            start = end

    def _paint_ground(self, ground: Ground, top: float, bottom: float, *, is_end: bool) -> None:
        """Rounded where the card begins and ends, straight where a page's end cuts it."""
        painter, palette = self._painter, self._type.theme.palette
        if not ground.is_card:
            painter.fillRect(QRectF(0, top, 2, bottom - top), color(palette.border_strong))
            return
        if ground.is_begun:
            top -= _BLEED
        if not is_end:
            bottom += _BLEED
        area = QRectF(0, top, self.width, bottom - top)
        beyond = area.adjusted(0, -Radius.CARD * ground.is_begun, 0, 0 if is_end else Radius.CARD)
        painter.save()
        try:
            painter.setClipRect(area)
            paint = Paint(painter, area, self._type, self._marks)
            paint.rounded(beyond, Radius.LARGE, palette.user_card)
        finally:
            painter.restore()
        ground.is_begun = True

    def _paint_footer(self, number: int) -> None:
        paint = Paint(self._painter, QRectF(), self._type, self._marks)
        style = self._type.small
        top = self.height + FOOTER - style.line_height
        text = str(number)
        width = style.metrics.horizontalAdvance(text)
        paint.text(style, self.width - width, top, text)
        paint.text(style, 0, top, elided(style, self._footer, self.width - width - Space.XL))


def _continues(before: _Placed, after: _Placed) -> bool:
    return after.band.box is before.band.box and after.band.top == before.band.bottom
