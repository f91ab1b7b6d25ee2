"""Hostile texts: no cost that grows faster than the text, nothing lost, nothing raised.

Time is not asserted. What is counted is the work: characters handed to the inline rules and lines to the block rules
would both explode with a superlinear rule; here the number of Python function calls stands for both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from desktop_chat.markup import parse, to_html
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
