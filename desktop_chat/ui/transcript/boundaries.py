"""Where characters and words of a run begin and end, as Unicode has it (UAX #29). Offsets are in UTF-16 units."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QTextBoundaryFinder

from desktop_chat.ui.transcript.boxes import Run
from desktop_chat.ui.transcript.utf16 import Utf16Offsets

_WINDOW: Final = 300
"""Units looked at on each side, so that a step in a long text costs no more than one in a short one."""

_Kind = QTextBoundaryFinder.BoundaryType
_Reason = QTextBoundaryFinder.BoundaryReason


def _finder(run: Run, offset: int, kind: _Kind) -> tuple[QTextBoundaryFinder, int]:
    """A finder at ``offset`` over the text around it, and how far its positions are behind those of the run."""
    before = run.slice(max(0, offset - _WINDOW), offset).text
    after = run.slice(offset, min(run.length, offset + _WINDOW)).text
    finder = QTextBoundaryFinder(kind, before + after)
    at = Utf16Offsets(before).length
    finder.setPosition(at)
    return finder, offset - at


def next_character(run: Run, offset: int) -> int:
    finder, shift = _finder(run, offset, _Kind.Grapheme)
    found = finder.toNextBoundary()
    return run.length if found < 0 else found + shift


def previous_character(run: Run, offset: int) -> int:
    finder, shift = _finder(run, offset, _Kind.Grapheme)
    found = finder.toPreviousBoundary()
    return 0 if found < 0 else found + shift


def next_word(run: Run, offset: int) -> int:
    """Where the next word begins; the run's end after the last one."""
    finder, shift = _finder(run, offset, _Kind.Word)
    last = offset
    while (found := finder.toNextBoundary()) >= 0:
        last = found + shift
        if finder.boundaryReasons() & _Reason.StartOfItem:
            break
    return last


def previous_word(run: Run, offset: int) -> int:
    """Where the word before ``offset`` begins; the run's start before the first one."""
    finder, shift = _finder(run, offset, _Kind.Word)
    last = offset
    while (found := finder.toPreviousBoundary()) >= 0:
        last = found + shift
        if finder.boundaryReasons() & _Reason.StartOfItem:
            break
    return last
