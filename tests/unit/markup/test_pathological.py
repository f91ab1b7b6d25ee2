"""Hostile texts: no cost that grows faster than the text, nothing lost, nothing raised.

Time is not asserted. What is counted is the work: characters handed to the inline rules and lines to the block rules
would both explode with a superlinear rule; here the number of Python function calls stands for both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from markdown_it import rules_inline
from markdown_it.rules_inline import StateInline

from desktop_chat.markup import incremental, parse, to_html
from desktop_chat.markup.hostile_texts import HOSTILE_TEXTS
from desktop_chat.markup.incremental import IncrementalParser


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
