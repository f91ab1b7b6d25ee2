"""An httpx transport on plain asyncio, for one server: HTTP/1.1, kept-alive connections, whole reads.

h11 writes the requests and reads the response heads; bodies are framed by `framing`, which hands over a whole
read at a time. Where a proxy is configured, httpx's own transport is used instead.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import h11
import httpx

from desktop_chat.api.connection import Connection, open_connection
from desktop_chat.api.framing import Framing, framing_for

_KEEP_ALIVE_S: Final = 30.0
_MAX_IDLE: Final = 4
_MAX_HEAD_BYTES: Final = 100 * 1024
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_Origin = tuple[str, str, int]


class StreamTransport(httpx.AsyncBaseTransport):
    """Owns its connections; each serves one exchange at a time.

    Args:
        tls: how to verify servers of ``https`` URLs.
        allows: see `open_connection`.
    """

    def __init__(self, tls: ssl.SSLContext, *, allows: Callable[[str], bool] = lambda _address: True) -> None:
        self._tls = tls
        self._allows = allows
        self._idle: list[tuple[float, _Origin, Connection]] = []
        self._busy: set[Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        origin = (url.scheme, url.host, url.port or _DEFAULT_PORTS[url.scheme])
        body = await request.aread()
        connection = self._take_idle(origin)
        if connection is not None:
            received = connection.bytes_received
            try:
                return await self._exchange(connection, origin, request, body)
            except (httpx.ReadError, httpx.RemoteProtocolError):
                if connection.bytes_received != received:
                    raise
                # Servers close idle connections while a request is on its way (llama.cpp does 0.1 s after an
                # answer, and promises 5 s): as browsers do, ask again on a connection of its own.
        connection = await open_connection(
            url.raw_host.decode("ascii"), origin[2], self._tls if url.scheme == "https" else None,
            lambda name: _trace(request, name), allows=self._allows,
        )  # fmt: skip
        return await self._exchange(connection, origin, request, body)

    async def aclose(self) -> None:
        for _, _, connection in self._idle:
            connection.close()
        self._idle.clear()
        for connection in list(self._busy):
            self._discard(connection)
        await asyncio.sleep(0)  # the loop closes the sockets in its next turn

    def release(self, connection: Connection, origin: _Origin, *, reusable: bool) -> None:
        """An exchange is over."""
        if connection not in self._busy:
            return
        if not reusable or not connection.is_reusable:
            self._discard(connection)
            return
        self._busy.discard(connection)
        self._idle.append((asyncio.get_running_loop().time(), origin, connection))
        if len(self._idle) > _MAX_IDLE:
            self._idle.pop(0)[2].close()

    async def _exchange(
        self, connection: Connection, origin: _Origin, request: httpx.Request, body: bytes
    ) -> httpx.Response:
        """One request up to its response's head; a connection on which that fails is closed."""
        self._busy.add(connection)
        try:
            return await self._send(connection, origin, request, body)
        except BaseException:
            self._discard(connection)
            raise

    async def _send(
        self, connection: Connection, origin: _Origin, request: httpx.Request, body: bytes
    ) -> httpx.Response:
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        try:
            head = h11.Request(
                method=request.method, target=request.url.raw_path, headers=request.headers.raw
            )
            parts = [
                http.send(head),
                http.send(h11.Data(data=body)) if body else b"",
                http.send(h11.EndOfMessage()),
            ]
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        await _trace(request, "http11.send_request_headers.started")
        await connection.send(b"".join(part for part in parts if part))
        await _trace(request, "http11.send_request_body.complete")
        response = await _response_head(connection, http)
        await _trace(request, "http11.receive_response_headers.complete")
        rest, _ = http.trailing_data
        headers = httpx.Headers(response.headers.raw_items())
        framing = framing_for(response.status_code, headers)
        wants_close = "close" in headers.get("connection", "").lower() or response.http_version != b"1.1"
        stream = _Body(self, connection, origin, framing, rest, keep=not wants_close)
        return httpx.Response(
            response.status_code,
            headers=headers,
            stream=stream,
            extensions={"http_version": b"HTTP/" + response.http_version, "reason_phrase": response.reason},
        )

    def _take_idle(self, origin: _Origin) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - _KEEP_ALIVE_S
        found: Connection | None = None
        kept = []
        for entry in self._idle:
            since, its_origin, connection = entry
            if since < oldest or not connection.is_reusable:
                connection.close()
            elif found is None and its_origin == origin:
                found = connection
            else:
                kept.append(entry)
        self._idle = kept
        return found

    def _discard(self, connection: Connection) -> None:
        self._busy.discard(connection)
        connection.close()


class _Body(httpx.AsyncByteStream):
    """The body of one response; closing it gives the connection back, or closes that too."""

    def __init__(
        self,
        transport: StreamTransport,
        connection: Connection,
        origin: _Origin,
        framing: Framing,
        first: bytes,
        *,
        keep: bool,
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._origin = origin
        self._framing = framing
        self._first = first
        self._keep = keep

    async def __aiter__(self) -> AsyncIterator[bytes]:
        data, self._first = self._first, b""
        framing = self._framing
        while True:
            if data and (payload := framing.feed(data)):
                yield payload
            if framing.error:
                raise framing.error
            if framing.done:
                return
            data = await self._connection.read()
            if not data:
                self._keep = False
                framing.end()
                return

    async def aclose(self) -> None:
        self._transport.release(self._connection, self._origin, reusable=self._keep and self._framing.done)


async def _response_head(connection: Connection, http: h11.Connection) -> h11.Response:
    while True:
        try:
            event = http.next_event()
            if isinstance(event, h11.Response):
                return event
            if event is h11.NEED_DATA:  # else an informational response, to be skipped
                data = await connection.read()
                if not data:
                    raise httpx.RemoteProtocolError("The server disconnected without an answer.")
                http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error


async def _trace(request: httpx.Request, name: str) -> None:
    trace: Any = request.extensions.get("trace")
    if trace is not None:
        await trace(name, {})
