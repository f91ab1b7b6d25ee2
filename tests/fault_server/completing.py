"""A server with a model that knows one answer by heart, continues it from anywhere, and dies where it is told to."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

from fault_server.wire import CHUNKED, DONE, LAST_HTTP_CHUNK, http_chunk

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def pieces(text: str, size: int) -> list[str]:
    """``text`` in pieces of ``size`` UTF-16 units: a character beyond the BMP may be cut in half."""
    units = text.encode("utf-16-le")
    return [
        units[at : at + 2 * size].decode("utf-16-le", "surrogatepass")
        for at in range(0, len(units), 2 * size)
    ]


class CompletingServer:
    """Answers every request with ``text``, or with what follows the partial answer at the request's end.

    Attributes:
        cut: bytes of the next body after which the server goes away; None for a whole answer. Used up by it.
        stalls: at the cut it stays and says nothing, instead of going away.
        resets: it goes away with RST, which may take away bytes that were sent.
        echoes: a continuation begins with the partial answer; ``trims`` it like a chat template, too.
        limit: characters after which an answer from the beginning ends with finish reason ``length``.
        requests: the bodies received.
        sent: set when the cut is reached and all in front of it has been handed to the system.
    """

    def __init__(self, text: str, reasoning: str = "", *, tags: bool = False, size: int = 6) -> None:
        self.text, self.reasoning = text, reasoning
        self.cut: int | None = None
        self.stalls = self.resets = self.echoes = self.trims = False
        self.limit: int | None = None
        self.requests: list[dict[str, Any]] = []
        self.sent = asyncio.Event()
        self._tags = tags
        self._size = size
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    def body(self, partial: str | None = None) -> bytes:
        """The event stream that answers a request which ends with ``partial``."""
        return b"".join(self._events(partial))

    def _events(self, partial: str | None) -> Iterator[bytes]:
        text, finish = self.text, "stop"
        if partial is None:
            if self.limit is not None:
                text, finish = text[: self.limit], "length"
            if self._tags:
                text = f"<think>\n{self.reasoning}\n</think>\n\n{text}"
            else:
                for piece in pieces(self.reasoning, self._size):
                    yield self._event({"reasoning_content": piece})
        else:
            assert text.lstrip().startswith(partial.lstrip()), (text, partial)
            if not self.echoes:
                text = text[len(text) - len(text.lstrip()) :][len(partial.lstrip()) :]
            elif self.trims:
                text = text.lstrip()
        for number, piece in enumerate(pieces(text, self._size)):
            yield self._event({"content": piece}, ascii_only=number % 2 == 0)
        yield self._event({}, finish) + DONE

    @staticmethod
    def _event(delta: dict[str, str], finish: str | None = None, *, ascii_only: bool = False) -> bytes:
        choice: dict[str, Any] = {"delta": delta}
        payload = {"choices": [choice | {"finish_reason": finish} if finish else choice]}
        ascii_only = ascii_only or any(_SURROGATE.search(value) for value in delta.values())
        encoded = json.dumps(payload, ensure_ascii=ascii_only, separators=(",", ":"))
        return f"data: {encoded}\n\n".encode()

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:  # one connection after another answer, as long as none is cut
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                request = json.loads(await reader.readexactly(length))
                self.requests.append(request)
                last = request["messages"][-1]
                body = self.body(last["content"] if last["role"] == "assistant" else None)
                cut, self.cut = self.cut, None
                if cut is None:
                    writer.write(CHUNKED + http_chunk(body) + LAST_HTTP_CHUNK)
                    await writer.drain()
                    continue
                writer.write(CHUNKED + (http_chunk(body[:cut]) if cut else b""))
                await writer.drain()
                self.sent.set()
                if self.stalls:
                    await reader.read()
                if self.resets:
                    connection: socket.socket = writer.get_extra_info("socket")
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
