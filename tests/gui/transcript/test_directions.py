"""Text that runs from right to left: its blocks begin at the right, and what is read and selected keeps its order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_chat.domain.messages import Message, Role
from desktop_chat.markup import parse
from desktop_chat.markup.blocks import Block, InlineText, Span, Style
from desktop_chat.markup.incremental import IncrementalParser
from desktop_chat.ui.fonts import load_fonts
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.block_boxes import make_box
from desktop_chat.ui.transcript.boxes import BlockState, Box, BoxContext
from desktop_chat.ui.transcript.code_colors import CodeColors
from desktop_chat.ui.transcript.direction import is_right_to_left, runs_right_to_left
from desktop_chat.ui.transcript.list_box import BULLET_INDENT
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.picture import render_markdown_image
from desktop_chat.ui.transcript.pictures import Pictures
from desktop_chat.ui.transcript.pieces import pieces
from desktop_chat.ui.transcript.places import Place, Selection
from desktop_chat.ui.transcript.sideways import Sideways
from desktop_chat.ui.transcript.table_box import TableBox
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import Typography
from desktop_chat.ui.transcript.view import TranscriptView

WIDTH = 400
HEBREW_LIST = "- פריט ראשון\n- Second item\n- 2026\n"


@pytest.fixture
def context(qapp: QApplication) -> Iterator[BoxContext]:
    load_fonts()
    type_ = Typography(theme_for(dark=False))
    pictures = Pictures(type_, lambda: None, qapp)
    yield BoxContext(type_, pictures.make, CodeColors(type_), type_.body, pictures.formula, make_box)
    pictures.deleteLater()


def block_of(text: str) -> Block:
    return parse(text)[0].block


def box_of(text: str, context: BoxContext) -> Box:
    box = make_box(block_of(text), context)
    box.lay_out(WIDTH)
    return box


def area(box: Box, number: int) -> QRectF:
    """Of all the text of a run, within the box."""
    placed = box.run(number)
    found = QRectF()
    for rect in placed.run.rects(0, placed.run.length):
        found = found.united(rect.translated(placed.x, placed.y))
    return found


def inked_columns(text: str, width: int = 500) -> list[int]:
    image = render_markdown_image(text, width=width, theme=theme_for(dark=False))
    page = image.pixel(0, 0)
    rows = range(image.height())
    return [x for x in range(image.width()) if any(image.pixel(x, y) != page for y in rows)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("12. (3)", None),
        ("abc שלום", False),
        ("12 שלום abc", True),
        ("« سلام", True),
        ("漢 ש", False),
    ],
)
def test_the_first_strong_character_decides(text: str, expected: bool | None) -> None:
    assert is_right_to_left(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEBREW_LIST, True),
        ("- 1\n- פריט\n", True),
        ("- English\n- פריט\n", False),
        ("- ```\n  code\n  ```\n- פריט\n", True),
        ("- `code` ועוד\n- English\n", True),
        ("> ציטוט\n>\n> English", True),
        ("| א | b |\n|---|---|\n| c | d |", True),
        ("| 1 | 2 |\n|---|---|\n| א | ב |", None),
    ],
)
def test_a_block_is_decided_by_what_it_begins_with(text: str, expected: bool | None) -> None:
    assert runs_right_to_left(block_of(text)) is expected


def test_all_items_of_a_list_stand_beside_its_markers(context: BoxContext) -> None:
    mirrored, plain = box_of(HEBREW_LIST, context), box_of("- first\n- פריט\n- 2026\n", context)
    for number in range(3):
        assert area(mirrored, number).right() == pytest.approx(WIDTH - BULLET_INDENT, abs=1)
        assert area(plain, number).left() == pytest.approx(BULLET_INDENT, abs=1)


@pytest.mark.parametrize("item", ["- פריט", "1. פריט", "- [x] פריט", "> ציטוט"])
def test_the_marker_is_painted_at_the_right(item: str) -> None:
    latin = item.translate(dict.fromkeys(map(ord, "פריטצו"), "x"))
    left, right = inked_columns(latin), inked_columns(item)
    assert 499 - right[-1] == pytest.approx(left[0], abs=2)
    assert right[0] > 250


def test_a_list_within_a_list_stands_on_its_side(context: BoxContext) -> None:
    box = box_of("- פריט\n  - English\n    1. deeper\n", context)
    rights = [area(box, number).right() for number in range(3)]
    assert rights == pytest.approx([WIDTH - 24, WIDTH - 48, WIDTH - 78], abs=1)


def test_a_list_in_pieces_stands_on_one_side() -> None:
    block = block_of("- פריט\n" + "- English\n" * 100)
    first, *others = pieces(block)
    assert runs_right_to_left(first)
    assert {getattr(piece, "right_to_left", None) for piece in others} == {True}


def test_a_growing_list_turns_round_once_at_most(context: BoxContext) -> None:
    text = "1. 2026\n2. 42\n3. שנה אחת\n4. English\n5. سنة\n"
    parser = IncrementalParser()
    sides: list[bool] = []
    box: Box | None = None
    for character in text:
        parser.append(character)
        parser.update()
        if not parser.blocks:
            continue
        block = parser.blocks[0].block
        if box is None or not box.update(block):
            box = make_box(block, context)
        box.lay_out(WIDTH)
        if box.run_count:
            sides.append(area(box, 0).right() > WIDTH / 2)
        fresh = make_box(block, context)
        fresh.lay_out(WIDTH)
        assert [area(box, n) for n in range(box.run_count)] == [
            area(fresh, n) for n in range(fresh.run_count)
        ]
    assert sides == sorted(sides)


def test_a_growing_paragraph_turns_round_as_a_whole(context: BoxContext) -> None:
    """Also the part of it that is long settled."""
    type_ = context.typography
    numbers = "1 2 3 " * 900
    grown = TextRun(InlineText(numbers), type_.body, context.pictures)
    grown.lay_out(WIDTH)
    assert grown.update(InlineText(numbers + "שלום")) == 0
    fresh = TextRun(InlineText(numbers + "שלום"), type_.body, context.pictures)
    fresh.lay_out(WIDTH)
    assert list(grown.rects(0, grown.length)) == list(fresh.rects(0, fresh.length))


TABLE = "| שם | Price | הערה |\n|---|:-:|:--|\n| עץ | 12 | א |\n| Desk | 8 | ב |\n"


def test_a_tables_columns_run_to_the_left(context: BoxContext) -> None:
    box = box_of(TABLE, context)
    assert isinstance(box, TableBox)
    first, second, third = (area(box, number) for number in range(3))
    assert third.right() < second.left() < second.right() < first.left()
    assert area(box, 6).right() == pytest.approx(first.right(), abs=1), (
        "the column's text begins at the right"
    )
    assert area(box, 5).left() == pytest.approx(third.left(), abs=1), "or where the table says"
    for number in range(9):
        assert box.nearest(area(box, number).center().x(), area(box, number).center().y()) is not None
        found = box.nearest(area(box, number).center().x(), area(box, number).center().y())
        assert found is not None
        assert found[0] == number
    assert box.copy_text().splitlines()[0] == "שם,Price,הערה"
    (copy,) = box.controls()
    assert copy.rect.right() < first.left()


def test_a_wide_mirrored_table_shows_its_first_column_first() -> None:
    sideways = Sideways(BlockState(), is_mirrored=True)
    sideways.window_width, sideways.content_width = 100, 250
    assert sideways.offset == 150
    assert sideways.scroll(-30)
    assert sideways.offset == 120
    sideways.content_width = 300  # a row came: what is seen stays
    assert sideways.offset == 170
    assert not sideways.scroll(-170) or sideways.offset == 0


def code_run(context: BoxContext, text: str, *code: str) -> TextRun:
    spans = tuple(Span(at := text.index(part), at + len(part), Style.CODE) for part in code)
    run = TextRun(InlineText(text, spans), context.style, context.pictures)
    run.lay_out(WIDTH)
    return run


def test_inline_code_keeps_its_order(context: BoxContext) -> None:
    text = "קראו ל־ f(x) ואז $y 🙂 סוף"
    run = code_run(context, text, "f(x)", "$y")
    at = 0
    for part in ("f(x)", "$y"):
        at = text.index(part)
        lefts = [next(run.rects(n, n + 1)).left() for n in range(at, at + len(part))]
        assert lefts == sorted(lefts), part
    assert run.length == len(text.encode("utf-16-le")) // 2
    assert run.slice(run.units(at), run.units(at + 2)).text == "$y"
    assert run.slice(run.units(len(text) - 3), run.length).text == "סוף"


def test_every_character_is_hit_where_it_is_drawn(context: BoxContext) -> None:
    text = "קראו ל־ f(x) ואז ab שוב"
    run = code_run(context, text, "f(x)")
    for number in range(len(text)):
        for rect in run.rects(number, number + 1):
            if rect.width() > 1:
                found = run.offset_at(rect.center().x(), rect.center().y())
                assert found in {number, number + 1}, text[number]


def test_tokens_of_code_keep_their_order(context: BoxContext) -> None:
    line = 'name = "שלום", "עולם 🙂"  # הערה'
    box = box_of(f"```python\nfirst = 1\n{line}\n```", context)
    placed = box.run(0)
    run, begin = placed.run, len("first = 1\n")
    lefts = []
    for part in ("name", "=", '"שלום"', ", ", '"עולם 🙂"', "# הערה"):
        at = begin + len(line[: line.index(part)].encode("utf-16-le")) // 2
        lefts.append(min(rect.left() for rect in run.rects(at, at + len(part.encode("utf-16-le")) // 2)))
    assert lefts == sorted(lefts)
    y = context.typography.code.line_height * 1.5
    assert {run.offset_at(x, y) for x in range(WIDTH)} == set(range(begin, run.length + 1)) - {
        begin + line.index("🙂") + 1
    }
    assert run.slice(begin, run.length).text == line


def test_a_growing_text_with_code_is_laid_out_as_the_whole(context: BoxContext) -> None:
    text = "עוד מילה ועוד f(x) " * 300
    spans, at = [], text.find("f(x)")
    while at >= 0:
        spans.append(Span(at, at + 4, Style.CODE))
        at = text.find("f(x)", at + 4)
    grown = TextRun(InlineText(""), context.style, context.pictures)
    grown.lay_out(WIDTH)
    for end in range(0, len(text) + 1, 19):
        part = InlineText(text[:end], tuple(span for span in spans if span.end <= end))
        grown.update(part)
    fresh = TextRun(InlineText(text, tuple(spans)), context.style, context.pictures)
    fresh.lay_out(WIDTH)
    assert grown.height == fresh.height
    assert list(grown.rects(0, grown.length)) == list(fresh.rects(0, fresh.length))


@pytest.fixture
def view(qtbot: QtBot) -> TranscriptView:
    made = TranscriptView(theme_for(dark=False, reduce_motion=True))
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_selected_and_copied_in_reading_order(view: TranscriptView) -> None:
    answer = Message(
        id=1,
        conversation_id=1,
        parent_id=None,
        role=Role.ASSISTANT,
        text=f"{HEBREW_LIST}\n> ציטוט `f(x)` כאן\n\n{TABLE}",
    )
    view.model.reset([stub_of(answer)], [answer])
    QApplication.processEvents()
    layout = view.stack.known_layout(0)
    assert layout is not None
    found = []
    for index, entry in enumerate(layout.column.entries):
        assert entry.box is not None
        for number, placed in enumerate(entry.box.runs()):
            left, top = layout.box_place(index)
            rect = next(placed.run.rects(0, 1)).translated(placed.x + left, placed.y + top)
            point = rect.center() + QPointF(view.column_left, view.stack.message_top(0) - view.top)
            place = view.pointer.place_at(point)
            assert place is not None
            assert (place.part, place.run) == (entry.spec.part, number), placed.run.text
            found.append(place)
    first, last = found[0], found[-1]
    view.reading.select(Selection(first._replace(offset=5), Place(*last[:3], offset=1)))
    view.copy_as("plain")
    assert QGuiApplication.clipboard().text() == (
        "ראשון\nSecond item\n2026\n\nציטוט f(x) כאן\n\nשם\nPrice\nהערה\nעץ\n12\nא\nDesk\n8\nב"
    )
    marked = view.grab().toImage()
    view.reading.select(None)
    assert isinstance(marked, QImage)
    assert marked != view.grab().toImage()
