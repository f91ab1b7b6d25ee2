from collections.abc import Sequence

import pytest

from desktop_chat.chat.meter import StreamMeter
from desktop_chat.domain.deltas import (
    Finished,
    ReasoningDelta,
    ServerTimings,
    StreamDelta,
    TextDelta,
    Usage,
    UsageReport,
)
from desktop_chat.domain.metrics import Phase


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> StreamMeter:
    return StreamMeter(clock)


def stream(meter: StreamMeter, clock: Clock, *reads: tuple[float, Sequence[StreamDelta]]) -> None:
    for pause, deltas in reads:
        clock.now += pause
        meter.received(deltas, 0)


WORD = TextDelta("word")


def test_ttft_counts_from_the_request_to_the_first_payload(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    stream(meter, clock, (0.5, [UsageReport(usage=Usage(prompt_tokens=3))]), (0.25, [WORD]))
    assert meter.snapshot().ttft_s == pytest.approx(0.75)


def test_decode_speed_leaves_prefill_out(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    stream(meter, clock, (30.0, [WORD]), *[(0.1, [WORD])] * 10)
    assert meter.snapshot().tokens_per_second == pytest.approx(10.0)


def test_one_token_has_no_speed(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    stream(meter, clock, (0.1, [WORD]))
    assert meter.snapshot().tokens_per_second is None


def test_reported_usage_replaces_the_estimate_and_the_last_wins(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    stream(meter, clock, (0.1, [WORD]), (0.1, [WORD]))
    assert (meter.snapshot().tokens, meter.snapshot().tokens_reported) == (2, False)
    for count in (5, 9):
        meter.received([UsageReport(usage=Usage(completion_tokens=count, cost=0.5))], 0)
    assert (meter.snapshot().tokens, meter.snapshot().tokens_reported) == (9, True)
    assert meter.snapshot().cost == 0.5


def test_timings_stand_in_where_there_is_no_usage(meter: StreamMeter) -> None:
    meter.sent()
    meter.received([UsageReport(timings=ServerTimings(completion_tokens=7))], 0)
    assert meter.snapshot().tokens == 7


def test_phases_follow_what_arrives(meter: StreamMeter, clock: Clock) -> None:
    seen = [meter.snapshot().phase]
    meter.sent()
    seen.append(meter.snapshot().phase)
    meter.waiting()
    seen.append(meter.snapshot().phase)
    stream(meter, clock, (0.1, [ReasoningDelta("hm")]))
    seen.append(meter.snapshot().phase)
    stream(meter, clock, (0.1, [WORD, Finished("stop")]))
    seen.append(meter.snapshot().phase)
    meter.ended(Phase.DONE)
    seen.append(meter.snapshot().phase)
    assert seen == [
        Phase.IDLE, Phase.CONNECTING, Phase.WAITING, Phase.THINKING, Phase.STREAMING, Phase.DONE,
    ]  # fmt: skip
    assert meter.snapshot().finish_reason == "stop"


def test_a_pause_is_a_stall_only_beyond_ten_medians_and_one_second(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    stream(meter, clock, (1.0, [WORD]), *[(0.05, [WORD])] * 40)
    clock.now += 0.9
    assert meter.snapshot().phase is Phase.STREAMING
    clock.now += 0.2
    assert meter.snapshot().phase is Phase.STALLED
    stream(meter, clock, (0.0, [WORD]))
    assert meter.snapshot().phase is Phase.STREAMING
    assert meter.snapshot().stalls == 1
    assert meter.snapshot().gap_max_s == pytest.approx(1.1)


def test_a_slow_model_does_not_stall(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    stream(meter, clock, *[(2.0, [WORD])] * 20)
    clock.now += 5.0
    assert meter.snapshot().phase is Phase.STREAMING
    assert meter.snapshot().stalls == 0


def test_tokens_of_one_read_share_its_gap(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    stream(meter, clock, (0.1, [WORD]), *[(1.0, [WORD] * 10)] * 10)
    assert meter.snapshot().gap_p50_s == pytest.approx(0.1, rel=0.03)


def test_figures_stand_still_after_the_end(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    clock.now += 2.0
    meter.ended(Phase.STOPPED)
    clock.now += 50.0
    meter.ended(Phase.DONE)
    assert meter.snapshot().elapsed_s == pytest.approx(2.0)
    assert meter.snapshot().phase is Phase.STOPPED


def test_a_retry_counts_down_and_elapsed_runs_from_the_first_try(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    clock.now += 1.0
    meter.retrying(4.0)
    clock.now += 1.5
    snapshot = meter.snapshot()
    assert (snapshot.phase, snapshot.retries) == (Phase.RETRYING, 1)
    assert snapshot.retry_in_s == pytest.approx(2.5)
    clock.now += 2.5
    meter.sent()
    stream(meter, clock, (0.5, [WORD]))
    assert meter.snapshot().ttft_s == pytest.approx(0.5)
    assert meter.snapshot().elapsed_s == pytest.approx(5.5)


def test_thinking_lasts_from_the_first_reasoning_to_the_first_text(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    stream(meter, clock, (1.0, [ReasoningDelta("h")]), (2.0, [ReasoningDelta("m")]))
    assert meter.snapshot().thinking_s == pytest.approx(2.0)
    stream(meter, clock, (0.5, [WORD]), (5.0, [WORD]))
    assert meter.snapshot().thinking_s == pytest.approx(2.5)


def test_an_answer_without_reasoning_has_no_thinking_time(meter: StreamMeter, clock: Clock) -> None:
    meter.sent()
    stream(meter, clock, (1.0, [WORD]))
    assert meter.snapshot().thinking_s is None
