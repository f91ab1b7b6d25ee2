"""A server that attacks the window: floods, endless streams and enormous lines, as fast as the client reads.

``python -m desktop_chat.demo.hostile NAME`` runs in a process of its own, so that its work is not counted as the
window's. It prints its port, serves one answer a connection, and prints ``left SECONDS`` (of `time.monotonic`) when a
client hangs up on it.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
import time
from collections.abc import Callable, Iterable
from typing import Final

_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
_CHUNKED: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_LINE: Final = 16 * 1024 * 1024 - 1024
"""Characters of a text that just fits into a line of 16 MB."""

Bytes = Iterable[bytes]


def _event(**delta: object) -> bytes:
    return _payload(json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}))


def _payload(data: str) -> bytes:
    return f"data: {data}\n\n".encode()


def _finish() -> bytes:
    return _payload('{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}') + b"data: [DONE]\n\n"


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _many_chunks() -> Bytes:
    """50,000 tokens, each an HTTP chunk of its own, in one go."""
    events = (_framed(_event(content=f"word{number % 10} ")) for number in range(50_000))
    yield _CHUNKED + b"".join(events) + _framed(_finish()) + b"0\r\n\r\n"


def _in_one_line(**delta: object) -> Callable[[], Bytes]:
    return lambda: (_HEAD, _event(**delta), _finish())


def _for_ever(*events: bytes) -> Callable[[], Bytes]:
    """The same again and again, in writes of about a quarter of a megabyte."""
    block = b"".join(events)
    block *= max(1, 256 * 1024 // len(block))
    return lambda: itertools.chain((_HEAD,), itertools.repeat(block))


def _text_for_ever(unit: str, size: int = 8192) -> Callable[[], Bytes]:
    return _for_ever(_event(content=unit * max(1, size // len(unit))))


def _new_calls() -> Bytes:
    yield _HEAD
    for first in itertools.count(0, 1000):
        yield b"".join(
            _event(tool_calls=[{"index": i, "id": f"c{i}", "function": {"name": "f", "arguments": "{}"}}])
            for i in range(first, first + 1000)
        )


ATTACKS: Final[dict[str, Callable[[], Bytes]]] = {
    "50,000 chunks at once": _many_chunks,
    "a line of 16 MB: letters": _in_one_line(content="a" * _LINE),
    "a line of 16 MB: line breaks": _in_one_line(content="\n" * (_LINE // 2)),
    "a line of 16 MB: prose": _in_one_line(content="A word, and another.\n" * (_LINE // 22)),
    "a line of 16 MB: escapes": _in_one_line(content="\u00e9" * (_LINE // 6)),
    "a line of 16 MB: emoji": lambda: (
        _HEAD,
        _payload('{"choices":[{"delta":{"content":"' + "\U0001f600" * (_LINE // 4) + '"}}]}'),
        _finish(),
    ),
    "a line of 16 MB: reasoning": _in_one_line(reasoning_content="Well, then. " * (_LINE // 12)),
    "a line of 16 MB: arguments": _in_one_line(
        tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{} " * (_LINE // 3)}}]
    ),
    "a line of 16 MB: objects": lambda: (
        _HEAD,
        _payload('{"choices":[{"delta":{"content":[' + "{}," * (_LINE // 3) + "{}]}}]}"),
        _finish(),
    ),
    "a line of 16 MB: two million texts": lambda: (
        _HEAD,
        _payload('{"choices":[{"delta":{"content":[' + '"a",' * (_LINE // 4) + '"a"]}}]}'),
        _finish(),
    ),
    "a line of 16 MB: brackets": lambda: (_HEAD, _payload('{"choices":' + "[" * _LINE), _finish()),
    "a line of 16 MB: not JSON": lambda: (_HEAD, _payload("{" + "a " * (_LINE // 2)), _finish()),
    "a line without end": lambda: itertools.chain(
        (_HEAD, b'data: {"choices":[{"delta":{"content":"'), itertools.repeat(b"a" * 262144)
    ),
    "a document of 16 MB": lambda: (
        _HEAD,
        b'{"choices":[{"finish_reason":"stop","message":{"content":"' + b"word\\n" * (_LINE // 6) + b'"}}]}',
    ),
    "an error page without end": lambda: itertools.chain(
        (b"HTTP/1.1 500 No\r\ncontent-type: text/html\r\n\r\n",), itertools.repeat(b"<p>" * 65536)
    ),
    "endless tokens": _for_ever(*(_event(content=f"word{n} ") for n in range(10))),
    "endless letters": _text_for_ever("a"),
    "endless words": _text_for_ever("word "),
    "endless prose": _text_for_ever("A sentence of some words, and one more.\n\n"),
    "endless line breaks": _text_for_ever("\n"),
    "endless quotes": _text_for_ever("> > > > "),
    "endless quoted lines": _text_for_ever("> > > > a\n"),
    "endless table rows": lambda: itertools.chain(
        (_HEAD, _event(content="| a | b |\n|---|---|\n")),
        itertools.repeat(_event(content="| one | two |\n" * 500) * 32),
    ),
    "endless code": lambda: itertools.chain(
        (_HEAD, _event(content="```python\n")),
        itertools.repeat(_event(content="for each in range(10): print(each)\n" * 200) * 32),
    ),
    "endless code on one line": lambda: itertools.chain(
        (_HEAD, _event(content="```python\n")), itertools.repeat(_event(content="x = 1; " * 1000) * 32)
    ),
    "endless lists": _text_for_ever("- an item\n"),
    "endless nesting": lambda: itertools.chain(
        (_HEAD,), (_event(content=" " * (2 * n) + "- a\n") for n in itertools.count())
    ),
    "endless brackets": _text_for_ever("["),
    "endless asterisks": _text_for_ever("**"),
    "endless backticks": _text_for_ever("`a"),
    "endless dollars": _text_for_ever("$x$ "),
    "endless headings": _text_for_ever("# a\n"),
    "endless reasoning": _for_ever(_event(reasoning_content="Well, then. " * 600)),
    "endless arguments": _for_ever(
        _event(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": "word " * 10}}])
    ),
    "endless calls": _new_calls,
    "endless comments": _for_ever(b":\n"),
    "endless blank lines": _for_ever(b"\n"),
    "endless empty data": _for_ever(b"data:\n"),
    "endless empty chunks": _for_ever(_payload('{"choices":[]}')),
    "endless usage": _for_ever(_payload('{"choices":[],"usage":{"completion_tokens":1}}')),
    "endless finishing": lambda: itertools.chain(
        (_HEAD,),
        (
            _payload(json.dumps({"choices": [{"delta": {}, "finish_reason": f"r{n}"}]}))
            for n in itertools.count()
        ),
    ),
}


def serve(name: str) -> None:
    """Answer every request with the attack ``name``, one after the other, until the process is ended."""
    attack = ATTACKS[name]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    _read_request(connection)
                    for data in attack():
                        connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
                    if not connection.recv(1):
                        continue
                except OSError:
                    print(f"left {time.monotonic()}", flush=True)  # noqa: T201


def _read_request(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536) or b"\r\n\r\n"


if __name__ == "__main__":
    serve(sys.argv[1])
