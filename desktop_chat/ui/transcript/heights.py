"""Heights of many stacked rows: which row is at y, and where does row i begin, both in O(log n)."""

from __future__ import annotations

from collections.abc import Iterable


class FenwickHeights:
    """A Fenwick (binary indexed) tree over whole-pixel heights, after Fenwick, "A New Data Structure for
    Cumulative Frequency Tables" (1994). Rows are appended, dropped from the end, and changed in place.
    """

    __slots__ = ("_heights", "_tree")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._tree = [0, *self._heights]
        tree = self._tree
        for index in range(1, len(tree)):
            parent = index + (index & -index)
            if parent < len(tree):
                tree[parent] += tree[index]

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    @property
    def total(self) -> int:
        return self.top(len(self._heights))

    def top(self, index: int) -> int:
        """The sum of the heights before row ``index``."""
        total, tree = 0, self._tree
        while index:
            total += tree[index]
            index &= index - 1
        return total

    def set(self, index: int, height: int) -> int:
        """Give row ``index`` another height; returns the difference."""
        difference = height - self._heights[index]
        if difference:
            self._heights[index] = height
            tree, node = self._tree, index + 1
            while node < len(tree):
                tree[node] += difference
                node += node & -node
        return difference

    def append(self, height: int) -> None:
        node = len(self._tree)
        self._heights.append(height)
        self._tree.append(self.top(node - 1) - self.top(node - (node & -node)) + height)

    def truncate(self, count: int) -> None:
        """Keep the first ``count`` rows."""
        del self._heights[count:]
        del self._tree[count + 1 :]

    def row_at(self, y: int) -> int:
        """The row that covers ``y``; the first or last row for a ``y`` outside. Raises IndexError when empty."""
        if not self._heights:
            raise IndexError("no rows")
        tree, node, step = self._tree, 0, 1 << (len(self._tree).bit_length() - 1)
        while step:
            following = node + step
            if following < len(tree) and tree[following] <= y:
                node = following
                y -= tree[following]
            step >>= 1
        return min(node, len(self._heights) - 1)
