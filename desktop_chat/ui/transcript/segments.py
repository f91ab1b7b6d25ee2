"""Long texts in segments that are parsed on their own, as they are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from desktop_chat.markup import parse
from desktop_chat.markup.blocks import SourceBlock
from desktop_chat.markup.part_labels import PartLabels, TextPart, may_define
from desktop_chat.markup.source import normalized
from desktop_chat.ui.transcript.cuts import cuts

LONG_TEXT: Final = 4_000
"""Characters from which a finished text is parsed segment by segment."""

SEGMENT: Final = 2_500
"""Characters after which a segment ends at the next safe place."""

_SHORTEST_LINES: Final = 5
"""Characters of a line on average; a text of shorter ones is one segment: looking through them takes too long."""

_MARKS: Final = "*_~`[]<|&$\\@!>"
_QUICK_LENGTH: Final = 8_000
_QUICK_WORK: Final = 2_500
"""What a segment may weigh to be parsed at once: some milliseconds."""


class Segment(NamedTuple):
    """A part of a long text that can be parsed on its own; ``first_line`` counts from the text's start.

    Attributes:
        labels: of the whole text, if it may define any.
        is_last: whether the text ends with it.
    """

    text: str
    first_line: int
    labels: PartLabels | None = None
    is_last: bool = True

    @property
    def is_quick(self) -> bool:
        """Whether parsing it surely fits into a frame; so do those of real answers without definitions."""
        return self.labels is None and is_light(self.text)

    def blocks(self) -> Sequence[SourceBlock]:
        """Its blocks, parsed at once; lines are counted from its own start."""
        if self.labels is None:
            return parse(self.text)
        self.labels.complete()
        return self.labels.parse(self.text)


def is_light(text: str) -> bool:
    """Whether parsing ``text`` surely takes no more than some milliseconds."""
    lines = text.count("\n") - text.count("\n\n")
    if len(text) > _QUICK_LENGTH:
        return False
    return len(text) // 7 + 10 * lines + 3 * sum(map(text.count, _MARKS)) < _QUICK_WORK


def segments(text: str) -> list[Segment]:
    """A long text cut at blank lines that end every block; all segments share the text's labels."""
    text = normalized(text)
    if len(text) < LONG_TEXT or text.count("\n") >= len(text) // _SHORTEST_LINES:
        return [Segment(text, 0)]
    found: list[tuple[str, int]] = []
    start = line = 0
    for cut in cuts(text):
        if cut - start >= SEGMENT:
            found.append((text[start:cut], line))
            line += text.count("\n", start, cut)
            start = cut
    found.append((text[start:], line))
    labels = None
    if len(found) > 1 and "]:" in text and any(may_define(part) for part, _ in found):
        labels = PartLabels([TextPart(part, line, is_light(part)) for part, line in found])
    last = len(found) - 1
    return [Segment(part, line, labels, index == last) for index, (part, line) in enumerate(found)]
