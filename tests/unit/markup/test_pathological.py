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
from desktop_chat.markup.incremental import IncrementalParser

UNITS: dict[str, Callable[[int], str]] = {
    "brackets": lambda n: "[" * n,
    "closing brackets": lambda n: "]" * n,
    "images": lambda n: "![" * (n // 2),
    "bracket pairs": lambda n: "[a](" * (n // 4),
    "nested links": lambda n: "[" * (n // 2) + "a" + "](b)" * (n // 8),
    "reference chains": lambda n: "[a][b]" * (n // 6),
    "definitions": lambda n: "".join(f"[l{i}]: http://x.y/{i}\n" for i in range(n // 20)),
    "open definition": lambda n: "[a\n" * (n // 3),
    "definition titles": lambda n: '[a]: b "\n' * (n // 9),
    "asterisks": lambda n: "*" * n,
    "asterisk words": lambda n: "*a " * (n // 3),
    "asterisk pairs": lambda n: "*a**" * (n // 4),
    "mixed emphasis": lambda n: "*a _b **c __d " * (n // 14),
    "underscores": lambda n: "_a__" * (n // 4),
    "tildes": lambda n: "~a~~" * (n // 4),
    "rule of three": lambda n: "a**b" + "c* " * (n // 3),
    "backticks": lambda n: "`" * n,
    "growing backticks": lambda n: " ".join("`" * i for i in range(1, int((2 * n) ** 0.5))),
    "backtick pairs": lambda n: "`a``b```c " * (n // 10),
    "less than": lambda n: "<" * n,
    "open tags": lambda n: "<a " * (n // 3),
    "open attributes": lambda n: '<a b="' * (n // 6),
    "comments": lambda n: "<!-- " * (n // 5),
    "processing": lambda n: "<?" * (n // 2),
    "declarations": lambda n: "<!A " * (n // 4),
    "cdata": lambda n: "<![CDATA[" * (n // 9),
    "autolinks": lambda n: "<http:" * (n // 6),
    "addresses": lambda n: "http://" * (n // 7),
    "www": lambda n: "www." * (n // 4),
    "w": lambda n: "w" * n,
    "at signs": lambda n: "a@" * (n // 2),
    "colons": lambda n: ":" * n,
    "ampersands": lambda n: "&" * n,
    "entities": lambda n: "&amp" * (n // 4),
    "backslashes": lambda n: "\\" * n,
    "dollars": lambda n: "$" * n,
    "dollar words": lambda n: "$a " * (n // 3),
    "parenthesis formulas": lambda n: "\\(a " * (n // 4),
    "bracket formulas": lambda n: "\\[a " * (n // 4),
    "quotes": lambda n: ">" * n,
    "quote lines": lambda n: "> " * 40 + "a\n" + ">\n" * (n // 2),
    "lists in a line": lambda n: "- " * (n // 2),
    "stairs": lambda n: "".join(" " * (2 * i) + "- a\n" for i in range(int(n**0.5))),
    "quotes and lists": lambda n: "> - " * (n // 4),
    "numbers": lambda n: "1. " * (n // 3),
    "pipes": lambda n: "|" * n,
    "tables": lambda n: "|a|\n|-|\n" * (n // 8),
    "narrow rows": lambda n: "|a|b|\n|-|-|\n" + "|\n" * (n // 2),
    "hashes": lambda n: "# " * (n // 2),
    "rules": lambda n: "---\n" * (n // 4),
    "fences": lambda n: "```\n" * (n // 4),
    "open formulas": lambda n: "$$\n" * (n // 3),
    "footnotes": lambda n: "[^a]: [^a]: " * (n // 12),
    "footnote users": lambda n: "[^1]" * (n // 4) + "\n\n[^1]: x",
    "short lines": lambda n: "a\n" * (n // 2),
    "blank lines": lambda n: "\n" * n,
    "one line": lambda n: "word " * (n // 5),
    "bidirectional": lambda n: "\u202e\u200b" * (n // 2),
    "no characters": lambda n: "\x00\ufffc" * (n // 2),
}


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


@pytest.mark.parametrize("name", UNITS)
def test_work_grows_with_the_text(name: str) -> None:
    make = UNITS[name]
    parse(make(200))
    small, large = (calls_of(lambda size=size: parse(make(size))) for size in (1_000, 4_000))  # type: ignore[misc]
    assert large <= 6 * small + 2_000


@pytest.mark.parametrize("name", UNITS)
def test_streams_to_what_is_read_at_once(name: str) -> None:
    text = UNITS[name](6_000)
    parser = IncrementalParser()
    parser.append(text)
    while parser.is_behind:
        parser.update(700)
    parser.finish()
    assert parser.blocks == list(parse(text))
    assert "<script" not in to_html(text)
