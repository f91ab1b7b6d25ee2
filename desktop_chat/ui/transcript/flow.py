"""The blocks of one text as entries of a message, for a text that stands or grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from desktop_chat.markup import parse
from desktop_chat.markup.blocks import Block, ListBlock, Paragraph, Patch, RawText, SourceBlock
from desktop_chat.markup.incremental import SLICE, IncrementalParser
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.block_boxes import gap_between
from desktop_chat.ui.transcript.column import Part, Spec
from desktop_chat.ui.transcript.pieces import LONG_TEXT, Segment, pieces, segments, typed_blocks

LONGEST_MARKUP: Final = 1_000_000
"""Characters of a text that are read as Markdown, twice as many as the longest answer of a model; what follows is
shown as it is. Blocks cost some hundred times their text: no server may choose how many there are."""

MOST_BLOCKS: Final = 10_000
"""Blocks of a growing text, after which it goes on as it is."""

PLAIN_PIECE: Final = 2_000
"""Characters that are laid out together there."""

_PLAIN_SHARE: Final = 8 * PLAIN_PIECE
_PLAIN_LINE: Final = 1 << 40  # behind every line of the text


class Flow:
    """The specs of one text.

    Attributes:
        specs: one for each piece of each block, in order.
        length: of the text so far, in characters.
        share: characters that one `advance` can take.
    """

    def __init__(self, section: int, indent: int = 0) -> None:
        self._section = section
        self._indent = indent
        self._parser: IncrementalParser | None = None
        self._blocks: list[SourceBlock] = []
        self._starts: list[int] = []
        self._definitions = ""
        self._plain: str | None = None  # the last piece of what is shown as it is
        self._plain_pieces = 0
        self._changed: int | None = None  # the first spec that changed before `advance`
        self.specs: list[Spec] = []
        self.length = 0
        self.share = SLICE

    def show(self, text: str) -> None:
        """Show a text that is finished; long ones are parsed segment by segment as they are seen."""
        self.length = len(text)
        if len(text) < LONG_TEXT:
            self.specs = list(self._specs_of([(b.first_line, b.block) for b in parse(text)], None))
            return
        parts, self._definitions = segments(text[:LONGEST_MARKUP])
        self.specs = [
            Spec(Part(self._section, part.first_line), part, Space.M if index else 0, self._indent)
            for index, part in enumerate(parts)
        ]
        if self.length > LONGEST_MARKUP:
            self._append_plain(text[LONGEST_MARKUP:])

    def show_typed(self, text: str) -> None:
        """Show what a person typed, as typed."""
        self.length = len(text)
        self.specs = list(self._specs_of(typed_blocks(text), None))

    def split(self, segment: Segment, before: Block | None) -> list[Spec]:
        """The specs that take the place of a segment's; ``before`` is the block above."""
        text = f"{segment.text}\n\n{self._definitions}" if self._definitions else segment.text
        blocks = [(segment.first_line + found.first_line, found.block) for found in parse(text)]
        return list(self._specs_of(blocks, before))

    @property
    def can_grow(self) -> bool:
        """Whether `append` goes on where the text ends; one that was shown as finished must be read anew."""
        return self._parser is not None or not self.length

    @property
    def is_behind(self) -> bool:
        """Whether text waits for a further `advance`."""
        return self._parser is not None and self._parser.is_behind

    def append(self, text: str) -> None:
        """Take text of a growing one; it shows with the next `advance`."""
        self.length += len(text)
        if self._parser is None:
            self._parser = IncrementalParser()
        if self._plain is None and (self.length > LONGEST_MARKUP or len(self._blocks) > MOST_BLOCKS):
            self._changed = self._apply(self._parser.finish())
            self.share = _PLAIN_SHARE
        if self.share == _PLAIN_SHARE:
            changed = self._append_plain(text)
            self._changed = changed if self._changed is None else min(self._changed, changed)
        else:
            self._parser.append(text)

    def advance(self) -> int:
        """Parse a frame's share of what waits; returns the first spec that changed."""
        first, self._changed = self._changed, None
        if self._plain is not None:
            return len(self.specs) if first is None else first
        return len(self.specs) if self._parser is None else self._apply(self._parser.update())

    def finish(self) -> int:
        """The text is complete; returns the first spec that changed."""
        if self._parser is None or self._plain is not None:
            return len(self.specs)
        return self._apply(self._parser.finish())

    def _append_plain(self, text: str) -> int:
        """Go on with text that is shown as it is; returns the first spec that changed."""
        if self._plain:  # the last piece was not full
            text = self._plain + text
            self._plain_pieces -= 1
            self.specs.pop()
        first = len(self.specs)
        for start in range(0, len(text), PLAIN_PIECE):
            piece = text[start : start + PLAIN_PIECE]
            part = Part(self._section, _PLAIN_LINE + self._plain_pieces)
            self.specs.append(Spec(part, RawText(piece), 0, self._indent))
            self._plain_pieces += 1
            self._plain = "" if len(piece) == PLAIN_PIECE else piece
        return first

    def _apply(self, patch: Patch) -> int:
        keep = patch.keep
        first = self._starts[keep] if keep < len(self._starts) else len(self.specs)
        del self._blocks[keep:], self._starts[keep:], self.specs[first:]
        before = self._blocks[-1].block if self._blocks else None
        for found in patch.tail:
            self._starts.append(len(self.specs))
            self._blocks.append(found)
            self.specs += self._specs_of([(found.first_line, found.block)], before)
            before = found.block
        return first

    def _specs_of(self, blocks: Sequence[tuple[int, Block]], before: Block | None) -> Iterator[Spec]:
        for line, block in blocks:
            for number, piece in enumerate(pieces(block)):
                gap = 0
                if number:
                    gap = _seam(piece)
                elif before is not None:
                    gap = gap_between(before, block)
                yield Spec(Part(self._section, line, number), piece, gap, self._indent)
            before = block


def _seam(piece: Block) -> int:
    """The room between two pieces of one block: as within it."""
    if isinstance(piece, ListBlock):
        return Space.XS if piece.tight else Space.M
    assert isinstance(piece, (Paragraph, RawText))
    return 0
