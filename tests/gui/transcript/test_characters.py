"""No caret stands within what a person sees as one character; words are taken as words of their script."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QTextBoundaryFinder
from PySide6.QtWidgets import QApplication

from desktop_chat.markup.blocks import InlineText
from desktop_chat.ui.fonts import load_fonts
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.code_run import CodeRun, LineColors
from desktop_chat.ui.transcript.inline import InlinePicture
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import Typography
from desktop_chat.ui.transcript.words import word_at

TEXTS = {
    "families": "a👩‍👩‍👧‍👦b🏳️‍🌈c",
    "flags": "x🇯🇵🇩🇪🇫🇷y",
    "skin tones": "👍🏽👋🏿 ok",
    "keycaps": "1️⃣2️⃣",
    "combining": "e\u0301a\u030a\u0323n\u0303 x\u0308\u0301\u0302",
    "Devanagari": "हिन्दी में क्षत्रिय",
    "Thai": "ภาษาไทยไม่มีช่องว่าง",
    "Hebrew": "שָׁלוֹם עֲלֵיכֶם",
    "ideographs": "東京は日本の首都であり、カタカナ語",
    "jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af",
}


@pytest.fixture
def typography(qapp: QApplication) -> Typography:
    load_fonts()
    return Typography(theme_for(dark=False))


def boundaries(text: str) -> set[int]:
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Grapheme, text)
    found = {0}
    while (place := finder.toNextBoundary()) >= 0:
        found.add(place)
    return found


def no_picture(*_: object) -> InlinePicture:
    raise AssertionError("a text without pictures")


@pytest.mark.parametrize("width", [20, 33, 47, 400])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_caret_stands_between_characters(typography: Typography, text: str, width: int) -> None:
    text *= 3
    prose = TextRun(InlineText(text), typography.body, no_picture)
    prose.lay_out(width)
    code = CodeRun(typography.code)
    code.set_code(text, LineColors())
    code.lay_out(width, 1, wrap=True)
    for run in (prose, code):
        found = {run.offset_at(x, y) for y in range(1, run.height, 7) for x in range(-5, width + 9)}
        assert found <= boundaries(text)
        assert {0, run.length} <= found


def test_the_last_ideograph_of_a_line_can_be_selected(typography: Typography) -> None:
    run = TextRun(InlineText("漢" * 60), typography.body, no_picture)
    run.lay_out(200)
    ends = [run.offset_at(400, y) for y in range(5, run.height, typography.body.line_height)]
    total = sum(rect.width() for rect in run.rects(0, ends[0]))
    assert ends[0] > 1
    assert total == pytest.approx(sum(rect.width() for rect in run.rects(0, 1)) * ends[0], abs=2)


def test_a_column_of_ideographs_may_become_narrow(typography: Typography) -> None:
    em = typography.body.metrics.horizontalAdvance("漢")
    run = TextRun(InlineText("漢字" * 30 + " and words"), typography.body, no_picture)
    assert 2 * em <= run.longest_word_width() <= 5 * em


@pytest.mark.parametrize(
    ("text", "at", "word"),
    [
        ("one two_three four", "two", "two_three"),
        ("one two", " two", "one"),
        ("don't stop", "n't", "don't"),
        ("🙂🙂 next word", "xt", "next"),
        ("hi 👩‍👩‍👧‍👦!", "👧", "👩‍👩‍👧‍👦"),
        ("to 🇯🇵🇩🇪 go", "🇩", "🇩🇪"),
        ("cafe\u0301s here", "\u0301", "cafe\u0301s"),
        ("हिन्दी में", "\u0928", "हिन्दी"),
        ("שָׁלוֹם עֲלֵיכֶם", "ל", "שָׁלוֹם"),
        ("これは東京都です。", "京", "東京都"),
        ("これは東京都です。", "す", "です"),
        ("これはカタカナ語", "タ", "カタカナ"),
        ("first\nsecond", "sec", "second"),
        ("x = a + b", "+", "+"),
    ],
)
def test_a_double_click_takes_a_word(text: str, at: str, word: str) -> None:
    place = len(text[: text.index(at)].encode("utf-16-le")) // 2
    start, end = word_at(text, place)
    assert text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le") == word


@pytest.mark.parametrize("text", ["", "a", " ", "\n", "word\n", "漢"])
def test_a_double_click_anywhere_takes_what_is_there(text: str) -> None:
    for place in range(len(text) + 1):
        start, end = word_at(text, place)
        assert 0 <= start <= end <= len(text)
