"""Blocks within an item of a list, a quotation or a footnote, of which only so much is read as one part.

A text that grows is read again from the last part on that nothing can change any more. At top level that is a block,
within a list an item, within a quotation a block. Whatever such a part holds, it ends after `MAX_PART_LINES` lines, at
the next block or item: what follows is read as if it stood outside, so nothing is lost and no part costs more.
"""

from __future__ import annotations

from markdown_it import rules_block
from markdown_it.rules_block import StateBlock

MAX_PART_LINES = 200
"""Lines cost some twenty microseconds each, and all of a part is read in one step."""


def tokenize(state: StateBlock, start: int, end: int) -> None:
    """markdown-it's loop over the blocks of ``[start, end)``, up to the end of the part they belong to."""
    around = state.env.get("part_end")
    last = state.lineMax
    opened = state.level, state.tokens[-1].type if state.tokens else ""
    is_quotation = opened == (1, "blockquote_open")
    if opened in ((2, "list_item_open"), (1, "footnote_reference_open")):
        state.env["part_end"] = start + MAX_PART_LINES
    rules = state.md.block.ruler.getRules("")
    line = start
    has_blank = False
    while line < end:
        state.line = line = state.skipEmptyLines(line)
        if line >= end or state.sCount[line] < state.blkIndent:
            break
        if is_quotation:
            state.env["part_end"] = line + MAX_PART_LINES
        elif ends_part(state, line):
            break
        if state.level >= state.md.options.maxNesting:
            state.line = end
            break
        state.lineMax = within_part(state, last)  # No paragraph goes on behind it.
        any(rule(state, line, _end_for(rule, state, end), False) for rule in rules)
        state.lineMax = last
        state.tight = not has_blank
        line = state.line
        has_blank = has_blank or state.isEmpty(line - 1)
        if line < end and state.isEmpty(line):
            has_blank = True
            line += 1
            state.line = line
    state.env["part_end"] = around


def _end_for(rule: object, state: StateBlock, end: int) -> int:
    # The underline of a heading would be looked for in all lines that follow; it stands below the paragraph.
    return min(end, state.lineMax) if rule is rules_block.lheading else end


def within_part(state: StateBlock, end: int) -> int:
    """``end``, or where the part ends that is being read."""
    part_end = state.env.get("part_end")
    return end if part_end is None else min(end, part_end)


def ends_part(state: StateBlock, line: int) -> bool:
    """Whether the part that is being read ends before ``line``."""
    return within_part(state, line + 1) <= line


def part_rule(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """Ends a list within the part, as the beginning of another block would."""
    return silent and ends_part(state, start)
