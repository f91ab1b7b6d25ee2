"""Heights guessed from content alone, for what has not been seen yet."""

from __future__ import annotations

from desktop_chat.domain.messages import MessageStub, Role
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
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.code_box import FOLD_LINES, HEADER_HEIGHT
from desktop_chat.ui.transcript.segments import Segment
from desktop_chat.ui.transcript.typography import Typography

MESSAGE_CHROME = 84
"""Header, footer and the gap below a message, in pixels."""

_LONG = 1000
_MANY_LINES = 20
"""Characters and lines from which on lines are no longer looked at one by one."""


def lines_for(characters: int, width: int, type_: Typography) -> int:
    return max(1, -(-characters * round(type_.body.average_width * 100) // max(4000, width * 100)))


def block_height(source: Block | Segment, width: int, type_: Typography) -> int:
    """About how high a block or an unparsed segment will be."""
    line = type_.body.line_height
    match source:
        case Segment(text=text):
            flowing = text_height(len(text), width, type_)
            return max(flowing, (lines_for(len(text), width, type_) + text.count("\n") * 2 // 3) * line)
        case Paragraph(content=content):
            return lines_for(len(content.text), width, type_) * line
        case RawText(text=text) if len(text) > _LONG or text.count("\n") > _MANY_LINES:
            return (text.count("\n") + lines_for(len(text), width, type_)) * line
        case RawText(text=text):
            return sum(lines_for(len(each), width, type_) for each in text.split("\n")) * line
        case Heading(level, content):
            style = type_.headings[min(level, 6) - 1]
            return (
                max(1, -(-round(len(content.text) * style.average_width) // max(40, width)))
                * style.line_height
            )
        case CodeBlock(code=code):
            shown = code.count("\n") + 1
            return HEADER_HEIGHT + 2 * Space.M + min(shown, FOLD_LINES) * type_.code.line_height
        case ListBlock(items=items):
            return sum(block_height(b, width - 24, type_) + Space.XS for item in items for b in item.blocks)
        case Quote(blocks=blocks):
            return sum(block_height(b, width - 18, type_) + Space.M for b in blocks)
        case Table(rows=rows):
            return (len(rows) + 1) * (type_.table.line_height + 15)
        case MathBlock():
            return 48
        case Rule():
            return 17
        case Footnotes(notes=notes):
            return sum(block_height(b, width - 30, type_) + Space.XS for _, blocks in notes for b in blocks)


def text_height(characters: int, width: int, type_: Typography) -> int:
    """Of a Markdown text of which only the length is known; blocks and gaps make it higher than prose."""
    return lines_for(round(characters * 1.15), width, type_) * type_.body.line_height + Space.L


def stub_height(stub: MessageStub, width: int, type_: Typography) -> int:
    if stub.role is Role.USER:
        return text_height(stub.text_length, round(width * 0.8), type_) + MESSAGE_CHROME - 16
    return text_height(stub.text_length, width, type_) + MESSAGE_CHROME
