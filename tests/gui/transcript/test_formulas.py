"""Formulas within a line: whole and within their column, however long they are."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop_chat.domain.messages import Message, Role
from desktop_chat.markup.math import MAX_LENGTH, MathImage
from desktop_chat.ui.theme import SCROLL_BAR, Space, theme_for
from desktop_chat.ui.transcript.formulas import InlineFormula, rows_of
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.pictures import close_math_renderer, math_renderer
from desktop_chat.ui.transcript.typography import Typography
from desktop_chat.ui.transcript.view import TranscriptView

NO_GROUND = "#00000000"
COLUMN = 400
SUM = " + ".join(f"a_{{{number}}}" for number in range(1, 40))
FRACTION = rf"\frac{{{SUM}}}{{2}}"
SHORT_FRACTION = (
    r"\frac{a_1 + a_2 + a_3 + a_4 + a_5 + a_6 + a_7 + a_8 + a_9 + a_{10} + a_{11} + a_{12} + a_{13}}{2}"
)
FRACTIONS = " + ".join(rf"\frac{{x_{{{n}}}^{{{n}}}}}{{{n}!}}" for n in range(1, 60))


@pytest.fixture(autouse=True)
def _no_worker_left() -> Iterator[None]:
    yield
    close_math_renderer()


def picture_of(tex: str) -> MathImage | None:
    return math_renderer().render(tex, 15.6).result(60)


def inked(formula: InlineFormula, room: float) -> QImage:
    """What a formula paints in a column of ``room`` pixels, with a margin of 20."""
    width = formula.fit(room)
    image = QImage(int(width) + 40, int(formula.ascent + formula.descent) + 40, QImage.Format.Format_Alpha8)
    image.fill(0)
    painter = QPainter(image)
    try:
        formula.paint(painter, 20, 20 + formula.ascent, room)
    finally:
        painter.end()
    return image


def ink(image: QImage) -> int:
    pixels, step = bytes(image.constBits()), image.bytesPerLine()
    return sum(sum(pixels[start : start + image.width()]) for start in range(0, len(pixels), step))


def margins(image: QImage) -> int:
    """The ink outside of the place that the formula takes, but for two pixels: sizes are rounded."""
    inside = QImage(image)
    painter = QPainter(inside)
    try:
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
        painter.fillRect(inside.rect().adjusted(18, 18, -18, -18), 0)
    finally:
        painter.end()
    return ink(inside)


@pytest.mark.parametrize("tex", [SUM, FRACTION, FRACTIONS, "x^2", "x" * 300])
def test_a_formula_stays_within_its_column_and_is_whole(tex: str) -> None:
    style = Typography(theme_for(dark=False)).code
    image = picture_of(tex)
    formula = InlineFormula(tex, image, style, NO_GROUND)
    is_source = tex not in {SUM, "x^2"}
    reference = InlineFormula(tex, None if is_source else image, style, NO_GROUND)
    whole = inked(reference, 100_000)
    narrow = inked(formula, COLUMN)
    assert formula.width <= COLUMN
    assert margins(narrow) == 0
    assert ink(narrow) == pytest.approx(ink(whole), rel=0.02)


def test_what_cannot_be_broken_is_made_smaller_while_it_can_be_read() -> None:
    style = Typography(theme_for(dark=False)).code
    image = picture_of(SHORT_FRACTION)
    assert image is not None
    formula = InlineFormula(SHORT_FRACTION, image, style, NO_GROUND)
    assert formula.fit(image.width / 1.5) == pytest.approx(image.width / 1.5)
    assert formula.ascent + formula.descent < 0.8 * image.height
    formula.fit(image.width / 1.7)
    assert formula.ascent + formula.descent > 2 * style.line_height  # its source


def test_rows_are_cut_in_the_last_gap_that_fits() -> None:
    gaps = [(40, 45), (90, 95), (140, 145), (190, 195)]
    assert rows_of(230, gaps, 100) == [(0, 90), (95, 190), (195, 230)]
    assert rows_of(80, gaps, 100) == [(0, 80)]
    assert rows_of(230, [(20, 25), (150, 155)], 100) == []
    assert rows_of(230, [], 100) == []


@pytest.mark.parametrize("text", [f"The sum ${SUM}$ ends.", f"wide: $${FRACTIONS}$$ and on."])
def test_nothing_of_a_formula_hangs_out_of_the_transcript(qtbot: QtBot, text: str) -> None:
    assert len(FRACTIONS) > MAX_LENGTH > len(SUM)
    view = TranscriptView(theme_for(dark=False, reduce_motion=True))
    qtbot.addWidget(view)
    view.resize(420, 700)
    view.show()
    fields = {"id": 1, "conversation_id": 1, "parent_id": None, "role": Role.ASSISTANT, "text": text}
    answer = msgspec.convert(fields, Message)
    view.model.reset([stub_of(answer)], [answer])
    picture = view.workshop.typography.body
    size = round(picture.font.pixelSize() * 1.04, 2)
    tex = text.split("$")[1] or text.split("$$")[1]
    math_renderer().render(tex, size, picture.color.name()).result(60)
    view._pictures_arrived()
    shown = view.viewport().grab().toImage()
    right = view.column_left + view.stack.width + 1
    page = shown.pixelColor(shown.width() - SCROLL_BAR - 1, shown.height() - 1)
    assert all(
        shown.pixelColor(x, y) == page for y in range(shown.height()) for x in range(right, shown.width())
    )
    layout = view.stack.known_layout(0)
    assert layout is not None
    box = layout.column.entries[1].box
    assert box is not None
    assert box.height > 4 * picture.line_height
    view.select_all()
    view.copy()
    assert tex in QGuiApplication.clipboard().text()


def test_the_bar_of_a_wide_formula_stands_clear_of_it(qtbot: QtBot) -> None:
    view = TranscriptView(theme_for(dark=False, reduce_motion=True))
    qtbot.addWidget(view)
    view.resize(420, 700)
    view.show()
    fields = {"id": 1, "conversation_id": 1, "parent_id": None, "role": Role.ASSISTANT, "text": f"$${SUM}$$"}
    answer = msgspec.convert(fields, Message)
    view.model.reset([stub_of(answer)], [answer])
    style = view.workshop.typography.body
    size = round(style.font.pixelSize() * 1.12, 2)
    image = math_renderer().render(SUM, size, style.color.name(), display=True).result(60)
    assert image is not None
    view._pictures_arrived()
    layout = view.stack.known_layout(0)
    assert layout is not None
    box = layout.column.entries[1].box
    assert box is not None
    area, sideways = next((item.rect, item.sideways) for item in box.scrollables())
    assert sideways.is_needed
    bar = sideways.bar(area)
    assert bar.bottom() <= box.height
    assert bar.top() >= Space.XS + image.height + Space.S - 1
