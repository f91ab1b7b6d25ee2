"""A long text that is parsed in parts: what its labels mean is found out once, for all parts.

A definition holds in the whole text, wherever it stands, and footnotes are numbered by the first reference to each. So
the parts that may define something are looked through by the grammar, and, if there are footnotes, those parts that may
refer to one. No other part is read before it is shown; a text without definitions pays nothing.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from time import perf_counter, thread_time
from typing import Any, Final, NamedTuple

from desktop_chat.markup import grammar, parser
from desktop_chat.markup.blocks import SourceBlock
from desktop_chat.markup.incremental import IncrementalParser
from desktop_chat.markup.labels import KnownLabels
from desktop_chat.markup.parser import Note, footnotes_block, note_of, source_block

_PATIENCE_S: Final = 0.25
"""After so much CPU time the search ends, and each part is parsed as a text of its own."""

_BEGINS_DEFINITION: Final = re.compile(r"[ \t>*+\-\d.)]*\[|(?:\\.|[^\[\\\n])*\]:")
"""A line with a definition's label, or with the end of a label that began in a line before."""

_MAY_REFER: Final = re.compile(r"\[\s*\^")


class TextPart(NamedTuple):
    """A part of a text that begins and ends with a block.

    Attributes:
        first_line: counted from the text's start.
        is_light: whether parsing it surely fits into a frame.
    """

    text: str
    first_line: int
    is_light: bool


class PartLabels:
    """What the labels of a text mean.

    Attributes:
        known: for `IncrementalParser`; ``None`` if that took too long to find out.
        footnotes: the block of all footnotes, which belongs behind the last part; empty if there is none.
    """

    def __init__(self, parts: Sequence[TextPart]) -> None:
        self.known: KnownLabels | None = None
        self.footnotes: tuple[SourceBlock, ...] = ()
        self._parts = parts
        self._references: dict[str, Any] = {}
        self._notes: dict[str, Any] = {}
        self._numbers: dict[str, int] = {}
        self._definitions: list[Note] = []
        self._spent = 0.0
        self._steps: Iterator[None] | None = self._collect()

    @property
    def are_collected(self) -> bool:
        return self._steps is None

    def advance(self, seconds: float) -> bool:
        """Go on for about so long; returns whether all is known that will be."""
        until, begun = perf_counter() + seconds, thread_time()
        while self._steps is not None and perf_counter() < until:
            if next(self._steps, self) is self:
                self._steps = None
        self._spent += thread_time() - begun
        if self._steps is None or self._spent > _PATIENCE_S:
            self._end()
        return self._steps is None

    def complete(self) -> None:
        """Find out all at once, however long it takes."""
        for _ in self._steps or ():
            pass
        self._end()

    def _end(self) -> None:
        self._steps, self._parts = None, ()

    def parse(self, text: str) -> Sequence[SourceBlock]:
        """The blocks of a part, without footnotes; its lines are counted from its own start.

        If it took too long to find out what labels mean, the blocks of a text of its own.
        """
        if self.known is None:
            return parser.parse(text)
        tree = grammar.build_tree(text, references=self.known.references, notes=self.known.notes)
        numbers = self.known.numbers
        return [source_block(element, numbers) for element in tree.root if element.tag != "footnote"]

    # --- finding out, step by step -----------------------------------------------------------------------

    def _collect(self) -> Iterator[None]:
        defining: set[int] = set()
        for index, part in enumerate(self._parts):
            if may_define(part.text):
                notes = len(self._notes)
                yield from self._find_definitions(part)
                if len(self._notes) > notes:
                    defining.add(index)
        for index, part in enumerate(self._parts):
            is_needed = index in defining or (
                len(self._numbers) < len(self._notes) and _MAY_REFER.search(part.text)
            )
            if is_needed:
                yield from self._find_references(part)
        for label in self._notes:
            self._number(("^" + label,))
        self.footnotes = footnotes_block(self._definitions, self._numbers)
        self.known = KnownLabels(self._references, self._notes, self._numbers)

    def _find_definitions(self, part: TextPart) -> Iterator[None]:
        references: Mapping[str, Any]
        notes: Mapping[str, Any]
        if part.is_light:
            references, notes = grammar.definitions_in(part.text)
        else:
            slow = yield from _parsed_in_slices(part.text, None)
            references, notes = slow.labels.found
        for label, reference in references.items():
            self._references.setdefault(label, reference)
        for label, lines in notes.items():
            self._notes.setdefault(label, lines)
        yield

    def _find_references(self, part: TextPart) -> Iterator[None]:
        """Number the footnotes that a part refers to, and take those that it defines."""
        if part.is_light:
            tree = grammar.build_tree(part.text, references=self._references, notes=self._notes)
            for piece in tree.pieces:
                self._number(piece.asked)
            self._definitions += [
                note_of(element, self._numbers, part.first_line)
                for element in tree.root
                if element.tag == "footnote"
            ]
        else:
            known = KnownLabels(self._references, self._notes, self._numbers)
            slow = yield from _parsed_in_slices(part.text, known)
            self._number(slow.labels.asked)
            self._definitions += [(label, _moved(note, part.first_line)) for label, note in slow.notes]
        yield

    def _number(self, asked: Iterable[str]) -> None:
        for label in asked:
            if label.startswith("^") and label[1:] in self._notes:
                self._numbers.setdefault(label[1:], len(self._numbers) + 1)


def may_define(text: str) -> bool:
    """Whether a text may hold a definition; ``False`` is certain. Looks at each line once."""
    at = text.find("]:")
    while at >= 0:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if _BEGINS_DEFINITION.match(text, text.rfind("\n", 0, at) + 1, end):
            return True
        at = text.find("]:", end)
    return False


def _parsed_in_slices(text: str, known: KnownLabels | None) -> Generator[None, None, IncrementalParser]:
    slow = IncrementalParser(known)
    slow.append(text)
    while slow.is_behind:
        slow.update()
        yield
    slow.finish()
    return slow


def _moved(found: SourceBlock, lines: int) -> SourceBlock:
    return SourceBlock(found.block, found.first_line + lines, found.end_line + lines)
