"""A server of images on loopback, friendly and hostile, over plain sockets."""

from __future__ import annotations

import asyncio
import struct
import zlib
from types import TracebackType
from typing import Final, Self


def png(width: int, height: int, *, rows: int | None = None) -> bytes:
    """A grey PNG; with fewer ``rows`` than ``height`` a lie about its size that costs few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = (b"\x00" + b"\x80" * width) * (height if rows is None else rows)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


SVG: Final = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
)


class ImageServer:
    """Attributes:
    requests: the heads of all requests, in order.
    address: of this server, without a slash at its end.
    release: set it to let ``/held.png`` go on.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.address = ""
        self.release = asyncio.Event()
        self._handlers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._handlers):
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            await self._answer(head.split(" ")[1], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left, which is its right
        finally:
            writer.close()
            self._handlers.discard(task)

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        if path == "/held.png":
            await self.release.wait()
        if path == "/endless":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n")
            while True:
                writer.write(b"\x00" * 65536)
                await writer.drain()
        if path == "/silent":
            await asyncio.Event().wait()
        moved = {
            "/moved": f"{self.address}/a.png",
            "/elsewhere": f"http://localhost:{self.port}/a.png",
            "/circle": f"{self.address}/circle",
            "/to-file": "file:///etc/passwd",
        }
        if path in moved:
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {moved[path]}\r\nSet-Cookie: a=b\r\n\r\n".encode())
            await writer.drain()
            return
        bodies = {
            "/a.png": png(200, 100),
            "/held.png": png(200, 100),
            "/wide.png": png(3000, 600),
            "/tall.png": png(300, 3000),
            "/bomb.png": png(50_000, 50_000, rows=1),
            "/svg.png": SVG,
            "/page.png": b"<!DOCTYPE html><html>no</html>",
            "/text.png": b"just words",
            "/cut.png": png(400, 400)[:-120],
        }
        body = bodies.get(path)
        status = "200 OK" if body is not None else "404 Not Found"
        body = body or b""
        head = f"HTTP/1.1 {status}\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
