"""Formulas, images and their placeholders; nothing is fetched here. A formula shows its source until its picture is
ready, an image is shown once the reader asked for it (see `shown_images`)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache

from PySide6.QtCore import QCoreApplication, QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter
from shiboken6 import isValid

from desktop_chat.markup.blocks import InlineImage, InlineMath
from desktop_chat.markup.math import MathImage, MathRenderer
from desktop_chat.ui.transcript.formulas import Formula, InlineFormula
from desktop_chat.ui.transcript.inline import HiddenCharacter, InlinePicture
from desktop_chat.ui.transcript.shown_images import Phase, ShownImage, ShownImages, ShownPicture, host_of
from desktop_chat.ui.transcript.typography import TextStyle, Typography, color, elided

logger = logging.getLogger(__name__)


class Chip:
    """A short text on a rounded ground: an image's name and host, or a hidden character's name.

    Where room is short, ``text`` is cut and ``end`` stays.
    """

    def __init__(self, text: str, style: TextStyle, ground: str, end: str = "") -> None:
        self._text, self._end, self._style, self._ground = text, end, style, color(ground)
        self.width = style.metrics.horizontalAdvance(text + end) + 12
        self.ascent = style.metrics.ascent() + 2
        self.descent = style.metrics.descent() + 2

    def fit(self, width: float) -> float:
        return min(self.width, width)

    def paint(self, painter: QPainter, x: float, baseline: float, room: float) -> None:
        width, shown = min(self.width, room), self._text + self._end
        if width < self.width:
            end = self._style.metrics.horizontalAdvance(self._end)
            shown = elided(self._style, self._text, max(0.0, width - 12 - end)) + self._end
            shown = elided(self._style, shown, width - 12)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground)
        height = self.ascent + self.descent
        painter.drawRoundedRect(QRectF(x + 1, baseline - self.ascent, width - 2, height), 4, 4)
        painter.setFont(self._style.font)
        painter.setPen(self._style.color)
        painter.drawText(QPointF(x + 6, baseline), shown)


@cache
def math_renderer() -> MathRenderer:
    """The program's one formula worker; it starts with the first formula."""
    renderer = MathRenderer()
    application = QCoreApplication.instance()
    if application is not None:
        application.aboutToQuit.connect(close_math_renderer)
    return renderer


def close_math_renderer() -> None:
    """End the formula worker, if there is one; the next formula starts another."""
    if math_renderer.cache_info().currsize:
        math_renderer().close()
        math_renderer.cache_clear()


class Pictures(QObject):
    """Makes what stands in a line for an inline object.

    Signals:
        rendered: a formula's picture is ready (emitted in the worker's thread).
    """

    rendered = Signal()

    def __init__(
        self,
        typography: Typography,
        arrived: Callable[[], None],
        parent: QObject,
        images: ShownImages | None = None,
    ) -> None:
        super().__init__(parent)
        self._images = images
        self._typography = typography
        self._asked: set[tuple[str, float, str, bool]] = set()
        self.waiting: list[Future[MathImage | None]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(30)
        self._timer.timeout.connect(arrived)
        self.rendered.connect(self._timer.start)

    def make(self, item: InlineMath | InlineImage | HiddenCharacter, style: TextStyle) -> InlinePicture:
        type_ = self._typography
        ground = type_.theme.palette.inline_code
        if isinstance(item, InlineMath):
            image = self._formula_image(item.tex, style, display=False)
            return InlineFormula(item.tex, image, type_.code, ground)
        if isinstance(item, HiddenCharacter):
            return Chip(item.name, type_.small, type_.theme.palette.pressed)
        return self._image(item)

    def _image(self, item: InlineImage) -> InlinePicture:
        type_ = self._typography
        known = self._images.image(item.url) if self._images is not None else ShownImage()
        if known.phase is Phase.SHOWN and known.picture is not None:
            return ShownPicture(known.picture)
        host = host_of(item.url)
        place = f"image from {host}" if host else "image"
        if known.phase is Phase.LOADING:
            place = f"loading {place}…"
        elif known.phase is Phase.FAILED:
            place = f"{known.reason}. Try again: {place}"
        return Chip(item.alt[:60] or "Image", type_.label, type_.theme.palette.inline_code, f" · {place}")

    def formula(self, tex: str, style: TextStyle) -> Formula | None:
        """The picture of a display formula if it is ready; else it is asked for, and told of when it is."""
        image = self._formula_image(tex, style, display=True)
        return None if image is None else Formula(image)

    def _formula_image(self, tex: str, style: TextStyle, *, display: bool) -> MathImage | None:
        size = round(style.font.pixelSize() * (1.12 if display else 1.04), 2)
        key = (tex, size, style.color.name(), display)
        image = math_renderer().cached(tex, size, key[2], display=display)
        if image is None and key not in self._asked:
            self._asked.add(key)
            future = math_renderer().render(tex, size, key[2], display=display)
            self.waiting.append(future)
            future.add_done_callback(self._done)
        return image

    def _done(self, future: Future[MathImage | None]) -> None:
        if future.cancelled():
            return
        if (error := future.exception()) is not None:
            logger.error("a formula's picture failed", exc_info=error)
        elif future.result() is not None and isValid(self):  # the view may be gone by now
            self.rendered.emit()
