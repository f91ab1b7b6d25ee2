"""Long text is laid out in pieces; where a piece ends must not show."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from desktop_chat.markup import parse
from desktop_chat.markup.blocks import LINE_BREAK, Block, Heading, InlineText, ListBlock, Paragraph, RawText
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.continued import ContinuedItem
from desktop_chat.ui.transcript.inline import is_solid
from desktop_chat.ui.transcript.pieces import HEADING_PIECE, MOST_LINES, PIECE, pieces, seam
from desktop_chat.ui.transcript.segments import SEGMENT, segments


@pytest.mark.parametrize("line_end", ["\n", LINE_BREAK])
def test_a_text_in_lines_is_cut_where_a_line_ends(line_end: str) -> None:
    text = f"A sentence. And its line's rest{line_end}" * 600
    parts = [part.content.text for part in pieces(Paragraph(InlineText(text))) if isinstance(part, Paragraph)]
    assert "".join(parts) == text
    assert len(parts) > len(text) // PIECE
    assert all(part.endswith(line_end) for part in parts)


def test_a_tight_item_has_no_more_room_where_it_is_cut() -> None:
    (block,) = parse("- a\n" + "  - nested\n" * 100)
    second = pieces(block.block)[1]
    assert isinstance(second, ListBlock)
    assert isinstance(second.items[0], ContinuedItem)
    assert seam(second) == second.items[0].lead == Space.XS


@pytest.mark.parametrize("line_end", ["\n", LINE_BREAK])
def test_a_piece_has_no_more_lines_than_that(line_end: str) -> None:
    for text in (f"a{line_end}" * 5 * MOST_LINES, f"{line_end}" * 5 * MOST_LINES):
        parts = _texts(pieces(Paragraph(InlineText(text))))
        assert "".join(parts) == text
        assert [part.count(line_end) for part in parts[:-1]] == [MOST_LINES] * (len(parts) - 1)
        assert parts[-1].count(line_end) <= MOST_LINES


@pytest.mark.parametrize("unit", ["a ", "(a ", "<!-- ", "*a ", "a@b. ", "so \U0001f600\U0001f680 "])
def test_short_words_and_signs_make_a_piece_shorter(unit: str) -> None:
    text = unit * 4_000
    parts = _texts(pieces(Paragraph(InlineText(text))))
    assert "".join(parts) == text
    assert max(map(len, parts)) < PIECE / 1.2
    assert all(part.endswith(" ") for part in parts[:-1])


def test_usual_text_is_laid_out_as_one() -> None:
    text = "A sentence of usual words, with a comma (and a remark), and an end that is near. " * 100
    text = text[: PIECE - 10]
    block = Paragraph(InlineText(text))
    assert pieces(block) == (block,)


def test_a_long_heading_has_smaller_pieces() -> None:
    text = "A heading without end. " * 200
    parts = _texts(pieces(Heading(1, InlineText(text))))
    assert "".join(parts) == text
    assert max(map(len, parts)) <= HEADING_PIECE


@pytest.mark.parametrize("unit", ["a\n", "<!-- ", "word ", "x. ", "\U0001f600 so "])
def test_growing_plain_text_is_cut_as_the_whole_and_keeps_its_pieces(unit: str) -> None:
    text = unit * (12_000 // len(unit))
    former, known = RawText(text[:9_000]), pieces(RawText(text[:9_000]))
    grown = pieces(RawText(text), former, known)
    assert grown == pieces(RawText(text))
    assert grown[: len(known) - 1] == known[:-1]


def _texts(blocks: Sequence[Block]) -> list[str]:
    return [block.content.text for block in blocks if isinstance(block, (Paragraph, Heading))]


def test_signs_that_follow_what_is_known_make_text_solid() -> None:
    text = "word " * 200 + "word" + "!" * 299
    assert not is_solid(text)
    assert is_solid(text + "!", len(text))
    assert is_solid(text + "!")
    assert not is_solid("word! " * 2_000)


@pytest.mark.parametrize("text", ["a\n" * 5_000, "\n" * 10_000, "```\n" * 3_000])
def test_a_text_of_short_lines_is_one_segment_that_is_parsed_in_slices(text: str) -> None:
    found = segments(text)
    assert [segment.text for segment in found] == [text]
    assert not found[0].is_quick


def test_a_very_long_answer_with_code_all_through_is_cut_to_its_end() -> None:
    part = (
        "A paragraph that says what follows.\n\n```python\nprint(1)\n```\n\n$$\nx\n$$\n\nWhat came of it.\n\n"
    )
    text = (part + "Usual words. " * 30 + "\n\n") * 1_500
    found = segments(text)
    assert "".join(segment.text for segment in found) == text
    assert max(len(segment.text) for segment in found) < 2 * SEGMENT


@pytest.mark.parametrize(
    "cluster",
    [
        "\U0001f1e9\U0001f1ea",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f9d1\U0001f3ff\u200d\U0001f680",
        "\u2764\ufe0f",
    ],
)
def test_no_piece_ends_within_an_emoji(cluster: str) -> None:
    for begin in ("", "a"):
        text = begin + cluster * 2_000
        parts = _texts(pieces(Paragraph(InlineText(text))))
        assert "".join(parts) == text
        assert len(parts) > 2
        assert all(part.removeprefix(begin).replace(cluster, "") == "" for part in parts)
