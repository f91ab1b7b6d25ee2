"""Where a long text can be cut so that each part reads as it does in the whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from desktop_chat.markup.bounded_blocks import MAX_PART_LINES

_MANY_MARKS: Final = 1_000
_CHARACTERS_A_MARK: Final = 100
"""So many fences, formulas and tags are followed in any text, and more where they are as rare as in an answer; behind
them, a text is not cut."""

_LONGEST_FENCE: Final = 100

_BEGINS_ANEW: Final = (
    r"(?=(?:[A-Za-z\u00c0-\uffff*`\"'(](?![ \t)])|#{1,6} |[`~]{3}))(?![*+-](?:[ \t]|$)|\d{1,9}[.)])"
)
_FENCE: Final = r"(?P<indent> {0,3}(?:(?:[-*+]|\d{1,9}[.)]) {1,4})?)(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)"
_PLACE: Final = re.compile(
    rf"(?P<cut>\n[ \t]*\n){_BEGINS_ANEW}"
    rf"|^(?:{_FENCE}| {{0,3}}(?:(?P<formula>\$\$|\\\[)(?P<tex>[^\n]*)|(?P<tag><(?=[A-Za-z/!?]))))",
    re.MULTILINE,
)
_LONG_HTML: Final = re.compile(
    r"<(?:(?P<element>(?a:script|pre|style|textarea))(?=[\s>]|$)|(?P<mark>!--|\?|![A-Za-z]|!\[CDATA\[))",
    re.IGNORECASE | re.MULTILINE,
)
_ELEMENT_END: Final = re.compile(r"</(?a:script|pre|style|textarea)>", re.IGNORECASE)
_MARK_ENDS: Final = {"!--": "-->", "?": "?>", "![CDATA[": "]]>"}
_BLANK: Final = re.compile(r"\n[ \t]*(?=\n|\Z)")
_MAY_GO_ON: Final = re.compile(
    r"^[ \t]*(?:`{3}|~{3}|<(?:[!?]|(?:script|pre|style|textarea)))", re.MULTILINE | re.IGNORECASE
)
"""A line that may begin something which blank lines do not end."""


def cuts(text: str) -> Iterator[int]:
    """The places before a paragraph, heading or fence that follows a blank line and stands in no other block.

    They end where what a fence, formula or tag is part of cannot be told from its own lines.
    """
    most_marks = max(_MANY_MARKS, len(text) // _CHARACTERS_A_MARK)
    marks = at = anew = 0
    while (place := _PLACE.search(text, at)) is not None:
        at = place.end()
        if place["cut"] is not None:
            anew = at
            yield at
            continue
        marks += 1
        if marks > most_marks:
            return
        if place["fence"] is not None:
            end = _fence_end(text, place, anew)
        elif place["formula"] is not None:
            end = _formula_end(text, place)
        else:
            end = _html_end(text, place)
        if end is None:
            return
        at = end


def _fence_end(text: str, place: re.Match[str], anew: int) -> int | None:
    """Where a fence ends, if it does so whether or not it is part of a list that began behind ``anew``."""
    mark, info, indent = place["fence"], place["info"], len(place["indent"])
    end = place.end()
    if mark[0] == "`" and "`" in info:
        return end
    if len(mark) > _LONGEST_FENCE:
        return None
    if not indent:
        closer = _closer(mark).search(text, end)
        return None if closer is None else closer.end()
    for _ in range(MAX_PART_LINES - text.count("\n", anew, end)):
        start = end + 1
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        content = line.lstrip(" ")
        if content.strip(" \t") and len(line) - len(content) < indent:
            return None
        if content.startswith(mark) and not content.strip(mark[0]).strip(" \t"):
            return start + len(line) if len(line) - len(content) == indent else None
        if end < 0:
            return None
    return None


@lru_cache(maxsize=2 * _LONGEST_FENCE)
def _closer(mark: str) -> re.Pattern[str]:
    return re.compile(rf"^ {{0,3}}{mark}{mark[0]}*[ \t]*$", re.MULTILINE)


def _formula_end(text: str, place: re.Match[str]) -> int | None:
    """Where a formula ends: at its closer, else at a blank line."""
    opener, tex = place["formula"], place["tex"].strip(" \t")
    closer = "$$" if opener == "$$" else "\\]"
    if closer in tex or (opener == "\\[" and tex):
        return place.end()  # It ends in its line, or is none.
    blank = _BLANK.search(text, place.end())
    last = len(text) if blank is None else blank.start()
    if _MAY_GO_ON.search(text, place.end(), last) is None:
        return last
    if text[place.start()] == " ":
        return None
    at = place.end()
    while at < last:
        end = text.find("\n", at + 1, last)
        end = last if end < 0 else end
        if text[at:end].rstrip().endswith(closer):
            return end
        at = end
    return last


def _html_end(text: str, place: re.Match[str]) -> int | None:
    """Where a block of HTML ends that goes on over blank lines; of another kind, the end of the tag's beginning."""
    start = place.start("tag")
    opener = _LONG_HTML.match(text, start)
    if opener is None:
        blank = _BLANK.search(text, start)
        last = len(text) if blank is None else blank.start()
        return place.end() if _MAY_GO_ON.search(text, place.end(), last) is None else None
    if opener["element"] is not None:
        found = _ELEMENT_END.search(text, start)
        closed = -1 if found is None else found.end()
    else:
        closed = text.find(_MARK_ENDS.get(opener["mark"].upper(), ">"), start)
    if closed < 0:
        return None
    end = text.find("\n", closed)
    end = len(text) if end < 0 else end
    return end if text[place.start()] == "<" or "\n" not in text[start:end] else None
