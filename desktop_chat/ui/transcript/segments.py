"""Long texts in segments that are parsed on their own, as they are seen."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from desktop_chat.markup.source import normalized

LONG_TEXT: Final = 4_000
"""Characters from which a finished text is parsed segment by segment."""

SEGMENT: Final = 2_500
"""Characters after which a segment ends at the next safe place."""

_SHORTEST_LINES: Final = 5
"""Characters of a line on average; a text of shorter ones is one segment: looking through them takes too long."""

_MANY_MARKS: Final = 1_000
_CHARACTERS_A_MARK: Final = 100
"""So many fences and formulas are followed in any text, and more where they are as rare as in an answer; behind them, a
text is one segment."""

_MARKS: Final = "*_~`[]<|&$\\@!>"
_QUICK_LENGTH: Final = 8_000
_QUICK_WORK: Final = 2_500
"""What a segment may weigh to be parsed at once: some milliseconds."""

_BEGINS_ANEW: Final = (
    r"(?=(?:[A-Za-z\u00c0-\uffff*`\"'(](?![ )])|#{1,6} |[`~]{3}))(?![*+-](?: |$)|\d{1,9}[.)])"
)
_PLACE: Final = re.compile(
    rf"(?P<cut>\n[ \t]*\n){_BEGINS_ANEW}"
    r"|^ {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)"
    r"|^[ \t]*(?P<formula>(?:\$\$|\\\[|\\\])[^\n]*)",
    re.MULTILINE,
)
_DEFINITION: Final = re.compile(r"^ {0,3}\[[^\]\n]+\]:.*$", re.MULTILINE)


class Segment(NamedTuple):
    """A part of a long text that can be parsed on its own; ``first_line`` counts from the text's start."""

    text: str
    first_line: int

    @property
    def is_quick(self) -> bool:
        """Whether parsing it surely fits into a frame; so do those of real answers."""
        text = self.text
        lines = text.count("\n") - text.count("\n\n")
        if len(text) > _QUICK_LENGTH:
            return False
        return len(text) // 7 + 10 * lines + 3 * sum(map(text.count, _MARKS)) < _QUICK_WORK


def segments(text: str) -> tuple[list[Segment], str]:
    """A long text cut at blank lines that end every block, and the definitions that all parts share.

    Never cuts inside fences, formulas, lists or quotations: the line after a cut begins a paragraph or a heading.
    """
    text = normalized(text)
    if len(text) < LONG_TEXT or text.count("\n") >= len(text) // _SHORTEST_LINES:
        return [Segment(text, 0)], ""
    found: list[Segment] = []
    start = start_line = marks = 0
    most_marks = max(_MANY_MARKS, len(text) // _CHARACTERS_A_MARK)
    fence = ""
    in_formula = False
    for place in _PLACE.finditer(text):
        if place["cut"] is not None:
            end = place.end()
            if end - start >= SEGMENT and not fence and not in_formula:
                found.append(Segment(text[start:end], start_line))
                start_line += text.count("\n", start, end)
                start = end
            continue
        marks += 1
        if marks > most_marks:
            break
        if (mark := place["fence"]) is not None:
            if in_formula:
                continue
            if not fence:
                fence = mark
            elif mark[0] == fence[0] and len(mark) >= len(fence) and not place["info"].strip():
                fence = ""
        elif not fence:
            line = place["formula"]
            opened = line.count("$$") % 2 == 1 or ("\\[" in line) != ("\\]" in line)
            in_formula = in_formula != opened
    found.append(Segment(text[start:], start_line))
    definitions = "\n".join(match.group() for match in _DEFINITION.finditer(text)) if len(found) > 1 else ""
    return found, definitions
