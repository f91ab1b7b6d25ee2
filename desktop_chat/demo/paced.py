"""A server that sends tokens at an exact rate, for measuring what shows them.

``python -m desktop_chat.demo.paced TOKENS RATE`` prints its port, serves one answer of the demo's long text, and prints
``sent SECONDS`` (of `time.monotonic`) when its last byte has left.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import Final

from desktop_chat import resources
from desktop_chat.demo.tokens import pieces

_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
_SHORTEST_WAIT_S: Final = 0.0005


def _event(text: str, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    return f"data: {json.dumps({'id': 'a', 'model': 'm', 'choices': [choice]})}\n\n".encode()


def serve(tokens: int, rate: float) -> None:
    """Answer one request with ``tokens`` tokens, ``rate`` of them a second, each in a write of its own."""
    texts = pieces(resources.read_text("demo/long.md"))
    events = [_event(text) for text in texts]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201
        connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536) or b"\r\n\r\n"
        connection.sendall(_HEAD)
        begun = time.monotonic()
        for number in range(tokens):
            due = begun + number / rate
            while (wait := due - time.monotonic()) > 0:
                time.sleep(max(_SHORTEST_WAIT_S, wait))  # noqa: TID251 - a process of its own, and time is its purpose
            connection.sendall(events[number % len(events)])
        connection.sendall(_event("", "stop") + b"data: [DONE]\n\n")
        print(f"sent {time.monotonic()}", flush=True)  # noqa: T201


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]))
