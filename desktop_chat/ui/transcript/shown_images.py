"""Images that the reader asked to see, for this run: which are on their way, which failed, which are shown.

Nothing here fetches. An address that nobody asked for has no entry, and stays a placeholder.
"""

from __future__ import annotations

import enum
import html
from collections import OrderedDict
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPainter, QPainterPath

from desktop_chat.domain.errors import ProtocolError
from desktop_chat.markup.blocks import InlineImage
from desktop_chat.ui.theme import Radius
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.text_run import TextRun

TALLEST: Final = 480
"""Pixels that a shown image takes at most; it is never wider than its column, and never enlarged."""

KEPT_BYTES: Final = 64 * 1024 * 1024
"""Of images as received and as shown together; beyond, those asked for longest ago become placeholders again."""

MOST_PIXELS: Final = 40_000_000
_KEPT_SIZE: Final = QSize(1520, 960)
"""Twice the room there is, for screens with two pixels to a point."""

_LISTED: Final = 12
_ROUNDED_FROM: Final = 48
"""Pixels; smaller ones are signs within a line."""


class Phase(enum.Enum):
    PLACEHOLDER = enum.auto()
    LOADING = enum.auto()
    FAILED = enum.auto()
    SHOWN = enum.auto()


class ShownImage(NamedTuple):
    """Attributes:
    reason: why it failed, in few words.
    picture: for the screen; there once it was shown, also while hidden again.
    data / kind: as received, for saving and copying.
    """

    phase: Phase = Phase.PLACEHOLDER
    reason: str = ""
    picture: QImage | None = None
    data: bytes = b""
    kind: str = ""

    @property
    def size(self) -> int:
        return len(self.data) + (self.picture.sizeInBytes() if self.picture is not None else 0)


_NOTHING: Final = ShownImage()


class ShownImages(QObject):
    """The images of one view by address; never written to disk.

    Signals:
        changed: the address of an image that looks different now.
    """

    changed = Signal(str)

    def __init__(self, parent: QObject | None = None, *, kept_bytes: int = KEPT_BYTES) -> None:
        super().__init__(parent)
        self._kept_bytes = kept_bytes
        self._images: OrderedDict[str, ShownImage] = OrderedDict()

    def image(self, address: str) -> ShownImage:
        return self._images.get(address, _NOTHING)

    def set_loading(self, address: str) -> None:
        self._set(address, ShownImage(Phase.LOADING))

    def set_failed(self, address: str, reason: str) -> None:
        self._set(address, ShownImage(Phase.FAILED, reason))

    def show(self, address: str, picture: QImage, data: bytes, kind: str) -> None:
        self._set(address, ShownImage(Phase.SHOWN, "", picture, data, kind))
        kept = sum(image.size for image in self._images.values())
        for oldest in [each for each, image in self._images.items() if image.data and each != address]:
            if kept <= self._kept_bytes:
                break
            kept -= self._images.pop(oldest).size
            self.changed.emit(oldest)

    def show_again(self, address: str) -> bool:
        """Show an image that was hidden, which takes no fetching; whether there is one."""
        known = self.image(address)
        if known.picture is None:
            return False
        self._set(address, known._replace(phase=Phase.SHOWN))
        return True

    def hide(self, address: str) -> None:
        """Show the placeholder; what was received is kept for another look."""
        known = self.image(address)
        if known.picture is not None:
            self._set(address, known._replace(phase=Phase.PLACEHOLDER))
        elif self._images.pop(address, None) is not None:
            self.changed.emit(address)

    def _set(self, address: str, image: ShownImage) -> None:
        self._images[address] = image
        self._images.move_to_end(address)
        self.changed.emit(address)


class ShownPicture:
    """An image within a line, on its baseline."""

    descent = 0.0

    def __init__(self, picture: QImage) -> None:
        self._picture = picture
        self._scaled: QImage | None = None
        self.width = self.ascent = 0.0
        self.fit(picture.width())

    def fit(self, width: float) -> float:
        """Take at most ``width``; returns the room taken."""
        picture = self._picture
        scale = min(1.0, width / picture.width(), TALLEST / picture.height())
        self.width = max(1.0, round(picture.width() * scale))
        self.ascent = max(1.0, round(picture.height() * scale))
        return self.width

    def paint(self, painter: QPainter, x: float, baseline: float, _room: float) -> None:
        area = QRectF(x, baseline - self.ascent, self.width, self.ascent)
        picture = self._picture
        device = painter.deviceTransform().mapRect(area).size().toSize()
        if device.width() < picture.width():
            if self._scaled is None or self._scaled.size() != device:
                mode = Qt.TransformationMode.SmoothTransformation
                self._scaled = picture.scaled(device, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
            picture = self._scaled
        painter.save()
        try:
            if min(self.width, self.ascent) >= _ROUNDED_FROM:
                outline = QPainterPath()
                outline.addRoundedRect(area, Radius.MEDIUM, Radius.MEDIUM)
                painter.setClipPath(outline, Qt.ClipOperation.IntersectClip)
            if picture.hasAlphaChannel():  # made for white pages more often than not
                painter.fillRect(area, Qt.GlobalColor.white)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(area, picture)
        finally:
            painter.restore()


def decoded(data: bytes, kind: str, *, whole: bool = False) -> QImage:
    """The picture in ``data``, reduced to what a screen shows unless the ``whole`` is wanted. For a thread.

    The format is taken from ``kind`` and never guessed, so that nothing but a raster decoder sees the data.

    Raises:
        ProtocolError: there is none, or it would take too much memory.
    """
    content = QByteArray(data)
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(kind.encode()))
    reader.setDecideFormatFromContent(False)
    reader.setAutoDetectImageFormat(False)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.width() * size.height() > MOST_PIXELS:
        raise ProtocolError(sentence=f"The image is too large: {size.width():,} × {size.height():,} pixels")
    room = _KEPT_SIZE.transposed() if _is_turned(reader) else _KEPT_SIZE
    if size.isValid() and not whole and (size.width() > room.width() or size.height() > room.height()):
        reader.setScaledSize(size.scaled(room, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull() or image.width() * image.height() > MOST_PIXELS:
        raise ProtocolError(reader.errorString(), sentence="The image is damaged")
    image.setDevicePixelRatio(1)
    return image


def _is_turned(reader: QImageReader) -> bool:
    return bool(reader.transformation().value & 4)  # QImageIOHandler.TransformationRotate90


# --- where images are ------------------------------------------------------------------------------------


def can_be_shown(address: str) -> bool:
    """Whether asking for it could lead to anything."""
    return address[:8].lower().startswith(("http://", "https://")) or address[:11].lower() == "data:image/"


def host_of(address: str) -> str:
    """Where an image would come from; "" for one that is within the answer."""
    try:
        return urlsplit(address).hostname or "" if "://" in address[:8] else ""
    except ValueError:
        return ""


def offer(address: str) -> str:
    """What asking for an image is called."""
    host = host_of(address)
    return f"Show image from {host}" if host else "Show image"


def hint(address: str) -> str:
    """The tooltip of a placeholder: what a press does, and the whole address."""
    plain = " (not encrypted)" if address[:5].lower() == "http:" else ""
    return f"<p>{html.escape(offer(address) + plain)}<br>{html.escape(address[:500])}</p>"


def image_at(run: object, x: float, y: float) -> InlineImage | None:
    """The image under a point of a run."""
    if not isinstance(run, TextRun) or not run.has_objects:
        return None
    for item in run.content.objects:
        if isinstance(item, InlineImage):
            first = run.units(item.position)
            if any(area.contains(x, y) for area in run.rects(first, first + 1)):
                return item
    return None


def images_of(layout: MessageLayout) -> list[InlineImage]:
    """The images of a message that are laid out, each address once."""
    found: dict[str, InlineImage] = {}
    for entry in layout.column.entries:
        for placed in entry.box.runs() if entry.box is not None else ():
            if isinstance(placed.run, TextRun):
                for item in placed.run.content.objects:
                    if isinstance(item, InlineImage):
                        found.setdefault(item.url, item)
        if len(found) >= _LISTED:
            break
    return list(found.values())
