"""Highlighting: what was streamed equals what is read at once, whatever the lexer."""

from __future__ import annotations

import pytest

from desktop_chat.markup import highlighting
from desktop_chat.markup.highlighting import (
    MAX_LINE,
    CodeHighlighter,
    CodeSpan,
    TokenAllowance,
    TokenClass,
    highlight_lines,
)
from desktop_chat.markup.languages import language_name

SAMPLE = (
    '''"""Doc
over lines."""
def function(argument: int) -> str:  # comment
    /* c
    comment */
    text = "string" + `template ${x}` + 'it'
    return f"{argument}" // 2

'''
    * 6
)


def test_spans_of_python() -> None:
    assert highlight_lines("python", "def f(x):\n    return 1  # c") == [
        (CodeSpan(0, 3, TokenClass.KEYWORD), CodeSpan(4, 5, TokenClass.FUNCTION)),
        (
            CodeSpan(4, 10, TokenClass.KEYWORD),
            CodeSpan(11, 12, TokenClass.NUMBER),
            CodeSpan(14, 17, TokenClass.COMMENT),
        ),
    ]


@pytest.mark.parametrize("language", ["", "text", "no-such-language", "\u202e"])
def test_unknown_languages_stay_plain(language: str) -> None:
    assert highlight_lines(language, "a\nb") == [(), ()]


@pytest.mark.parametrize("language", ["Python", "py", "c++", "JSONC", "sh", "{.python}", "ts", "diff"])
def test_names_people_use(language: str) -> None:
    assert any(highlight_lines(language, '# "a"\n- 1\n+ if (1) { "b": 2 }\n'))


@pytest.mark.parametrize(
    "language", ["python", "js", "tsx", "c", "rust", "go", "bash", "html", "json", "yaml", "php", "sql"]
)
@pytest.mark.parametrize("size", [1, 7, 64])
def test_streamed_equals_at_once(language: str, size: int) -> None:
    highlighter = CodeHighlighter(language)
    for start in range(0, len(SAMPLE), size):
        former = list(highlighter.lines)
        highlighter.append(SAMPLE[start : start + size])
        changed = highlighter.advance(TokenAllowance())
        stays = [number for number in range(len(former)) if number not in changed]
        assert [highlighter.lines[number] for number in stays] == [former[number] for number in stays]
    highlighter.finish()
    highlighter.advance(TokenAllowance())
    assert highlighter.lines == highlight_lines(language, SAMPLE)
    assert len(highlighter.lines) == SAMPLE.count("\n") + 1


@pytest.mark.parametrize("language", ["python", "js", "c", "html", "bash", "markdown"])
def test_spans_lie_within_their_lines(language: str) -> None:
    for line, spans in zip(SAMPLE.split("\n"), highlight_lines(language, SAMPLE), strict=True):
        position = 0
        for start, end, _token in spans:
            assert position <= start < end <= len(line)
            position = end


def test_a_very_long_line_stays_plain() -> None:
    lines = highlight_lines("js", "var a = 1;\n" * 20 + "x = 1;" * MAX_LINE + "\nvar b = '2';")
    assert lines[0]
    assert lines[20] == ()
    assert lines[21] == highlight_lines("js", "var b = '2';")[0]


@pytest.mark.parametrize("language", ["python", "json", "yaml", "html", "diff"])
@pytest.mark.parametrize("size", [1, 7, 900, 5_000])
def test_long_lines_between_others_stream_as_at_once(language: str, size: int) -> None:
    code = (
        "a = 'b'  # c\n" * 6
        + f"d = '{'x' * MAX_LINE}'\n"
        + "e: 1\n" * 9
        + "f" * (MAX_LINE + 1)
        + "\n<g>'h'</g>"
    )
    highlighter = CodeHighlighter(language)
    for start in range(0, len(code), size):
        highlighter.append(code[start : start + size])
        highlighter.advance(TokenAllowance(40))
    highlighter.finish()
    while highlighter.is_behind:
        highlighter.advance(TokenAllowance(40))
    assert highlighter.lines == highlight_lines(language, code)
    assert highlighter.lines[6] == highlighter.lines[16] == ()


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("", ""),
        ("py", "Python"),
        ("JSON", "JSON"),
        ("sh", "Shell"),
        ("c++", "C++"),
        ("ts", "TypeScript"),
        ("Zork", "Zork"),
    ],
)
def test_languages_have_their_proper_names(language: str, name: str) -> None:
    assert language_name(language) == name


def test_the_last_line_of_a_diff_is_one_too() -> None:
    removed, added = highlight_lines("diff", "- total = 1\n+ total = 2")
    assert [(span.start, span.end) for span in removed] == [(0, 11)]
    assert [(span.start, span.end) for span in added] == [(0, 11)]
    assert removed[0].token is not added[0].token


@pytest.mark.parametrize("language", ["python", "js", "c", "html", "php", "diff"])
@pytest.mark.parametrize("tokens", [1, 7, 40])
def test_lexing_pauses_where_the_allowance_ends(language: str, tokens: int) -> None:
    highlighter = CodeHighlighter(language)
    highlighter.append(SAMPLE)
    highlighter.finish()
    while highlighter.is_behind:
        allowance = TokenAllowance(tokens)
        former = list(highlighter.lines)
        changed = highlighter.advance(allowance)
        assert 0 <= allowance.left <= tokens
        stays = [number for number in range(len(former)) if number not in changed]
        assert [highlighter.lines[number] for number in stays] == [former[number] for number in stays]
    assert highlighter.lines == highlight_lines(language, SAMPLE)


@pytest.mark.parametrize("tokens", [20, 100])
def test_a_flood_within_an_allowance_ends_as_at_once(tokens: int) -> None:
    highlighter = CodeHighlighter("python")
    for start in range(0, len(SAMPLE), 300):
        highlighter.append(SAMPLE[start : start + 300])
        highlighter.advance(TokenAllowance(tokens))
    highlighter.finish()
    while highlighter.is_behind:
        highlighter.advance(TokenAllowance(tokens))
    assert highlighter.lines == highlight_lines("python", SAMPLE)


def test_a_flood_is_lexed_hardly_more_than_once() -> None:
    """Each line once for good, and only the last ones before."""
    line = "for each in range(10): print(each)\n"
    highlighter, whole = CodeHighlighter("python"), CodeHighlighter("python")
    spent, once = TokenAllowance(1 << 40), TokenAllowance(1 << 40)
    for _ in range(20):
        highlighter.append(line * 60)
        highlighter.advance(spent)
    whole.append(line * 1200)
    whole.advance(once)
    assert (1 << 40) - spent.left < 1.3 * ((1 << 40) - once.left)


def test_what_was_not_reached_has_no_colours() -> None:
    highlighter = CodeHighlighter("python")
    highlighter.append(SAMPLE)
    highlighter.advance(TokenAllowance(30))
    assert highlighter.is_behind
    assert highlighter.lines[0] == highlight_lines("python", SAMPLE)[0]
    assert len(highlighter.lines) == SAMPLE.count("\n") + 1
    assert not any(highlighter.lines[20:])


def test_code_that_grows_while_lexing_pauses_at_its_end() -> None:
    highlighter = CodeHighlighter("yaml")
    for piece, tokens in (("a: b\nc:", 5), ("\n  - d: ", 3), ("", 1), ("e\n", 2)):
        highlighter.append(piece)
        highlighter.advance(TokenAllowance(tokens))
    highlighter.finish()
    highlighter.advance(TokenAllowance())
    assert highlighter.lines == highlight_lines("yaml", "a: b\nc:\n  - d: e\n")


def test_code_beyond_the_limit_is_coloured_up_to_the_same_line_however_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(highlighting, "MAX_CODE", 140)
    code = "x = 1  # c\n" * 20
    streamed = CodeHighlighter("python")
    for character in code:
        streamed.append(character)
        streamed.advance(TokenAllowance())
    streamed.finish()
    streamed.advance(TokenAllowance())
    assert streamed.lines == highlight_lines("python", code)
    assert any(streamed.lines)
    assert not any(streamed.lines[13:])
