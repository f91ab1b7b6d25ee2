"""The end of a turn in one line and in one number, as the command line and ``--send`` give it."""

from __future__ import annotations

from typing import Final

from desktop_chat.chat.handlers import Outcome, StreamResult
from desktop_chat.chat.launch import ExitStatus
from desktop_chat.domain.metrics import Metrics, dollars
from desktop_chat.domain.text import printable

STATUS_OF: Final = {
    Outcome.COMPLETE: ExitStatus.COMPLETE,
    Outcome.ERROR: ExitStatus.ERROR,
    Outcome.INTERRUPTED: ExitStatus.INTERRUPTED,
    Outcome.STOPPED: ExitStatus.STOPPED,
}


def seconds(value: float | None) -> str:
    """``340 ms``, ``2.34 s``, ``3:05``; a dash where nothing was measured."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 60 else f"{int(value) // 60}:{int(value) % 60:02d}"


def tokens(metrics: Metrics) -> str:
    """The number of tokens; ``~`` marks an estimate."""
    estimate = "" if metrics.tokens_reported else "~"
    return f"{estimate}{metrics.tokens} {'token' if metrics.tokens == 1 else 'tokens'}"


def summary_line(result: StreamResult) -> str:
    """One line of figures: how it ended, how long, how fast."""
    metrics = result.metrics
    parts = [tokens(metrics)]
    if metrics.tokens_per_second is not None:
        parts.append(f"{metrics.tokens_per_second:.1f} tok/s")
    if metrics.ttft_s is not None:
        parts.append(f"first token after {seconds(metrics.ttft_s)}")
    parts.append(f"{seconds(metrics.elapsed_s)} in all")
    if metrics.cost is not None:
        parts.append(f"cost {dollars(metrics.cost)}")
    if result.finish_reason and result.finish_reason != "stop":
        parts.append(f"finish reason {printable(result.finish_reason)}")
    return f"{result.outcome}: {', '.join(parts)}"
