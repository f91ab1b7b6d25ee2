"""Python counts characters in code points, Qt in UTF-16 units; this converts between the two."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")


class Utf16Offsets:
    """Offsets of one text. Costs nothing for texts within the Basic Multilingual Plane."""

    __slots__ = ("_astral", "_astral_units", "length")

    def __init__(self, text: str) -> None:
        self._astral: list[int] = []
        self._astral_units: list[int] = []
        self.length = 0
        """Of the text in UTF-16 units."""
        self.extend(text, 0)

    def extend(self, text: str, known: int) -> None:
        """The text has grown from its first ``known`` code points to ``text``."""
        if not text.isascii():
            found = [match.start() for match in _ASTRAL.finditer(text, known)]
            self._astral_units += [index + count for count, index in enumerate(found, len(self._astral))]
            self._astral += found
        self.length = len(text) + len(self._astral)

    def units(self, code_points: int) -> int:
        return code_points + bisect_left(self._astral, code_points) if self._astral else code_points

    def code_points(self, units: int) -> int:
        return units - bisect_left(self._astral_units, units) if self._astral else units
