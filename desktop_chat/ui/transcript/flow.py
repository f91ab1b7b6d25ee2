"""The blocks of one text as entries of a message, for a text that stands or grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from desktop_chat.markup import parse
from desktop_chat.markup.blocks import Block, ListBlock, Paragraph, Patch, RawText, SourceBlock
from desktop_chat.markup.incremental import IncrementalParser
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.block_boxes import gap_between
from desktop_chat.ui.transcript.column import Part, Spec
from desktop_chat.ui.transcript.pieces import LONG_TEXT, Segment, pieces, segments, typed_blocks


class Flow:
    """The specs of one text.

    Attributes:
        specs: one for each piece of each block, in order.
        length: of the text so far, in characters.
    """

    def __init__(self, section: int, indent: int = 0) -> None:
        self._section = section
        self._indent = indent
        self._parser: IncrementalParser | None = None
        self._blocks: list[SourceBlock] = []
        self._starts: list[int] = []
        self._definitions = ""
        self.specs: list[Spec] = []
        self.length = 0

    def show(self, text: str) -> None:
        """Show a text that is finished; long ones are parsed segment by segment as they are seen."""
        self.length = len(text)
        if len(text) < LONG_TEXT:
            self.specs = list(self._specs_of([(b.first_line, b.block) for b in parse(text)], None))
            return
        parts, self._definitions = segments(text)
        self.specs = [
            Spec(Part(self._section, part.first_line), part, Space.M if index else 0, self._indent)
            for index, part in enumerate(parts)
        ]

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
    def is_behind(self) -> bool:
        """Whether text waits for a further `advance`."""
        return self._parser is not None and self._parser.is_behind

    def append(self, text: str) -> None:
        """Take text of a growing one; it shows with the next `advance`."""
        self.length += len(text)
        if self._parser is None:
            self._parser = IncrementalParser()
        self._parser.append(text)

    def advance(self) -> int:
        """Parse a frame's share of what waits; returns the first spec that changed."""
        return len(self.specs) if self._parser is None else self._apply(self._parser.update())

    def finish(self) -> int:
        """The text is complete; returns the first spec that changed."""
        return len(self.specs) if self._parser is None else self._apply(self._parser.finish())

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
