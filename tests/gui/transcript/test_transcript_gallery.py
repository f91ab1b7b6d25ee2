"""Twelve answers in both themes and three widths look as the references do.

After a deliberate change of looks, ``UPDATE_GALLERY=1 pytest <this file>`` writes the references anew: look at them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QFontDatabase, QImage
from pytestqt.qtbot import QtBot

from desktop_chat import resources
from desktop_chat.ui.fonts import MONO, SANS, load_fonts
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.picture import render_markdown_image
from desktop_chat.ui.transcript.pictures import close_math_renderer

GALLERY = Path(__file__).parent / "gallery"
OWN = ("diff", "languages", "nesting", "wide_table")
SHIPPED = ("code", "markdown", "math", "python", "stopping", "streaming", "tables", "tour")
WIDTHS = (420, 760, 1100)

LARGEST_SHARE = 0.01
"""Of the pixels that may differ visibly: rasterisers place the edge of a glyph a little differently."""


@pytest.fixture(autouse=True)
def formulas() -> Iterator[None]:
    yield
    close_math_renderer()


def differing_share(one: QImage, other: QImage) -> float:
    """The share of pixels that a reader could tell apart; 1.0 for different sizes."""
    if one.size() != other.size():
        return 1.0
    grey = QImage.Format.Format_Grayscale8
    first, second = one.convertToFormat(grey), other.convertToFormat(grey)
    mine, theirs = bytes(first.constBits()), bytes(second.constBits())
    return sum(abs(a - b) > 48 for a, b in zip(mine, theirs, strict=True)) / max(1, len(mine))


@pytest.mark.parametrize("name", OWN + SHIPPED)
def test_looks_as_the_reference(name: str, qtbot: QtBot) -> None:
    load_fonts()
    if not {SANS, MONO} <= set(QFontDatabase.families()):
        pytest.skip("the shipped typefaces are not installed")
    text = (
        (GALLERY / "samples" / f"{name}.md").read_text("utf-8")
        if name in OWN
        else resources.read_text(f"demo/{name}.md")
    )
    for dark in (False, True):
        for width in WIDTHS:
            image = render_markdown_image(text, width=width, theme=theme_for(dark=dark))
            path = GALLERY / "references" / f"{name}-{width}-{'dark' if dark else 'light'}.png"
            if os.environ.get("UPDATE_GALLERY"):
                image.convertToFormat(QImage.Format.Format_Grayscale8).save(str(path), b"PNG", 0)
            reference = QImage(str(path))
            assert not reference.isNull(), f"no reference {path.name}"
            assert differing_share(image, reference) <= LARGEST_SHARE, path.name
