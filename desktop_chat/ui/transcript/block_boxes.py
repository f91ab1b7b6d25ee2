"""Which box shows which block."""

from __future__ import annotations

from desktop_chat.markup.blocks import (
    Block,
    CodeBlock,
    Footnotes,
    Heading,
    ListBlock,
    MathBlock,
    Paragraph,
    Quote,
    RawText,
    Rule,
    Table,
)
from desktop_chat.ui.transcript.boxes import Box, BoxContext
from desktop_chat.ui.transcript.code_box import CodeBox
from desktop_chat.ui.transcript.footnotes_box import FootnotesBox
from desktop_chat.ui.transcript.list_box import ListBox
from desktop_chat.ui.transcript.math_box import MathBox
from desktop_chat.ui.transcript.quote_box import QuoteBox
from desktop_chat.ui.transcript.rule_box import RuleBox
from desktop_chat.ui.transcript.table_box import TableBox
from desktop_chat.ui.transcript.text_box import TextBox


def make_box(block: Block, context: BoxContext) -> Box:
    """The box that shows ``block``."""
    match block:
        case Paragraph() | Heading() | RawText():
            return TextBox(block, context)
        case CodeBlock():
            return CodeBox(block, context)
        case ListBlock():
            return ListBox(block, context)
        case Quote():
            return QuoteBox(block, context)
        case Table():
            return TableBox(block, context)
        case MathBlock():
            return MathBox(block, context)
        case Rule():
            return RuleBox()
        case Footnotes():
            return FootnotesBox(block, context)
