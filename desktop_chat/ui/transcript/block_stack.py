"""Blocks below each other, and the distances between them."""

from __future__ import annotations

from collections.abc import Sequence

from desktop_chat.markup.blocks import (
    Block,
    CodeBlock,
    Footnotes,
    Heading,
    ListBlock,
    MathBlock,
    Quote,
    Table,
)
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.boxes import BoxContext
from desktop_chat.ui.transcript.stack_box import StackBox


def gap_between(before: Block, after: Block) -> int:
    """The distance between two blocks, in pixels: more above what opens a section, less below a heading."""
    if isinstance(after, Heading):
        return (
            Space.S if isinstance(before, Heading) else (Space.XL if after.level <= 2 else Space.L + Space.XS)
        )
    if isinstance(before, Heading):
        return Space.S
    if isinstance(after, Footnotes):
        return Space.XL
    large = (CodeBlock, Table, MathBlock, Quote)
    if isinstance(before, large) or isinstance(after, large):
        return Space.L
    if isinstance(before, ListBlock) and isinstance(after, ListBlock):
        return Space.L
    return Space.M


class BlockStack(StackBox):
    """Blocks below each other, at the rhythm of running text."""

    def __init__(self, blocks: Sequence[Block], context: BoxContext) -> None:
        super().__init__()
        self._context = context
        self._blocks: tuple[Block, ...] = ()
        self.set_blocks(tuple(blocks))

    def gap_before(self, index: int) -> int:
        return gap_between(self._blocks[index - 1], self._blocks[index])

    def set_blocks(self, blocks: tuple[Block, ...]) -> None:
        """Show ``blocks``; boxes of an equal beginning stay, the first different one grows in place if it can."""
        old = self._blocks
        same = common_prefix(old, blocks)
        self._blocks = blocks
        grown = same < min(len(old), len(blocks)) and self.boxes[same].update(blocks[same])
        self.invalidate(same)
        first = same + grown
        del self.boxes[first:]
        self.boxes += [
            self._context.make_box(blocks[i], self._context.inner(i)) for i in range(first, len(blocks))
        ]


def common_prefix(old: Sequence[object], new: Sequence[object], *, by_identity: bool = False) -> int:
    """How many items both begin with; ``by_identity``, the very same ones."""
    count = 0
    for before, after in zip(old, new, strict=False):
        if before is not after and (by_identity or before != after):
            break
        count += 1
    return count
