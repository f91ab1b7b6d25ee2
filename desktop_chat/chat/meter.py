"""The stopwatch of one turn: what the metrics bar shows and what is kept with the message."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from desktop_chat.api.exchange import WirePhase
from desktop_chat.chat.quantiles import LogHistogram
from desktop_chat.domain.deltas import (
    Finished,
    ReasoningDelta,
    ServerTimings,
    StreamDelta,
    TextDelta,
    Usage,
    UsageReport,
)
from desktop_chat.domain.metrics import Metrics, Phase

STALL_FACTOR: Final = 10.0
STALL_SECONDS: Final = 1.0
_STALL_MEDIAN_REFRESH: Final = 32


class StreamMeter:
    """Measures one turn on a monotonic clock; a snapshot may be taken at any moment.

    A turn may need several tries: `sent` begins one, and only the last one's times are kept (elapsed counts from
    the first). Tokens that arrive in one read share the gap before them evenly, since the
    network, not the model, bundled them.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._gaps = LogHistogram()
        self._begun: float | None = None
        self._sent: float | None = None
        self._first: float | None = None
        self._last: float | None = None
        self._thought: float | None = None
        self._answered: float | None = None
        self._ended: float | None = None
        self._retry_at: float | None = None
        self._connect_s: float | None = None
        self._tls_s: float | None = None
        self._usage: Usage | None = None
        self._timings: ServerTimings | None = None
        self._finish_reason: str | None = None
        self._median: float | None = None
        self._median_count = 0
        self._largest_gap = 0.0
        self.tokens = 0
        self.bytes_received = 0
        self.deltas = 0
        self.retries = 0
        self.stalls = 0
        self.phase = Phase.IDLE

    @property
    def has_payload(self) -> bool:
        """Whether anything of the answer has arrived; from then on nothing is retried."""
        return self._first is not None

    @property
    def usage(self) -> Usage | None:
        return self._usage

    def sent(self) -> None:
        """A try begins: the request is about to leave."""
        now = self._clock()
        self._begun = now if self._begun is None else self._begun
        self._sent = now
        self._retry_at = None
        self.phase = Phase.CONNECTING

    def connected(self, seconds: float) -> None:
        """A fresh connection was made, DNS and TCP; on a reused one this is not called."""
        self._connect_s = seconds

    def secured(self, seconds: float) -> None:
        """TLS is ready on a fresh connection."""
        self._tls_s = seconds

    def waiting(self) -> None:
        """The request has left; the answer is awaited, and the time to its first token runs from here."""
        self._sent = self._clock()
        self.phase = Phase.WAITING

    def retrying(self, delay_s: float) -> None:
        """A try failed and another follows after ``delay_s`` seconds."""
        self.retries += 1
        self._retry_at = self._clock() + delay_s
        self.phase = Phase.RETRYING

    def pacing(self, delay_s: float) -> None:
        """The provider's rate limit asks to wait ``delay_s`` seconds before the request may leave."""
        now = self._clock()
        self._begun = now if self._begun is None else self._begun
        self._retry_at = now + delay_s
        self.phase = Phase.RETRYING

    def received(self, deltas: Sequence[StreamDelta], bytes_received: int) -> None:
        """One read brought these deltas; ``bytes_received`` is the total so far."""
        self.bytes_received = bytes_received
        self.deltas += len(deltas)
        tokens = 0
        for delta in deltas:
            if isinstance(delta, TextDelta):
                tokens += 1
                self.phase = Phase.STREAMING
            elif isinstance(delta, UsageReport):
                self._usage = delta.usage or self._usage
                self._timings = delta.timings or self._timings
            elif isinstance(delta, Finished):
                self._finish_reason = delta.reason
            else:
                tokens += 1
                thinks = isinstance(delta, ReasoningDelta)
                if thinks and self._thought is None:
                    self._thought = self._clock()
                self.phase = Phase.THINKING if thinks else Phase.STREAMING
        if tokens:
            self._payload(tokens)
            if self._answered is None and self.phase is Phase.STREAMING:
                self._answered = self._last

    def dropped(self, deltas: Sequence[StreamDelta]) -> None:
        """These, of the read just counted, came behind a stop and are not part of the answer."""
        self.deltas -= len(deltas)
        self.tokens -= sum(not isinstance(delta, (UsageReport, Finished)) for delta in deltas)

    def _payload(self, tokens: int) -> None:
        now = self._clock()
        if self._last is None:
            self._first = now
        else:
            gap = now - self._last
            if self._is_stall(gap):
                self.stalls += 1
            self._largest_gap = max(self._largest_gap, gap)
            self._gaps.add(gap / tokens, tokens)
        self._last = now
        self.tokens += tokens

    def _is_stall(self, gap: float) -> bool:
        if gap <= STALL_SECONDS or not self._gaps.count:
            return False
        if self._median is None or self._gaps.count - self._median_count >= _STALL_MEDIAN_REFRESH:
            self._median, self._median_count = self._gaps.quantile(0.5), self._gaps.count
        return gap > STALL_FACTOR * (self._median or 0.0)

    def ended(self, phase: Phase) -> None:
        """The turn is over; the figures no longer move. A second call changes nothing."""
        if self._ended is None:
            self._ended = self._clock()
            self.phase = phase

    def snapshot(self) -> Metrics:
        """The figures now; constant time."""
        now = self._clock() if self._ended is None else self._ended
        phase = self.phase
        if (
            phase in (Phase.STREAMING, Phase.THINKING)
            and self._last is not None
            and self._is_stall(now - self._last)
        ):
            phase = Phase.STALLED
        tokens, reported = self._tokens()
        first, last = self._first, self._last
        ttft_s = None if first is None or self._sent is None else first - self._sent
        decode_s = None if first is None or last is None else last - first
        rate = (tokens - 1) / decode_s if decode_s and tokens > 1 else None
        usage = self._usage
        return Metrics(
            phase=phase,
            elapsed_s=0.0 if self._begun is None else now - self._begun,
            ttft_s=ttft_s,
            tokens=tokens,
            tokens_reported=reported,
            tokens_per_second=rate,
            prompt_tokens=usage.prompt_tokens if usage else None,
            reasoning_tokens=usage.reasoning_tokens if usage else None,
            connect_s=self._connect_s,
            tls_s=self._tls_s,
            wait_s=ttft_s,
            decode_s=decode_s,
            thinking_s=None if self._thought is None else (self._answered or now) - self._thought,
            gap_p50_s=self._gaps.quantile(0.5),
            gap_p95_s=self._gaps.quantile(0.95),
            gap_max_s=self._largest_gap if self._gaps.count else None,
            stalls=self.stalls,
            bytes_received=self.bytes_received,
            deltas=self.deltas,
            retries=self.retries,
            retry_in_s=max(0.0, self._retry_at - now)
            if phase is Phase.RETRYING and self._retry_at is not None
            else None,
            cost=usage.cost if usage else None,
            finish_reason=self._finish_reason,
        )

    def _tokens(self) -> tuple[int, bool]:
        if self._usage is not None and self._usage.completion_tokens is not None:
            return self._usage.completion_tokens, True
        if self._timings is not None and self._timings.completion_tokens is not None:
            return self._timings.completion_tokens, True
        return self.tokens, False


class WireObserver:
    """Tells a meter what the client reports from below: connecting, TLS, and the request on its way."""

    def __init__(self, meter: StreamMeter) -> None:
        self._meter = meter
        self._begun = 0.0

    def phase(self, phase: WirePhase, at: float) -> None:
        if phase in (WirePhase.CONNECTING, WirePhase.TLS_STARTED):
            self._begun = at
        elif phase is WirePhase.CONNECTED:
            self._meter.connected(at - self._begun)
        elif phase is WirePhase.TLS_READY:
            self._meter.secured(at - self._begun)
        elif phase is WirePhase.REQUEST_SENT:
            self._meter.waiting()

    def heartbeat(self) -> None:
        return
