"""One turn, from the request to the saved answer: a state machine that owns the running task.

IDLE -> CONNECTING -> WAITING -> (RETRYING -> CONNECTING ...) -> THINKING | STREAMING
     -> DONE | STOPPED | INTERRUPTED | FAILED
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from desktop_chat.api.client import ChatClient
from desktop_chat.api.retry import RetryPolicy
from desktop_chat.chat.accumulator import TextAccumulator, ToolCallAccumulator
from desktop_chat.chat.handlers import (
    HandlerChain,
    Outcome,
    StreamContext,
    StreamHandler,
    StreamResult,
    Transform,
)
from desktop_chat.chat.meter import StreamMeter, WireObserver
from desktop_chat.chat.pacing import Pacer
from desktop_chat.domain.deltas import Finished, ReasoningDelta, StreamDelta, TextDelta, ToolCallDelta
from desktop_chat.domain.errors import (
    ChatError,
    InternalError,
    NetworkError,
    ServerError,
    StreamInterruptedError,
)
from desktop_chat.domain.messages import ToolCall
from desktop_chat.domain.metrics import Metrics, Phase
from desktop_chat.domain.requests import ChatRequest

if TYPE_CHECKING:
    from desktop_chat.api.recording import StreamRecorder

logger = logging.getLogger(__name__)

Prepare = Callable[[], Awaitable[tuple[ChatClient, ChatRequest]]]
"""Gives the client and the request; called inside the turn, so that its failures and waits are the turn's."""

Save = Callable[[StreamResult], Awaitable[None]]
"""Keeps the final state; runs once, shielded from every cancellation."""

_PAUSE_S: Final = 0.004
"""How often to ask a handler that is behind whether it has caught up; nothing is read meanwhile, so that the server
must wait too."""

_PHASE_OF: Final = {
    Outcome.COMPLETE: Phase.DONE,
    Outcome.STOPPED: Phase.STOPPED,
    Outcome.INTERRUPTED: Phase.INTERRUPTED,
    Outcome.ERROR: Phase.FAILED,
}


class ChatSession:
    """One turn.

    Attributes:
        model: the model asked for; known for certain once the request is prepared.
        result: how the turn ended; ``None`` while it runs.
        concessions: a sentence for each thing that the user set and the server did not take; also in the warnings.
        recorder: complete, or with its problem known, once `wait` has returned.

    Args:
        context: what handlers are told about the stream.
        prepare: see `Prepare`.
        save: see `Save`; ``None`` keeps nothing.
        retry_policy: how often and how long to wait before another try; only before the first payload.
        pacer: makes a request wait while the provider's rate limit is used up.
        transforms: applied in order to every delta before anything else sees it.
        recorder: gets the raw bytes of the answer; a retry begins its file anew.
        text / reasoning: what a continued answer begins with.
        clock: monotonic seconds; for tests.
    """

    def __init__(
        self,
        context: StreamContext,
        prepare: Prepare,
        *,
        save: Save | None = None,
        retry_policy: RetryPolicy | None = None,
        pacer: Pacer | None = None,
        handlers: Sequence[StreamHandler] = (),
        transforms: Sequence[Transform] = (),
        recorder: StreamRecorder | None = None,
        text: str = "",
        reasoning: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.context = context
        self.model = context.model
        self.recorder = recorder
        self._prepare = prepare
        self._save = save
        self._retry_policy = retry_policy or RetryPolicy()
        self._pacer = pacer or Pacer()
        self._chain = HandlerChain(handlers)
        self._transforms = list(transforms)
        self._meter = StreamMeter(clock)
        self._text = TextAccumulator(text)
        self._reasoning = TextAccumulator(reasoning)
        self._tool_calls = ToolCallAccumulator()
        self._finish_reason: str | None = None
        self._warnings: list[str] = []
        self.concessions: tuple[str, ...] = ()
        self._stop_requested = False
        self._transfer: asyncio.Task[None] | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[StreamResult] | None = None
        self.result: StreamResult | None = None

    @property
    def conversation_id(self) -> int | None:
        return self.context.conversation_id

    @property
    def message_id(self) -> int | None:
        return self.context.message_id

    @property
    def profile_name(self) -> str:
        return self.context.profile_name

    @property
    def phase(self) -> Phase:
        return self._meter.snapshot().phase

    @property
    def metrics(self) -> Metrics:
        """A fresh snapshot; constant time."""
        return self._meter.snapshot()

    @property
    def text(self) -> str:
        """The answer so far, joined at each access."""
        return self._text.text()

    @property
    def reasoning(self) -> str:
        """The reasoning so far, joined at each access."""
        return self._reasoning.text()

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls so far, joined at each access."""
        return self._tool_calls.calls()

    def attach(self, handler: StreamHandler) -> None:
        """Add a handler; on a running turn it is started at once and gets the deltas that follow."""
        self._chain.attach(handler)

    def detach(self, handler: StreamHandler) -> None:
        self._chain.detach(handler)

    def start(self) -> None:
        """Begin. Call once, in a running event loop."""
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        self._meter.sent()
        self._chain.started(self.context)
        self._transfer = loop.create_task(self._transfer_answer(), name="transfer")
        self._supervisor = loop.create_task(self._supervise(self._transfer), name="turn")

    def stop(self) -> None:
        """End the turn now and close its connection; what arrived is kept. Idempotent, in every state."""
        self._stop_requested = True
        if self._transfer is not None and not self._transfer.done():
            self._transfer.cancel()

    async def wait(self) -> StreamResult:
        """The result, once it is saved. Cancelling this wait does not touch the turn."""
        if self._ended is None:
            raise RuntimeError("the turn was never started")
        return await asyncio.shield(self._ended)

    async def _supervise(self, transfer: asyncio.Task[None]) -> None:
        while not transfer.done():
            try:
                await asyncio.wait([transfer])
            except asyncio.CancelledError:
                # Somebody ends all tasks: that is a stop, and the final save must still happen.
                self.stop()
        try:
            self._flush_transforms()
        except Exception:
            logger.exception("a transform failed at the end of an answer")
            self._warnings.append("A transform failed: what it held back of the answer's end is missing.")
        outcome, error = self._verdict(transfer)
        self._meter.ended(_PHASE_OF[outcome])
        result = self._conclude(outcome, error)
        self.result = result
        self._chain.finished(result)
        saving = asyncio.get_running_loop().create_task(self._keep(result), name="final save")
        while not saving.done():
            try:
                await asyncio.wait([saving])
            except asyncio.CancelledError:
                logger.info("cancelled during the final save, which goes on")
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(result)

    def _verdict(self, transfer: asyncio.Task[None]) -> tuple[Outcome, ChatError | None]:
        if transfer.cancelled():
            return Outcome.STOPPED, None
        failure = transfer.exception()
        if failure is None:
            if self._stop_requested and self._finish_reason is None:
                return Outcome.STOPPED, None
            if self._finish_reason == "error":
                return Outcome.ERROR, ServerError("The server ended the answer with finish reason “error”.")
            return Outcome.COMPLETE, None
        if isinstance(failure, StreamInterruptedError):
            return Outcome.INTERRUPTED, failure
        if isinstance(failure, NetworkError) and self._meter.has_payload:
            return Outcome.INTERRUPTED, failure
        if isinstance(failure, ChatError):
            return Outcome.ERROR, failure
        logger.error("a turn failed for a reason of our own", exc_info=failure)
        return Outcome.ERROR, InternalError(f"{type(failure).__name__}: {failure}")

    def _conclude(self, outcome: Outcome, error: ChatError | None) -> StreamResult:
        usage = self._meter.usage
        return StreamResult(
            outcome=outcome,
            text=self.text,
            reasoning=self.reasoning,
            tool_calls=self.tool_calls,
            finish_reason=self._finish_reason,
            usage=usage.raw if usage else None,
            metrics=self._meter.snapshot(),
            error=error.report() if error else None,
            warnings=(*self._warnings, *self._chain.failures),
        )

    async def _keep(self, result: StreamResult) -> None:
        try:
            if self._save is not None:
                await self._save(result)
        except Exception:
            logger.exception("the final state of an answer could not be saved")
        if self.recorder is not None:
            await self.recorder.finished()

    async def _transfer_answer(self) -> None:
        attempt = 1
        while True:
            try:
                client, request = await self._prepare()
                self.model = request.model
                await self._pace()
                await self._one_try(client, request)
                return
            except ChatError as error:
                delay = None
                if not self._meter.has_payload:
                    delay = self._retry_policy.delay_before(attempt, error, random.random)
                if delay is None:
                    raise
                logger.info("try %d failed (%s), next in %.1f s", attempt, error.kind, delay)
                attempt += 1
                self._meter.retrying(delay)
                await asyncio.sleep(delay)

    async def _pace(self) -> None:
        delay = self._pacer.delay_s()
        if delay:
            self._meter.pacing(delay)
            await asyncio.sleep(delay)

    async def _one_try(self, client: ChatClient, request: ChatRequest) -> None:
        self._meter.sent()
        async with client.stream(request, WireObserver(self._meter), recorder=self.recorder) as answer:
            self._pacer.note(answer.rate_limit)
            try:
                async for deltas in answer:
                    self._take(deltas, answer.bytes_received)
                    if self._stop_requested:
                        return
                    while self._chain.is_behind:  # noqa: ASYNC110 - asked, so that a handler need not know of loops
                        await asyncio.sleep(_PAUSE_S)
            finally:
                self._warnings.extend(answer.warnings)
                self.concessions = answer.concessions

    def _take(self, deltas: Sequence[StreamDelta], bytes_received: int) -> None:
        """Hand on what one read brought; deltas behind a stop in the same read are dropped."""
        for transform in self._transforms:
            deltas = [changed for delta in deltas for changed in transform.feed(delta)]
        self._meter.received(deltas, bytes_received)
        for index, delta in enumerate(deltas):
            if isinstance(delta, TextDelta):
                self._text.append(delta.text)
            elif isinstance(delta, ReasoningDelta):
                self._reasoning.append(delta.text)
            elif isinstance(delta, ToolCallDelta):
                self._tool_calls.add(delta)
            elif isinstance(delta, Finished):
                self._finish_reason = delta.reason
            self._chain.delta(delta)
            if self._stop_requested:
                self._meter.dropped(deltas[index + 1 :])
                break

    def _flush_transforms(self) -> None:
        """Let each transform give back what it held; later transforms see it as any other delta."""
        for position, transform in enumerate(self._transforms):
            deltas = list(transform.flush())
            following, self._transforms = self._transforms, self._transforms[position + 1 :]
            self._take(deltas, self._meter.bytes_received)
            self._transforms = following
