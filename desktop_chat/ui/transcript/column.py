"""A virtualised column of entries: boxes come into being when they are seen, heights are guessed until then."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from desktop_chat.ui.transcript.boxes import Box
from desktop_chat.ui.transcript.heights import FenwickHeights


class Part(NamedTuple):
    """Names an entry of a message for good: its section, the line its source begins on, and its piece."""

    section: int
    line: int = 0
    piece: int = 0


@cache
def _first_part(section: int) -> Part:
    return Part(section, -1)


@cache
def _last_part(section: int) -> Part:
    return Part(section, 1 << 60)


class Spec(NamedTuple):
    """What an entry shows. Equal specs look the same; ``gap`` is the empty room above, ``indent`` to the left."""

    part: Part
    source: Any
    gap: int = 0
    indent: int = 0


class Entry:
    """One box of the column, or the promise of one; ``is_exact`` once its height is measured."""

    __slots__ = ("box", "is_exact", "spec")

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.box: Box | None = None
        self.is_exact = False


class Column:
    """Entries below each other, in the order of their parts."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._parts: list[Part] = []  # of the entries
        self.heights = FenwickHeights()

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def height(self) -> int:
        return self.heights.total

    def set_tail(self, first: int, entries: Sequence[Entry], heights: Sequence[int]) -> None:
        """Replace all entries from ``first`` on."""
        del self.entries[first:], self._parts[first:]
        self.heights.truncate(first)
        self.entries += entries
        self._parts += [entry.spec.part for entry in entries]
        for height in heights:
            self.heights.append(height)

    def splice(self, index: int, entries: Sequence[Entry], heights: Sequence[int]) -> None:
        """Put ``entries`` in the place of entry ``index``."""
        self.entries[index : index + 1] = entries
        self._parts[index : index + 1] = [entry.spec.part for entry in entries]
        behind = [self.heights[i] for i in range(index + 1, len(self.heights))]
        self.heights.truncate(index)
        for height in (*heights, *behind):
            self.heights.append(height)

    def index_of(self, part: Part) -> int:
        """The entry named ``part``, or the one that stands in its place now."""
        return max(0, min(bisect_left(self._parts, part), len(self._parts) - 1))

    def first_of(self, section: int) -> int:
        """The first entry of a section, or the one that stands in its place."""
        return self.index_of(_first_part(section))

    def last_of(self, section: int) -> int:
        """The last entry of a section, or the one before its place."""
        return bisect_right(self._parts, _last_part(section)) - 1

    def has_parts(self, first: int, specs: Sequence[Spec]) -> bool:
        """Whether the entries from ``first`` on are named as ``specs``."""
        return self._parts[first:] == [spec.part for spec in specs]

    def put(self, index: int, entry: Entry, height: int) -> None:
        """Another entry, or the same one grown, of the same name."""
        self.entries[index] = entry
        self.heights.set(index, height)

    def forget_measures(self) -> None:
        for entry in self.entries:
            entry.is_exact = False
