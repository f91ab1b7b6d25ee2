"""One HTTP exchange up to its response headers: phases, limits, redirects, error statuses."""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx

from desktop_chat.api.errors import error_from_response, network_error, timeout_error
from desktop_chat.domain.errors import ConfigurationError, LimitError, NetworkCause, ProtocolError
from desktop_chat.domain.requests import Timeouts

MAX_REDIRECTS: Final = 5
MAX_ERROR_BYTES: Final = 1024 * 1024
MAX_BODY_BYTES: Final = 16 * 1024 * 1024
_ERROR_BODY_LIMIT_S: Final = 10.0
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class WirePhase(enum.StrEnum):
    """Moments of an exchange, in order; a kept-alive connection skips the first four."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    TLS_STARTED = "tls_started"
    TLS_READY = "tls_ready"
    REQUEST_SENT = "request_sent"
    HEADERS_RECEIVED = "headers_received"


_TRACE_PHASES: Final = {
    "connection.connect_tcp.started": WirePhase.CONNECTING,
    "connection.connect_tcp.complete": WirePhase.CONNECTED,
    "connection.start_tls.started": WirePhase.TLS_STARTED,
    "connection.start_tls.complete": WirePhase.TLS_READY,
    "http11.send_request_body.complete": WirePhase.REQUEST_SENT,
    "http11.receive_response_headers.complete": WirePhase.HEADERS_RECEIVED,
}


class StreamObserver(Protocol):
    """Told what happens on the wire while nothing is there to show. Called in the loop's thread."""

    def phase(self, phase: WirePhase, at: float) -> None:
        """``phase`` was reached at ``at``, in seconds of ``time.perf_counter``."""

    def heartbeat(self) -> None:
        """The server sent a comment: it is alive, though it has nothing to say yet."""


class Exchange:
    """A request and its response; `open` once, then `aclose`.

    Args:
        connection_pool: gives the httpx client that owns the connections.
        headers: with the key, which goes to this URL's host only.

    Attributes:
        first_payload_deadline: loop time by which the first payload must have come.
    """

    def __init__(
        self,
        connection_pool: Callable[[], Awaitable[httpx.AsyncClient]],
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        observer: StreamObserver | None,
    ) -> None:
        self.first_payload_deadline = 0.0
        self._connection_pool = connection_pool
        self._method = method
        self._url = url
        self._headers = headers
        self._body = body
        self._observer = observer
        self._timeouts = Timeouts()
        self._timer: asyncio.Timeout | None = None
        self._response: httpx.Response | None = None
        self._is_sent = False

    async def open(self, timeouts: Timeouts) -> httpx.Response:
        """Send the request; the response is a 200 whose body has not been read.

        Raises:
            ChatError: anything else.
        """
        self._timeouts = timeouts
        http = await self._connection_pool()
        try:
            async with asyncio.timeout(timeouts.connect) as self._timer:
                response = await self._follow_redirects(http)
        except TimeoutError:
            if self._is_sent:
                raise timeout_error(NetworkCause.FIRST_PAYLOAD_TIMEOUT, timeouts.first_payload) from None
            raise timeout_error(NetworkCause.CONNECT_TIMEOUT, timeouts.connect) from None
        except httpx.InvalidURL as error:
            raise ConfigurationError(str(error), sentence="The base URL is not a valid address.") from error
        except httpx.UnsupportedProtocol as error:
            raise ConfigurationError(str(error)) from error
        except httpx.RemoteProtocolError as error:
            if "disconnected" in str(error):
                raise network_error(error) from error
            raise ProtocolError(
                str(error), sentence="The server does not speak HTTP as it should."
            ) from error
        except httpx.TransportError as error:
            raise network_error(error) from error
        if not self._is_sent:  # a transport that tells no phases
            self.first_payload_deadline = asyncio.get_running_loop().time() + timeouts.first_payload
        if response.status_code != 200:
            body = await self._error_body(response)
            raise error_from_response(
                response.status_code,
                response.headers,
                body,
                has_key="authorization" in self._headers,
                base_url=self._url.removesuffix("/chat/completions").removesuffix("/models"),
            )
        return response

    async def aclose(self) -> None:
        """Close the response; its connection too, unless its body was read to the end."""
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()

    async def _follow_redirects(self, http: httpx.AsyncClient) -> httpx.Response:
        for _ in range(MAX_REDIRECTS + 1):
            request = http.build_request(
                self._method,
                self._url,
                headers=self._headers,
                content=self._body,
                extensions={"trace": self._trace},
            )
            self._response = response = await http.send(request, stream=True)
            if not response.has_redirect_location:
                return response
            target = str(request.url.join(response.headers["location"]))
            await self.aclose()
            self._check_redirect(target)
            self._url = target
        raise ProtocolError(sentence="The server redirects in circles.", advice="Check the base URL.")

    def _check_redirect(self, target: str) -> None:
        """The key and the conversation stay on the host they were meant for, and stay encrypted."""
        here, there = urlsplit(self._url), urlsplit(target)
        same_port = (here.port or _DEFAULT_PORTS[here.scheme]) == (
            there.port or _DEFAULT_PORTS.get(there.scheme)
        )
        upgrade = not here.port and not there.port and (here.scheme, there.scheme) == ("http", "https")
        if here.hostname == there.hostname and (upgrade or (here.scheme == there.scheme and same_port)):
            return
        raise ConfigurationError(
            sentence=f"The server redirects to another address, {there.scheme}://{there.netloc}; it was not followed.",
            advice="If you trust that address, enter it as the base URL.",
        )

    async def _trace(self, name: str, _info: Any) -> None:
        if name == "http11.send_request_headers.started" and self._timer is not None:
            self._is_sent = True
            self.first_payload_deadline = asyncio.get_running_loop().time() + self._timeouts.first_payload
            self._timer.reschedule(self.first_payload_deadline)
        phase = _TRACE_PHASES.get(name)
        if phase is not None and self._observer is not None:
            self._observer.phase(phase, time.perf_counter())

    async def _error_body(self, response: httpx.Response) -> bytes:
        deadline = asyncio.get_running_loop().time() + _ERROR_BODY_LIMIT_S
        try:
            return await read_limited(response, deadline, limit=MAX_ERROR_BYTES, truncate=True)
        finally:
            await self.aclose()


async def read_limited(
    response: httpx.Response, deadline: float, *, limit: int = MAX_BODY_BYTES, truncate: bool = False
) -> bytes:
    """The whole body, until ``deadline`` in loop time.

    With ``truncate``, what arrived is enough: limits and broken connections end the reading, not the attempt.

    Raises:
        LimitError, StreamTimeoutError, NetworkError: unless ``truncate``.
    """
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout_at(deadline):
            async for data in response.aiter_bytes():
                pieces.append(data)
                size += len(data)
                if size > limit:
                    if truncate:
                        break
                    raise LimitError(f"The server sent a document of more than {limit} bytes.")
    except TimeoutError:
        if not truncate:
            raise timeout_error(NetworkCause.FIRST_PAYLOAD_TIMEOUT, 0) from None
    except (httpx.TransportError, httpx.DecodingError) as error:
        if not truncate:
            raise network_error(error) from error
    return b"".join(pieces)[:limit]
