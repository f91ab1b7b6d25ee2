"""Long text is laid out in pieces; where a piece ends must not show."""

from __future__ import annotations

import pytest

from desktop_chat.markup import parse
from desktop_chat.markup.blocks import LINE_BREAK, InlineText, ListBlock, Paragraph
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.continued import ContinuedItem
from desktop_chat.ui.transcript.pieces import PIECE, pieces, seam


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
