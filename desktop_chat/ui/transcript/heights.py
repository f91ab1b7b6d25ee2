"""Heights of many stacked rows: which row is at y, and where does row i begin, both in O(log n)."""

from __future__ import annotations

from collections.abc import Iterable


class FenwickHeights:
    """A Fenwick (binary indexed) tree over whole-pixel heights, after Fenwick, "A New Data Structure for
    Cumulative Frequency Tables" (1994). Rows are appended, dropped from the end, and changed in place.

    A growing text asks again and again about its end and about what stands at the window's top: these two are at
    hand.

    Attributes:
        total: the sum of all heights.
    """

    __slots__ = ("_found", "_found_top", "_heights", "_tree", "total")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self.total = sum(self._heights)
        self._found = self._found_top = 0  # the row found last, and where it begins
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
            self.total += difference
            if index < self._found:
                self._found_top += difference
            tree, node = self._tree, index + 1
            while node < len(tree):
                tree[node] += difference
                node += node & -node
        return difference

    def append(self, height: int) -> None:
        node = len(self._tree)
        self._heights.append(height)
        self._tree.append(self.total - self.top(node - (node & -node)) + height)
        self.total += height

    def truncate(self, count: int) -> None:
        """Keep the first ``count`` rows."""
        self.total -= sum(self._heights[count:])
        if self._found >= count:
            self._found = self._found_top = 0
        del self._heights[count:]
        del self._tree[count + 1 :]

    def row_at(self, y: int) -> int:
        """The row that covers ``y``; the first or last row for a ``y`` outside. Raises IndexError when empty."""
        heights = self._heights
        if not heights:
            raise IndexError("no rows")
        if 0 <= y - self._found_top < heights[self._found]:
            return self._found
        if y >= self.total - heights[-1]:
            return len(heights) - 1
        tree, node, rest, count = self._tree, 0, y, len(self._tree)
        step = 1 << (count.bit_length() - 1)
        while step:
            following = node + step
            if following < count and tree[following] <= rest:
                node = following
                rest -= tree[following]
            step >>= 1
        self._found, self._found_top = node, y - rest
        return node
