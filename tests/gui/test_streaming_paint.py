"""What is painted around the transcript while an answer streams: what changed, and it looks as if all had been."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import QEvent, QObject, QRect
from PySide6.QtGui import QImage, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.metrics import Metrics, Phase
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.conversation_list import ConversationList
from desktop_chat.ui.conversation_model import ConversationModel
from desktop_chat.ui.metrics_bar import MetricsBar
from desktop_chat.ui.sidebar import Sidebar


def settled() -> None:
    """Qt paints some changes only with the next turn of the loop."""
    for _ in range(4):
        QApplication.processEvents()


class Painted(QObject):
    """What of a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.region = QRegion()
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if isinstance(event, QPaintEvent):
            self.region += event.region()
        return False

    def bounds(self) -> QRect:
        """Since the last call."""
        settled()
        bounds, self.region = self.region.boundingRect(), QRegion()
        return bounds


def on_screen(window: QWidget) -> QImage:
    settled()
    return window.screen().grabWindow(window.winId()).toImage().convertToFormat(QImage.Format.Format_RGB32)


def painted_anew(window: QWidget) -> QImage:
    return window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


@pytest.fixture(params=["light", "dark"])
def appearance(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[Appearance]:
    made = Appearance(qapp)
    made.choose(request.param, 15)
    yield made
    made.choose("light", 15)
    made.deleteLater()
    qapp.setStyleSheet("")


@pytest.fixture
def sidebar(appearance: Appearance, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Sidebar:
    monkeypatch.setattr(ConversationList, "pulse", 0.8)
    model = ConversationModel()
    made = Sidebar(appearance, model)
    model.setParent(made)
    qtbot.addWidget(made)
    model.set_conversations(Conversation(id=number, title=f"Title {number}") for number in range(1, 60))
    made.resize(260, 600)
    made.show()
    settled()
    return made


@pytest.mark.parametrize("current", [58, 57])
def test_only_the_mark_of_a_running_answer_is_painted_as_it_pulses(
    sidebar: Sidebar, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, current: int
) -> None:
    rows = sidebar.list
    rows.set_current(current)
    rows.rows.set_streaming(58, streaming=True)
    qtbot.waitUntil(lambda: 58 in rows.marks)
    settled()
    list_painted, behind = Painted(rows.viewport()), Painted(sidebar)
    monkeypatch.setattr(ConversationList, "pulse", 0.4)
    rows._pulse_timer.timeout.emit()
    qtbot.waitUntil(lambda: not list_painted.region.isEmpty())
    bounds = list_painted.bounds()
    assert not bounds.isEmpty()
    assert bounds.width() <= 12
    assert bounds.height() <= 12
    assert behind.bounds().isEmpty()
    assert on_screen(sidebar) == painted_anew(sidebar)


def test_the_mark_goes_along_when_the_list_scrolls_and_goes_with_the_answer(
    sidebar: Sidebar, qtbot: QtBot
) -> None:
    rows = sidebar.list
    rows.rows.set_streaming(55, streaming=True)
    qtbot.waitUntil(lambda: 55 in rows.marks)
    before = rows.marks[55].area.translated(0, 0)
    rows.verticalScrollBar().setValue(30)
    settled()
    assert rows.marks[55].area == before.translated(0, -30)
    rows._pulse_timer.timeout.emit()
    assert on_screen(sidebar) == painted_anew(sidebar)
    rows.rows.set_streaming(55, streaming=False)
    qtbot.waitUntil(lambda: not rows.marks)
    assert on_screen(sidebar) == painted_anew(sidebar)


def test_the_mark_is_still_when_motion_is_reduced(sidebar: Sidebar, appearance: Appearance) -> None:
    sidebar.list.rows.set_streaming(55, streaming=True)
    assert sidebar.list._pulse_timer.isActive()
    appearance.choose("light", 15, reduce_motion=True)
    assert not sidebar.list._pulse_timer.isActive()


@pytest.fixture
def bar(appearance: Appearance, qtbot: QtBot) -> MetricsBar:
    made = MetricsBar(appearance)
    qtbot.addWidget(made)
    made.resize(760, 28)
    made.show()
    made.show_metrics(METRICS)
    settled()
    return made


METRICS = Metrics(phase=Phase.STREAMING, elapsed_s=2.4, ttft_s=0.34, tokens=125, tokens_per_second=60.0)


def changed(**values: object) -> Metrics:
    return msgspec.structs.replace(METRICS, **values)


def test_figures_that_read_the_same_are_not_painted_again(bar: MetricsBar) -> None:
    painted = Painted(bar)
    bar.show_metrics(changed(elapsed_s=2.41, tokens_per_second=60.01, bytes_received=1000))
    assert painted.bounds().isEmpty()
    assert bar.metrics.bytes_received == 1000


def test_only_figures_that_read_otherwise_are_painted(bar: MetricsBar, qtbot: QtBot) -> None:
    painted = Painted(bar)
    bar.show_metrics(changed(elapsed_s=2.6))
    qtbot.waitUntil(lambda: not painted.region.isEmpty())
    assert 0 < painted.bounds().width() < 120
    assert on_screen(bar) == painted_anew(bar)
    assert "2.6 s elapsed" in bar.accessibleDescription()


@pytest.mark.parametrize("phase", [Phase.RETRYING, Phase.STALLED, Phase.DONE, Phase.IDLE])
def test_another_phase_paints_the_whole_bar(bar: MetricsBar, qtbot: QtBot, phase: Phase) -> None:
    painted = Painted(bar)
    bar.show_metrics(changed(phase=phase))
    qtbot.waitUntil(lambda: not painted.region.isEmpty())
    assert painted.bounds() == bar.rect()
    bar.show_metrics(changed(phase=phase, tokens=130, elapsed_s=3.0))
    assert on_screen(bar) == painted_anew(bar)
