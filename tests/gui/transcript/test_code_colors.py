"""Code gets its colours within some frames, each with an allowance."""

from __future__ import annotations

from collections.abc import Sequence

from pytestqt.qtbot import QtBot

from desktop_chat.domain.deltas import TextDelta
from desktop_chat.domain.messages import MessageState
from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.benchmark import make_answer, make_view
from desktop_chat.ui.transcript.code_box import CodeBox
from desktop_chat.ui.transcript.code_colors import TOKENS_A_FRAME, CodeColors
from desktop_chat.ui.transcript.code_run import KEPT_LINES, LONGEST_LINE, CodeRun, ColoredSpan, LineColors
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.typography import Typography
from desktop_chat.ui.transcript.view import TranscriptView

LINE = "for each in range(10): print(each)\n"


class Block:
    """Code that gets its colours."""

    def __init__(self) -> None:
        self.colors = LineColors()

    def recolor(self, colors: LineColors) -> None:
        self.colors = colors

    def colored(self) -> int:
        return sum(map(bool, self.colors.lines))


def test_all_blocks_share_the_allowance_of_a_frame(qtbot: QtBot) -> None:
    colors = CodeColors(Typography(theme_for(dark=False)), 100)
    blocks = [Block(), Block()]
    for block in blocks:
        block.recolor(colors.lines(block, LINE * 20, "python", closed=True))
    assert 0 < _spans(blocks[0].colors.lines) <= 100
    assert blocks[1].colored() == 0
    colors.go_on()
    assert blocks[1].colored() == 0
    frames = 0
    while colors.is_behind:
        colors.end_frame()
        colors.go_on()
        frames += 1
    assert [block.colored() for block in blocks] == [20, 20]
    assert frames > 3


def test_a_block_that_is_gone_waits_no_longer(qtbot: QtBot) -> None:
    colors = CodeColors(Typography(theme_for(dark=False)), 10)
    block = Block()
    colors.lines(block, LINE * 20, "python", closed=True)
    del block
    assert not colors.is_behind


def test_a_long_opened_block_is_coloured_in_further_frames(qtbot: QtBot) -> None:
    view = make_view()
    qtbot.addWidget(view)
    message = make_answer(1, f"```python\n{LINE * 39}```\n")
    view.model.reset([stub_of(message)], [message])
    assert 0 < _spans(_code_box(view)._code._colors) <= TOKENS_A_FRAME
    view.clock.flush_all()
    assert not view.workshop.highlighter.is_behind
    assert all(_code_box(view)._code._colors[:39])


def test_lines_out_of_sight_let_go_their_layouts(qtbot: QtBot) -> None:
    view = make_view()
    qtbot.addWidget(view)
    view.model.append(make_answer(1, "```python\n", MessageState.STREAMING))
    for _ in range(KEPT_LINES // 4):
        view.model.append_delta(1, TextDelta(LINE * 15))
        view.clock.flush_all()
        view.grab()
    assert len(_code_box(view)._code._layouts) < 2 * KEPT_LINES


def test_a_very_long_line_is_shown_in_parts_and_those_around_it_have_their_colours(qtbot: QtBot) -> None:
    code = f"a = 1\nb = '{'x' * 2 * LONGEST_LINE}'\nc = 2\n"
    pictures = []
    for pieces in ([code], [code[:800], code[800:1_900], code[1_900:]], list(code)):
        view = make_view()
        qtbot.addWidget(view)
        view.model.append(make_answer(1, "", MessageState.STREAMING))
        for piece in ["```python\n", *pieces, "```\n"]:
            view.model.append_delta(1, TextDelta(piece))
            view.clock.flush_now()
        view.clock.flush_all()
        box = _code_box(view)
        (placed,) = box.runs()
        run = placed.run
        assert isinstance(run, CodeRun)
        assert (run.line_count, run.source_line_count) == (5, 3)
        view.grab()
        assert [bool(run._layouts[line].formats()) for line in range(5)] == [True, False, False, False, True]
        assert box.copy_text() == code.removesuffix("\n")
        assert run.slice(0, run.length).text == code.removesuffix("\n")
        pictures.append(view.grab().toImage())
    assert pictures[0] == pictures[1] == pictures[2]


def _code_box(view: TranscriptView) -> CodeBox:
    layout = view.stack.known_layout(0)
    assert layout is not None
    return next(entry.box for entry in layout.column.entries if isinstance(entry.box, CodeBox))


def _spans(lines: Sequence[Sequence[ColoredSpan]]) -> int:
    return sum(map(len, lines))


def test_code_outside_ascii_is_laid_out_as_it_is_seen() -> None:
    run = CodeRun(Typography(theme_for(dark=False)).code)
    code = "".join(f"print('né {number:05}')\n" for number in range(3_000))
    run.set_code(code, LineColors())
    assert len(run._layouts) < 10
    longest = code + "print('" + "漢" * 30 + "')"
    run.set_code(longest, LineColors())
    assert run.longest_width > 1.5 * run._layouts[0].lineAt(0).naturalTextWidth()
    assert run.slice(0, run.length).text == longest


def test_emoji_in_code_that_grows_are_counted() -> None:
    run = CodeRun(Typography(theme_for(dark=False)).code)
    code = ""
    for number in range(50):
        code += f"say('\U0001f600 {number}')\n"
        run.set_code(code, LineColors())
    assert run.length == len(code) + 50
    assert run.slice(run.units(len(code)) - 6, run.length).text == code[-6:]
