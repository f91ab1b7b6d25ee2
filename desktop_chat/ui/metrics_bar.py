"""The metrics bar: phase, tokens, speed, time to first token, elapsed; figures that never move each other."""

from __future__ import annotations

from math import ceil
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop_chat.domain.metrics import Metrics, Phase
from desktop_chat.ui import fonts
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Button, named
from desktop_chat.ui.theme import Space

PHASE_NAMES: Final = {
    Phase.IDLE: "Ready",
    Phase.CONNECTING: "Connecting",
    Phase.WAITING: "Waiting",
    Phase.RETRYING: "Retrying",
    Phase.THINKING: "Thinking",
    Phase.STREAMING: "Streaming",
    Phase.STALLED: "Slow",
    Phase.DONE: "Done",
    Phase.STOPPED: "Stopped",
    Phase.INTERRUPTED: "Interrupted",
    Phase.FAILED: "Failed",
}


def figures(metrics: Metrics) -> tuple[tuple[str, str], ...]:
    """Label and value of each figure, the most important first; an unknown value is a dash."""
    mark = "" if metrics.tokens_reported else "~"
    tokens = f"{mark}{metrics.tokens:,}" if metrics.tokens else "–"
    speed = "–" if metrics.tokens_per_second is None else rate(metrics.tokens_per_second)
    first = "–" if metrics.ttft_s is None else first_token(metrics.ttft_s)
    return ("tokens", tokens), ("tok/s", speed), ("elapsed", duration(metrics.elapsed_s)), ("TTFT", first)


def rate(tokens_per_second: float) -> str:
    """60.0, 4,414, 157,285: a tenth only where it says something."""
    return f"{tokens_per_second:,.1f}" if tokens_per_second < 1000 else f"{tokens_per_second:,.0f}"


def first_token(seconds: float) -> str:
    """0.42 s; <0.01 s where two digits would say that it took no time."""
    return f"{seconds:.2f} s" if seconds >= 0.01 else "<0.01 s"


def duration(seconds: float) -> str:
    """3.4 s, 2:05 min, 1:02:05 h."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


class MetricsBar(QWidget):
    """One line under the composer; each figure has room for its widest value, and the last ones give way.

    Signals:
        cancel_requested: the person ends a retry countdown.
    """

    cancel_requested = Signal()

    _WIDEST: Final = {"tokens": "~888,888", "tok/s": "888,888", "elapsed": "88:88 min", "TTFT": "888.88 s"}

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._metrics = Metrics()
        self._hint = ""
        self._notice = ""
        self.setObjectName("metricsBar")
        self.setAccessibleName("Metrics of the answer")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._cancel = Button(appearance, "Cancel", side=24)
        named(self._cancel, "cancelRetryButton", "Do not try again")
        self._cancel.clicked.connect(self.cancel_requested)
        self._cancel.hide()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addStretch(1)
        layout.addWidget(self._cancel)
        appearance.changed.connect(self.update)

    @property
    def metrics(self) -> Metrics:
        return self._metrics

    def set_hint(self, hint: str) -> None:
        """What is said while there are no figures."""
        self._hint = hint
        self.update()

    def set_notice(self, notice: str) -> None:
        """A few words that take the place of the phase until they are set to nothing."""
        self._notice = notice
        self._describe()
        self.update()

    def show_metrics(self, metrics: Metrics) -> None:
        if metrics != self._metrics:
            self._metrics = metrics
            self._cancel.setVisible(metrics.phase is Phase.RETRYING)
            self._describe()
            self.update()

    def text(self) -> str:
        """All of it in words, for assistive technology and tests."""
        if not self._has_figures:
            return self._notice or self._hint
        return ", ".join((self._phase(), *(f"{value} {name}" for name, value in figures(self._metrics))))

    def _describe(self) -> None:
        self.setAccessibleDescription(self.text())

    @property
    def _has_figures(self) -> bool:
        return self._metrics.phase is not Phase.IDLE

    def _phase(self) -> str:
        if self._notice:
            return self._notice
        metrics = self._metrics
        if metrics.phase is Phase.RETRYING and metrics.retry_in_s is not None:
            return f"Trying again in {max(1, ceil(metrics.retry_in_s))} s"
        if metrics.phase is Phase.DONE and metrics.finish_reason in ("length", "model_length"):
            return "Length limit"
        return PHASE_NAMES[metrics.phase]

    def sizeHint(self) -> QSize:
        return QSize(200, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 28)

    def _phase_color(self) -> str:
        palette = self._appearance.palette
        match self._metrics.phase:
            case Phase.FAILED | Phase.INTERRUPTED:
                return palette.error
            case Phase.STALLED | Phase.RETRYING:
                return palette.warning
            case Phase.DONE:
                return palette.success
            case phase if phase.is_running:
                return palette.accent
        return palette.text_faint

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self._appearance.palette
        size = self._appearance.theme.size(-2)
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(fonts.tabular(size))
            painter.setPen(QColor(palette.text_faint))
            if not self._has_figures:
                text = painter.fontMetrics().elidedText(
                    self._notice or self._hint, Qt.TextElideMode.ElideRight, self.width()
                )
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
                return
            x = self._paint_phase(painter, size)
            right = self.width() - (self._cancel.width() + Space.S if self._cancel.isVisible() else 0)
            self._paint_figures(painter, size, x, right)
        finally:
            painter.end()

    def _paint_phase(self, painter: QPainter, size: int) -> float:
        """The dot and the phase; returns where the figures may begin."""
        palette = self._appearance.palette
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._phase_color()))
        painter.drawEllipse(QRectF(1, self.height() / 2 - 3, 6, 6))
        painter.restore()
        font = fonts.sans(size)
        painter.setFont(font)
        painter.setPen(QColor(palette.text_secondary))
        metrics = QFontMetrics(font)
        text = self._phase()
        left = 7 + Space.S
        painter.drawText(
            QRectF(left, 0, self.width() - left, self.height()), Qt.AlignmentFlag.AlignVCenter, text
        )
        # As wide as any running phase, so that the figures stay where they are from phase to phase.
        usual = max(metrics.horizontalAdvance(PHASE_NAMES[phase]) for phase in Phase)
        return left + max(usual, metrics.horizontalAdvance(text)) + Space.L

    def _paint_figures(self, painter: QPainter, size: int, x: float, right: float) -> None:
        palette = self._appearance.palette
        font, name_font = fonts.tabular(size, QFont.Weight.DemiBold), fonts.sans(size)
        room, name_room = QFontMetrics(font), QFontMetrics(name_font)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        # Right-aligned as a group: the last figure ends with the card above.
        widths = [
            (name, value, room.horizontalAdvance(self._WIDEST[name]), name_room.horizontalAdvance(name))
            for name, value in figures(self._metrics)
        ]
        while widths and x + sum(w + n + Space.XS + Space.L for _, _, w, n in widths) - Space.L > right:
            widths.pop()
        position = right - sum(w + n + Space.XS + Space.L for _, _, w, n in widths) + Space.L
        for name, value, width, name_width in widths:
            painter.setFont(font)
            painter.setPen(QColor(palette.text_secondary))
            painter.drawText(QRectF(position, 0, width, self.height()), align, value)
            position += width + Space.XS
            painter.setFont(name_font)
            painter.setPen(QColor(palette.text_faint))
            painter.drawText(
                QRectF(position, 0, name_width + 1, self.height()), Qt.AlignmentFlag.AlignVCenter, name
            )
            position += name_width + Space.L
