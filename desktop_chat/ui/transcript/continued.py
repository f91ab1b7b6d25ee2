"""Blocks that continue what another piece began: how the rest of a block that was cut is told from a whole one."""

from __future__ import annotations

from desktop_chat.markup.blocks import (
    Block,
    Footnotes,
    Heading,
    ListBlock,
    ListItem,
    Paragraph,
    Quote,
    RawText,
)


class ContinuedItem(ListItem, frozen=True):
    """What does not fit into the piece that its item begins in; ``lead`` is the room above it, in pixels."""

    lead: int = 0


class ContinuedQuote(Quote, frozen=True):
    """A further piece of a quotation; its bar goes on through ``lead`` pixels above the blocks, on the same side."""

    lead: int = 0
    right_to_left: bool | None = None


class ContinuedNotes(Footnotes, frozen=True):
    """Further footnotes, without a rule above them.

    Where the first one began in the piece before, it has no label, and ``lead`` is the room above it, in pixels.
    """

    lead: int | None = None
    right_to_left: bool | None = None


def continues_text(piece: Block) -> bool:
    """Whether a piece that is not the first of its block begins in the middle of a text."""
    lead: int | None
    match piece:
        case Paragraph() | Heading() | RawText():
            return True
        case ListBlock(items) if items and isinstance(items[0], ContinuedItem):
            blocks, lead = items[0].blocks, items[0].lead
        case ContinuedQuote():
            blocks, lead = piece.blocks, piece.lead
        case ContinuedNotes() if piece.notes:
            blocks, lead = piece.notes[0][1], piece.lead
        case _:
            return False
    if not blocks or lead is None:
        return False
    # Room above tells a text that begins from one that goes on; what holds others tells it by what it holds.
    return continues_text(blocks[0]) and (
        lead == 0 or not isinstance(blocks[0], (Paragraph, Heading, RawText))
    )
