"""A streamed text as blocks, at a cost that does not grow with the text.

Only the unfinished tail is parsed again: top-level blocks but the last are settled, and of a long last block the
settled part is kept too (see `open_blocks`). Decisions are made on complete lines only, so that after `finish` the
blocks equal those of `parser.parse`, whatever the pieces the text came in.

A view may rely on identity: a block, list item, table row or block of a quote that did not change is the same object
(``is``) as before.
"""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

from desktop_chat.markup.allowance import NOTHING_READ
from desktop_chat.markup.blocks import Block, Patch, SourceBlock
from desktop_chat.markup.grammar import Piece, Tree, build_tree
from desktop_chat.markup.labels import KnownLabels, Labels
from desktop_chat.markup.open_blocks import OpenBlock, Parsed, is_decided, open_block
from desktop_chat.markup.open_paragraph import open_paragraph
from desktop_chat.markup.parser import Note, block_of, footnotes_block, note_of
from desktop_chat.markup.plain_growth import PlainGrowth
from desktop_chat.markup.settled import SettledPieces
from desktop_chat.markup.source import LineEnds
from desktop_chat.markup.unfinished import shown

SLICE = 4096
"""Characters taken by one `IncrementalParser.update` at most, unless told otherwise."""

_SHORTEST_STEP, _LONGEST_STEP = 64, 4096
_PATIENCE_S = 0.002
"""After so long an update takes no further step. Steps are as long as fits in half of it."""

_LINE = 8
"""A line costs as much to read as so many characters more."""

_LONG_TAIL = 6000
"""Characters of a tail that cannot be settled; beyond, it is parsed again only when it has grown by an eighth."""


class _Reading(NamedTuple):
    """One parse of the tail.

    Attributes:
        prelude: characters of the parsed source that are not part of the text.
        start / base_line: where the parsed source begins in the text (the prelude counted in).
        shown: for each piece its block, or the note that it defines.
        rest: the first piece's block before the settled part of the open block was joined to it.
    """

    tree: Tree
    parsed: Parsed
    prelude: int
    start: int
    base_line: int
    shown: list[SourceBlock | Note | None]
    rest: Block | None


class _Within(NamedTuple):
    """What an unfinished last line is part of."""

    fence: bool = False
    table: bool = False


class IncrementalParser:
    """Parses a text that grows at its end.

    Args:
        known: what the labels mean in the whole text that this is a part of; its footnotes are then no block.

    Attributes:
        blocks: as of the last `update` or `finish`; not to be changed.
        frozen: how many of them will never change, whatever is still to come. A block that uses a label which
            nothing defines yet is not among them, nor is any block after it.
        labels: what they mean so far.
        notes: the definitions of footnotes.
    """

    def __init__(self, known: KnownLabels | None = None) -> None:
        self.blocks: list[SourceBlock] = []
        self.frozen = 0
        self._received: list[str] = []
        self._waiting: list[str] = []
        self._step = 2 * _SHORTEST_STEP
        self._line_ends = LineEnds()
        # The normalised text, its length, and the part of it that is still parsed again.
        self._source: list[str] = []
        self._length = 0
        self._tail = ""
        self._tail_line = 0
        self._parsed_length = 0
        self._last_read: tuple[str, bool] | None = None
        self._unsettled: _Reading | None = None  # of which nothing was settled yet
        self._is_final = False
        self._plain_growth: PlainGrowth | None = None
        # The block the tail begins in the middle of, where it began, and the labels its settled part looked up.
        self._open: OpenBlock | None = None
        self._open_start, self._open_line = 0, 0
        self._open_asked: dict[str, None] = {}
        self.notes: list[Note] = []
        self.labels = Labels(known)
        self._settled = SettledPieces(self.labels)

    @property
    def text(self) -> str:
        """Everything appended so far, as it came."""
        self._received = ["".join(self._received)]
        return self._received[0]

    @property
    def is_behind(self) -> bool:
        """Whether text waits for a further `update`."""
        return bool(self._waiting)

    def append(self, delta: str) -> None:
        """Take a piece of text; costs nothing until the next `update`."""
        if delta:
            self._received.append(delta)
            self._waiting.append(delta)
            if self._is_final:
                self._is_final, self.frozen = False, self._settled.count_frozen()

    def update(self, limit: int = SLICE) -> Patch:
        """Parse characters that wait, at most ``limit`` and for a few milliseconds.

        Call it once a frame, and again in the next one while `is_behind`.
        """
        keep = len(self.blocks)
        now = perf_counter()
        until, spent = now + _PATIENCE_S, 0.0
        while not self._is_final and now + spent < until:
            begun = now
            if self._unsettled is not None:
                self._settle_last()
            elif self._waiting and limit > 0:
                step = min(limit, self._step)
                limit -= step
                self._take(step)
                keep = min(keep, self._refresh(final=False))
                self._pace(perf_counter() - begun)
            else:
                break
            now = perf_counter()
            spent = now - begun
        return Patch(keep, tuple(self.blocks[keep:]), self.frozen)

    def _pace(self, spent: float) -> None:
        """Choose the next step's length by what the last one cost; what is read does not depend on it."""
        if spent > _PATIENCE_S / 2:
            self._step = max(_SHORTEST_STEP, self._step // 2)
        elif spent < _PATIENCE_S / 8:
            self._step = min(_LONGEST_STEP, self._step * 2)

    def finish(self) -> Patch:
        """Parse all there is as a finished text: nothing held back, nothing completed. It may still be appended to.

        Costs what the waiting text costs: for a long one call `update` until it is no longer `is_behind`.
        """
        keep = len(self.blocks)
        while self._waiting:
            self._take(SLICE)
            keep = min(keep, self._refresh(final=False))
        self._feed(self._line_ends.flush())
        keep = min(keep, self._refresh(final=True))
        self._is_final = True
        self.frozen = len(self.blocks)
        return Patch(keep, tuple(self.blocks[keep:]), self.frozen)

    def _take(self, limit: int) -> None:
        """Take characters that wait: as many as ``limit`` where lines are long, fewer of short ones."""
        waiting = "".join(self._waiting)
        limit = max(1, limit * limit // (limit + _LINE * waiting.count("\n", 0, limit)))
        self._waiting = [waiting[limit:]] if len(waiting) > limit else []
        self._feed(self._line_ends.feed(waiting[:limit]))

    def _feed(self, text: str) -> None:
        self._source.append(text)
        self._length += len(text)
        self._tail += text

    # --- one update ------------------------------------------------------------------------------------

    def _refresh(self, *, final: bool) -> int:
        """Bring the blocks up to date; returns how many of the former ones still stand."""
        self._settle_last()
        grown = len(self._tail) - self._parsed_length
        if not final and len(self._tail) > _LONG_TAIL and grown < len(self._tail) // 8:
            return len(self.blocks)
        if not final and (grown_block := self._with_words()):
            self.blocks[-1] = grown_block
            return len(self.blocks) - 1
        within = _Within(self._open.in_fence, self._open.in_table) if self._open else _Within()
        source = self._shown(within, final=final)
        if self._last_read == (source, final):
            return len(self.blocks)
        self._last_read = (source, final)
        self._parsed_length = len(self._tail)
        reading, changed = self._read(source, final=final)
        if not final and (now_within := _within(reading)) != within:
            # A fence or table began or ended before the last line: that was taken for something else.
            self._last_read = None
            reading, more_changed = self._read(self._shown(now_within, final=False), final=False)
            changed |= more_changed
        again = self._settled.read_again(changed, reading.tree, self._slice, self.blocks)
        keep = min(again, self._replace_tail(reading))
        self._plain_growth = None
        if not final:
            if (
                reading.parsed.environment.get("nothing_open")
                and reading.parsed.source == self._unread_source()
            ):
                self._plain_growth = PlainGrowth(self.blocks[-1].block, reading.parsed.source)
            self._unsettled = reading
        self.frozen = self._settled.count_frozen()
        return keep

    def _settle_last(self) -> None:
        """Settle what was read last. It costs about as much as the reading, and can wait for the next one."""
        reading, self._unsettled = self._unsettled, None
        if reading is not None:
            self._settle(reading)
            self.frozen = self._settled.count_frozen()

    def _with_words(self) -> SourceBlock | None:
        """The last block with the words that were added, where there is no need to read it again."""
        added = self._tail[self._parsed_length :]
        if self._plain_growth is None or not added:
            return None
        block, last = self._plain_growth.with_words(added), self.blocks[-1]
        return None if block is None else SourceBlock(block, last.first_line, last.end_line)

    def _unread_source(self) -> str:
        return self._open.prelude + self._tail if self._open else self._tail

    def _shown(self, within: _Within, *, final: bool) -> str:
        source = self._unread_source()
        return source if final else shown(source, in_fence=within.fence, in_table=within.table)

    def _read(self, source: str, *, final: bool) -> tuple[_Reading, set[str]]:
        """Parse the tail; also the labels whose meaning that changes."""
        opened = self._open
        tree = build_tree(
            source,
            references=self.labels.references,
            notes=self.labels.notes,
            first_rule=opened.rule if opened else None,
            before=opened.before if opened else NOTHING_READ,
            lines_before=opened.lines_before if opened else 0,
            streaming=not final,
        )
        changed = self.labels.changed_by(tree, self._open_asked)
        prelude = opened.prelude if opened else ""
        lines = source.split("\n")
        parsed = Parsed(source, lines, len(lines) - 1, self.labels.numbers, tree.environment)
        start = self._length - len(self._tail) - len(prelude)
        base_line = self._tail_line - prelude.count("\n")
        shown_pieces: list[SourceBlock | Note | None] = []
        rest = None
        is_broken = opened is not None and not changed.isdisjoint(self._open_asked)
        for piece in tree.pieces:
            element = piece.element
            if element is None:
                shown_pieces.append(None)
            elif element.tag == "footnote":
                shown_pieces.append(note_of(element, parsed.numbers, base_line))
            else:
                block: Block | None = block_of(element, parsed.numbers)
                first_line = base_line + piece.first_line
                if opened is not None and not shown_pieces and block is not None:
                    rest, first_line = block, self._open_line
                    block = opened.joined(block, piece, parsed)
                if block is None:
                    is_broken = True
                    break
                shown_pieces.append(SourceBlock(block, first_line, base_line + piece.end_line))
        if not is_broken:
            return _Reading(tree, parsed, len(prelude), start, base_line, shown_pieces, rest), changed
        # The settled part of the open block is no longer true: parse it from its first line.
        self._tail = self._slice(self._open_start, self._length)
        self._tail_line, self._open, self._open_asked = self._open_line, None, {}
        reading, more_changed = self._read(self._tail if final else shown(self._tail), final=final)
        return reading, changed | more_changed

    def _slice(self, start: int, end: int) -> str:
        self._source = ["".join(self._source)]
        return self._source[0][start:end]

    def _replace_tail(self, reading: _Reading) -> int:
        """Put the tail's blocks and the footnotes behind the settled ones; returns how many blocks stand."""
        new_notes = [found for found in reading.shown if isinstance(found, tuple)]
        self.notes = [*self._settled.notes, *new_notes]
        tail = [found for found in reading.shown if isinstance(found, SourceBlock)]
        if not self.labels.are_known:
            tail += footnotes_block(self.notes, self.labels.numbers)
        keep = self._settled.block_count
        for index, (old, new) in enumerate(zip(self.blocks[keep:], tail, strict=False)):
            if old != new:
                break
            tail[index] = old
            keep += 1
        self.blocks[self._settled.block_count :] = tail
        return keep

    # --- settling --------------------------------------------------------------------------------------

    def _settle(self, reading: _Reading) -> None:
        """Cut what is finished off the tail: all pieces but the last, and of that what can be."""
        pieces, parsed = reading.tree.pieces, reading.parsed
        last = len(pieces) - 1
        while last > 0 and not is_decided(_tag(pieces[last]), pieces[last].first_line, parsed):
            last -= 1
        if last < 0:
            self._forget_blank_lines(parsed)
            return
        for index in range(last):
            self._remember(reading, index)
        piece = pieces[last]
        cut = reading.prelude
        rest = reading.rest
        if last > 0 or self._open is None:
            self._open, self._open_asked, rest = None, {}, None
            cut = parsed.offset(piece.first_line)
            self._open_start = reading.start + cut
            self._open_line = reading.base_line + piece.first_line
        found = reading.shown[last]
        if last == len(pieces) - 1 and isinstance(found, SourceBlock):
            cut = self._open_up(found.block, rest, piece, parsed) or cut
        if cut > reading.prelude:
            line = parsed.source.count("\n", 0, cut)
            self.labels.settle(reading.tree, line)
            self._forget_tail(cut - reading.prelude, reading.base_line + line)

    def _forget_blank_lines(self, parsed: Parsed) -> None:
        """The tail shows nothing so far: what is complete of it never will."""
        if self._open is None and parsed.complete and not parsed.source.strip():
            self._forget_tail(parsed.offset(parsed.complete), self._tail_line + parsed.complete)

    def _forget_tail(self, characters: int, line: int) -> None:
        """The first characters of the tail are settled; it goes on with that line."""
        self._tail, self._tail_line = self._tail[characters:], line
        self._parsed_length -= characters
        self._last_read = None

    def _open_up(self, block: Block, rest: Block | None, piece: Piece, parsed: Parsed) -> int | None:
        """Settle a part of the last block; returns where the unsettled rest begins in the parsed source."""
        if self._open is not None and rest is not None:
            cut = self._open.settle(rest, piece, parsed)
        else:
            opened = open_block(block, piece, parsed) or open_paragraph(block, piece, parsed)
            if opened is None:
                return None
            self._open, cut = opened
        if cut is not None:
            self._open_asked.update(dict.fromkeys(piece.asked))
        return cut

    def _remember(self, reading: _Reading, index: int) -> None:
        """Settle one piece of the tail that another one follows."""
        piece, following = reading.tree.pieces[index], reading.tree.pieces[index + 1]
        found = reading.shown[index]
        start = reading.start + reading.parsed.offset(piece.first_line)
        line, asked = reading.base_line + piece.first_line, piece.asked
        if index == 0 and self._open is not None:
            start, line, asked = self._open_start, self._open_line, (*self._open_asked, *asked)
        self.labels.remember(asked)
        if found is not None:
            end = reading.start + reading.parsed.offset(following.first_line)
            self._settled.add(found, start, end, line, asked)


def _tag(piece: Piece) -> str:
    return "" if piece.element is None else piece.element.tag


def _within(reading: _Reading) -> _Within:
    pieces, parsed = reading.tree.pieces, reading.parsed
    last = len(pieces) - 1
    while last > 0 and not is_decided(_tag(pieces[last]), pieces[last].first_line, parsed):
        last -= 1
    if last < 0:
        return _Within()
    element, lines = pieces[last].element, parsed.complete - pieces[last].first_line
    if element is None:
        return _Within()
    is_fence = pieces[last].tokens[0].type == "fence" and "closed" in element.attrib
    is_table = element.tag == "table" and not parsed.is_blank(parsed.complete - 1)
    return _Within(is_fence and lines >= 1, is_table and lines >= 2)
