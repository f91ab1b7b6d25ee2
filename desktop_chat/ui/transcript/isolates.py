"""Parts of a line keep their own order where something of it runs from right to left.

Without help the marks at the ends of inline code (``f()``, ``$x``) would be drawn on the wrong side, and a string and
the comment behind it in each other's place. So such parts are laid out between an LRI and a PDI (Unicode UAX #9),
which show nothing. They are no part of the text: offsets of a run do not count them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import cycle, pairwise
from typing import Final

import msgspec

from desktop_chat.markup.blocks import InlineText, Style

_LRI: Final = "\u2066"
_PDI: Final = "\u2069"


class Isolates:
    """Where characters were put into a text.

    Args:
        places: offsets of the text, in order, before each of which one was put: an LRI and a PDI by turns.
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

    def laid_out(self, text: str) -> str:
        """``text`` with the characters put in; places are code points."""
        ends = [0, *self._places, len(text)]
        parts = [text[start:end] for start, end in pairwise(ends)]
        return parts[0] + "".join(
            mark + part for mark, part in zip(cycle((_LRI, _PDI)), parts[1:], strict=False)
        )

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
    spans = tuple(
        msgspec.structs.replace(span, start=isolates.start(span.start), end=isolates.end(span.end))
        for span in content.spans
    )
    return InlineText(isolates.laid_out(content.text), spans)
