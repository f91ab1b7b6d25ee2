"""A server on a real socket that follows a script: it stalls, drops, lies and repeats itself.

    async with FaultServer([head(), chunk("Hel"), RESET]) as server:
        client = ChatClient(server.base_url, ...)

Each connection plays one script, the first the first one, the last one for all that follow. A script is a list
of steps: bytes are sent, the members of `Act` do what their names say. Once a script has ended, the connection
is closed in an orderly way.
"""

from __future__ import annotations

import asyncio
import enum
import json
import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import msgspec


class Act(enum.Enum):
    """What a script can do besides sending bytes."""

    BEFORE_REQUEST = enum.auto()
    """Begin at once, without waiting for the request. Only as the first step."""
    RESET = enum.auto()
    """Break the connection with RST."""
    HALF_CLOSE = enum.auto()
    """Send FIN and keep listening."""
    STALL = enum.auto()
    """Do nothing until `FaultServer.release` is set or the client leaves."""
    WAIT_FOR_CLIENT_TO_LEAVE = enum.auto()
    """Do nothing until the client closes the connection."""


BEFORE_REQUEST, RESET, HALF_CLOSE, STALL = Act.BEFORE_REQUEST, Act.RESET, Act.HALF_CLOSE, Act.STALL
WAIT_FOR_CLIENT_TO_LEAVE = Act.WAIT_FOR_CLIENT_TO_LEAVE


class Forever(msgspec.Struct, frozen=True):
    """Send ``data`` again and again until the client leaves, ``pause_s`` apart."""

    data: bytes
    pause_s: float = 0.0


Step = bytes | Act | Forever
Script = Sequence[Step]


class ReceivedRequest(msgspec.Struct, frozen=True):
    """``headers`` have lower-case names."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


class FaultServer:
    """Plays its scripts on a free loopback port.

    Attributes:
        requests: what has been received, in order.
        release: set it to let `Act.STALL` go on.
        client_left: set whenever a client has closed its connection before the script's end.
        answering: set whenever a script begins.
    """

    def __init__(self, *scripts: Script) -> None:
        self.requests: list[ReceivedRequest] = []
        self.release = asyncio.Event()
        self.client_left = asyncio.Event()
        self.answering = asyncio.Event()
        self._scripts = scripts
        self._served = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def open_connections(self) -> int:
        return len(self._tasks)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def all_clients_left(self) -> None:
        """Returns once no connection is open; hangs, for the test's own limit to catch, if one leaks."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(self._served, len(self._scripts) - 1)]
        self._served += 1
        task = asyncio.get_running_loop().create_task(self._play(script, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play(self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not script or script[0] is not BEFORE_REQUEST:
                self.requests.append(await _read_request(reader))
            self.answering.set()
            for step in script:
                if step is not BEFORE_REQUEST:
                    await self._do(step, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.client_left.set()
        finally:
            writer.close()

    async def _do(self, step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        elif isinstance(step, Forever):
            while True:
                writer.write(step.data)
                await writer.drain()
                await asyncio.sleep(step.pause_s)
        elif step is RESET:
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        elif step is HALF_CLOSE:
            writer.write_eof()
        else:
            await self._wait(step, reader)

    async def _wait(self, step: Act, reader: asyncio.StreamReader) -> None:
        left = asyncio.ensure_future(reader.read())
        released = asyncio.ensure_future(self.release.wait())
        waits = {left} if step is WAIT_FOR_CLIENT_TO_LEAVE else {left, released}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                self.client_left.set()
                left.exception()
        finally:
            left.cancel()
            released.cancel()
            await asyncio.gather(left, released, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> ReceivedRequest:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ReceivedRequest(method, path, headers, body)
