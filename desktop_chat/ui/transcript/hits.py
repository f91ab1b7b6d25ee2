"""Where a text that is looked for stands in what entries show, also across the seams of a block that is cut.

The pieces of a text are searched as one: each with as much of those around it as a hit reaches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from desktop_chat.domain.messages import Role
from desktop_chat.markup.blocks import (
    LINE_BREAK,
    Block,
    CodeBlock,
    Footnotes,
    Heading,
    ListBlock,
    Paragraph,
    Quote,
    RawText,
    Table,
)
from desktop_chat.markup.safety import visible_code
from desktop_chat.ui.transcript.column import Entry
from desktop_chat.ui.transcript.continued import runs_on
from desktop_chat.ui.transcript.flow import Flow
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.segments import Segment
from desktop_chat.ui.transcript.table_box import TablePart

SEARCHED: Final = frozenset({Section.REASONING, Section.BODY})
"""The sections in which hits are looked for."""

_RUN_UP: Final = 8
"""Lengths of the needle from where on hits before a piece are followed, for none may overlap."""

_REPLACES: Final = re.compile(r"\]\(|[&<^]|\]\[")
"""What may show less than stands there, besides marks around words."""

_WITHOUT_MARKS: Final = str.maketrans("", "", "*_~`\\\\[]$")


class Hit(NamedTuple):
    """A hit ``[start, end)`` in the text number ``text`` of an entry, in code points; beyond it across a seam."""

    text: int
    start: int
    end: int


def texts_of(block: Block) -> Iterator[str]:
    """The texts of the runs that show a block, in order; not the source that stands in for a formula's picture."""
    match block:
        case Paragraph(content) | Heading(_, content):
            yield content.text
        case RawText(text):
            yield text.replace("\n", LINE_BREAK)
        case CodeBlock(_, code):
            yield visible_code(code)
        case Quote(blocks):
            for inner in blocks:
                yield from texts_of(inner)
        case ListBlock(items):
            for item in items:
                for inner in item.blocks:
                    yield from texts_of(inner)
        case Footnotes(notes):
            for _, blocks in notes:
                for inner in blocks:
                    yield from texts_of(inner)
        case Table(_, header, rows):
            if not isinstance(block, TablePart) or block.first == 0:
                yield from (cell.text for cell in header)
            for row in rows:
                yield from (cell.text for cell in row)


class Needle:
    """What is looked for: ``text`` in lower case, whatever the case where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text

    def hits(self, entries: Sequence[Entry], index: int) -> Iterator[Hit]:
        """The hits in entry ``index``, with those that reach into it from the piece before."""
        block = entries[index].spec.source
        if not self.text or isinstance(block, Segment) or entries[index].spec.part.section not in SEARCHED:
            return
        texts = list(texts_of(block))
        for number, text in enumerate(texts):
            is_last = number == len(texts) - 1
            for start, end in self.spans(entries, index, text, is_first=number == 0, is_last=is_last):
                yield Hit(number, start, end)

    def count(self, entries: Sequence[Entry], index: int) -> int:
        """How many hits begin in entry ``index``."""
        return sum(hit.start >= 0 for hit in self.hits(entries, index))

    def spans(
        self, entries: Sequence[Entry], index: int, text: str, *, is_first: bool, is_last: bool
    ) -> Iterator[tuple[int, int]]:
        """Where it stands in a text of entry ``index``: ``[start, end)`` in code points, which a seam may cut.

        Args:
            is_first / is_last: of the texts of its entry.
        """
        needle = self.text
        before = _before(entries, index, _RUN_UP * len(needle)) if is_first else ""
        after = _after(entries, index, len(needle) - 1) if is_last else ""
        whole = _folded(before) + _folded(text) + _folded(after)
        base, stop = len(before), len(before) + len(text)
        position = whole.find(needle)
        while 0 <= position < stop:
            end = position + len(needle)
            if end > base:
                yield position - base, end - base
            position = whole.find(needle, end)


def origin(entries: Sequence[Entry], index: int, start: int) -> tuple[Entry, str, int]:
    """Where a hit begins that reaches into entry ``index``: the entry, its last text, the offset in code points."""
    text = ""
    while start < 0:
        index -= 1
        text = _last_text(entries[index].spec.source)
        start += len(text)
    return entries[index], text, start


def shown_counts(text: str, role: Role, needle: str) -> Iterator[int]:
    """How often ``needle`` stands in what a finished text shows: counts of its parts, each some milliseconds' work."""
    flow = Flow(Section.BODY)
    if role is Role.USER:
        flow.show_typed(text)
    else:
        flow.show(text)
    sought = Needle(needle)
    waiting, entries, counted = flow.specs[::-1], list[Entry](), 0
    while waiting:
        spec = waiting.pop()
        if not isinstance(spec.source, Segment):
            entries.append(Entry(spec))
            if counted < len(entries) - 1:  # what follows is known
                yield sought.count(entries, counted)
                counted += 1
            continue
        found = flow.split(spec.source, None, at_once=False)
        waiting += [spec] if found is None else found[::-1]
        yield 0
    if entries:
        yield sought.count(entries, counted)


def may_show(text: str, needle: str) -> bool:
    """Whether a Markdown text may show ``needle`` though it need not stand in its source; cheap, and seldom wrong."""
    if _REPLACES.search(text):
        return True
    source = text.translate(_WITHOUT_MARKS).lower()
    return all(word in source for word in needle.translate(_WITHOUT_MARKS).split())


def _folded(text: str) -> str:
    """In lower case, as long as it is: a few letters would change their length."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(c if len(c.lower()) != 1 else c.lower() for c in text)


def _is_joined(entries: Sequence[Entry], index: int) -> bool:
    """Whether entry ``index`` goes on in the middle of the text that the one before it ends with."""
    if not 0 < index < len(entries):
        return False
    before, spec = entries[index - 1].spec, entries[index].spec
    if before.part.section != spec.part.section:
        return False
    if isinstance(spec.source, RawText) and isinstance(before.source, RawText):
        return not spec.gap
    return before.part.line == spec.part.line and spec.part.piece > 0 and runs_on(spec.source)


def _before(entries: Sequence[Entry], index: int, length: int) -> str:
    """The end of the text that entry ``index`` goes on with, at most ``length`` characters."""
    return _around(entries, index, length, -1, _is_joined, _last_text)[-length:] if length else ""


def _after(entries: Sequence[Entry], index: int, length: int) -> str:
    """The beginning of what follows the last text of entry ``index``."""

    def is_joined(entries: Sequence[Entry], index: int) -> bool:
        return _is_joined(entries, index + 1)

    return _around(entries, index, length, 1, is_joined, _first_text)[:length]


def _around(
    entries: Sequence[Entry],
    index: int,
    length: int,
    by: int,
    is_joined: Callable[[Sequence[Entry], int], bool],
    text_of: Callable[[Block], str],
) -> str:
    found = ""
    while len(found) < length and is_joined(entries, index):
        index += by
        block = entries[index].spec.source
        text = text_of(block)
        found = text + found if by < 0 else found + text
        if len(list(islice(texts_of(block), 2))) > 1:
            break
    return found


def _first_text(block: Block) -> str:
    return next(texts_of(block), "")


def _last_text(block: Block) -> str:
    last = ""
    for text in texts_of(block):
        last = text
    return last
