"""The pieces of a streamed text that are finished: kept as they were read, read again only for a label they use.

A definition may come long after its use. So each piece remembers the labels it looked up, and those that use a label
whose meaning changed are parsed again, alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from desktop_chat.markup.blocks import SourceBlock
from desktop_chat.markup.grammar import Tree, build_tree
from desktop_chat.markup.labels import Labels
from desktop_chat.markup.parser import Note, block_of, note_of


@dataclass(slots=True)
class _Settled:
    """A finished piece that shows something.

    Attributes:
        start / end: its characters in the source.
        first_line: in the source.
        asked: the labels it looked up.
        index: its place among the shown blocks, or among the notes if it is the definition of one.
    """

    start: int
    end: int
    first_line: int
    asked: tuple[str, ...]
    index: int
    is_note: bool


class SettledPieces:
    """The finished pieces of a text that show something, in its order.

    Attributes:
        notes: those that are definitions of footnotes.
        block_count: how many are blocks; they are the first of the text's blocks.
    """

    def __init__(self, labels: Labels) -> None:
        self.notes: list[Note] = []
        self.block_count = 0
        self._labels = labels
        self._pieces: list[_Settled] = []
        self._users: dict[str, list[_Settled]] = {}
        self._frozen_pieces = self._frozen_blocks = 0

    def add(
        self, found: SourceBlock | Note, start: int, end: int, first_line: int, asked: tuple[str, ...]
    ) -> None:
        """Settle the piece ``[start, end)`` of the source, which shows ``found`` and looked up ``asked``."""
        is_note = not isinstance(found, SourceBlock)
        index = len(self.notes) if is_note else self.block_count
        settled = _Settled(start, end, first_line, asked, index, is_note)
        if isinstance(found, SourceBlock):
            self.block_count += 1
        else:
            self.notes.append(found)
        self._pieces.append(settled)
        for label in asked:
            self._users.setdefault(label, []).append(settled)

    def count_frozen(self) -> int:
        """Settled blocks up to the first that a definition still to come may change."""
        if self._labels.are_known:
            return self.block_count
        while self._frozen_pieces < len(self._pieces):
            piece = self._pieces[self._frozen_pieces]
            if not all(label in self._labels.references for label in piece.asked):
                break
            self._frozen_pieces += 1
            self._frozen_blocks += not piece.is_note
        return self._frozen_blocks

    def read_again(
        self, changed: Iterable[str], tree: Tree, text: Callable[[int, int], str], blocks: list[SourceBlock]
    ) -> int:
        """Parse the pieces again that use a changed label; returns the index of the first block that differs.

        ``tree`` is the unsettled rest, ``text`` gives a part of the source, ``blocks`` are the text's, put right here.
        """
        keep = len(blocks)
        users = {id(user): user for label in changed for user in self._users.get(label, ())}
        for user in users.values():
            again = build_tree(
                text(user.start, user.end),
                references=self._labels.all_references(tree),
                notes=self._labels.all_notes(tree),
            )
            element = again.pieces[0].element
            assert element is not None
            if user.is_note:
                self.notes[user.index] = note_of(element, self._labels.numbers, user.first_line)
                continue
            former = blocks[user.index]
            block = SourceBlock(block_of(element, self._labels.numbers), former.first_line, former.end_line)
            if block != former:
                blocks[user.index] = block
                keep = min(keep, user.index)
        return keep
