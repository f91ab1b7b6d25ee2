"""What was streamed equals, pixel by pixel, the same text opened at once: while it streams, and when it has ended.

Two views stand side by side. One gets a text in pieces and paints as it does on a screen, by parts and by shifting
what stays; the other is given the same text whole, whatever it showed before. A view "at once" is the measure:
what is on the screen may depend on the text that has come, never on the pieces it came in.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_chat.domain.deltas import ReasoningDelta, StreamDelta, TextDelta
from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.markup import parse
from desktop_chat.markup.math import MathImage, MathRenderer
from desktop_chat.ui.theme import Theme, theme_for
from desktop_chat.ui.transcript.model import stub_of
from desktop_chat.ui.transcript.pictures import close_math_renderer
from desktop_chat.ui.transcript.pieces import pieces as cut
from desktop_chat.ui.transcript.view import TranscriptView

REPOSITORY: Final = Path(__file__).resolve().parents[3]
SAMPLES: Final = {
    path.stem: path.read_text("utf-8")
    for folder in ("tests/gallery", "resources/demo")
    for path in sorted((REPOSITORY / folder).glob("*.md"))
}
GALLERY: Final = [name for name in SAMPLES if name[:2].isdigit()]
QUESTION: Final = Message(id=1, conversation_id=1, parent_id=None, role=Role.USER, text="Question?")
ANSWER: Final = Message(
    id=2, conversation_id=1, parent_id=1, role=Role.ASSISTANT, text="", state=MessageState.STREAMING
)
SIZE: Final = (700, 480)
NARROW: Final = (380, 700)
WIDE: Final = (1100, 500)
TALL: Final = (560, 2600)

ROUNDING: Final = 2
"""Of 255: by so much Qt's rasteriser paints the edge of a curve differently where the curve leaves the picture."""

Comparison = tuple[str, str]
"""What differs, and the end of the text it differs after."""


def tokens(text: str, chance: random.Random) -> Iterator[str]:
    """Pieces as models send them: parts of words, now and then a single mark or more at once."""
    position = 0
    while position < len(text):
        length = chance.choice((1, 2, 3, 4, 4, 5, 6, 7, 9, 24))
        yield text[position : position + length]
        position += length


class Stage:
    """A view that is streamed into, and one that opens the same."""

    def __init__(self, qtbot: QtBot, theme: Theme, size: tuple[int, int]) -> None:
        self.streamed, self.opened = (self._view(qtbot, theme, size) for _ in range(2))
        self.text = self.reasoning = ""

    def _view(self, qtbot: QtBot, theme: Theme, size: tuple[int, int]) -> TranscriptView:
        view = TranscriptView(theme)
        qtbot.addWidget(view)
        view.resize(*size)
        view.show()
        qtbot.waitExposed(view)
        return view

    def begin(self) -> None:
        """An answer begins; nothing of it has come."""
        self.text = self.reasoning = ""
        _show(self.streamed, ANSWER)

    def grow(self, piece: str, *, reasoning: bool = False) -> None:
        """A piece comes and is shown."""
        delta: StreamDelta
        if reasoning:
            self.reasoning += piece
            delta = ReasoningDelta(piece)
        else:
            self.text += piece
            delta = TextDelta(piece)
        self.streamed.model.append_delta(ANSWER.id, delta)
        _catch_up(self.streamed)

    def end(self) -> None:
        self.streamed.model.replace(self._message(MessageState.COMPLETE))
        _rest(self.streamed)

    def _message(self, state: MessageState) -> Message:
        reason = None if state is MessageState.STREAMING else "stop"
        return msgspec.structs.replace(
            ANSWER, text=self.text, reasoning=self.reasoning, state=state, finish_reason=reason
        )

    def open(self, *, ended: bool) -> None:
        """Give the other view the same at once."""
        _show(self.opened, self._message(MessageState.COMPLETE if ended else MessageState.STREAMING))

    def differences(self, *, ended: bool = False) -> list[Comparison]:
        """Opens the same at once and compares both views; the streamed one also with what it paints afresh."""
        self.open(ended=ended)
        return self.differences_as_they_are()

    def differences_as_they_are(self) -> list[Comparison]:
        found = self.stale()
        if picture(self.streamed) != picture(self.opened):
            found.append(("other pixels than at once", self.text[-40:]))
        return found

    def stale(self) -> list[Comparison]:
        """Compares what the streamed view has painted so far with what it paints afresh."""
        painted, afresh = on_screen(self.streamed), picture(self.streamed)
        if painted == afresh or largest_difference(painted, afresh) <= ROUNDING:
            return []
        return [("stale pixels", self.text[-40:])]


def _show(view: TranscriptView, answer: Message) -> None:
    messages = [QUESTION, answer]
    view.model.reset([stub_of(each) for each in messages], messages)
    _catch_up(view)


def _catch_up(view: TranscriptView) -> None:
    view.clock.flush_all()
    QApplication.processEvents()


def _rest(view: TranscriptView) -> None:
    """The frames that what was begun takes further."""
    while view.clock.is_waiting:
        view.clock.flush_now()
    QApplication.processEvents()


def picture(view: TranscriptView) -> QImage:
    """What the view paints when it paints everything."""
    return view.grab().toImage().copy(view.viewport().geometry())


def on_screen(view: TranscriptView) -> QImage:
    """What was really painted so far, by parts and shifts."""
    return view.screen().grabWindow(view.winId()).toImage().copy(view.viewport().geometry())


def largest_difference(one: QImage, other: QImage) -> int:
    """Of any colour of any pixel, of 255."""
    pairs = zip(
        *(_rows(image.convertToFormat(QImage.Format.Format_RGB32)) for image in (one, other)), strict=True
    )
    return max(max(map(_distance, *pair)) for pair in pairs if pair[0] != pair[1])


def _rows(image: QImage) -> Iterator[bytes]:
    stride, pixels = image.bytesPerLine(), bytes(image.constBits())
    return (pixels[start : start + stride] for start in range(0, len(pixels), stride))


def _distance(one: int, other: int) -> int:
    return abs(one - other)


def wheel(view: TranscriptView, notches: int) -> None:
    point = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        point, point, QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    view.wheelEvent(event)
    _rest(view)


def while_streaming(
    stage: Stage, pieces: Iterable[str], compared: set[int] | None = None
) -> list[Comparison]:
    """Streams a text; compares after the pieces of these numbers, or after every one."""
    found = []
    stage.begin()
    for number, piece in enumerate(pieces):
        stage.grow(piece)
        if compared is None or number in compared:
            found += stage.differences()
    return found


@pytest.fixture(autouse=True)
def _formulas_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A formula's picture is there when it is asked for: when it comes is no part of the text."""
    ready = MathRenderer.cached

    def cached(
        renderer: MathRenderer, tex: str, size: float, color: str, *, display: bool
    ) -> MathImage | None:
        renderer.render(tex, size, color, display=display).result(30)
        return ready(renderer, tex, size, color, display=display)

    monkeypatch.setattr(MathRenderer, "cached", cached)
    yield
    close_math_renderer()


def as_ended(stage: Stage, text: str, chance: random.Random) -> list[Comparison]:
    """Streams a text in pieces of any size and ends it; compares there, and at places scrolled to from there."""
    stage.begin()
    position = 0
    while position < len(text):
        length = min(chance.choice((1, 3, 8, 40, 200, 900)), len(text) - position)
        stage.grow(text[position : position + length])
        position += length
    stage.end()
    found = stage.differences(ended=True)
    for notches in (2, 3, -1, 5, 9, -4):
        wheel(stage.streamed, notches)
        wheel(stage.opened, notches)
        found += stage.differences_as_they_are()
    return found


def look(qtbot: QtBot, *, dark: bool = False, size: tuple[int, int] = SIZE) -> Stage:
    return Stage(qtbot, theme_for(dark=dark, reduce_motion=True), size)


@pytest.mark.parametrize("name", GALLERY)
def test_a_growing_answer_looks_as_if_it_had_come_at_once(qtbot: QtBot, name: str) -> None:
    chance = random.Random(name)
    pieces = list(tokens(SAMPLES[name], chance))
    compared = set(chance.sample(range(len(pieces)), 12))
    assert while_streaming(look(qtbot), pieces, compared) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", GALLERY)
def test_a_growing_answer_looks_so_after_every_token(qtbot: QtBot, name: str) -> None:
    assert while_streaming(look(qtbot), tokens(SAMPLES[name], random.Random(name))) == []


@pytest.mark.parametrize("name", GALLERY)
def test_an_answer_that_ends_looks_as_if_it_were_opened(qtbot: QtBot, name: str) -> None:
    chance = random.Random(name)
    text = SAMPLES[name]
    stage = look(qtbot)
    for end in (len(text), *chance.sample(range(1, len(text)), 2)):
        assert as_ended(stage, text[:end], chance) == []


@pytest.mark.parametrize(
    ("name", "dark", "size"),
    [
        ("02-lists-and-tasks", True, NARROW),
        ("09-right-to-left", False, NARROW),
        ("09-right-to-left", True, TALL),
        ("python", True, WIDE),
        ("tour", False, WIDE),
        ("tour", True, TALL),
    ],
)
def test_at_any_width_in_any_theme(qtbot: QtBot, name: str, dark: bool, size: tuple[int, int]) -> None:
    chance = random.Random(f"{name}{dark}{size}")
    stage = look(qtbot, dark=dark, size=size)
    pieces = list(tokens(SAMPLES[name], chance))
    assert while_streaming(stage, pieces, set(chance.sample(range(len(pieces)), 4))) == []
    assert as_ended(stage, SAMPLES[name], chance) == []


def test_reasoning_before_an_answer(qtbot: QtBot) -> None:
    stage = look(qtbot)
    stage.begin()
    found = []
    for piece in tokens(SAMPLES["02-lists-and-tasks"][:700], random.Random("reasoning")):
        stage.grow(piece, reasoning=True)
        found += stage.differences()
    for piece in tokens(SAMPLES["hello"], random.Random("answer")):
        stage.grow(piece)
        found += stage.differences()
    stage.end()
    assert found + stage.differences(ended=True) == []


def test_nothing_stale_while_the_reader_scrolls_about(qtbot: QtBot) -> None:
    stage = look(qtbot)
    stage.begin()
    chance = random.Random("scrolling")
    for number, piece in enumerate(tokens(SAMPLES["tour"], chance)):
        stage.grow(piece)
        if number % 5 == 0:
            wheel(stage.streamed, chance.choice((2, 1, -1, -2, -9)))
        assert stage.stale() == []
    stage.streamed.scroll_to_end()
    QApplication.processEvents()
    assert stage.differences() == []


def test_a_view_that_opens_on_a_growing_answer_shows_all_of_it(qtbot: QtBot) -> None:
    """Also what it does not parse within the first frame, and though no more of it may come for long."""
    view = look(qtbot).opened
    text = SAMPLES["long"] * 2
    answer = msgspec.structs.replace(ANSWER, text=text)
    view.model.reset([stub_of(answer)], [answer])
    layout = view.stack.known_layout(0)
    assert layout is not None
    qtbot.waitUntil(lambda: not layout.is_behind)


def test_a_table_whose_first_rows_fill_several_pieces_widens_as_they_come(qtbot: QtBot) -> None:
    """The rows that choose the column widths stand in more than one of the pieces that it is laid out in."""
    head = "|" + "a|" * 9 + "\n|" + "-|" * 9 + "\n"
    rows = [f"|{'b ' * (row % 4)}|" + "c|" * 8 + "\n" for row in range(1, 31)]
    rows[14] = "|wider than all before|" + "c|" * 8 + "\n"
    assert len(cut(parse(head + "".join(rows))[0].block)) > 3
    stage = look(qtbot, size=TALL)
    assert while_streaming(stage, [head, *rows], set(range(12, 31, 3))) == []
    stage.end()
    assert stage.differences(ended=True) == []


@pytest.mark.parametrize(
    "text",
    [
        "Text[^1]\n\n[^1]: " + "A note that goes on and on. " * 400 + "\n[^2]: Another.\n",
        "> A quoted line\n> > deeper\n>\n" * 250,
        "".join("  " * depth + "- item\n" for depth in range(20)) * 3,
        "- - - - - - - - - - - - - - - - deep\n" * 12,
        "<p>\n" + "line\n" * 700,
    ],
    ids=["long note", "long quotation", "deep lists", "lists in a line", "many lines"],
)
def test_what_is_cut_looks_as_if_it_had_come_at_once(qtbot: QtBot, text: str) -> None:
    assert as_ended(look(qtbot), text, random.Random(text)) == []
