"""Sample answers look as they did when somebody last looked at them.

Each file of ``tests/gallery`` is painted by the transcript's own renderer, light and dark, in three widths, and
compared with the picture in ``tests/gallery/reference``. After a wanted change of the look, renew the pictures,
look at every one that git calls changed, and commit them::

    RENEW_GALLERY=1 python -m pytest tests/gui/test_gallery.py

What differs is written as ``<name>.actual.png`` and ``<name>.difference.png`` into a folder that the failure names.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import pytest
from PySide6.QtCore import qVersion
from PySide6.QtGui import QFont, QImage, QPainter, QTextLayout, qRgb
from PySide6.QtWidgets import QApplication

from desktop_chat.ui.fonts import load_fonts, mono, sans
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.picture import render_markdown_image
from desktop_chat.ui.transcript.pictures import close_math_renderer, math_renderer

GALLERY: Final = Path(__file__).resolve().parent.parent / "gallery"
REFERENCE: Final = GALLERY / "reference"
MADE_WITH: Final = REFERENCE / "made-with.json"
SAMPLES: Final = sorted(path.stem for path in GALLERY.glob("*.md"))
WIDTHS: Final = (420, 760, 1100)
RENEW: Final = os.environ.get("RENEW_GALLERY") == "1"

CHANNEL_TOLERANCE: Final = 24
"""Of 255: what a palette of 256 colours and another processor's rounding may change in a pixel."""
PICTURE_TOLERANCE: Final = 0.015
"""Share of a picture's pixels that may differ by more than that."""
BAND_TOLERANCE: Final = 0.06
"""Share in the worst band of the picture, so that one wrong line does not hide in a long answer."""
BAND: Final = 48
"""Pixels; about two lines of text."""
HEIGHT_TOLERANCE: Final = 2
"""Pixels, once for the whole picture."""
REFERENCES_LIMIT: Final = 3_000_000
"""Bytes of all references together: they are cloned by everyone."""

_SURFACE: Final = QImage.Format.Format_RGB32
_EXCEEDS: Final = bytes(value > CHANNEL_TOLERANCE for value in range(256))


@pytest.fixture(scope="module", autouse=True)
def _formula_worker(_application: QApplication) -> Iterator[None]:
    """One for all pictures: it is the program's, and starting it takes longer than a picture."""
    math_renderer().render("x", 10.0)
    yield
    close_math_renderer()


class MadeWith(msgspec.Struct, frozen=True):
    """What rasterises the references; pictures of another Qt, platform or fallback typeface are not comparable.

    ``families`` has the typefaces that Qt takes for each sample, among them those of the system for scripts that
    the shipped ones do not have.
    """

    qt: str
    platform: str
    families: dict[str, list[str]]


def _source(sample: str) -> str:
    return (GALLERY / f"{sample}.md").read_text("utf-8")


def _families(text: str) -> list[str]:
    """The typefaces in which Qt sets ``text``, as prose and as code."""
    found: set[str] = set()
    for font in (sans(15), sans(15, QFont.Weight.Bold), mono(13)):
        layout = QTextLayout(text.replace("\n", " "), font)
        layout.beginLayout()
        layout.createLine()
        layout.endLayout()
        found.update(run.rawFont().familyName() for run in layout.glyphRuns())
    return sorted(found)


def _made_here() -> MadeWith:
    load_fonts()
    return MadeWith(
        qVersion(),
        f"{sys.platform}/{QApplication.platformName()}",
        {sample: _families(_source(sample)) for sample in SAMPLES},
    )


@cache
def _made_with() -> MadeWith:
    return msgspec.json.decode(MADE_WITH.read_bytes(), type=MadeWith)


def _require_the_same_rasteriser(sample: str) -> None:
    load_fonts()
    made = _made_with()
    here = f"{sys.platform}/{QApplication.platformName()}"
    if (qVersion(), here) != (made.qt, made.platform):
        pytest.skip(
            f"the references were made with Qt {made.qt} on {made.platform}, this is Qt {qVersion()} on {here}"
        )
    families = _families(_source(sample))
    if families != made.families.get(sample):
        pytest.skip(f"the references were made with {made.families.get(sample)}, Qt takes {families} here")


def _channel(image: QImage, number: int, first_row: int = 0, rows: int | None = None) -> bytes:
    """One byte of each pixel: 0 is blue, 1 green, 2 red."""
    stride = image.bytesPerLine()
    last = image.height() if rows is None else min(image.height(), first_row + rows)
    return bytes(image.constBits()[first_row * stride : last * stride : 1])[number::4]


def _difference(actual: QImage, reference: QImage) -> QImage:
    result = actual.convertToFormat(_SURFACE).copy(reference.rect() & actual.rect())
    painter = QPainter(result)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Difference)
    painter.drawImage(0, 0, reference.convertToFormat(_SURFACE))
    painter.end()
    return result


def _share_of_wrong_pixels(difference: QImage, first_row: int = 0, rows: int | None = None) -> float:
    """Of the worst of the three colours."""
    shares = []
    for number in range(3):
        values = _channel(difference, number, first_row, rows)
        shares.append(values.translate(_EXCEEDS).count(1) / len(values))
    return max(shares)


def _wrong(actual: QImage, reference: QImage) -> str | None:
    """What is wrong with ``actual``, or None."""
    if actual.width() != reference.width() or abs(actual.height() - reference.height()) > HEIGHT_TOLERANCE:
        return (
            f"is {actual.width()} x {actual.height()} pixels, not {reference.width()} x {reference.height()}"
        )
    difference = _difference(actual, reference)
    share = _share_of_wrong_pixels(difference)
    if share > PICTURE_TOLERANCE:
        return f"differs in {share:.2%} of its pixels (at most {PICTURE_TOLERANCE:.2%})"
    for top in range(0, difference.height(), BAND):
        share = _share_of_wrong_pixels(difference, top, BAND)
        if share > BAND_TOLERANCE:
            return f"differs in {share:.2%} of the rows {top} to {top + BAND} (at most {BAND_TOLERANCE:.2%})"
    return None


def _with_palette(image: QImage) -> QImage:
    """The picture in the 256 colours that occur most, which is about a third of the bytes."""
    pixels = memoryview(image.convertToFormat(_SURFACE).constBits()).cast("I")
    colours = Counter(pixels)
    coarse: dict[int, int] = {}
    for colour, _ in colours.most_common():
        coarse.setdefault(colour & 0xF8F8F8, colour)  # of similar colours the most frequent
    table = [
        qRgb(colour >> 16 & 255, colour >> 8 & 255, colour & 255) for colour in list(coarse.values())[:256]
    ]
    return image.convertToFormat(QImage.Format.Format_Indexed8, table)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_answer_looks_as_it_did(
    sample: str, look: str, width: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = f"{sample}-{look}-{width}"
    path = REFERENCE / f"{name}.png"
    if not RENEW:
        _require_the_same_rasteriser(sample)
    actual = render_markdown_image(_source(sample), width=width, theme=theme_for(dark=look == "dark"))
    if RENEW:
        REFERENCE.mkdir(exist_ok=True)
        assert _with_palette(actual).save(str(path), quality=0), f"{path} cannot be written"
        MADE_WITH.write_bytes(msgspec.json.format(msgspec.json.encode(_made_here()), indent=1))
        assert _wrong(actual, QImage(str(path))) is None, "the palette is too small for this picture"
        return
    assert path.is_file(), f"{path.name} is missing: renew the gallery (see the top of this file)"
    reference = QImage(str(path))
    wrong = _wrong(actual, reference)
    if wrong is not None:
        folder = tmp_path_factory.getbasetemp() / "gallery"
        folder.mkdir(exist_ok=True)
        actual.save(str(folder / f"{name}.actual.png"))
        _difference(actual, reference).save(str(folder / f"{name}.difference.png"))
        pytest.fail(f"{name} {wrong}; the pictures are in {folder}", pytrace=False)


def test_the_references_are_the_samples_and_stay_small() -> None:
    expected = {
        f"{sample}-{look}-{width}.png" for sample in SAMPLES for look in ("light", "dark") for width in WIDTHS
    }
    pictures = list(REFERENCE.glob("*.png"))
    assert {path.name for path in pictures} == expected
    assert len(SAMPLES) == 13
    assert sum(path.stat().st_size for path in pictures) < REFERENCES_LIMIT


def test_the_comparison_sees_what_a_person_would(qapp: QApplication) -> None:
    """A line moved by two pixels, another colour of a card, and a missing line are each seen."""
    load_fonts()
    text = "## Heading\n\nA line of text in a paragraph that is there.\n\n```python\nx = 1\n```\n"
    light = theme_for(dark=False)
    picture = render_markdown_image(text, width=420, theme=light)
    assert _wrong(picture, picture) is None
    assert _wrong(picture, _with_palette(picture)) is None
    moved = QImage(picture.size(), picture.format())
    moved.fill(picture.pixelColor(0, 0))
    painter = QPainter(moved)
    painter.drawImage(0, 2, picture)
    painter.end()
    assert _wrong(moved, picture) is not None
    assert _wrong(render_markdown_image(text, width=420, theme=theme_for(dark=True)), picture) is not None
    assert (
        _wrong(render_markdown_image(text.replace("A line", "A"), width=420, theme=light), picture)
        is not None
    )
