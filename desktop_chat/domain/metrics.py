"""The measured facts of one streamed answer, live and as kept with the message.

All times are seconds on a monotonic clock, counted from the moment the request was sent.
"""

from __future__ import annotations

import enum
import math

import msgspec


class Phase(enum.StrEnum):
    """What a turn is doing now, as the metrics bar names it."""

    IDLE = "idle"
    CONNECTING = "connecting"
    WAITING = "waiting"
    RETRYING = "retrying"
    THINKING = "thinking"
    STREAMING = "streaming"
    STALLED = "stalled"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def is_running(self) -> bool:
        return self in _RUNNING


_RUNNING = frozenset(
    {Phase.CONNECTING, Phase.WAITING, Phase.RETRYING, Phase.THINKING, Phase.STREAMING, Phase.STALLED}
)


class Metrics(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One snapshot.

    Attributes:
        phase: the phase at the moment of the snapshot.
        elapsed_s: request sent to now, or to the end.
        ttft_s: request sent to the first non-empty content, reasoning or tool-call delta.
        tokens: completion tokens; an estimate from deltas until ``tokens_reported``.
        tokens_per_second: decode speed only: (tokens - 1) / (last token time - first token time).
        connect_s / tls_s / wait_s / decode_s: DNS + TCP, TLS, request to first payload, first to last payload.
        thinking_s: first reasoning delta to the first delta of text or tool call (or to the end); ``None``
            without reasoning.
        gap_*_s: inter-token latency quantiles and maximum.
        stalls: gaps over 10 times the running median and over one second.
        cost: as reported by the server, in its unit; ``None`` when unknown.
        retry_in_s: while ``phase`` is RETRYING, the seconds left in the countdown.
    """

    phase: Phase = Phase.IDLE
    elapsed_s: float = 0.0
    ttft_s: float | None = None
    tokens: int = 0
    tokens_reported: bool = False
    tokens_per_second: float | None = None
    prompt_tokens: int | None = None
    reasoning_tokens: int | None = None
    connect_s: float | None = None
    tls_s: float | None = None
    wait_s: float | None = None
    decode_s: float | None = None
    thinking_s: float | None = None
    gap_p50_s: float | None = None
    gap_p95_s: float | None = None
    gap_max_s: float | None = None
    stalls: int = 0
    bytes_received: int = 0
    deltas: int = 0
    retries: int = 0
    retry_in_s: float | None = None
    cost: float | None = None
    finish_reason: str | None = None


def dollars(amount: float) -> str:
    """An amount as it is shown: whole cents at least, of smaller ones the two digits that matter."""
    if amount < 1e-8:
        return "$0.00" if amount <= 0 else "under $0.00000001"
    return f"${amount:,.{max(2, 1 - math.floor(math.log10(amount)))}f}"
