"""A turn against a scripted client: every outcome, and Stop in every state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import pytest
from scripted_client import ScriptedClient, Step

from desktop_chat.api.client import ChatClient
from desktop_chat.api.retry import RateLimitWindow, RetryPolicy
from desktop_chat.chat.counters import StopAfterTokens
from desktop_chat.chat.handlers import Outcome, StreamContext, StreamResult
from desktop_chat.chat.pacing import Pacer
from desktop_chat.chat.session import ChatSession
from desktop_chat.domain.deltas import Finished, ReasoningDelta, StreamDelta, TextDelta, ToolCallDelta
from desktop_chat.domain.errors import (
    AuthenticationError,
    NetworkError,
    OverloadedError,
    RateLimitError,
    StreamInterruptedError,
)
from desktop_chat.domain.messages import ToolCall
from desktop_chat.domain.metrics import Phase
from desktop_chat.domain.requests import ChatRequest

CONTEXT = StreamContext(conversation_id=1, message_id=2, profile_name="p", model="m")
REQUEST = ChatRequest(model="m", messages=())
HELLO = [TextDelta("Hel"), TextDelta("lo")]


class Turn:
    """A session with the client it talks to and what it saved."""

    def __init__(self, *tries: Sequence[Step], **options: object) -> None:
        self.client = ScriptedClient(*tries)
        self.saved: list[StreamResult] = []
        self.preparing = asyncio.Event()
        self.preparing.set()
        self.saving = asyncio.Event()
        self.saving.set()
        self.session = ChatSession(
            CONTEXT,
            self._prepare,
            save=self._save,
            **options,  # type: ignore[arg-type]
        )

    async def _prepare(self) -> tuple[ChatClient, ChatRequest]:
        await self.preparing.wait()
        return cast(ChatClient, self.client), REQUEST

    async def _save(self, result: StreamResult) -> None:
        await self.saving.wait()
        self.saved.append(result)

    async def run(self) -> StreamResult:
        self.session.start()
        return await self.session.wait()


async def reached(condition) -> None:  # type: ignore[no-untyped-def]
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def test_a_whole_answer() -> None:
    turn = Turn([[ReasoningDelta("hm")], HELLO, [Finished("stop")]])
    result = await turn.run()
    assert (result.outcome, result.text, result.reasoning) == (Outcome.COMPLETE, "Hello", "hm")
    assert result.finish_reason == "stop"
    assert result.error is None
    assert turn.saved == [result]
    assert turn.session.phase is Phase.DONE


async def test_tool_calls_come_together_from_their_pieces() -> None:
    pieces = [
        ToolCallDelta(0, "a", "f", "{"),
        ToolCallDelta(1, "b", "g", "[]"),
        ToolCallDelta(0, "", "", "}"),
    ]
    result = await Turn([pieces, [Finished("tool_calls")]]).run()
    assert result.tool_calls == (
        ToolCall(id="a", name="f", arguments="{}"),
        ToolCall(id="b", name="g", arguments="[]"),
    )


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (StreamInterruptedError(), Outcome.INTERRUPTED),
        (NetworkError(), Outcome.INTERRUPTED),
        (AuthenticationError(), Outcome.ERROR),
    ],
)
async def test_text_that_arrived_stays_under_an_error(failure: Exception, outcome: Outcome) -> None:
    result = await Turn([HELLO, failure]).run()
    assert (result.outcome, result.text) == (outcome, "Hello")
    assert result.error is not None
    assert result.error.advice


async def test_a_connection_that_never_was_is_an_error_not_an_interruption() -> None:
    result = await Turn([NetworkError(retryable=False)]).run()
    assert result.outcome is Outcome.ERROR


async def test_a_defect_of_our_own_is_reported_as_ours(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("CRITICAL", logger="desktop_chat.chat.session"):
        result = await Turn([HELLO, ValueError("oops")]).run()
    assert result.error is not None
    assert (result.outcome, result.error.kind, result.text) == (Outcome.ERROR, "internal", "Hello")


async def test_a_retry_happens_before_the_first_payload_only() -> None:
    quick = RateLimitError(retry_after_s=0)
    turn = Turn([quick], [HELLO, OverloadedError()], [HELLO])
    result = await turn.run()
    assert len(turn.client.requests) == 2
    assert (result.outcome, result.text, result.metrics.retries) == (Outcome.ERROR, "Hello", 1)


async def test_retries_end() -> None:
    turn = Turn(*[[RateLimitError(retry_after_s=0)]] * 5, retry_policy=RetryPolicy(max_retries=2))
    result = await turn.run()
    assert len(turn.client.requests) == 3
    assert result.error is not None
    assert result.error.kind == "rate_limit"


async def test_stop_before_the_task_ever_ran() -> None:
    turn = Turn([HELLO])
    turn.session.start()
    turn.session.stop()
    assert (await turn.session.wait()).outcome is Outcome.STOPPED
    assert turn.saved


async def test_stop_while_preparing() -> None:
    turn = Turn([HELLO])
    turn.preparing.clear()
    turn.session.start()
    await asyncio.sleep(0)
    turn.session.stop()
    assert (await turn.session.wait()).outcome is Outcome.STOPPED


async def test_stop_while_waiting_closes_the_connection() -> None:
    turn = Turn([asyncio.Event()])
    turn.session.start()
    await reached(lambda: turn.client.answers)
    turn.session.stop()
    assert (await turn.session.wait()).outcome is Outcome.STOPPED
    assert turn.client.answers[0].closed


async def test_stop_while_streaming_keeps_the_text() -> None:
    turn = Turn([HELLO, asyncio.Event()])
    turn.session.start()
    await reached(lambda: turn.session.text == "Hello")
    turn.session.stop()
    turn.session.stop()
    result = await turn.session.wait()
    assert (result.outcome, result.text) == (Outcome.STOPPED, "Hello")
    assert turn.client.answers[0].closed


async def test_stop_in_a_retry_countdown() -> None:
    turn = Turn([OverloadedError(retry_after_s=50)])
    turn.session.start()
    await reached(lambda: turn.session.phase is Phase.RETRYING)
    assert (turn.session.metrics.retry_in_s or 0) > 40
    turn.session.stop()
    result = await turn.session.wait()
    assert (result.outcome, len(turn.client.requests)) == (Outcome.STOPPED, 1)


async def test_stop_during_the_final_save_changes_nothing() -> None:
    turn = Turn([HELLO, [Finished("stop")]])
    turn.saving.clear()
    turn.session.start()
    await reached(lambda: turn.session.result)
    turn.session.stop()
    turn.saving.set()
    assert (await turn.session.wait()).outcome is Outcome.COMPLETE
    assert turn.saved[0].text == "Hello"


async def test_cancelling_every_task_still_saves() -> None:
    turn = Turn([HELLO, asyncio.Event()])
    turn.saving.clear()
    turn.session.start()
    await reached(lambda: turn.session.text == "Hello")
    ours = asyncio.current_task()
    for _again in range(2):
        for task in asyncio.all_tasks():
            if task is not ours and task.get_name() in ("turn", "transfer"):
                task.cancel()
        await asyncio.sleep(0)
    turn.saving.set()
    result = await turn.session.wait()
    assert (result.outcome, result.text) == (Outcome.STOPPED, "Hello")
    assert turn.saved == [result]


async def test_a_stop_rule_ends_the_stream_at_its_token() -> None:
    turn = Turn([[TextDelta("a"), TextDelta("b"), TextDelta("c")], [TextDelta("d")]])
    turn.session.attach(StopAfterTokens(2, turn.session.stop))
    result = await turn.run()
    assert (result.outcome, result.text, result.metrics.tokens) == (Outcome.STOPPED, "ab", 2)


async def test_a_transform_that_fails_at_the_end_is_told_of_and_the_answer_kept(
    expect_log: Callable[[str], None],
) -> None:
    class Fails:
        def feed(self, delta: StreamDelta) -> list[StreamDelta]:
            return [delta]

        def flush(self) -> list[StreamDelta]:
            raise ValueError("no")

    expect_log("a transform failed")
    result = await Turn([HELLO, [Finished("stop")]], transforms=[Fails()]).run()
    assert (result.outcome, result.text) == (Outcome.COMPLETE, "Hello")
    assert "A transform failed" in result.warnings[0]


async def test_transforms_are_chained_and_flushed_however_the_stream_ends() -> None:
    class Upper:
        def feed(self, delta: StreamDelta) -> list[StreamDelta]:
            return [TextDelta(delta.text.upper())] if isinstance(delta, TextDelta) else [delta]

        def flush(self) -> list[StreamDelta]:
            return []

    class HoldLast:
        held = ""

        def feed(self, delta: StreamDelta) -> list[StreamDelta]:
            if not isinstance(delta, TextDelta):
                return [delta]
            out, self.held = (self.held + delta.text)[:-1], delta.text[-1]
            return [TextDelta(out)] if out else []

        def flush(self) -> list[StreamDelta]:
            return [TextDelta(self.held)] if self.held else []

    result = await Turn([HELLO, StreamInterruptedError()], transforms=[HoldLast(), Upper()]).run()
    assert (result.outcome, result.text) == (Outcome.INTERRUPTED, "HELLO")


async def test_a_failing_save_still_ends_the_turn(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_result: StreamResult) -> None:
        raise OSError("disk")

    turn = Turn([HELLO])
    session = ChatSession(CONTEXT, turn._prepare, save=fail)
    with caplog.at_level("CRITICAL", logger="desktop_chat.chat.session"):
        session.start()
        assert (await session.wait()).text == "Hello"


async def test_a_used_up_rate_limit_delays_the_next_request_and_can_be_stopped() -> None:
    pacer = Pacer()
    pacer.note(RateLimitWindow(remaining_requests=0, reset_s=30.0))
    turn = Turn([HELLO], pacer=pacer)
    turn.session.start()
    await reached(lambda: turn.session.phase is Phase.RETRYING)
    assert turn.session.metrics.retries == 0
    assert (turn.session.metrics.retry_in_s or 0) > 25
    turn.session.stop()
    assert (await turn.session.wait()).outcome is Outcome.STOPPED
    assert not turn.client.requests


def test_a_limit_that_opens_in_an_hour_is_not_waited_for() -> None:
    pacer = Pacer()
    pacer.note(RateLimitWindow(remaining_tokens=0, reset_s=3600.0))
    assert pacer.delay_s() == 0
    pacer.note(RateLimitWindow(remaining_tokens=10, reset_s=3600.0))
    assert pacer.delay_s() == 0


class Slow:
    """A handler that is behind until it is told otherwise."""

    def __init__(self) -> None:
        self.is_behind = False
        self.deltas: list[StreamDelta] = []

    def started(self, context: StreamContext) -> None:
        return

    def delta(self, delta: StreamDelta) -> None:
        self.deltas.append(delta)
        self.is_behind = True

    def finished(self, result: StreamResult) -> None:
        return


async def test_nothing_is_read_while_a_handler_is_behind() -> None:
    slow = Slow()
    turn = Turn([HELLO, [TextDelta("!")], [Finished("stop")]], handlers=[slow])
    turn.session.start()
    await reached(lambda: slow.deltas)
    for _ in range(20):
        await asyncio.sleep(0)
    assert slow.deltas == HELLO
    slow.is_behind = False
    await reached(lambda: slow.deltas[2:])
    assert slow.deltas == [*HELLO, TextDelta("!")]
    turn.session.detach(slow)  # whoever leaves is not waited for
    assert (await turn.session.wait()).outcome is Outcome.COMPLETE


async def test_stop_does_not_wait_for_a_handler_that_is_behind() -> None:
    slow = Slow()
    turn = Turn([HELLO, [TextDelta("!")], [Finished("stop")]], handlers=[slow])
    turn.session.start()
    await reached(lambda: slow.deltas)
    turn.session.stop()
    result = await turn.session.wait()
    assert (result.outcome, result.text) == (Outcome.STOPPED, "Hello")
    assert turn.client.answers[0].closed
