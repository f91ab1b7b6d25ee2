"""A long text that is opened in segments shows the blocks of the whole text, as it did when it was streamed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_chat.markup import parse
from desktop_chat.markup.blocks import Block, CodeBlock, Footnotes, Paragraph, Style
from desktop_chat.markup.hostile_texts import HOSTILE_TEXTS
from desktop_chat.markup.part_labels import PartLabels, TextPart, may_define
from desktop_chat.ui.transcript.column import Spec
from desktop_chat.ui.transcript.cuts import cuts
from desktop_chat.ui.transcript.flow import Flow
from desktop_chat.ui.transcript.segments import Segment, segments

WORDS = "The quick brown fox jumps over the lazy dog, and so on, again and again. " * 8
PARAGRAPHS = [f"Paragraph {number}. {WORDS}" for number in range(14)]
HALF = len(PARAGRAPHS) // 2


def opened(text: str, *, at_once: bool, backwards: bool = False) -> list[Spec]:
    """What is shown once every segment was seen."""
    flow = Flow(4)
    flow.show(text)
    while True:
        waiting = [i for i, spec in enumerate(flow.specs) if isinstance(spec.source, Segment)]
        if not waiting:
            return flow.specs
        index = waiting[-1 if backwards else 0]
        segment, above = flow.specs[index].source, flow.specs[index - 1].source if index else None
        assert isinstance(segment, Segment)
        specs = flow.split(segment, above if isinstance(above, Block) else None, at_once=at_once)
        if specs is not None:
            flow.specs[index : index + 1] = specs


def streamed(text: str) -> list[Spec]:
    flow = Flow(4)
    flow.append(text)
    while flow.is_behind:
        flow.advance()
    flow.finish()
    return flow.specs


def shown(specs: list[Spec]) -> list[tuple[object, object]]:
    return [(spec.part, spec.source) for spec in specs]


def assert_opens_as_streamed(text: str) -> list[object]:
    """Returns the blocks that are shown."""
    expected = streamed(text)
    for at_once in (True, False):
        for backwards in (False, True):
            assert shown(opened(text, at_once=at_once, backwards=backwards)) == shown(expected)
    return [spec.source for spec in expected]


def long_text(*between: str, end: str = "") -> str:
    """Paragraphs of several segments with something between the halves and at the end."""
    text = "\n\n".join([*PARAGRAPHS[:HALF], *between, *PARAGRAPHS[HALF:]]) + end
    assert len(segments(text)) > 2
    return text


def hrefs(blocks: list[object]) -> list[str]:
    return [
        span.href
        for block in blocks
        if isinstance(block, Paragraph)
        for span in block.content.spans
        if span.style & Style.LINK
    ]


def test_a_footnote_is_shown_once_at_the_end() -> None:
    blocks = assert_opens_as_streamed(long_text("See[^1].", end="\n\n[^1]: The note.\n"))
    assert [isinstance(block, Footnotes) for block in blocks].count(True) == 1
    assert isinstance(blocks[-1], Footnotes)


def test_footnotes_are_numbered_by_first_reference_over_all_segments() -> None:
    text = long_text("Then [^b] and [^a].", end=" Last [^c].")
    text = f"First `[^c]` and [^a].\n\n[^c]: C, see [^d].\n[^b]: B\n[^d]: D\n[^e]: nobody asks\n[^a]: A\n\n{text}"
    *_, notes = assert_opens_as_streamed(text)
    assert isinstance(notes, Footnotes)
    first = [content[0] for _, content in notes.notes]
    assert [block.content.text[:1] for block in first if isinstance(block, Paragraph)] == list("ADBCn")


def test_a_reference_behind_a_note_is_no_part_of_it() -> None:
    text = long_text("See [a][1] and[^1].", end=" See [b][1].\n\n[^1]: note\n\n[1]: http://x.y\n")
    blocks = assert_opens_as_streamed(text)
    assert hrefs(blocks) == ["http://x.y", "http://x.y"]


def test_the_address_of_a_definition_may_stand_on_the_next_line() -> None:
    blocks = assert_opens_as_streamed(long_text("See [a].", end=" See [a].\n\n[a]:\n  http://x.y\n"))
    assert hrefs(blocks) == ["http://x.y", "http://x.y"]
    assert len(blocks) == len(PARAGRAPHS) + 1


def test_a_line_of_code_defines_nothing() -> None:
    text = long_text("```\n[b]: http://evil.example\n```", "    [b]: http://evil.example", end=" See [b].")
    assert hrefs(assert_opens_as_streamed(text)) == []


def test_definitions_do_not_get_into_code_that_was_left_open() -> None:
    text = f"See [a].\n\n[a]: http://x.y\n\n{long_text()}\n\n```py\nprint(1)\n"
    blocks = assert_opens_as_streamed(text)
    assert [block.code for block in blocks if isinstance(block, CodeBlock)] == ["print(1)"]


def test_a_note_keeps_all_its_paragraphs() -> None:
    text = long_text("See[^1].", end="\n\n[^1]: First.\n\n    Second.\n\n    - third\n")
    *_, notes = assert_opens_as_streamed(text)
    assert isinstance(notes, Footnotes)
    assert len(notes.notes[0][1]) == 3


@pytest.mark.parametrize(
    "definition",
    ["> [a]: http://x.y", "- [a]: http://x.y", "[^n]: [a]: http://x.y", "[ A ]: <http://x.y> 'a\ntitle'"],
)
def test_definitions_within_other_blocks_hold_everywhere(definition: str) -> None:
    text = long_text("See [a].", definition, end=" See [a].")
    assert hrefs(assert_opens_as_streamed(text)) == ["http://x.y", "http://x.y"]


def test_the_first_definition_of_a_label_wins() -> None:
    text = long_text("[a]: http://first.example", end=" See [a].\n\n[A]: http://second.example\n")
    assert hrefs(assert_opens_as_streamed(text)) == ["http://first.example"]


def test_a_segment_that_is_parsed_in_slices_knows_the_definitions_and_keeps_its_notes() -> None:
    items = "".join(f"- **a** `b` [c][d] {number} *x*[^{number % 3}]\n\n---\n\n" for number in range(110))
    text = long_text(items.strip(), end="\n\n[^1]: one\n\n[^2]: two\n\n[d]: http://x.y\n")
    assert any(len(segment.text) > 5_000 for segment in segments(text))
    assert isinstance(assert_opens_as_streamed(text)[-1], Footnotes)


def test_what_follows_the_blocks_that_were_given_out_knows_what_they_defined() -> None:
    text = "[d]: http://x.y\n[^1]: note\n\n" + "".join(f"# {number}\n" for number in range(400)) + "[d]"
    (segment,) = segments(text)
    assert not segment.is_quick
    assert isinstance(assert_opens_as_streamed(text)[-1], Footnotes)


@pytest.mark.parametrize(
    "block",
    [
        "- item\n\n  ```\n  left open\n\nText\n\n```\nreal\n\ncode\n```",
        "1. ```sh\n   run\n\n   it\n   ```\n\n2. two\n\n   ```\ncode\n   ```",
        "```not` a fence```",
        "~~~~\n```\n~~~\n\nin it\n\n~~~~~ ",
        "$$\n```\n$$\n\nText\n\n```\na\n\nb\n```",
        "$$\nx\n$$\n```py\na\n\nb\n```",
        "\\[ prose\n```\na\n\nb\n```",
        "<!-- a\n\nb\n\n-->",
        "<pre>\n\na\n\n</pre> b",
        "<div>\n```\na\n\nb\n```\n\nc",
        "*\tone\n\n*\ttwo",
        "- a\n\n*\n\n- b",
        "  ```\n  a\n\nb\n  ```",
    ],
)
def test_no_cut_changes_a_block(block: str) -> None:
    text = "\n\n".join(f"{PARAGRAPHS[0]}\n\n{block}" for _ in range(8)) + "\n\n" + "\n\n".join(PARAGRAPHS)
    assert_opens_as_streamed(text)


@pytest.mark.parametrize("rest", ["```\na", "<!-- a", "<script>", "- ```\n  a"])
def test_what_is_left_open_goes_on_to_the_end(rest: str) -> None:
    assert_opens_as_streamed(long_text(end=f"\n\n{rest}\n\n") + "\n\n".join(PARAGRAPHS))


def test_a_text_without_definitions_has_no_labels() -> None:
    text = long_text("```py\nfor x in y[1:]:\n    if a[0]:\n        pass\n```", "See [a](http://x.y): [b].")
    assert all(segment.labels is None and segment.is_quick for segment in segments(text))


@pytest.mark.parametrize(
    ("line", "may"),
    [
        ("[a]: b", True),
        (" > - 1. [a]: b", True),
        ("[a\n\\[b]: c", True),
        ("[a\nb\\]: c]: d", True),
        ("if a[0]:", False),
        ("no bracket: [a]", False),
        ("a[0]: b]: c", False),
    ],
)
def test_lines_that_may_define_something_are_found(line: str, may: bool) -> None:
    assert may_define(f"Text\n\n{line}\n") is may


@pytest.mark.parametrize("name", ["definitions", "definition titles", "footnotes", "open definition"])
def test_hostile_definitions_cost_each_segment_its_own_length(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is parsed for labels is the text once or twice, not once for each segment."""
    text = "\n\n".join(f"{paragraph}\n\n{HOSTILE_TEXTS[name](500)}" for paragraph in PARAGRAPHS)
    found = segments(text)
    assert len(found) > 2
    module = vars(PartLabels)["_collect"].__globals__["grammar"]
    read: list[int] = []
    for function in ("definitions_in", "build_tree"):
        real = vars(module)[function]

        def counted(source: str, *args: object, _real: object = real, **kwargs: object) -> object:
            read.append(len(source))
            assert callable(_real)
            return _real(source, *args, **kwargs)

        monkeypatch.setattr(module, function, counted)
    labels = PartLabels([TextPart(segment.text, segment.first_line, True) for segment in found])
    labels.complete()
    assert sum(read) <= 2 * len(text)


def test_labels_that_take_too_long_leave_each_part_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop_chat.markup.part_labels._PATIENCE_S", -1.0)
    text = long_text("See [a] and[^1].\n\n[^1]: note", end=" See [b].\n\n[b]: http://x.y\n")
    blocks = [spec.source for spec in opened(text, at_once=False)]
    assert hrefs(blocks) == ["http://x.y"]
    assert sum(isinstance(block, Footnotes) for block in blocks) == 1


# --- any text ------------------------------------------------------------------------------------------------

FRAGMENTS = [
    *["\n\n", "\n\n", "\n", f"\n\n{WORDS}\n\n", f"\n\n{WORDS}[^1]\n\n", f"\n\n{WORDS}[a], [b] [^n][b]\n\n"],
    *["- item", "\n- ", "\n1. two", "\n2. ", "\n  more", "\n   ", "\n    ", "\n\n*\tt", "\n> ", "\n> quoted"],
    *[
        "\n```\n",
        "\n```py\n",
        "\n   ```\n",
        "\n  ```\n",
        "\n- ```\n",
        "\n~~~\n",
        "\n````\n",
        "\n\n```\ncode\n```\n\n",
    ],
    *[
        "\n[a]: http://x.y\n",
        "\n[b]:\n http://z 'ti\ntle'\n",
        "\n[^1]: note\n",
        "\n[^n]: see [^1], [a]\n\n    more\n",
    ],
    *[
        "\n[A]: http://other\n",
        "\n> [b]: http://q\n",
        "\n[^1]: again\n",
        "[",
        "]:",
        "]",
        "[^1]",
        "[^n]",
        "[a]",
        "`",
    ],
    *[
        "\n\n| a | b |\n|---|---|\n| [a] | [^1] |\n\n",
        "\n# Heading [^n]\n\n",
        "\n$$\n",
        "\n\\[\n",
        "\\]\n",
        "\n---\n",
    ],
    *["\n<!-- ", "-->", "\n<div>\n", "\n<pre>\n", "\n</pre>\n", "\nText", " text ", "x[0]:", "\\"],
]


@given(st.lists(st.sampled_from(FRAGMENTS), min_size=20, max_size=70).map("".join))
@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_segments_show_the_blocks_of_the_whole_text(text: str) -> None:
    whole = parse(text)
    found = [block for segment in segments(text) for block in placed(segment)]
    labels = segments(text)[-1].labels
    if labels is not None:
        labels.complete()
        found += [(each.first_line, each.block) for each in labels.footnotes]
    assert found == [(each.first_line, each.block) for each in whole]
    if len(segments(text)) > 1:
        assert shown(opened(text, at_once=False)) == shown(opened(text, at_once=True))


def placed(segment: Segment) -> list[tuple[int, Block]]:
    return [(segment.first_line + each.first_line, each.block) for each in segment.blocks()]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join))
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_cut_is_between_blocks(text: str) -> None:
    whole = [(each.first_line, each.block) for each in parse(text) if not isinstance(each.block, Footnotes)]
    for cut in cuts(text):
        line = text.count("\n", 0, cut)
        labels = PartLabels([TextPart(text[:cut], 0, True), TextPart(text[cut:], line, True)])
        labels.complete()
        found = [(each.first_line, each.block) for each in labels.parse(text[:cut])]
        found += [(line + each.first_line, each.block) for each in labels.parse(text[cut:])]
        assert found == whole
