"""Blocks that continue what another piece began: how the rest of a block that was cut is told from a whole one."""

from __future__ import annotations

from desktop_chat.markup.blocks import Footnotes, Heading, ListBlock, ListItem, Paragraph, Quote, RawText


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


def runs_on(piece: object) -> bool:
    """Whether a further piece of a block goes on within the text that the piece before it ends with."""
    match piece:
        case Paragraph() | Heading() | RawText():
            return True
        case ListBlock((ContinuedItem(blocks, lead=0), *_)) | ContinuedQuote(blocks, lead=0):
            return bool(blocks) and runs_on(blocks[0])
        case ContinuedNotes(((_, blocks), *_), lead=0):
            return bool(blocks) and runs_on(blocks[0])
    return False
