"""One TCP or TLS connection on plain asyncio: names are looked up without holding anything up, reads take what
is there, and closing is immediate."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import httpx

MAX_READ_BYTES: Final = 16 * 1024
"""Most that one read returns, so that decoding it stays far below a frame."""
_ROOM_BYTES: Final = 64 * 1024
_HIGH_WATER_BYTES: Final = 512 * 1024
_NEXT_ADDRESS_AFTER_S: Final = 0.25
"""RFC 8305: how long an address may take before the next one is tried beside it."""

_DENSE_S: Final = 0.008
"""Reads that follow each other as closely as this are made fewer: no screen and no figure tells tokens apart that are
so close (the figures of a read are shared among its tokens), and each read costs a turn of the event loop."""

_REST_S: Final = 0.006
"""How long what comes after such a read is left with the system; not after a large one, which is worth its turn."""

Trace = Callable[[str], Awaitable[None]]
_Address = tuple[socket.AddressFamily, str]


class Connection(asyncio.BufferedProtocol):
    """Bytes of one connection. `open_connection` makes it; its owner closes it.

    Reads into a buffer of its own: for each read, asyncio would get a quarter of a megabyte from the system and give
    it back.

    Attributes:
        bytes_received: since it was opened.
    """

    def __init__(self) -> None:
        self.bytes_received = 0
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._room = memoryview(bytearray(_ROOM_BYTES))
        self._pieces: deque[bytes] = deque()
        self._buffered = 0
        self._is_full = False
        self._at_eof = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._read_at = -_DENSE_S
        self._resting: asyncio.TimerHandle | None = None

    @property
    def is_reusable(self) -> bool:
        """Open, and nothing unasked has come."""
        return not self._at_eof and not self._pieces

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        assert self._transport is not None
        if self._pieces:  # they would be lost to the handshake, which would then wait for ever
            raise ssl.SSLError("The server spoke first, so it does not speak TLS.")
        self._transport = await self._loop.start_tls(self._transport, self, context, server_hostname=host)

    async def send(self, data: bytes) -> None:
        """Hand ``data`` to the system. A server that hangs up meanwhile may have answered: reading tells."""
        if self._transport is None or self._at_eof:
            return
        self._transport.write(data)
        if self._writer is not None:
            await self._writer

    async def read(self) -> bytes:
        """What has come, at most `MAX_READ_BYTES`; empty at the end.

        Raises:
            httpx.ReadError: the connection broke.
        """
        if self._pieces:
            await asyncio.sleep(0)  # a fast server must not keep every other task from running
        while not self._pieces:
            if self._at_eof:
                if self._error is not None:
                    raise httpx.ReadError(str(self._error)) from self._error
                return b""
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        data = self._pieces.popleft()
        if len(data) > MAX_READ_BYTES:
            self._pieces.appendleft(data[MAX_READ_BYTES:])
            data = data[:MAX_READ_BYTES]
        elif self._pieces and len(data) < MAX_READ_BYTES // 2:
            data = self._joined(data)
        self._buffered -= len(data)
        if self._is_full and self._buffered < _HIGH_WATER_BYTES // 2:
            self._is_full = False
            self._go_on_reading()
        return data

    def close(self) -> None:
        """Close the socket now: the server learns that nobody listens."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        self._pieces.append(bytes(self._room[:nbytes]))
        self.bytes_received += nbytes
        self._buffered += nbytes
        if self._buffered > _HIGH_WATER_BYTES and not self._is_full:
            self._is_full = True
            self._pause_reading()
        now = self._loop.time()
        if now - self._read_at < _DENSE_S and nbytes < MAX_READ_BYTES and self._resting is None:
            self._pause_reading()
            self._resting = self._loop.call_later(_REST_S, self._rested)
        self._read_at = now
        self._wake(self._reader)

    def eof_received(self) -> None:
        self._at_eof = True
        self._wake(self._reader)

    def connection_lost(self, error: Exception | None) -> None:
        self._at_eof = True
        self._error = error
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        self._wake(self._reader)
        self._wake(self._writer)

    def pause_writing(self) -> None:
        self._writer = self._loop.create_future()

    def resume_writing(self) -> None:
        self._wake(self._writer)
        self._writer = None

    def _joined(self, data: bytes) -> bytes:
        """``data`` with the small pieces behind it, up to the size of a read."""
        pieces = [data]
        size = len(data)
        while self._pieces and size + len(self._pieces[0]) <= MAX_READ_BYTES:
            pieces.append(self._pieces.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)

    def _rested(self) -> None:
        self._resting = None
        self._go_on_reading()

    def _pause_reading(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def _go_on_reading(self) -> None:
        if self._transport is not None and not self._is_full and self._resting is None:
            self._transport.resume_reading()

    @staticmethod
    def _wake(waiter: asyncio.Future[None] | None) -> None:
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class AddressRefusedError(httpx.ConnectError):
    """A name leads to an address that the caller does not connect to."""


async def open_connection(
    host: str,
    port: int,
    context: ssl.SSLContext | None,
    trace: Trace,
    *,
    allows: Callable[[str], bool] = lambda _address: True,
) -> Connection:
    """Connect, over TLS when a context is given. Cancelling returns at once, also during the name look-up.

    Args:
        allows: asked of every address that ``host`` has, in numbers, before any of them is connected to.

    Raises:
        AddressRefusedError: one of them is not allowed.
        httpx.ConnectError: with the reason as its cause.
    """
    await trace("connection.connect_tcp.started")
    try:
        addresses = await _look_up(host, port)
        if not all(allows(address) for _family, address in addresses):
            raise AddressRefusedError(f"{host} is not an address to connect to.")
        connection = await _first_to_connect(addresses, port)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(str(error)) from error
    await trace("connection.connect_tcp.complete")
    if context is not None:
        await trace("connection.start_tls.started")
        try:
            await connection.start_tls(context, host)
        except (OSError, ssl.CertificateError, ValueError) as error:
            connection.close()
            raise httpx.ConnectError(str(error)) from error
        except BaseException:
            connection.close()
            raise
        await trace("connection.start_tls.complete")
    return connection


async def _look_up(host: str, port: int) -> list[_Address]:
    """Addresses of a name, families alternating (RFC 8305).

    The system's look-up cannot be interrupted, so it runs in a daemon thread of its own: unlike the loop's
    executor, nobody waits for that at the end of the program.
    """
    try:
        return _addresses(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        )
    except socket.gaierror:
        pass  # a name, not a number
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[_Address]] = loop.create_future()

    def deliver(found: list[_Address] | OSError | UnicodeError) -> None:
        if answer.done():
            return
        if isinstance(found, list):
            answer.set_result(found)
        else:
            answer.set_exception(found)

    def ask() -> None:
        found: list[_Address] | OSError | UnicodeError
        try:
            found = _addresses(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, found)

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    return await answer


def _addresses(
    found: Sequence[tuple[socket.AddressFamily, int, int, str, tuple[object, ...]]],
) -> list[_Address]:
    numbers = dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found)
    first = [item for item in numbers if item[0] == next(iter(numbers))[0]]
    others = [item for item in numbers if item not in first]
    pairs = itertools.zip_longest(first, others)
    return [item for pair in pairs for item in pair if item is not None]


async def _first_to_connect(addresses: list[_Address], port: int) -> Connection:
    """The first connection that stands; each address gets a head start on the next."""
    loop = asyncio.get_running_loop()
    attempts: set[asyncio.Task[Connection]] = set()
    beaten: list[asyncio.Task[Connection]] = []
    failure: OSError | None = None

    async def connect(address: _Address) -> Connection:
        _, connection = await loop.create_connection(Connection, address[1], port, family=address[0])
        return connection

    waiting = deque(addresses)
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(loop.create_task(connect(waiting.popleft())))
                beaten += attempts.difference(beaten)
            done, attempts = await asyncio.wait(
                attempts,
                timeout=_NEXT_ADDRESS_AFTER_S if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for attempt in done:
                error = attempt.exception()
                if error is None:
                    beaten.remove(attempt)
                    return attempt.result()
                if not isinstance(error, OSError):
                    raise error
                failure = failure or error
        raise failure or OSError("The name has no address.")
    finally:
        for attempt in beaten:
            attempt.cancel()
            attempt.add_done_callback(_close_late)


def _close_late(attempt: asyncio.Task[Connection]) -> None:
    """An attempt that was beaten, or no longer wanted, may have succeeded all the same."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
