"""The icon containers are what Windows and macOS read."""

from __future__ import annotations

import struct
from pathlib import Path

import platform_icons
import pytest
from PySide6.QtGui import QImage, QImageReader
from PySide6.QtWidgets import QApplication

SVG = Path(__file__).parents[3] / "resources" / "icons" / "desktop-chat.svg"


@pytest.fixture
def icons(qapp: QApplication, tmp_path: Path) -> Path:
    platform_icons.write_icons(SVG, tmp_path)
    return tmp_path


def test_windows_icon_has_every_size(icons: Path) -> None:
    reader = QImageReader(str(icons / "desktop-chat.ico"))
    sizes = set()
    for index in range(reader.imageCount()):
        reader.jumpToImage(index)
        sizes.add(reader.read().width())
    assert sizes == set(platform_icons.ICO_SIZES)


def test_macos_icon_has_every_type_with_its_size(icons: Path) -> None:
    content = (icons / "desktop-chat.icns").read_bytes()
    magic, length = struct.unpack_from(">4sI", content)
    assert (magic, length) == (b"icns", len(content))
    found = {}
    position = 8
    while position < length:
        kind, size = struct.unpack_from(">4sI", content, position)
        found[kind] = QImage.fromData(content[position + 8 : position + size]).width()
        position += size
    assert found == platform_icons.ICNS_TYPES


def test_readable_at_16_pixels(qapp: QApplication) -> None:
    picture = QImage.fromData(platform_icons.rendered(SVG, 16))
    ground, bubble, line, cursor = (picture.pixelColor(*at) for at in ((8, 1), (8, 4), (8, 5), (9, 8)))
    assert bubble.lightness() > 230
    assert ground.lightness() < 200
    assert line.lightness() < 120
    assert cursor.hue() in range(20, 50)  # the one warm spot
    assert picture.pixelColor(0, 0).alpha() < 60  # round corners on any background
