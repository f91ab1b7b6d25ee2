"""The application icon in the containers that Windows and macOS want, made from the one SVG at build time."""

from __future__ import annotations

import struct
from pathlib import Path

ICO_SIZES = (16, 20, 24, 32, 40, 48, 64, 256)
ICNS_TYPES = {
    b"icp4": 16,
    b"icp5": 32,
    b"ic07": 128,
    b"ic08": 256,
    b"ic09": 512,
    b"ic10": 1024,
    b"ic11": 32,
    b"ic12": 64,
    b"ic13": 256,
    b"ic14": 512,
}
"""Apple's type codes for PNG entries, with their sizes in pixels (ic11 to ic14 are for screens of double density)."""


def rendered(svg: Path, size: int) -> bytes:
    """The picture as a PNG of ``size`` by ``size`` pixels. Needs a QGuiApplication."""
    from PySide6.QtCore import QBuffer, QByteArray
    from PySide6.QtGui import QImage, QImageWriter, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(svg)).render(painter)
    painter.end()
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(content.data())


def ico(pictures: dict[int, bytes]) -> bytes:
    """A Windows icon from PNGs by size (at most 256 pixels)."""
    offset = 6 + 16 * len(pictures)
    directory = struct.pack("<HHH", 0, 1, len(pictures))
    for size, picture in sorted(pictures.items()):
        side = size % 256  # 256 is written as 0
        directory += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(picture), offset)
        offset += len(picture)
    return directory + b"".join(picture for _, picture in sorted(pictures.items()))


def icns(pictures: dict[int, bytes]) -> bytes:
    """A macOS icon from PNGs by size."""
    entries = b"".join(
        kind + struct.pack(">I", 8 + len(pictures[size])) + pictures[size]
        for kind, size in ICNS_TYPES.items()
    )
    return b"icns" + struct.pack(">I", 8 + len(entries)) + entries


def write_icons(svg: Path, folder: Path) -> None:
    """Write ``desktop-chat.ico`` and ``desktop-chat.icns`` to ``folder``. Needs a QGuiApplication."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {size: rendered(svg, size) for size in {*ICO_SIZES, *ICNS_TYPES.values()}}
    (folder / f"{svg.stem}.ico").write_bytes(ico({size: pictures[size] for size in ICO_SIZES}))
    (folder / f"{svg.stem}.icns").write_bytes(icns(pictures))
