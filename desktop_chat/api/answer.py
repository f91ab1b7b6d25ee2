"""One streamed answer: an async context manager around the connection, an async iterator of deltas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import httpx

from desktop_chat.api.body import BodyDecoder
from desktop_chat.api.deadline import Deadline
from desktop_chat.api.errors import request_id_from, timeout_error
from desktop_chat.api.exchange import Exchange, StreamObserver
from desktop_chat.api.refusals import NegotiatedBody
from desktop_chat.api.retry import RateLimitWindow
from desktop_chat.domain.deltas import StreamDelta
from desktop_chat.domain.errors import (
    ChatError,
    InvalidRequestError,
    LimitError,
    NetworkCause,
    StreamInterruptedError,
)
from desktop_chat.domain.requests import Timeouts

if TYPE_CHECKING:
    from desktop_chat.api.continuation import EchoStripper
    from desktop_chat.api.recording import StreamRecorder

_AFTER_FINISH_LIMIT_S: Final = 5.0
"""How long usage and ``[DONE]`` may lag behind the finish reason; some servers never send them, nor hang up."""
_DRAIN_LIMIT_S: Final = 0.05
"""How long the end of the body may lag behind ``[DONE]`` for the connection to be worth keeping."""


class AnswerStream:
    """The deltas of one answer, a non-empty list for each read that brought any.

    Args:
        make_exchange: gives the exchange for an encoded body.
        body: what to send; optional fields that the server refuses are given up, see `NegotiatedBody`.
        echo: takes what is not new out of a continuation.

    Attributes:
        bytes_received: of the body so far, as they came over the wire.
        request_id: what the provider's support asks for.
        rate_limit: what the response headers say is left; None when they say nothing.
    """

    def __init__(
        self,
        make_exchange: Callable[[bytes], Exchange],
        body: NegotiatedBody,
        timeouts: Timeouts,
        *,
        split_think_tags: bool,
        echo: EchoStripper | None,
        recorder: StreamRecorder | None,
        observer: StreamObserver | None,
    ) -> None:
        self.bytes_received = 0
        self.request_id: str | None = None
        self.rate_limit: RateLimitWindow | None = None
        self._loop = asyncio.get_running_loop()
        self._make_exchange = make_exchange
        self._body = body
        self._exchange: Exchange | None = None
        self._timeouts = timeouts
        self._split_think_tags = split_think_tags
        self._echo = echo
        self._recorder = recorder
        self._observer = observer
        self._decoder: BodyDecoder | None = None
        self._pieces: AsyncIterator[bytes] | None = None
        self._deadline = Deadline()
        self._has_payload = False
        self._ended = False
        self._at_eof = False
        self._given_at: float | None = (
            None  # when deltas were handed out: what the reader takes is not waiting
        )

    @property
    def finish_reason(self) -> str | None:
        return self._decoder.codec.finish_reason if self._decoder else None

    @property
    def done(self) -> bool:
        """Whether the server said that nothing follows (``[DONE]``, or a whole completion)."""
        return self._decoder.codec.done if self._decoder else False

    @property
    def concessions(self) -> tuple[str, ...]:
        """A sentence for each thing that the user set and the server did not take as it was set."""
        return tuple(self._body.warnings)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The concessions, and oddities of the server that cost nothing."""
        return (*self.concessions, *(self._decoder.codec.warnings if self._decoder else ()))

    async def __aenter__(self) -> Self:
        response = await self._open()
        assert isinstance(response.stream, httpx.AsyncByteStream)
        # Straight from the stream: what httpx would put in between costs more than all decoding.
        self._pieces = response.stream.__aiter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._deadline.close()
        try:
            if kind is None and self.done and not self._at_eof:
                await self._drain()
        finally:
            pieces, self._pieces = self._pieces, None
            try:
                if self._exchange is not None:
                    await self._exchange.aclose()
            finally:
                if self._recorder:
                    self._recorder.end()
                if pieces is not None:
                    await pieces.aclose()  # type: ignore[attr-defined]  # an async generator

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[StreamDelta]:
        if self._pieces is None or self._decoder is None:
            raise RuntimeError("an answer can only be read inside its `async with`")
        if self._given_at is not None:
            self._deadline.at += self._loop.time() - self._given_at
            self._given_at = None
        while self._decoder.has_more or not self._ended:
            if self._decoder.has_more:
                await asyncio.sleep(0)  # what one read brought may be long: others get their turn in between
                if deltas := self._taken(self._decoder.more()):
                    return deltas
                continue
            try:
                with self._deadline:
                    data = await anext(self._pieces)
            except StopAsyncIteration:
                deltas = self._end(None)
                self._at_eof = True
            except TimeoutError:
                deltas = self._end_of_patience()
            except (httpx.TransportError, httpx.StreamError) as error:
                deltas = self._end(str(error) or type(error).__name__)
            else:
                deltas = self._receive(data)
            if deltas:
                return deltas
        error_ = self._decoder.error
        if error_ is None:
            raise StopAsyncIteration
        error_.request_id = error_.request_id or self.request_id
        raise error_

    async def _open(self) -> httpx.Response:
        """Send the request until the server has no more fields to refuse; this is no retry and waits for nothing."""
        while True:
            exchange = self._exchange = self._make_exchange(self._body.encoded())
            try:
                response = await exchange.open(self._timeouts)
                self._begin(response.headers, exchange.first_payload_deadline)
            except BaseException as error:
                await exchange.aclose()
                if not isinstance(error, InvalidRequestError) or not self._body.concede(error):
                    raise
            else:
                self._body.accepted()
                return response

    def _begin(self, headers: Mapping[str, str], deadline: float) -> None:
        self.request_id = request_id_from(headers)
        self.rate_limit = RateLimitWindow.from_headers(headers)
        self._decoder = BodyDecoder(headers, split_think_tags=self._split_think_tags)
        self._deadline.at = deadline
        if self._recorder:
            self._recorder.begin(headers)

    def _receive(self, data: bytes) -> list[StreamDelta]:
        assert self._decoder is not None
        decoder = self._decoder
        self.bytes_received += len(data)
        if self._recorder:
            self._recorder.write(data)
        comments = decoder.sse.comments
        deltas = self._taken(decoder.feed(data))
        if self._observer and decoder.sse.comments > comments:
            self._observer.heartbeat()
        return deltas

    def _taken(self, deltas: list[StreamDelta]) -> list[StreamDelta]:
        """Note what was decoded."""
        assert self._decoder is not None
        decoder = self._decoder
        self._ended = self._ended or decoder.ended
        if deltas:
            self._has_payload = True
            patience = (
                min(self._timeouts.idle, _AFTER_FINISH_LIMIT_S) if decoder.complete else self._timeouts.idle
            )
            self._given_at = self._loop.time()
            self._deadline.at = self._given_at + patience
        is_whole = self._ended and decoder.error is None and not decoder.has_more
        return self._new(deltas, whole=is_whole)

    def _end(self, broken: str | None) -> list[StreamDelta]:
        assert self._decoder is not None
        deltas = self._decoder.end(broken)
        error = self._decoder.error
        if isinstance(error, StreamInterruptedError) and not self._has_payload and not deltas:
            error.retryable = True
        self._ended = True
        return self._new(deltas, whole=error is None)

    def _new(self, deltas: list[StreamDelta], *, whole: bool) -> list[StreamDelta]:
        """The deltas without what a continuation repeats."""
        if self._echo is None:
            return deltas
        deltas = self._echo.feed_all(deltas)
        return deltas + self._echo.flush() if whole else deltas

    def _end_of_patience(self) -> list[StreamDelta]:
        assert self._decoder is not None
        deltas = self._end("timeout")
        error = self._decoder.error
        if error is not None and not isinstance(error, LimitError):
            self._decoder.error = self._timeout()
        return deltas

    def _timeout(self) -> ChatError:
        if self._has_payload:
            return timeout_error(NetworkCause.IDLE_TIMEOUT, self._timeouts.idle)
        return timeout_error(NetworkCause.FIRST_PAYLOAD_TIMEOUT, self._timeouts.first_payload)

    async def _drain(self) -> None:
        """Read the end of the body behind ``[DONE]``, so that the connection can serve the next turn."""
        assert self._pieces is not None
        try:
            async with asyncio.timeout(_DRAIN_LIMIT_S):
                async for _ in self._pieces:
                    pass
        except (TimeoutError, httpx.TransportError, httpx.StreamError):
            return  # the answer is whole; the connection is closed instead of kept
