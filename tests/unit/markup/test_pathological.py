"""Hostile texts: no cost that grows faster than the text, nothing lost, nothing raised.

Time is not asserted. What is counted is the work: characters handed to the inline rules and lines to the block rules
would both explode with a superlinear rule; here the number of Python function calls stands for both.
"""

from __future__ import annotations

import gc
import random
import re
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from markdown_it import rules_inline
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from desktop_chat.markup import incremental, parse, plain_text, syntax, to_html
from desktop_chat.markup.blocks import CodeBlock, ListBlock, Paragraph, Quote, Table
from desktop_chat.markup.bounded_blocks import MAX_PART_LINES
from desktop_chat.markup.hostile_texts import HOSTILE_TEXTS
from desktop_chat.markup.incremental import IncrementalParser
from desktop_chat.markup.line_rules import MAX_QUOTE_LINES, block_state
from desktop_chat.markup.long_runs import LongRun


def calls_of(function: Callable[[], object]) -> int:
    """How many Python functions run in ``function``."""
    count = 0

    def count_call(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    former = sys.getprofile()
    sys.setprofile(count_call)
    try:
        function()
    finally:
        sys.setprofile(former)
    return count


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_work_grows_with_the_text(name: str) -> None:
    make = HOSTILE_TEXTS[name]
    parse(make(200))
    small, large = (calls_of(lambda size=size: parse(make(size))) for size in (1_000, 4_000))  # type: ignore[misc]
    assert large <= 6 * small + 2_000


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_streams_to_what_is_read_at_once(name: str) -> None:
    text = HOSTILE_TEXTS[name](6_000)
    parser = IncrementalParser()
    parser.append(text)
    while parser.is_behind:
        parser.update(700)
    parser.finish()
    assert parser.blocks == list(parse(text))
    assert "<script" not in to_html(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: ("word\n" + " " * n) * 40,
        lambda n: "- word\n" + ("  word\n" + " " * n) * 40,
        lambda n: "> word" + " " * n + "\n" * 40,
    ],
    ids=["paragraph", "list", "quotation"],
)
def test_spaces_are_not_looked_at_one_by_one(make: Callable[[int], str]) -> None:
    parse(make(10))
    few, many = (calls_of(lambda width=width: parse(make(width))) for width in (10, 500))  # type: ignore[misc]
    assert many <= few + 600


@pytest.mark.parametrize("depth", range(9))
def test_a_long_quotation_is_cut_so_that_no_step_reads_more_of_it(depth: int) -> None:
    text = "> " * depth + "line\n" + "> \n" * 1_200
    blocks = [found for found in parse(text) if isinstance(found.block, Quote)]
    assert max(found.end_line - found.first_line for found in blocks) <= MAX_QUOTE_LINES


def test_a_quotation_is_cut_at_the_same_line_however_it_comes() -> None:
    text = "> A line\n> and one.\n>\n> > Deeper.\n>\n" * 230
    parser = IncrementalParser()
    for start in range(0, len(text), 37):
        parser.append(text[start : start + 37])
        parser.update()
    parser.finish()
    assert parser.blocks == list(parse(text))
    assert [found.end_line - found.first_line for found in parser.blocks] == [MAX_QUOTE_LINES] * 2 + [150]


def test_of_a_growing_quotation_without_an_end_a_bounded_part_is_read_again() -> None:
    """What a step reads does not grow with what came before, of whatever it consists."""
    make = HOSTILE_TEXTS["quote lines"]

    def longest_step(length: int) -> int:
        parser, text, longest = IncrementalParser(), make(length), 0
        for start in range(0, len(text), 64):
            parser.append(text[start : start + 64])
            longest = max(longest, calls_of(parser.update))
        return longest

    # How much a step takes in depends a little on the machine's pace; re-reading all of it would be 2.7 times as much.
    assert longest_step(8_000) <= 1.8 * longest_step(3_000) + 500


UNENDING: dict[str, Callable[[int], str]] = {
    "nested items": lambda n: "- a\n" + "  - b\n" * n,
    "paragraphs of an item": lambda n: "- a\n\n" + "  b\n\n" * n,
    "rows of an item": lambda n: "- |a|b|\n  |-|-|\n" + "  |\n" * n,
    "lines of an item": lambda n: "- a\n" + "a\n" * n,
    "quoted items": lambda n: "> - a\n" * n,
    "items of a note": lambda n: "[^a]: x\n\n" + "    - a\n" * n,
    "steps of an item": lambda n: "- a\n" + "".join("  " * (1 + i % 9) + "- a\n" for i in range(n)),
}


@pytest.mark.parametrize(
    "name", [name for name in UNENDING if name not in ("rows of an item", "items of a note")]
)
def test_a_part_of_a_growing_block_ends_however_long_it_goes_on(name: str) -> None:
    """What is read again for each piece that comes does not grow with what came before."""
    make = UNENDING[name]

    def step_at_the_end(lines: int) -> int:
        parser = IncrementalParser()
        parser.append(make(lines))
        while parser.is_behind:
            parser.update()
        steps = []
        further = make(lines + MAX_PART_LINES + 10)[len(make(lines)) :].splitlines(keepends=True)
        for at in range(0, len(further), 10):
            parser.append("".join(further[at : at + 10]))
            steps.append(calls_of(parser.update))
        return max(steps)

    # Where an item may end anew, a part has begun anew between.
    assert step_at_the_end(900) <= 1.6 * step_at_the_end(250) + 2_000


@pytest.mark.parametrize("name", UNENDING)
def test_a_part_ends_at_the_same_place_however_it_comes(name: str) -> None:
    text = UNENDING[name](400)
    parser = IncrementalParser()
    for start in range(0, len(text), 41):
        parser.append(text[start : start + 41])
        parser.update()
    parser.finish()
    assert parser.blocks == list(parse(text))
    assert plain_text(text).count("a") + plain_text(text).count("b") == text.count("a") + text.count("b") - (
        name == "items of a note"  # its label
    )


def test_code_within_an_item_is_never_cut() -> None:
    code = "x\n" * 400
    text = "- a\n\n  ```\n" + "  x\n" * 400 + "  ```\n\n  after\n- b\n"
    first, *rest = (found.block for found in parse(text))
    assert isinstance(first, ListBlock)
    assert [block for block in first.items[0].blocks if isinstance(block, CodeBlock)] == [
        CodeBlock("", code.removesuffix("\n"))
    ]
    assert plain_text(text).endswith("b")
    assert rest


def test_short_lines_are_taken_in_smaller_steps() -> None:
    """A step is as many characters as lines are long: of narrow rows no more than some dozen at first."""
    rows, prose = IncrementalParser(), IncrementalParser()
    rows.append("|a|\n|-|\n" + "|\n" * 500)
    prose.append("word " * 200)
    for parser in (rows, prose):
        parser.update(256)
    table = rows.blocks[-1].block
    paragraph = prose.blocks[-1].block
    assert isinstance(table, Table)
    assert len(table.rows) <= 32
    assert isinstance(paragraph, Paragraph)
    assert len(paragraph.content.text) > 240


def test_blocks_are_no_work_for_the_cycle_collector() -> None:
    text = "# A\n\n> - *b* $c$ [d](http://e.f)\n\n|g|\n|-|\n|h|\n\n```\ni\n```\n\n[^j]\n\n[^j]: k\n"
    assert not any(map(gc.is_tracked, parse(text)))
    assert not any(gc.is_tracked(found.block) for found in parse(text))


@pytest.mark.parametrize("length", [2, 7, 300])
def test_a_long_run_is_found_where_a_plain_search_finds_it(length: int) -> None:
    plain, run = re.compile(f"[!-~]{{{length}}}"), LongRun("[!-~]", length)
    chance = random.Random(length)
    for _ in range(300):
        text = "".join(
            chance.choice(" x") * chance.choice((1, length // 2, length - 1, length, length + 1))
            for _ in range(chance.randrange(8))
        )
        start, end = chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)
        expected, found = plain.search(text, start, end), run.search(text, start, end)
        assert (found and found.span()) == (expected and expected.span())


def test_line_marks_are_those_of_the_library() -> None:
    chance = random.Random(1)
    names = ("src", "bMarks", "eMarks", "tShift", "sCount", "bsCount", "lineMax")
    for _ in range(500):
        text = "".join(chance.choice([" ", "\t", "\n", "a", "> ", "- "]) for _ in range(chance.randrange(30)))
        expected = StateBlock(text, syntax.parser(), {}, [])
        state = block_state(text, syntax.parser(), {})
        assert [getattr(state, name) for name in names] == [getattr(expected, name) for name in names]


@pytest.mark.parametrize("name", ["rule of three", "short lines", "fences", "at signs", "footnotes"])
def test_a_slow_update_reads_or_settles_the_shortest_step(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """However slow the machine is: one step a time, after the first ones the shortest."""
    monkeypatch.setattr(incremental, "_PATIENCE_S", 1e-9)
    text = HOSTILE_TEXTS[name](3_000)
    parser = IncrementalParser()
    parser.append(text)
    settlings: list[int] = []
    settle = IncrementalParser._settle

    def count_settling(self: IncrementalParser, reading: object) -> None:
        settlings.append(1)
        settle(self, reading)  # type: ignore[arg-type]

    monkeypatch.setattr(IncrementalParser, "_settle", count_settling)
    updates = 0
    while parser.is_behind:
        before = len(settlings)
        taken = parser._length
        parser.update()
        updates += 1
        assert parser._length - taken <= 2 * incremental._SHORTEST_STEP
        assert (parser._length > taken) != (len(settlings) > before)
    assert updates > len(text) / incremental._SHORTEST_STEP - 2
    parser.finish()
    assert parser.blocks == list(parse(text))


def test_no_link_is_looked_for_where_no_bracket_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def look(state: StateInline, silent: bool) -> bool:
        looked.append(state.pos)
        return False

    monkeypatch.setattr(rules_inline, "link", look)
    monkeypatch.setattr(rules_inline, "image", look)
    parse("[a " * 20 + "![b " * 20)
    assert looked == []
    parse("a [b](c)")
    assert looked


def test_dense_text_is_settled_early() -> None:
    """The unsettled rest, which is read again with each step, stays short where much of it is marks."""
    longest = 0
    parser = IncrementalParser()
    for _ in range(100):
        parser.append("*a* _b_ `c` ")
        parser.update()
        longest = max(longest, len(parser._tail))
    assert longest < 500
