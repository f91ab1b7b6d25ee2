"""A streamed text ends as the blocks of the same text read at once, for every way it may be cut."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_chat.markup import allowance, open_paragraph, parse, syntax
from desktop_chat.markup.blocks import (
    CodeBlock,
    Footnotes,
    Heading,
    ListBlock,
    Paragraph,
    Patch,
    Quote,
    RawText,
    SourceBlock,
    Style,
    Table,
)
from desktop_chat.markup.incremental import IncrementalParser

ANSWER = """# A *tour*

Here are **two:**things
- first `code`
- [x] second

  with more
1. one
   ```py
   print(1)
   ```
2. two

| Name | Size |
|------|-----:|
| **a** | 1 |
| b | [2](http://x.y) |

> quoted
lazily
>
> - in it

```python
def f():

    return "```"
```
Text with $x^2$ and [late][ref], [^n] and [^m].
$$
E = mc^2
$$

Setext
---

[ref]: https://example.com 'Title'
[^m]: A note
    that goes on.
[^n]: Another, see [ref].
"""

FRAGMENTS = [
    *[
        "\n",
        "\n",
        "\n\n",
        " ",
        "  ",
        "    ",
        "\t",
        "- ",
        "* ",
        "1. ",
        "2. ",
        "10) ",
        "- [ ] ",
        "> ",
        "> ",
        "# ",
    ],
    *[
        "---\n",
        "===\n",
        "```\n",
        "```py\n",
        "~~~\n",
        "`",
        "``",
        "*",
        "**",
        "_",
        "__",
        "~~",
        "~",
        "[",
        "]",
        "(",
        ")",
    ],
    *["![", "](http://a.b)", "](x)", "[a]", "[a]: http://x.y\n", "[b]: z 'ti\ntle'\n", "[^1]", "[^n]", "|"],
    *[
        "[^1]: note\n",
        "[^n]: other *x*\n",
        "| a | b |\n",
        "|---|---|\n",
        "a | b\n",
        "$",
        "$$",
        "$$\n",
        "\\(",
        "\\)",
    ],
    *[
        "\\[",
        "\\]",
        "\\",
        "<",
        ">",
        "<div>\n",
        "<b>",
        "<!-- ",
        "-->",
        "<script>",
        "a",
        "b",
        "word ",
        "text, more ",
    ],
    *[
        "foo@bar.com",
        "http://ex.com/a_b",
        "www.ex.com ",
        "&amp;",
        "\r",
        "\r\n",
        "\x00",
        "漢字",
        "：",
        "x\n\n",
        "5",
    ],
]
LONG_FRAGMENTS = [
    *[
        "\n",
        " ",
        "word ",
        "more words ",
        "a",
        "b ",
        "foo. ",
        "and\n",
        "*",
        "**",
        "_",
        "~~",
        "`",
        "``",
        "[",
        "]",
        "(",
    ],
    *[
        ")",
        "![",
        "](http://a.b)",
        '](x "y z")',
        "[a] ",
        "\n\n[a]: http://x.y\n\n",
        "[^n]",
        "\n\n[^n]: *x*\n\n",
        "|",
    ],
    *[
        "\n| a | b |\n",
        "\n|---|---|\n",
        "a | b\n",
        "$",
        "$$",
        "\\(",
        "\\)",
        "\\",
        "<",
        ">",
        "<b>",
        "<a href=",
        '="x"',
    ],
    *[
        "'",
        '"',
        "<!--",
        "-->",
        "http://ex.com/a_b ",
        "&amp;",
        "  \n",
        "漢字",
        "漢字、" * 40,
        "é" * 300,
        "5",
        "$5 and ",
        "$x$ ",
        "\n===\n",
    ],
    *["\n---\n", "\n- x", "\n> q", "\n# h", "\n    x"],
]


class Mirror:
    """What a view does with patches; checks each on the way."""

    def __init__(self) -> None:
        self.parser = IncrementalParser()
        self.blocks: list[SourceBlock] = []
        self.frozen: list[SourceBlock] = []

    def take(self, patch: Patch) -> None:
        self.blocks[patch.keep :] = patch.tail
        assert self.blocks == self.parser.blocks
        assert self.blocks[: len(self.frozen)] == self.frozen, "a frozen block changed"
        self.frozen = self.blocks[: patch.frozen]

    def stream(self, pieces: Iterable[str]) -> list[SourceBlock]:
        for piece in pieces:
            self.parser.append(piece)
            self.take(self.parser.update())
        self.take(self.parser.finish())
        return self.blocks


def cut(text: str, places: Iterable[int]) -> list[str]:
    ends = sorted({*places, 0, len(text)})
    return [text[start:end] for start, end in pairwise(ends)]


def streamed(text: str) -> list[SourceBlock]:
    return Mirror().stream(text)


def shown_after(pieces: Iterable[str]) -> list[SourceBlock]:
    """All that is shown of a text that is still being written."""
    mirror = Mirror()
    for piece in pieces:
        mirror.parser.append(piece)
        mirror.take(mirror.parser.update())
        while mirror.parser.is_behind:
            mirror.take(mirror.parser.update())
    return mirror.blocks


def last_shown(text: str) -> SourceBlock:
    """The last block while ``text`` is still being written."""
    mirror = Mirror()
    for character in text:
        mirror.parser.append(character)
        mirror.take(mirror.parser.update())
    return mirror.blocks[-1]


def test_every_prefix_ends_as_it_reads_at_once() -> None:
    mirror = Mirror()
    for end in range(1, len(ANSWER) + 1):
        mirror.parser.append(ANSWER[end - 1])
        mirror.take(mirror.parser.update())
        other = Mirror()
        assert other.stream([ANSWER[:end]]) == list(parse(ANSWER[:end])), ANSWER[:end]
    mirror.take(mirror.parser.finish())
    assert mirror.blocks == list(parse(ANSWER))


def test_finished_and_continued() -> None:
    mirror = Mirror()
    for end in range(1, len(ANSWER) + 1):
        mirror.frozen = []
        mirror.parser.append(ANSWER[end - 1])
        mirror.take(mirror.parser.finish())
        assert mirror.blocks == list(parse(ANSWER[:end])), ANSWER[:end]


_hypothesis = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=120)
_long_run = settings(_hypothesis, max_examples=1_500)
_texts = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)
_paragraphs = st.lists(st.sampled_from(LONG_FRAGMENTS), max_size=40).map(
    lambda found: "word " + "".join(found)
)


def check_all_cuts(text: str, data: st.DataObject) -> None:
    expected = list(parse(text))
    places = data.draw(st.sets(st.integers(0, len(text)), max_size=12))
    assert Mirror().stream(cut(text, places)) == expected
    assert streamed(text) == expected


@_hypothesis
@given(_texts, st.data())
def test_any_text_in_any_pieces(text: str, data: st.DataObject) -> None:
    check_all_cuts(text, data)


@pytest.mark.slow
@_long_run
@given(_texts, st.data())
def test_any_text_in_any_pieces_at_length(text: str, data: st.DataObject) -> None:
    check_all_cuts(text, data)


def check_what_is_shown(text: str, data: st.DataObject) -> None:
    at_once = shown_after([text])
    places = data.draw(st.sets(st.integers(0, len(text)), max_size=12))
    assert shown_after(cut(text, places)) == at_once
    assert shown_after(text) == at_once


@_hypothesis
@given(_texts, st.data())
def test_what_is_shown_depends_on_the_text_alone(text: str, data: st.DataObject) -> None:
    check_what_is_shown(text, data)


@pytest.mark.slow
@_long_run
@given(_texts, st.data())
def test_what_is_shown_depends_on_the_text_alone_at_length(text: str, data: st.DataObject) -> None:
    check_what_is_shown(text, data)


@pytest.mark.parametrize(
    "text",
    [
        "```\n- ",  # in the fence, a line like any other
        "```\nx\n```\n\n- ",  # behind it, not yet anything
        "```\nx\n```\n\n| a |\n|---|\n| $x$ |\n|",
        "| a |\n|---|\n| b |\n\n| c",
        "| a |\n|---|\n| b |\n\n| c |\n",
        "> q\n\n| a |\n|---|\n| b |\n \n| c |\n|-",
    ],
)
def test_a_line_is_held_back_by_what_it_is_part_of(text: str) -> None:
    assert shown_after([text]) == shown_after(text)


@pytest.fixture(params=[allowance.MARKUP_ALLOWANCE, 12])
def _settles_early(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MARKUP_ALLOWANCE", request.param)
    monkeypatch.setattr(open_paragraph, "_SETTLE_FROM", 8)
    monkeypatch.setattr(open_paragraph, "_KEPT", 2)
    monkeypatch.setattr(open_paragraph, "_STEP", 1)


@pytest.mark.usefixtures("_settles_early")
@_hypothesis
@given(_paragraphs, st.data())
def test_any_paragraph_settled_bit_by_bit(text: str, data: st.DataObject) -> None:
    check_all_cuts(text, data)


@pytest.mark.slow
@pytest.mark.usefixtures("_settles_early")
@_long_run
@given(_paragraphs, st.data())
def test_any_paragraph_settled_bit_by_bit_at_length(text: str, data: st.DataObject) -> None:
    check_all_cuts(text, data)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"- **Item {number}** with `code`\n" for number in range(40)),
        "".join(f"{number}. Item\n\n   More of it\n" for number in range(1, 40)),
        "- a\n" * 20 + "\n- loose\n\npara",
        "| a | b |\n|---|---|\n" + "".join(f"| {number} | *x* |\n" for number in range(60)) + "\nend",
        "```py\n" + "x = 1\n\n" * 60 + "```\nend",
        "".join(f"> para {number}\n>\n" for number in range(40)) + "\nend",
        "Some **bold** words, [links](http://a.b) and `code`; " * 60 + "\n\nend",
        "Some **bold** words, and so on\n" * 60 + "===\n",
        "これは**重要**な`コード`です。" * 60 + "\n\nend",
        "a] " + "word " * 60 + "[the text of " + "a link " * 60 + "](http://a.b) and " + "word " * 100 + "\n",
        "漢字" * 700 + "$x$" + "é" * 900 + "\n",
        "http://" + "漢字" * 700 + "、*é* " + "é\U0001f600" * 900 + " *plain*\n",
    ],
)
def test_long_blocks(text: str) -> None:
    assert Mirror().stream(cut(text, range(0, len(text), 7))) == list(parse(text))


def test_unchanged_parts_keep_their_identity() -> None:
    mirror = Mirror()
    mirror.stream("para\n\n- a\n- b\n- c\n")
    before = list(mirror.blocks)
    mirror.frozen = []
    mirror.stream(["- d\n- e\n"])
    assert mirror.blocks[0] is before[0]
    old, new = before[1].block, mirror.blocks[1].block
    assert isinstance(old, ListBlock)
    assert isinstance(new, ListBlock)
    assert new.items[0] is old.items[0]
    assert len(new.items) == 5


def test_an_update_reads_the_tail_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from desktop_chat.markup import incremental

    sizes: list[int] = []
    build = vars(incremental)["build_tree"]

    def counted(source: str, **options: object) -> object:
        sizes.append(len(source))
        return build(source, **options)

    monkeypatch.setattr(incremental, "build_tree", counted)
    for text in (
        ANSWER * 30,
        "- item with words\n" * 2000,
        "```\n" + "code line\n" * 2000,
        "word " * 4000,
        "これは**重要**です。" * 600,
        "é" * 8000,
        "[" * 8000,
        "*" * 8000,
        "\U0001f600 " * 4000,
    ):
        sizes.clear()
        Mirror().stream(cut(text, range(0, len(text), 70)))
        assert max(sizes) < 2_000


def test_a_late_definition_changes_only_its_users() -> None:
    mirror = Mirror()
    for piece in ("See [x] here.\n\n", "Not here.\n\n", "More.\n\n"):
        mirror.parser.append(piece)
        mirror.take(mirror.parser.update())
    former = list(mirror.blocks)
    assert mirror.parser.frozen == 0
    mirror.stream(["[x]: http://a.b\n\nend"])
    first = mirror.blocks[0].block
    assert isinstance(first, Paragraph)
    assert first.content.spans[0].href == "http://a.b"
    assert mirror.blocks[1] is former[1]


def test_footnotes_are_numbered_by_first_reference() -> None:
    blocks = streamed("B[^b] a[^a].\n\n[^a]: first\n\n[^b]: second\n")
    assert isinstance(blocks[0].block, Paragraph)
    assert blocks[0].block.content.text == "B1 a2."
    notes = blocks[-1].block
    assert isinstance(notes, Footnotes)
    assert [label for label, _ in notes.notes] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "shown", "style"),
    [
        ("**bo", "bo", Style.BOLD),
        ("so *it", "so it", Style.ITALIC),
        ("**bold*", "bold", Style.BOLD),
        ("~~go", "go", Style.STRIKE),
        ("run `cod", "run cod", Style.CODE),
        ("see [the text](htt", "see the text", None),
        ("see [the te", "see the te", None),
        ("look ![alt](htt", "look", None),
        ("if $x^2", "if", None),
        ("令$x^2", "令", None),
        ("这是**重要", "这是重要", Style.BOLD),
        ("costs $5", "costs $5", None),
        ("5*3 is", "5*3 is", None),
        ("Intro\n-", "Intro", None),
        ("Intro\n| A | B", "Intro", None),
        ("Intro\n| A | B |\n|--", "Intro", None),
        ("Intro\n```py", "Intro", None),
        ("Intro\n1.", "Intro", None),
    ],
)
def test_unfinished_markup_is_drawn_as_it_will_become(text: str, shown: str, style: Style | None) -> None:
    block = last_shown(text).block
    assert isinstance(block, Paragraph)
    assert block.content.text == shown
    assert [span.style for span in block.content.spans] == ([style] if style else [])


def test_open_fence_is_code_and_its_closer_never_shows() -> None:
    block = last_shown("```py\nx = 1\n``").block
    assert block == CodeBlock("py", "x = 1", closed=False)


def test_table_row_by_row() -> None:
    block = last_shown("| A | B |\n|---|---|\n| 1 | **2").block
    assert isinstance(block, Table)
    assert [cell.text for cell in block.rows[0]] == ["1", "2"]


def test_large_text_is_taken_in_slices() -> None:
    parser = IncrementalParser()
    parser.append("para\n\n" * 5_000)
    patch = parser.update(600)
    was_behind = parser.is_behind
    assert 0 < len(patch.tail) <= 100
    parser.finish()
    assert (was_behind, parser.is_behind) == (True, False)
    assert len(parser.blocks) == 5_000
    assert parser.text == "para\n\n" * 5_000


def test_line_ends_may_come_apart() -> None:
    assert streamed("a\r\n\r\nb\rc") == list(parse("a\n\nb\nc"))


def test_quote_and_heading_kinds() -> None:
    kinds = [type(block.block) for block in streamed("> q\n\n# h\n")]
    assert kinds == [Quote, Heading]


@pytest.mark.parametrize("rest", ["", "\n\nAfter **it**.\n", "\n- item\n", "| x |"])
def test_rows_beyond_a_tables_limit_are_text(rest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax, "MAX_CELLS", 12)
    text = "Intro\n\n| a | b |\n|---|--:|\n" + "".join(f"| {n} | *x* |\n" for n in range(20)) + rest
    blocks = [found.block for found in parse(text)]
    table, rows = blocks[1:3]
    assert isinstance(table, Table)
    assert len(table.rows) == 12 // 3
    assert isinstance(rows, RawText)
    assert rows.text.startswith("| 4 | *x* |\n")
    for size in (1, 3, 7, 50, 1000):
        parser = IncrementalParser()
        for first in range(0, len(text), size):
            parser.append(text[first : first + size])
            parser.update()
        parser.finish()
        assert [found.block for found in parser.blocks] == blocks


def test_a_finished_text_that_goes_on_is_no_longer_frozen() -> None:
    parser = IncrementalParser()
    parser.append("- " + "long " * 2_000)
    while parser.is_behind:
        parser.update()
    parser.finish()
    assert parser.frozen == len(parser.blocks)
    parser.append("x")
    parser.update()
    assert parser.frozen < len(parser.blocks)
