"""A whole conversation on pages, through the transcript's own layout, in slices that leave the window alive."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Container, Iterable, Iterator
from time import perf_counter
from typing import Final, NamedTuple

from PySide6.QtCore import QBuffer, QIODevice, QLocale, QMarginsF, QObject, QRectF
from PySide6.QtGui import QPagedPaintDevice, QPageLayout, QPageSize, QPainter, QPdfWriter

from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import StorageError
from desktop_chat.domain.messages import Message, Role
from desktop_chat.markup.blocks import Heading, InlineText, Paragraph
from desktop_chat.ui.theme import Space, theme_for
from desktop_chat.ui.transcript.boxes import Box, Paint, PlacedRun
from desktop_chat.ui.transcript.code_colors import CodeColors
from desktop_chat.ui.transcript.column import Spec
from desktop_chat.ui.transcript.message_content import Section, Workshop
from desktop_chat.ui.transcript.pages import BOTTOM_MM, MARGIN_MM, TOP_MM, Band, Ground, Pages, bands
from desktop_chat.ui.transcript.paper import PaperMessage, day, printable
from desktop_chat.ui.transcript.pictures import Pictures
from desktop_chat.ui.transcript.shown_images import ShownImages
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import Typography, color

PRINT_THEME: Final = theme_for(dark=False, reduce_motion=True)
_SLICE_S: Final = 0.003
"""After so long the event loop gets its turn; the last step of a slice may take as long again."""
_REST_S: Final = 0.001
_FORMULA_LIMIT_S: Final = 20.0
_RESOLUTION: Final = 1200
_MESSAGE_GAP: Final = 28
_CARD_INSET: Final = Space.L
_VALUES: Final = re.compile(rb"\[[^\]]*\]|<[0-9A-F]+> <0009>\s")


class Sheet(NamedTuple):
    """What is printed, besides the messages.

    Attributes:
        open_reasoning: ids of the messages whose reasoning the reader has open.
        on_page: told the number of each page when it is finished.
        first / last: the pages wanted, from 1.
        images: those that are shown are printed; no other is.
    """

    title: str
    subtitle: str
    open_reasoning: Container[int]
    on_page: Callable[[int], None]
    first: int = 1
    last: int = 1 << 30
    images: ShownImages | None = None


def subtitle_of(conversation: Conversation, count: int) -> str:
    """When, with which model, and how much."""
    first, last = day(conversation.created_at), day(conversation.updated_at)
    when = "" if conversation.created_at <= 0 else first if first == last else f"{first} – {last}"
    number = f"{count:,} messages" if count != 1 else "1 message"
    return "  ·  ".join(part for part in (when, conversation.model, number) if part)


def page_layout() -> QPageLayout:
    """Letter where inches are used, A4 elsewhere; margins for lines that read well."""
    imperial = QLocale.system().measurementSystem() is QLocale.MeasurementSystem.ImperialUSSystem
    size = QPageSize(QPageSize.PageSizeId.Letter if imperial else QPageSize.PageSizeId.A4)
    margins = QMarginsF(MARGIN_MM, TOP_MM, MARGIN_MM, BOTTOM_MM)
    return QPageLayout(size, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter)


async def written_pdf(
    sheet: Sheet, messages: AsyncIterator[Message], layout: QPageLayout | None = None
) -> bytes:
    """The conversation as a PDF document. Cancelling leaves nothing behind."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setTitle(sheet.title)
    writer.setCreator("Desktop Chat")
    writer.setResolution(_RESOLUTION)
    writer.setPageLayout(layout or page_layout())
    await paint_pages(writer, sheet, messages)
    return with_spaces(bytes(buffer.data().data()))


def with_spaces(document: bytes) -> bytes:
    """``document`` with spaces where its text would be found and copied with tabs.

    WORKAROUND for QFontSubset, which names a glyph after the first of its characters; typefaces have one glyph for
    the tab and the space. Its tables are not compressed, and keep their length.
    """
    pieces, end = [], 0
    while (start := document.find(b"begincmap", end)) >= 0:
        pieces.append(document[end:start])
        end = document.find(b"endcmap", start)
        pieces.append(_VALUES.sub(lambda found: found[0].replace(b"<0009>", b"<0020>"), document[start:end]))
    return b"".join((*pieces, document[end:]))


async def paint_pages(
    device: QPagedPaintDevice,
    sheet: Sheet,
    messages: AsyncIterator[Message],
    *,
    abort: Callable[[], object] = lambda: None,
) -> None:
    """Paint the conversation on ``device``; ``abort`` is called before the pages end too early.

    Raises:
        StorageError: the device takes no pages.
    """
    painter = QPainter()
    if not painter.begin(device):
        raise StorageError(
            sentence="The printer takes no pages.", advice="Check it, or export a PDF instead."
        )
    type_, owner = Typography(PRINT_THEME), QObject()
    pictures = Pictures(type_, lambda: None, owner, sheet.images)
    workshop = Workshop(type_, pictures.make, CodeColors(type_), pictures.formula, lambda _: False)
    try:
        pages = Pages(device, painter, type_, sheet.title, first=sheet.first, last=sheet.last)
        await _Typesetter(pages, sheet, workshop, pictures).run(messages)
    except BaseException:
        abort()
        raise
    finally:
        painter.end()


class TitleBox(Box):
    """The document's heading, on page one."""

    run_count = 1

    def __init__(self, sheet: Sheet, workshop: Workshop) -> None:
        self._quiet = workshop.typography.faint
        self._subtitle = sheet.subtitle
        self._title = TextRun(InlineText(sheet.title), workshop.typography.headings[0], workshop.pictures)

    def lay_out(self, width: int) -> int:
        self.width = width
        self.height = self._title.lay_out(width) + Space.S + self._quiet.line_height + Space.L + 1
        return self.height

    def solids(self) -> Iterator[tuple[float, float]]:
        yield 0.0, float(self.height)

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        self._title.paint(paint.painter, x, y, paint.clip, color(paint.palette.inline_code))
        paint.text(self._quiet, x, y + self._title.height + Space.S, self._subtitle)
        paint.painter.fillRect(QRectF(x, y + self.height - 1, self.width, 1), color(paint.palette.border))

    def runs(self) -> Iterator[PlacedRun]:
        yield PlacedRun(self._title, 0, 0)


class _Typesetter:
    """Turns messages into bands, and lets the event loop have its turn."""

    def __init__(self, pages: Pages, sheet: Sheet, workshop: Workshop, pictures: Pictures) -> None:
        self._pages, self._sheet, self._workshop, self._pictures = pages, sheet, workshop, pictures
        self._slice_began = perf_counter()

    async def run(self, messages: AsyncIterator[Message]) -> None:
        title = TitleBox(self._sheet, self._workshop)
        title.lay_out(self._pages.width)
        await self._add_all(bands(title, 0, 0, keeps=True))
        gap = float(Space.XL)
        async for message in messages:
            await self._add_message(message, gap)
            gap = _MESSAGE_GAP
            if self._pages.is_past:
                return
        for _ in self._pages.end():
            await self._breathe()

    async def _breathe(self) -> None:
        if perf_counter() - self._slice_began > _SLICE_S:
            await asyncio.sleep(_REST_S)
            self._slice_began = perf_counter()

    async def _add_message(self, message: Message, gap: float) -> None:
        paper = PaperMessage(message, self._workshop, with_reasoning=message.id in self._sheet.open_reasoning)
        while paper.parse_some():
            await self._breathe()
        card = Ground(is_card=True) if message.role is Role.USER else None
        bar = Ground(is_card=False)
        specs = [part for spec in paper.specs() for part in printable(spec, self._pages.width)]
        last_of_body = max(
            (i for i, spec in enumerate(specs) if spec.part.section == Section.BODY), default=-1
        )
        first_of_body = next((i for i, spec in enumerate(specs) if spec.part.section == Section.BODY), -1)
        for index, spec in enumerate(specs):
            above = gap if not index else float(spec.gap)
            ground, inset = None, 0
            if card is not None and spec.part.section == Section.BODY:
                ground, inset = card, _CARD_INSET
                if index == first_of_body:
                    await self._add_all([Band(None, 0, 0, Space.M, gap=above, keeps=True, ground=card)])
                    above = 0.0
            elif spec.part.section == Section.REASONING:
                ground = bar
            box = await self._laid_out(paper, spec, self._pages.width - spec.indent - 2 * inset)
            closes = ground is not None and ground is card and index == last_of_body
            keeps = closes or _keeps(spec)
            await self._add_all(bands(box, spec.indent + inset, above, keeps=keeps, ground=ground))
            if closes:
                await self._add_all([Band(None, 0, 0, Space.M, ground=card, closes=True)])

    async def _laid_out(self, paper: PaperMessage, spec: Spec, width: int) -> Box:
        """The box of ``spec`` with all its formulas."""
        box = await self._grown(paper, spec, width)
        if waiting := [future for future in self._pictures.waiting if not future.done()]:
            ended, _ = await asyncio.wait(map(asyncio.wrap_future, waiting), timeout=_FORMULA_LIMIT_S)
            for each in ended:
                each.exception()  # logged where the formula was asked for; its source is printed
            self._slice_began = perf_counter()
        if self._pictures.waiting:
            self._pictures.waiting.clear()
            box = await self._grown(paper, spec, width)
        return box

    async def _grown(self, paper: PaperMessage, spec: Spec, width: int) -> Box:
        found: list[Box] = []
        for box in paper.boxes(spec, width):
            found = [box]
            await self._breathe()
        return found[0]

    async def _add_all(self, found: Iterable[Band]) -> None:
        for band in found:
            number = self._pages.number
            for _ in self._pages.add(band):
                await self._breathe()
            if self._pages.number != number:
                self._sheet.on_page(self._pages.number)
            await self._breathe()


def _keeps(spec: Spec) -> bool:
    """Whether this must not be the last thing on a page."""
    if spec.part.section in {Section.HEADER, Section.REASONING_HEAD}:
        return True
    source = spec.source
    if isinstance(source, Heading):
        return True
    return isinstance(source, Paragraph) and source.content.text.endswith(":")
