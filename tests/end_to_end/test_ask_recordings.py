"""Every recorded stream of a real provider through `ask --json`: same text, reasoning, calls, end and usage."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from desktop_chat.cli import main

_STREAMS = Path(__file__).resolve().parents[3] / "shared" / "streams"
_NAMES = sorted(path.stem for path in _STREAMS.glob("*.sse"))
_AS_PROCESS = {"vercel_mistral-text", "local__llamacpp_usage", "groq__tool_use_failed_error_streaming"}
"""Run as a process of their own; the others call `main`, which is the same code without the start-up."""

pytestmark = pytest.mark.shared_data


class _Replayer(BaseHTTPRequestHandler):
    """Answers ``POST /NAME/v1/chat/completions`` with the recording NAME, in reads of odd sizes."""

    protocol_version = "HTTP/1.1"
    recordings: ClassVar[Path] = _STREAMS

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = (self.recordings / f"{self.path.split('/')[1]}.sse").read_bytes()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), 1453):
            piece = body[start : start + 1453]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture(scope="module")
def replayer() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Replayer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_STREAMS / "expected.json").read_text(encoding="utf-8"))
    return content


def _ask(arguments: list[str], *, as_process: bool, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    if not as_process:
        status = main(arguments)
        return status, capsys.readouterr().out
    command = [sys.executable, "-m", "desktop_chat", *arguments]
    run = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return run.returncode, run.stdout


@pytest.mark.parametrize("name", _NAMES)
def test_recording(
    name: str, replayer: str, expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = expected[name]
    arguments = [
        "ask",
        "--base-url",
        f"{replayer}/{name}/v1",
        "--model",
        "m",
        "--no-store",
        "--json",
        "Hello",
    ]
    status, output = _ask(arguments, as_process=name in _AS_PROCESS, capsys=capsys)
    got = json.loads(output)
    assert got["text"] == wanted["text"]
    assert got["reasoning"] == wanted["reasoning"]
    assert got["tool_calls"] == wanted["tool_calls"]
    assert got["finish_reason"] == wanted["finish_reason"]
    assert got["usage"] == wanted["usage"]
    assert got["outcome"] == ("error" if wanted["error"] else "complete")
    assert status == (1 if wanted["error"] else 0)
    if wanted["error"]:
        assert wanted["error"]["message"] in got["error"]["message"]


def test_no_recording_is_forgotten(expected: dict[str, Any]) -> None:
    assert sorted(expected) == _NAMES
    assert len(_NAMES) == 34
