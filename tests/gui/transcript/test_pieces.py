"""Long text is laid out in pieces; where a piece ends must not show."""

from __future__ import annotations

import pytest

from desktop_chat.markup.blocks import LINE_BREAK, InlineText, Paragraph
from desktop_chat.ui.transcript.pieces import PIECE, pieces


@pytest.mark.parametrize("line_end", ["\n", LINE_BREAK])
def test_a_text_in_lines_is_cut_where_a_line_ends(line_end: str) -> None:
    text = f"A sentence. And its line's rest{line_end}" * 600
    parts = [part.content.text for part in pieces(Paragraph(InlineText(text))) if isinstance(part, Paragraph)]
    assert "".join(parts) == text
    assert len(parts) > len(text) // PIECE
    assert all(part.endswith(line_end) for part in parts)
