"""The blocks of one text as entries of a message, for a text that stands or grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter, thread_time
from typing import Final

from desktop_chat.markup.blocks import Block, Footnotes, Patch, RawText, SourceBlock
from desktop_chat.markup.incremental import SLICE, IncrementalParser
from desktop_chat.markup.source import normalized
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.block_stack import common_prefix, gap_between
from desktop_chat.ui.transcript.column import Part, Spec
from desktop_chat.ui.transcript.pieces import pieces, seam
from desktop_chat.ui.transcript.segments import Segment, is_light, segments
from desktop_chat.ui.transcript.typed import typed_blocks

_SLICE_S: Final = 0.001
_LABELS_SLICE_S: Final = 0.003
"""Nothing is shown before the labels are known, so they get more of a frame."""

_PATIENCE_S: Final = 0.25
"""A segment that takes more CPU time to parse is shown as plain text."""

_BESIDE: Final = 512
"""Characters parsed in a frame that shows what was prepared: what came last is not to wait for the next one."""

_MOST_BLOCKS_AT_ONCE: Final = 100

LONGEST_MARKUP: Final = 1_000_000
"""Characters of a text that are read as Markdown, twice as many as the longest answer of a model; what follows is
shown as it is. Blocks cost some hundred times their text: no server may choose how many there are."""

MOST_BLOCKS: Final = 10_000
"""Blocks of a growing text, after which it goes on as it is."""

PLAIN_PIECE: Final = 2_000
"""Characters that are laid out together there."""

_PLAIN_SHARE: Final = 8 * PLAIN_PIECE
PLAIN_LINE: Final = 1 << 40
"""The line of the first of these pieces, behind every line of the text; each counts as one."""


class Flow:
    """The specs of one text.

    Attributes:
        specs: one for each piece of each block, in order.
        length: of the text so far, in characters.
        share: characters that one `advance` can take.
        markup_length: characters that are read as Markdown where some are not, else ``None``.
    """

    def __init__(self, section: int, indent: int = 0) -> None:
        self._section = section
        self._indent = indent
        self._parser: IncrementalParser | None = None
        self._blocks: list[SourceBlock] = []
        self._starts: list[int] = []
        self._slow: dict[Segment, _SlowSegment] = {}
        self._plain: str | None = None  # the last piece of what is shown as it is
        self._plain_pieces = 0
        self._changed: int | None = None  # the first spec that changed before `advance`
        self._kept: int | None = None  # how many blocks still stand after `prepare`
        self.specs: list[Spec] = []
        self.length = 0
        self.share = SLICE // 2
        self.markup_length: int | None = None

    def show(self, text: str) -> None:
        """Show a text that is finished; it is parsed segment by segment as it is seen."""
        self.length = len(text)
        self.specs = [
            Spec(Part(self._section, part.first_line), part, Space.M if index else 0, self._indent)
            for index, part in enumerate(segments(text[:LONGEST_MARKUP]))
        ]
        if self.length > LONGEST_MARKUP:
            self.markup_length = LONGEST_MARKUP
            self._append_plain(text[LONGEST_MARKUP:])

    def show_typed(self, text: str) -> None:
        """Show what a person typed, as typed."""
        self.length = len(text)
        self.specs = list(self._specs_of(typed_blocks(normalized(text)), None))

    def split(self, segment: Segment, before: Block | None, *, at_once: bool) -> list[Spec] | None:
        """The specs that take the place of a segment's; ``before`` is the block above.

        Unless wanted ``at_once``, what takes longer than a frame has is parsed in slices: ``None`` until it is done.
        """
        found: Sequence[tuple[int, Block]] | None
        slow = self._slow.pop(segment, None)
        rest: Segment | None = None
        if slow is not None or not (at_once or segment.is_quick):
            slow = slow or _SlowSegment(segment)
            found = slow.finish() if at_once else slow.advance()
            if found is None:
                self._slow[segment] = slow
                return None
            rest = slow.rest
            if rest is not None:
                self._slow[rest] = slow
        else:
            found = [(segment.first_line + each.first_line, each.block) for each in segment.blocks()]
        if rest is None and segment.is_last and segment.labels is not None:
            found = [*found, *((each.first_line, each.block) for each in segment.labels.footnotes)]
        specs = list(self._specs_of(found, before))
        if rest is not None:
            specs.append(Spec(Part(self._section, rest.first_line), rest, Space.M, self._indent))
        return specs

    @property
    def can_grow(self) -> bool:
        """Whether `append` goes on where the text ends; one that was shown as finished must be read anew."""
        return self._parser is not None or not self.length

    @property
    def is_behind(self) -> bool:
        """Whether a further `advance` shows more."""
        return self._kept is not None or self.is_parsing

    @property
    def is_parsing(self) -> bool:
        """Whether text waits to be parsed."""
        return self._parser is not None and self._parser.is_behind

    def append(self, text: str) -> None:
        """Take text of a growing one; it shows with the next `advance`."""
        self.length += len(text)
        if self._parser is None:
            self._parser = IncrementalParser()
        if self._plain is None and (self.length > LONGEST_MARKUP or len(self._blocks) > MOST_BLOCKS):
            self._changed = self._apply(self._with_prepared(self._parser, self._parser.finish()))
            self.share = _PLAIN_SHARE
            self.markup_length = self.length - len(text)
        if self.share == _PLAIN_SHARE:
            changed = self._append_plain(text)
            self._changed = changed if self._changed is None else min(self._changed, changed)
        else:
            self._parser.append(text)

    def advance(self) -> int:
        """Parse a frame's share of what waits; returns the first spec that changed."""
        first, self._changed = self._changed, None
        if self._plain is not None:
            return len(self.specs) if first is None else first
        if self._parser is None:
            return len(self.specs)
        patch = self._parser.update(SLICE if self._kept is None else _BESIDE)
        return self._apply(self._with_prepared(self._parser, patch))

    def prepare(self) -> None:
        """Parse, between two frames, some of what the next `advance` shows."""
        if self._parser is not None and self._parser.is_behind:
            keep = self._parser.update().keep
            self._kept = keep if self._kept is None else min(self._kept, keep)

    def _with_prepared(self, parser: IncrementalParser, patch: Patch) -> Patch:
        """The patch that brings what is shown up to date: ``patch``, and what was prepared before it."""
        if self._kept is None:
            return patch
        keep, self._kept = min(self._kept, patch.keep), None
        return Patch(keep, tuple(parser.blocks[keep:]), patch.frozen)

    def finish(self) -> int:
        """The text is complete; returns the first spec that changed."""
        if self._parser is None or self._plain is not None:
            return len(self.specs)
        return self._apply(self._with_prepared(self._parser, self._parser.finish()))

    def _append_plain(self, text: str) -> int:
        """Go on with text that is shown as it is; returns the first spec that changed."""
        if self._plain:  # the last piece was not full
            text = self._plain + text
            self._plain_pieces -= 1
            self.specs.pop()
        first = len(self.specs)
        for start in range(0, len(text), PLAIN_PIECE):
            piece = text[start : start + PLAIN_PIECE]
            part = Part(self._section, PLAIN_LINE + self._plain_pieces)
            self.specs.append(Spec(part, RawText(piece), 0, self._indent))
            self._plain_pieces += 1
            self._plain = "" if len(piece) == PLAIN_PIECE else piece
        return first

    def _apply(self, patch: Patch) -> int:
        keep = patch.keep
        first = self._starts[keep] if keep < len(self._starts) else len(self.specs)
        end = self._starts[keep + 1] if keep + 1 < len(self._starts) else None
        former = self._blocks[keep] if keep < len(self._blocks) else None
        known = self.specs[first:end]
        del self._blocks[keep:], self._starts[keep:]
        before = self._blocks[-1].block if self._blocks else None
        place = changed = first
        for found in patch.tail:
            parts = pieces(
                found.block, None if former is None else former.block, [spec.source for spec in known]
            )
            kept = 0
            if former is not None and former.first_line == found.first_line:
                kept = common_prefix([spec.source for spec in known], parts, by_identity=True)
                changed += kept
            del self.specs[place + kept :]
            self._starts.append(place)
            self._blocks.append(found)
            self.specs += self._specs_of_pieces(found.first_line, found.block, parts, before, kept)
            place = len(self.specs)
            before, former, known = found.block, None, []
        del self.specs[place:]
        return changed

    def _specs_of(self, blocks: Sequence[tuple[int, Block]], before: Block | None) -> Iterator[Spec]:
        for line, block in blocks:
            yield from self._specs_of_pieces(line, block, pieces(block), before)
            before = block

    def _specs_of_pieces(
        self, line: int, block: Block, parts: Sequence[Block], before: Block | None, first: int = 0
    ) -> Iterator[Spec]:
        """The specs of the pieces of a block from the ``first`` on."""
        for number, piece in enumerate(parts[first:], first):
            gap = seam(piece) if number else (0 if before is None else gap_between(before, block))
            yield Spec(Part(self._section, line, number), piece, gap, self._indent)


class _SlowSegment:
    """A segment that is parsed in slices; what is finished of it is given out, some blocks at a time, and what does
    not end is shown as plain text.

    Attributes:
        rest: what of the segment follows the blocks that were given out; ``None`` behind the last.
    """

    def __init__(self, segment: Segment) -> None:
        self.rest: Segment | None = segment
        self._segment = segment
        self._spent = 0.0
        self._given = 0  # blocks
        self._parser: IncrementalParser | None = None

    def advance(self) -> Sequence[tuple[int, Block]] | None:
        """Parse for some milliseconds; blocks when all is parsed, or as many as a frame can take in."""
        labels = self._segment.labels
        if labels is not None and not labels.are_collected:
            labels.advance(_LABELS_SLICE_S)
            return None
        assert self.rest is not None
        if self._spent >= _PATIENCE_S:
            text, line = self.rest.text.rstrip("\n"), self.rest.first_line
            self.rest = None
            return [(line, RawText(text))]
        if self._parser is None and labels is not None and is_light(self._segment.text):
            return self.finish()
        parser = self._begun()
        until, begun = perf_counter() + _SLICE_S, thread_time()
        while perf_counter() < until:
            parser.update()
            if parser.frozen - self._given >= _MOST_BLOCKS_AT_ONCE and parser.frozen < len(parser.blocks):
                following = parser.blocks[parser.frozen]
                if not isinstance(following.block, Footnotes):
                    return self._give_out(following.first_line)
            if not parser.is_behind:
                return self.finish()
        self._spent += thread_time() - begun
        return None

    def finish(self) -> Sequence[tuple[int, Block]]:
        """All blocks that were not given out."""
        self.rest = None
        if self._parser is None:
            found: Sequence[SourceBlock] = self._segment.blocks()
        else:
            while self._parser.is_behind:
                self._parser.update()
            self._parser.finish()
            found = self._parser.blocks[self._given :]
        return self._placed(found)

    def _begun(self) -> IncrementalParser:
        if self._parser is None:
            labels = self._segment.labels
            self._parser = IncrementalParser(None if labels is None else labels.known)
            self._parser.append(self._segment.text)
        return self._parser

    def _give_out(self, line: int) -> Sequence[tuple[int, Block]]:
        """The blocks that can no longer change and end before ``line`` of the segment."""
        assert self._parser is not None
        assert self.rest is not None
        found = self._parser.blocks[self._given : self._parser.frozen]
        self._given, self._spent = self._parser.frozen, 0.0
        text, line = self.rest.text, self._segment.first_line + line
        start = 0
        for _ in range(line - self.rest.first_line):
            start = text.index("\n", start) + 1
        self.rest = self._segment._replace(text=text[start:], first_line=line)
        return self._placed(found)

    def _placed(self, blocks: Sequence[SourceBlock]) -> Sequence[tuple[int, Block]]:
        return [(self._segment.first_line + each.first_line, each.block) for each in blocks]
