"""What models write beyond the specification's examples, and what is refused."""

from __future__ import annotations

import pytest

from desktop_chat.markup import parse, plain_text, to_html
from desktop_chat.markup.blocks import (
    LINE_BREAK,
    CodeBlock,
    InlineImage,
    InlineMath,
    ListBlock,
    MathBlock,
    Paragraph,
    Quote,
    RawText,
    Style,
    Table,
)


def paragraph(text: str) -> Paragraph:
    (found,) = parse(text)
    assert isinstance(found.block, Paragraph)
    return found.block


def kinds(text: str) -> list[str]:
    return [type(found.block).__name__ for found in parse(text)]


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        ("**bold:**text", "bold:"),
        ("**「太字」**です", "「太字」"),
        ("これは**太字。**です", "太字。"),
        ("**50%**of it", "50%"),
        ("**注意：**text", "注意："),
    ],
)
def test_bold_closes_beside_cjk_and_punctuation(text: str, bold: str) -> None:
    content = paragraph(text).content
    (span,) = content.spans
    assert (content.text[span.start : span.end], span.style) == (bold, Style.BOLD)


@pytest.mark.parametrize("text", ["a $x^2$ b", "a $$x^2$$ b", r"a \(x^2\) b", r"a \[x^2\] b"])
def test_inline_formulas(text: str) -> None:
    content = paragraph(text).content
    assert content.objects == (InlineMath(2, "x^2"),)
    assert content.text == "a \ufffc b"


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $6",
        "US$5 or CA$6",
        "$5-$10",
        "$HOME/$PATH",
        "from $1,000 to $2,000.",
        r"\$a$",
        "`$x$`",
        "a $ b $",
    ],
)
def test_money_and_variables_are_no_formulas(text: str) -> None:
    assert paragraph(text).content.objects == ()


@pytest.mark.parametrize("text", ["$$\na\nb\n$$", "\\[\na\nb\n\\]", "so\n$$\na\nb\n$$\nthen"])
def test_display_formulas(text: str) -> None:
    assert MathBlock("a\nb") in [found.block for found in parse(text)]


def test_an_open_formula_ends_at_a_blank_line() -> None:
    assert kinds("$$\na\n\nb") == ["MathBlock", "Paragraph"]


def test_blocks_need_no_blank_line_before() -> None:
    assert kinds("text\n- a\n- b") == ["Paragraph", "ListBlock"]
    assert kinds("text\n```\nx\n```\nmore") == ["Paragraph", "CodeBlock", "Paragraph"]
    assert kinds("text\n| a |\n|---|\n| b |") == ["Paragraph", "Table"]


@pytest.mark.parametrize("indent", [2, 3, 4])
def test_nested_lists(indent: int) -> None:
    (found,) = parse(f"- a\n{' ' * indent}- b\n- c")
    assert isinstance(found.block, ListBlock)
    first, _second = found.block.items
    assert isinstance(first.blocks[1], ListBlock)


def test_lists_keep_start_tasks_and_looseness() -> None:
    (found,) = parse("7. [x] a\n8. [ ] b\n9. c")
    assert isinstance(found.block, ListBlock)
    assert (found.block.start, found.block.tight) == (7, True)
    assert [item.checked for item in found.block.items] == [True, False, None]
    (loose,) = parse("- a\n\n- b")
    assert isinstance(loose.block, ListBlock)
    assert not loose.block.tight


def test_lines_of_blocks() -> None:
    found = parse("# a\n\npara\nmore\n\n```\nx\n```\n")
    assert [(block.first_line, block.end_line) for block in found] == [(0, 1), (2, 4), (5, 8)]


def test_breaks() -> None:
    assert paragraph("a\nb  \nc\\\nd").content.text == f"a b{LINE_BREAK}c{LINE_BREAK}d"


def test_code() -> None:
    assert [found.block for found in parse("```py x\na\n\n```\n\n    b")] == [
        CodeBlock("py", "a\n"),
        CodeBlock("", "b"),
    ]
    assert parse("~~~\na")[0].block == CodeBlock("", "a", closed=False)


def test_tables_have_as_many_cells_as_columns() -> None:
    (found,) = parse("| a | b |\n|:-:|--:|\n| 1 |\n| 1 | 2 | 3 |")
    assert isinstance(found.block, Table)
    assert [len(row) for row in found.block.rows] == [2, 2]
    assert [alignment.value for alignment in found.block.alignments] == ["center", "right"]


@pytest.mark.parametrize("text", ["<think>", "Vec<String>", "a <b>c</b> d", "<script>alert(1)</script>"])
def test_tags_are_text(text: str) -> None:
    (found,) = parse(text)
    shown = found.block.text if isinstance(found.block, RawText) else paragraph(text).content.text
    assert shown == text
    assert "<" not in to_html(text).replace("<p>", "").replace("</p>", "")


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "/etc/passwd",
        "vbscript:x",
        "\\\\unc\\x",
    ],
)
def test_refused_links_are_their_text(href: str) -> None:
    for text in (f"[text](<{href}>)", f"[text][r]\n\n[r]: <{href}>"):
        assert to_html(text) == "<p>text</p>"
        assert paragraph(text).content.spans == ()


def test_links_and_autolinks() -> None:
    content = paragraph("www.a.com, https://b.com/x_y_z. me@c.org [d](http://e.f)").content
    assert [(content.text[span.start : span.end], span.href) for span in content.spans] == [
        ("www.a.com", "http://www.a.com"),
        ("https://b.com/x_y_z", "https://b.com/x_y_z"),
        ("me@c.org", "mailto:me@c.org"),
        ("d", "http://e.f"),
    ]


def test_images_are_placeholders() -> None:
    assert paragraph("![alt](https://host.example/x.png)").content.objects == (
        InlineImage(0, "alt", "https://host.example/x.png"),
    )
    html = to_html("![alt](https://host.example/x.png)")
    assert html == '<p><span class="image">alt (host.example)</span></p>'


def test_nesting_is_capped_and_nothing_is_lost() -> None:
    (found,) = parse("> " * 30 + "deep")
    depth, block = 0, found.block
    while isinstance(block, Quote):
        depth, block = depth + 1, block.blocks[0]
    assert depth == 8
    assert isinstance(block, Paragraph)
    assert block.content.text.endswith("> deep")


def test_html_is_escaped_everywhere() -> None:
    html = to_html('`<a&amp;b>` "q" <i> [x](http://a/"b) ```\n\n```<x"y>\n</code><script>\n```')
    assert "<script" not in html
    assert "<i>" not in html
    assert "<code>&lt;a&amp;amp;b&gt;</code>" in html


def test_html_of_footnotes_tasks_and_formulas() -> None:
    html = to_html("- [x] a[^1] $x$\n\n[^1]: note\n\n$$\ny\n$$")
    assert (
        '<input type="checkbox" disabled="" checked="" /> a<sup>1</sup> <span class="math">\\(x\\)</span>'
        in html
    )
    assert '<div class="math">\\[y\\]</div>' in html
    assert '<section class="footnotes">\n<ol>\n<li>\n<p>note</p>' in html


def test_an_unreferenced_footnote_is_still_shown() -> None:
    assert "lost?" in to_html("text\n\n[^x]: lost?")


def test_plain_text() -> None:
    text = "# A *b*\n\n1. [x] c\n2. d\n   - e `f`\n\n> g\n> h\n\n"
    text += "| i | $j$ |\n|---|---|\n| k | l |\n\n```\nm\n```\n\nn  \no[^1]\n\n[^1]: p"
    assert plain_text(text) == (
        "A b\n\n1. [x] c\n2. d\n  - e f\n\n> g h\n\ni\tj\nk\tl\n\nm\n\nn\no1\n\n[1] p"
    )


def test_footnotes_may_follow_each_other_without_a_blank_line() -> None:
    html = to_html("a[^1] b[^2]\n\n[^1]: one\n[^2]: two\n")
    assert "<p>one</p>" in html
    assert "<p>two</p>" in html
    assert "[^" not in html
