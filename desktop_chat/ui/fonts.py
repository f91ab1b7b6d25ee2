"""The program's typefaces, shipped in ``resources/fonts``; the system's own where they are missing."""

from __future__ import annotations

import logging
from functools import cache
from typing import Final

from PySide6.QtGui import QFont, QFontDatabase

from desktop_chat import resources

logger = logging.getLogger(__name__)

SANS: Final = "Inter"
MONO: Final = "JetBrains Mono"
_INTERFACE: Final = ("Inter-Regular.otf", "Inter-SemiBold.otf")
_FILES: Final = (
    *_INTERFACE,
    "Inter-Italic.otf",
    "Inter-Bold.otf",
    "Inter-BoldItalic.otf",
    "JetBrainsMono-Regular.ttf",
    "JetBrainsMono-Bold.ttf",
    "JetBrainsMono-Italic.ttf",
)


def load_interface_fonts() -> None:
    """Register what the window's first picture is written in; the others can wait until `load_fonts`."""
    for name in _INTERFACE:
        _load(name)


def load_fonts() -> None:
    """Register all shipped typefaces, each once; needs a QGuiApplication. About 10 ms the first time."""
    for name in _FILES:
        _load(name)


@cache
def _load(name: str) -> None:
    try:
        data = resources.read_bytes(f"fonts/{name}")
    except FileNotFoundError:
        logger.info("typeface %s is not installed, the system's is used", name)
        return
    if QFontDatabase.addApplicationFontFromData(data) < 0:
        logger.info("typeface %s cannot be read, the system's is used", name)


def sans(size: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The typeface of everything but code; ``size`` in device-independent pixels."""
    general = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    return _font([SANS, general.family()], size, weight)


def mono(size: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The typeface of code."""
    fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font = _font([MONO, fixed.family()], size, weight)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    return font


def tabular(size: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Digits of one width, so that a changing number does not move what stands beside it."""
    font = sans(size, weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _font(families: list[str], size: int, weight: QFont.Weight) -> QFont:
    font = QFont()
    font.setFamilies(families)
    font.setPixelSize(size)
    font.setWeight(weight)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    return font
