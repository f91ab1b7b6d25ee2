"""Finds many characters of one kind beside each other, without looking at every character."""

from __future__ import annotations

import re


class LongRun:
    """``length`` or more characters of a kind, which is given as the class of a regular expression.

    Such a run holds one of the halves of it into which the text is cut from where the search begins; where none of
    them is of that kind all through, which mostly its first character tells, there is no run.
    """

    def __init__(self, kind: str, length: int) -> None:
        self._length = length
        self._step = length // 2
        self._half = re.compile(f"{kind}{{{self._step}}}")
        self._whole = re.compile(f"{kind}{{{length}}}")

    def search(self, text: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
        """The first such characters of ``[start, end)``, ``length`` of them."""
        end = len(text) if end is None else min(end, len(text))
        half, step = self._half, self._step
        for at in range(start, end - step + 1, step):
            if half.match(text, at, end) is not None:
                found = self._whole.search(text, max(start, at - step + 1), min(end, at + self._length))
                if found is not None:
                    return found
        return None
