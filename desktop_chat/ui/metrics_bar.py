"""The metrics bar: phase, tokens, speed, time to first token, elapsed; figures that never move each other."""

from __future__ import annotations

from math import ceil
from typing import Final, NamedTuple

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop_chat.domain.metrics import Metrics, Phase
from desktop_chat.ui import fonts
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Button, named
from desktop_chat.ui.theme import Space, Theme

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


_WIDEST: Final = {"tokens": "~888,888", "tok/s": "888,888", "elapsed": "88:88 min", "TTFT": "888.88 s"}
_MIDDLE: Final = Qt.AlignmentFlag.AlignVCenter
_MIDDLE_RIGHT: Final = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_Texts = tuple[str, str, tuple[tuple[str, str], ...]]
"""The phase, its color, and label and value of each figure; without figures the hint."""


class _Place(NamedTuple):
    """Where a figure stands."""

    name: str
    value: QRectF
    label: QRectF


class _Type:
    """What the bar is written in, in one theme."""

    def __init__(self, theme: Theme) -> None:
        size = theme.size(-2)
        self.theme = theme
        self.hint = fonts.tabular(size)
        self.value, self.name = fonts.tabular(size, QFont.Weight.DemiBold), fonts.sans(size)
        self.secondary, self.faint = QColor(theme.palette.text_secondary), QColor(theme.palette.text_faint)
        room, name_room = QFontMetrics(self.value), QFontMetrics(self.name)
        self.phase_room = max(name_room.horizontalAdvance(name) for name in PHASE_NAMES.values())
        self.figure_widths = {
            name: (room.horizontalAdvance(widest), name_room.horizontalAdvance(name))
            for name, widest in _WIDEST.items()
        }


class MetricsBar(QWidget):
    """One line under the composer; each figure has room for its widest value, and the last ones give way.

    Signals:
        cancel_requested: the person ends a retry countdown.
    """

    cancel_requested = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._metrics = Metrics()
        self._hint = ""
        self._notice = ""
        self._shown = self._texts()
        self._type: _Type | None = None
        self._places: tuple[_Place, ...] = ()
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
        appearance.changed.connect(self._theme_changed)

    def _theme_changed(self) -> None:
        self._shown = self._texts()  # the phase's color
        self.update()

    @property
    def metrics(self) -> Metrics:
        return self._metrics

    def set_hint(self, hint: str) -> None:
        """What is said while there are no figures."""
        self._hint = hint
        self._renew()

    def set_notice(self, notice: str) -> None:
        """A few words that take the place of the phase until they are set to nothing."""
        self._notice = notice
        self._renew()

    def show_metrics(self, metrics: Metrics) -> None:
        """Some times a second while an answer streams; only the figures that read otherwise are painted again."""
        if metrics.phase is not self._metrics.phase:
            self._cancel.setVisible(metrics.phase is Phase.RETRYING)
        self._metrics = metrics
        self._renew()

    def _texts(self) -> _Texts:
        if not self._has_figures:
            return self._notice or self._hint, "", ()
        return self._phase(), self._phase_color(), figures(self._metrics)

    def _renew(self) -> None:
        before, self._shown = self._shown, self._texts()
        if self._shown == before:
            return
        self.setAccessibleDescription(self.text())
        values, old_values = dict(self._shown[2]), dict(before[2])
        if self._shown[:2] != before[:2] or values.keys() != old_values.keys():
            self.update()
            return
        for place in self._places:
            if values[place.name] != old_values[place.name]:
                self.update(place.value.toAlignedRect())

    def text(self) -> str:
        """All of it in words, for assistive technology and tests."""
        phase, _, values = self._shown
        return ", ".join((phase, *(f"{value} {name}" for name, value in values)))

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
        type_ = self._type_now()
        text, color, values = self._shown
        area = QRectF(event.rect())
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if not values:
                painter.setFont(type_.hint)
                painter.setPen(type_.faint)
                shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.width())
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, shown)
                return
            left = 7 + Space.S
            # As wide as any running phase, so that the figures stay where they are from phase to phase.
            x = left + max(type_.phase_room, QFontMetrics(type_.name).horizontalAdvance(text)) + Space.L
            if area.left() < x:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(color))
                painter.drawEllipse(QRectF(1, self.height() / 2 - 3, 6, 6))
                painter.setFont(type_.name)
                painter.setPen(type_.secondary)
                painter.drawText(QRectF(left, 0, self.width() - left, self.height()), _MIDDLE, text)
            right = self.width() - (self._cancel.width() + Space.S if self._cancel.isVisible() else 0)
            self._places = self._figure_places(type_, x, right)
            self._paint_figures(painter, type_, area)
        finally:
            painter.end()

    def _type_now(self) -> _Type:
        """The fonts and colors, made again when the theme is another one."""
        theme = self._appearance.theme
        if self._type is None or self._type.theme is not theme:
            self._type = _Type(theme)
        return self._type

    def _figure_places(self, type_: _Type, x: float, right: float) -> tuple[_Place, ...]:
        """Where the figures that fit between ``x`` and ``right`` stand."""
        widths = list(type_.figure_widths.items())
        while widths and x + sum(w + n + Space.XS + Space.L for _, (w, n) in widths) - Space.L > right:
            widths.pop()
        # Right-aligned as a group: the last figure ends with the card above.
        position = right - sum(w + n + Space.XS + Space.L for _, (w, n) in widths) + Space.L
        places = []
        for name, (width, name_width) in widths:
            value = QRectF(position, 0, width, self.height())
            position += width + Space.XS
            places.append(_Place(name, value, QRectF(position, 0, name_width + 1, self.height())))
            position += name_width + Space.L
        return tuple(places)

    def _paint_figures(self, painter: QPainter, type_: _Type, area: QRectF) -> None:
        values = dict(self._shown[2])
        for place in self._places:
            if place.value.intersects(area):
                painter.setFont(type_.value)
                painter.setPen(type_.secondary)
                painter.drawText(place.value, _MIDDLE_RIGHT, values[place.name])
            if place.label.intersects(area):
                painter.setFont(type_.name)
                painter.setPen(type_.faint)
                painter.drawText(place.label, _MIDDLE, place.name)
