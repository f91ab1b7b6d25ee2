"""Short texts beside a message: who, when, how fast, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Final

from PySide6.QtCore import QDate, QDateTime, QLocale

from desktop_chat.domain.errors import ErrorReport, Fault, StreamInterruptedError
from desktop_chat.domain.messages import Message, MessageState
from desktop_chat.domain.metrics import Metrics, Phase, dollars

SEPARATOR: Final = "  ·  "

SHOWN_WORDS: Final = 2000
"""Characters of a server's own words that are shown."""

_FINISH_REASONS: Final = {
    "length": "Cut off at the token limit",
    "model_length": "Cut off at the model's context limit",
    "tool_calls": "Asks for a tool",
    "content_filter": "Ended by the provider's content filter",
    "error": "Ended by an error",
}


def seconds(value: float) -> str:
    """A duration for people: two digits that matter, minutes from 100 s on; below what is told, that it is."""
    if value < 0.01:
        return "under 0.01 s"
    if value < 10:
        return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"
    if value < 100:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def metrics_line(metrics: Metrics, fits: Callable[[str], bool]) -> str:
    """The kept figures of a finished answer, as many as fit: without the cost first, then the time to the first token,
    the time in all, and the speed. An estimated count is marked ``~``."""
    count = speed = first = elapsed = cost = ""
    if metrics.tokens:
        estimate = "" if metrics.tokens_reported else "~"
        count = f"{estimate}{metrics.tokens:,} {'token' if metrics.tokens == 1 else 'tokens'}"
    if metrics.tokens_per_second:
        a_second = metrics.tokens_per_second
        speed = f"{a_second:.1f} tok/s" if a_second < 100 else f"{a_second:,.0f} tok/s"
    if metrics.ttft_s is not None:
        first = f"first token {seconds(metrics.ttft_s)}"
    if metrics.elapsed_s:
        elapsed = seconds(metrics.elapsed_s)
    if metrics.cost:
        cost = dollars(metrics.cost)
    shown = [figure for figure in (count, speed, first, elapsed, cost) if figure]
    for least in (cost, first, elapsed, speed, count):
        if fits(line := SEPARATOR.join(shown)):
            return line
        if least:
            shown.remove(least)
    return ""


def ending(message: Message) -> str:
    """Why an answer ended, when it was not by itself; empty otherwise. An error has a card of its own."""
    if message.state is MessageState.STOPPED:
        return "Stopped"
    if message.state is MessageState.INTERRUPTED and message.error is None:
        return "Interrupted"
    reason = message.finish_reason
    if message.state is MessageState.STREAMING or reason in {None, "stop", "end_turn", "eos"}:
        return ""
    return _FINISH_REASONS.get(str(reason), f"Ended: {reason}")


def failure(report: ErrorReport) -> tuple[str, str]:
    """What went wrong, and what is shown below it: the status, and the server's words unless the sentence has them. Of
    words that it only begins to quote, it goes without."""
    sentence, words = report.sentence, report.message
    quoted = words.removeprefix(f"{report.param}: ")
    what, _, begun = sentence.removesuffix("…").partition(": ")
    if begun and sentence.endswith("…") and quoted.startswith(begun):
        sentence = f"{what}."
    elif quoted.rstrip(".!?") in sentence:
        words = ""
    status = f"HTTP {report.status}  " if report.status else ""
    return sentence, (status + words[:SHOWN_WORDS]).strip()


def advice(report: ErrorReport, actions: Sequence[str]) -> str:
    """What to do about a failure; of an answer that broke off, in the words of the ``actions`` offered with it."""
    if report.kind != StreamInterruptedError.kind:
        return report.advice
    kept = "What was saved of it is kept." if report.fault is Fault.PROGRAM else "What arrived is kept."
    if "continue" in actions:
        return f"{kept} Continue the answer, or regenerate it."
    if "regenerate" in actions:
        return f"{kept} Regenerate the answer to get all of it."
    return "Try again." if actions else kept


def clock_time(timestamp: float) -> str:
    """The local time; with its date when that is not today."""
    if timestamp <= 0:
        return ""
    moment = QDateTime.fromSecsSinceEpoch(int(timestamp))
    locale = QLocale()
    time = locale.toString(moment.time(), QLocale.FormatType.ShortFormat)
    if moment.date() == QDate.currentDate():
        return time
    return f"{locale.toString(moment.date(), 'd MMM yyyy')}, {time}"


def waiting_text(metrics: Metrics | None, model: str) -> str:
    """What is said before the first token."""
    name = model or "the model"
    if metrics is not None:
        if metrics.phase is Phase.RETRYING:
            if metrics.retry_in_s is not None:
                return f"Trying again in {max(1, ceil(metrics.retry_in_s))} s"
            return "Trying again"
        if metrics.phase is Phase.CONNECTING:
            return "Connecting"
        if metrics.elapsed_s >= 5:
            return f"Waiting for {name}  ·  {metrics.elapsed_s:.0f} s"
    return f"Waiting for {name}"


def reasoning_title(message: Message, *, is_thinking: bool) -> str:
    if is_thinking:
        return "Thinking"
    metrics = message.metrics
    if metrics is not None and metrics.thinking_s:
        return f"Thought for {seconds(metrics.thinking_s)}"
    return "Reasoning"
