"""Blocks that continue what another piece began: how the rest of a block that was cut is told from a whole one."""

from __future__ import annotations

from desktop_chat.markup.blocks import Footnotes, ListItem, Quote


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
