"""Boxes below each other as one box; what stands at a place, or has a number, is found by halving."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from PySide6.QtCore import QRectF

from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.boxes import Box, Control, Paint, PlacedRun, Scrollable


class StackBox(Box):
    """Boxes below each other, ``indent`` pixels in; from the right where it ``is_mirrored``."""

    indent: int = 0
    padding_top: int = 0
    is_mirrored: bool = False

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self._tops: list[int] = []
        self._first_runs: list[int] = []

    @property
    def inset(self) -> int:
        """The left edge of the boxes."""
        return 0 if self.is_mirrored else self.indent

    def gap_before(self, _index: int) -> int:
        return Space.M

    def invalidate(self, first: int = 0) -> None:
        """Box ``first`` and all after it need a new place."""
        del self._tops[first:], self._first_runs[first:]

    def refresh(self) -> None:
        self.invalidate()
        for box in self.boxes:
            box.refresh()

    def lay_out(self, width: int) -> int:
        if width != self.width:
            self.width = width
            self.invalidate()
        start = len(self._tops)
        y = self._tops[-1] + self.boxes[start - 1].height if start else self.padding_top
        runs = self._first_runs[-1] + self.boxes[start - 1].run_count if start else 0
        inner = max(1, width - self.indent)
        for index in range(start, len(self.boxes)):
            box = self.boxes[index]
            if index:
                y += self.gap_before(index)
            self._tops.append(y)
            self._first_runs.append(runs)
            y += box.lay_out(inner)
            runs += box.run_count
        self.height, self.run_count = y, runs
        return y

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        index = max(0, bisect_right(self._tops, paint.clip.top() - y) - 1)
        while index < len(self.boxes) and y + self._tops[index] < paint.clip.bottom():
            self.paint_child(paint, index, x, y + self._tops[index], first_run + self._first_runs[index])
            index += 1

    def paint_child(self, paint: Paint, index: int, x: float, y: float, first_run: int) -> None:
        self.boxes[index].paint(paint, x + self.inset, y, first_run)

    def runs(self) -> Iterator[PlacedRun]:
        for box, top in zip(self.boxes, self._tops, strict=True):
            for placed in box.runs():
                yield PlacedRun(placed.run, placed.x + self.inset, placed.y + top)

    def run(self, number: int) -> PlacedRun:
        index = bisect_right(self._first_runs, number) - 1
        while index > 0 and not self.boxes[index].run_count:
            index -= 1
        placed = self.boxes[index].run(number - self._first_runs[index])
        return PlacedRun(placed.run, placed.x + self.inset, placed.y + self._tops[index])

    def nearest(self, x: float, y: float) -> tuple[int, int] | None:
        if not self.run_count:
            return None
        index = max(0, bisect_right(self._tops, y) - 1)
        for candidate in (index, index + 1, *range(index - 1, -1, -1), *range(index + 2, len(self.boxes))):
            if 0 <= candidate < len(self.boxes):
                found = self.boxes[candidate].nearest(x - self.inset, y - self._tops[candidate])
                if found is not None:
                    return self._first_runs[candidate] + found[0], found[1]
        return None

    def controls(self) -> Iterator[Control]:
        for box, top in zip(self.boxes, self._tops, strict=True):
            for control in box.controls():
                yield control.translated(self.inset, top)

    def scrollables(self) -> Iterator[Scrollable]:
        for box, top in zip(self.boxes, self._tops, strict=True):
            for found in box.scrollables():
                yield Scrollable(found.rect.translated(self.inset, top), found.sideways)

    def solids(self) -> Iterator[tuple[float, float]]:
        for box, top in zip(self.boxes, self._tops, strict=True):
            for first, last in box.solids():
                yield top + first, top + last

    def unfold(self) -> bool:
        return sum(box.unfold() for box in self.boxes) > 0

    def has_pictures(self) -> bool:
        return any(box.has_pictures() for box in self.boxes)

    def first_baseline(self) -> float | None:
        if not self.boxes:
            return None
        return self.boxes[0].first_baseline()

    def end_point(self) -> QRectF | None:
        if not self.boxes:
            return None
        end = self.boxes[-1].end_point()
        return None if end is None else end.translated(self.inset, self._tops[-1])
