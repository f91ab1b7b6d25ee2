"""What one frame does of a hostile text is bounded by weights that are known before it begins; no time is asserted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop_chat.domain.deltas import TextDelta
from desktop_chat.domain.messages import MessageState
from desktop_chat.markup import parse
from desktop_chat.markup.blocks import (
    Block,
    Footnotes,
    InlineText,
    ListBlock,
    Paragraph,
    Quote,
    RawText,
    SourceBlock,
)
from desktop_chat.markup.hostile_texts import HOSTILE_TEXTS
from desktop_chat.markup.syntax import MAX_LIST_DEPTH, MAX_QUOTE_DEPTH
from desktop_chat.ui.transcript.benchmark import make_answer
from desktop_chat.ui.transcript.continued import ContinuedNotes
from desktop_chat.ui.transcript.flow import Flow
from desktop_chat.ui.transcript.footnotes_box import FootnotesBox
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.pieces import MOST_LINES, MOST_ROWS, PIECE, pieces
from desktop_chat.ui.transcript.segments import segments
from desktop_chat.ui.transcript.table_box import TablePart
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.view import TranscriptView

REPOSITORY: Final = Path(__file__).resolve().parents[3]
NESTED: Final = ("lists in a line", "stairs", "quotes and lists", "numbers", "quote lines", "quotes")


def texts(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(InlineText(text)) | RawText(text):
            yield text
        case ListBlock(items):
            for item in items:
                for inner in item.blocks:
                    yield from texts(inner)
        case Quote(blocks):
            for inner in blocks:
                yield from texts(inner)
        case Footnotes(notes):
            for _, blocks in notes:
                for inner in blocks:
                    yield from texts(inner)


def depth(block: Block) -> int:
    match block:
        case ListBlock(items):
            return 1 + max((depth(inner) for item in items for inner in item.blocks), default=0)
        case Quote(blocks):
            return 1 + max(map(depth, blocks), default=0)
    return 0


def all_pieces(blocks: tuple[SourceBlock, ...]) -> list[Block]:
    return [piece for found in blocks for piece in pieces(found.block)]


@pytest.mark.parametrize("name", NESTED)
def test_boxes_stand_within_boxes_to_a_depth_only(name: str) -> None:
    parts = all_pieces(parse(HOSTILE_TEXTS[name](20_000)))
    assert max(map(depth, parts)) <= MAX_LIST_DEPTH + MAX_QUOTE_DEPTH


@pytest.mark.parametrize("name", NESTED)
def test_nested_text_is_parsed_in_one_frame_and_laid_out_in_another(name: str) -> None:
    (segment,) = segments(HOSTILE_TEXTS[name](20_000))
    assert not segment.is_quick


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "tests/gallery").glob("*.md")), ids=lambda path: path.stem
)
def test_answers_are_parsed_at_once(path: Path) -> None:
    assert all(segment.is_quick for segment in segments(path.read_text("utf-8")))


@pytest.mark.parametrize("name", [*NESTED, "footnotes", "footnote users"])
def test_no_piece_holds_more_text_than_a_frame_lays_out(name: str) -> None:
    text = HOSTILE_TEXTS[name](20_000)
    parts = all_pieces(parse(text))
    assert max(sum(map(len, texts(part))) for part in parts) <= PIECE
    assert sum(len(found) for part in parts for found in texts(part)) >= sum(
        len(found) for block in parse(text) for found in texts(block.block)
    )  # nothing is lost


def test_a_long_note_is_cut_and_has_its_label_once() -> None:
    (block,) = parse("[^1]: " + "A sentence of the note. " * 1_000 + "\n[^2]: Short.\n")
    first, *rest = pieces(block.block)
    assert isinstance(first, Footnotes)
    assert len(first.notes) == 1
    *further, last = rest
    assert all(isinstance(part, ContinuedNotes) and part.lead is not None for part in further)
    assert isinstance(last, ContinuedNotes)
    assert last.lead is None
    assert last.notes[0][0] == "2"


def test_lines_bound_a_piece_however_short_they_are() -> None:
    text = "a\n" * (20 * MOST_LINES)
    parts = [part.text for part in pieces(RawText(text)) if isinstance(part, RawText)]
    assert "".join(parts) == text
    assert {part.count("\n") for part in parts} == {MOST_LINES}


def test_rows_bound_a_piece_and_stay_the_same_objects() -> None:
    head = "|a|b|\n|-|-|\n"
    former = parse(head + "|c|d|\n" * 90)[0].block
    known = pieces(former)
    assert {len(part.rows) for part in known[:-1] if isinstance(part, TablePart)} == {MOST_ROWS}
    grown = pieces(parse(head + "|c|d|\n" * 95)[0].block, former, known)
    assert all(before is after for before, after in zip(known[:-1], grown, strict=False))


def test_of_a_growing_table_only_the_end_is_told_to_have_changed() -> None:
    flow = Flow(Section.BODY)
    flow.append("|a|b|\n|-|-|\n")
    for _ in range(200):
        before = list(flow.specs)
        flow.append("|c|d|\n")
        changed = flow.advance()
        assert changed >= len(before) - 2
        assert all(one is other for one, other in zip(before[:changed], flow.specs, strict=False))


@pytest.fixture
def view(qtbot: QtBot) -> TranscriptView:
    view = TranscriptView()
    qtbot.addWidget(view)
    view.resize(860, 640)
    view.show()
    qtbot.waitExposed(view)
    return view


def layout_of(view: TranscriptView) -> MessageLayout:
    layout = view.stack.known_layout(len(view.stack) - 1)
    assert layout is not None
    return layout


def catch_up(view: TranscriptView) -> None:
    view.clock.flush_all()
    QApplication.processEvents()


def stream(view: TranscriptView, text: str) -> None:
    view.model.append(make_answer(1, "", MessageState.STREAMING))
    QApplication.processEvents()
    view.model.append_delta(1, TextDelta(text))
    catch_up(view)


def test_a_late_definition_lays_out_only_what_is_seen(
    view: TranscriptView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It changes every piece of the text before it."""
    text = HOSTILE_TEXTS["footnote users"](20_000)
    stream(view, text.partition("\n\n")[0])
    count = sum(isinstance(entry.spec.source, Paragraph) for entry in layout_of(view).column.entries)
    laid_out = 0
    lay_out = TextRun.lay_out
    update = TextRun.update

    def counted(run: TextRun, width: int) -> int:
        nonlocal laid_out
        laid_out += len(run.text) > PIECE // 4 and not run.height
        return lay_out(run, width)

    def updated(run: TextRun, content: InlineText) -> int:
        nonlocal laid_out
        laid_out += len(content.text) > PIECE // 4
        return update(run, content)

    monkeypatch.setattr(TextRun, "lay_out", counted)
    monkeypatch.setattr(TextRun, "update", updated)
    view.model.append_delta(1, TextDelta("\n\n[^1]: x"))
    view.model.replace(make_answer(1, text))
    catch_up(view)
    assert count >= 5
    assert laid_out <= 3


def test_notes_grow_in_place(view: TranscriptView) -> None:
    stream(view, "Text[^1]\n\n[^1]: A note\n\n    of two paragraphs")
    box = next(entry.box for entry in layout_of(view).column.entries if isinstance(entry.box, FootnotesBox))
    runs = [placed.run for placed in box.runs()]
    view.model.append_delta(1, TextDelta(" and more of it"))
    catch_up(view)
    assert box in [entry.box for entry in layout_of(view).column.entries]
    assert [placed.run for placed in box.runs()] == runs
    assert runs[-1].text == "of two paragraphs and more of it"
    view.model.append_delta(1, TextDelta("\n\n[^2]: Another\n"))
    catch_up(view)
    assert box in [entry.box for entry in layout_of(view).column.entries]
    assert [placed.run.text for placed in box.runs()][-1] == "Another"


def test_long_new_text_is_laid_out_once(view: TranscriptView, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short chunks with a look ahead would lay out most of it twice."""
    content = InlineText("word " * 800)
    run = TextRun(InlineText("word"), view.workshop.typography.body, view.workshop.pictures)
    run.lay_out(600)
    made = []
    make_chunk = TextRun._make_chunk  # what is laid out cannot be seen from outside

    def counted(run: TextRun, start: int, stop: int, **options: int) -> object:
        made.append(stop - start)
        return make_chunk(run, start, stop, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(TextRun, "_make_chunk", counted)
    run.update(content)
    assert sum(made) < 2 * len(content.text)
