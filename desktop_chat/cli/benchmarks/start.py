"""How soon a command is at work: from the start of the process to the request on the wire."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import Final

from desktop_chat.domain.measurements import Measurement

_PASSES: Final = 5


def measure() -> list[Measurement]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}/v1"
        ask = [*_program(), "ask", "--base-url", url, "--model", "m", "--no-store", "--retries", "0", "hello"]
        ours = min(_until_request(listener, ask) for _ in range(_PASSES))
        bare: float | None = None
        if not getattr(sys, "frozen", False):
            code = f"import asyncio, httpx; httpx.post({f'{url}/chat/completions'!r}, json={{}})"
            bare = min(_until_request(listener, [sys.executable, "-c", code]) for _ in range(_PASSES))
    return [
        Measurement(
            what="ask: process started to request received",
            value=ours * 1000,
            unit="ms",
            baseline=None if bare is None else bare * 1000,
            baseline_name="a script that only imports httpx and posts",
            target="at most 500 ms",
        )
    ]


def _program() -> list[str]:
    """The command that starts this program again."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "desktop_chat"]


def _until_request(listener: socket.socket, command: list[str]) -> float:
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            elapsed = time.perf_counter() - begun
        process.kill()
    return elapsed
