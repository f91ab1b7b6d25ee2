"""The benchmark of hostile Markdown shows each text in every way, and counts what takes too long."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from desktop_chat.markup.hostile_texts import HOSTILE_TEXTS
from desktop_chat.ui.transcript import hostile_shapes_benchmark
from desktop_chat.ui.transcript.hostile_shapes_benchmark import frames_of, measure_hostile


def test_a_text_is_shown_in_every_way(qapp: QApplication) -> None:
    ways = frames_of(HOSTILE_TEXTS["tables"](400))
    assert set(ways) == {"streamed", "at once", "end", "opened", "scrolled"}
    assert len(ways["streamed"]) >= 400 / 64
    assert all(frame > 0 for frames in ways.values() for frame in frames)


def test_shapes_beyond_the_limit_are_counted(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile_shapes_benchmark, "_LENGTH", 200)
    monkeypatch.setattr(hostile_shapes_benchmark, "LIMIT_S", 0.0)
    shapes = ("brackets", "blank lines")
    monkeypatch.setattr(
        hostile_shapes_benchmark, "HOSTILE_TEXTS", {name: HOSTILE_TEXTS[name] for name in shapes}
    )
    *rows, count = measure_hostile()
    assert [row.what for row in rows] == [f"longest frame, {name}" for name in shapes]
    assert all(row.value > 0 for row in rows)
    assert (count.what, count.value, count.unit) == ("shapes above 8 ms", 2, "")
