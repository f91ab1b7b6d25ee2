"""Inline code keeps its order within text that runs from right to left.

Without help the marks at its ends (``f()``, ``$x``) would be drawn on the wrong side. So, where anything of a text runs
to the left, each piece of code is laid out between an LRI and a PDI (Unicode UAX #9), which show nothing.
They are no part of the text: offsets of a run do not count them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from desktop_chat.markup.blocks import InlineText, Span, Style

_LRI: Final = "\u2066"
_PDI: Final = "\u2069"


class Isolates:
    """Where characters were put into a text.

    Args:
        places: offsets of the text, in order, before each of which one was put.
    """

    __slots__ = ("_laid", "_places")

    def __init__(self, places: Sequence[int] = ()) -> None:
        self._places = places
        self._laid = [place + number for number, place in enumerate(places)]

    def __bool__(self) -> bool:
        return bool(self._places)

    def mapped(self, convert: Callable[[int], int]) -> Isolates:
        """The same, counted otherwise."""
        return Isolates([convert(place) for place in self._places])

    def start(self, offset: int) -> int:
        """The same place with the characters put in, before the character that stands at it."""
        return offset + bisect_right(self._places, offset) if self._places else offset

    def end(self, offset: int) -> int:
        """The same place with the characters put in, behind the character that stands before it."""
        return offset + bisect_left(self._places, offset) if self._places else offset

    def offset(self, laid: int) -> int:
        """The place in the text of one with the characters put in."""
        return laid - bisect_left(self._laid, laid) if self._places else laid


NONE: Final = Isolates()


def isolates_of(content: InlineText) -> Isolates:
    """What has to be put into ``content``, in code points."""
    return Isolates(
        [place for span in content.spans if span.style & Style.CODE for place in (span.start, span.end)]
    )


def with_isolates(content: InlineText, isolates: Isolates) -> InlineText:
    """``content`` as it is laid out; its objects stay behind."""
    if not isolates:
        return content
    pieces: list[str] = []
    spans: list[Span] = []
    position = 0
    for span in content.spans:
        spans.append(
            msgspec.structs.replace(span, start=isolates.start(span.start), end=isolates.end(span.end))
        )
        if span.style & Style.CODE:
            pieces += (content.text[position : span.start], _LRI, content.text[span.start : span.end], _PDI)
            position = span.end
    pieces.append(content.text[position:])
    return InlineText("".join(pieces), tuple(spans))
