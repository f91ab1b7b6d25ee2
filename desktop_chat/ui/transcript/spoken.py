"""A run's text as it is read aloud: formulas as TeX and images by their names, where the run has one character."""

from __future__ import annotations

from desktop_chat.markup.blocks import LINE_BREAK, InlineMath, InlineText
from desktop_chat.ui.transcript.utf16 import Utf16Offsets


class Spoken:
    """The text of one run; offsets of both are in UTF-16 units.

    Attributes:
        text: what is read aloud.
        length: of ``text``, in UTF-16 units.
    """

    __slots__ = ("_jumps", "_offsets", "length", "text")

    def __init__(self, content: InlineText) -> None:
        parts, position = [], 0
        self._jumps: list[
            tuple[int, int, int]
        ] = []  # in the run, in what is spoken, and how long it is there
        run = Utf16Offsets(content.text)
        growth = 0
        for item in content.objects:
            words = item.tex if isinstance(item, InlineMath) else item.alt or "image"
            parts += [content.text[position : item.position], words]
            position = item.position + 1
            start, length = run.units(item.position), Utf16Offsets(words).length
            self._jumps.append((start, start + growth, length))
            growth += length - 1
        parts.append(content.text[position:])
        self.text = "".join(parts).replace(LINE_BREAK, "\n")
        self._offsets = Utf16Offsets(self.text)
        self.length = self._offsets.length

    def slice(self, start: int, end: int) -> str:
        points = self._offsets.code_points
        return self.text[points(max(0, start)) : points(max(0, end))]

    def in_run(self, offset: int) -> int:
        """The run's offset for one of what is spoken; within a picture, the picture's."""
        shift = 0
        for _, start, length in self._jumps:
            if offset <= start:
                break
            if offset < start + length:
                return start - shift
            shift += length - 1
        return offset - shift

    def of_run(self, offset: int) -> int:
        """The offset in what is spoken for one of the run."""
        return offset + sum(length - 1 for start, _, length in self._jumps if start < offset)
