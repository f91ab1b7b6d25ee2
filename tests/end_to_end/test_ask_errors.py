"""Bad input and bad servers through `ask`: one or two lines for people, the right status, never a traceback."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from desktop_chat.cli import main
from desktop_chat.demo.server import DemoServer


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    server = DemoServer(tokens_per_second=0)
    yield asyncio.run(server.start())
    asyncio.run(server.stop())


class _WebSite(BaseHTTPRequestHandler):
    """A web server that knows nothing of chat: ``/app`` is a page for everything, the rest is missing."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        found = self.path.startswith("/app")
        body = b"<!DOCTYPE html><title>Welcome</title><p>Hello, human."
        self.send_response(200 if found else 404)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - the base class looks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture(scope="module")
def web_site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _WebSite) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def refused_url() -> str:
    """An address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit status and what was said on standard error; standard output stays empty."""
    status = main(["ask", "--no-store", "--retries", "0", *arguments])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return status, captured.err


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    main(["ask", "--no-store", "--retries", "0", "--json", *arguments])
    error: dict[str, object] = json.loads(capsys.readouterr().out)["error"]
    return error


@pytest.mark.parametrize(
    ("prompt", "kind", "status", "words"),
    [
        ("/error 401", "authentication", 401, "API key"),
        ("/error 402", "quota", 402, "no credit left"),
        ("/error 403", "permission", 403, "not allowed"),
        ("/error 404", "not_found", 404, "does not know this model"),
        ("/error 422", "invalid_request", 422, "“temperature”: Input should be less than or equal to 1.5"),
        ("/error 429", "rate_limit", 429, "asks to wait 2 s"),
        ("/error 500", "server", 500, "server failed"),
        ("/error 503", "overloaded", 503, "busy or still loading"),
        ("/error stream", "server", None, "The demo was asked to fail in the middle"),
    ],
)
def test_errors_of_the_server(
    demo: str, capsys: pytest.CaptureFixture[str], prompt: str, kind: str, status: int | None, words: str
) -> None:
    endpoint = ("--base-url", demo, "--model", "demo-fast")
    if prompt != "/error stream":  # there, text arrives before the error
        code, errors = ask(capsys, *endpoint, prompt)
        assert code == 1
        assert words in errors
        assert f"HTTP {status}" in errors
        assert len(errors.splitlines()) == 2
    error = report(capsys, *endpoint, prompt)
    assert error["kind"] == kind
    assert error["status"] == status
    assert error["message"]


def test_error_in_the_stream_keeps_the_text(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["ask", "--no-store", "--base-url", demo, "--model", "demo-fast", "/error stream"]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("# Stopping")
    assert "The demo was asked to fail in the middle" in captured.err


def test_failed_requests_are_repeated_as_asked(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["ask", "--no-store", "--json", "--base-url", demo, "--model", "demo-fast", "--retries", "1"]
    assert main([*arguments, "/error 503"]) == 1
    assert json.loads(capsys.readouterr().out)["metrics"]["retries"] == 1


def test_nothing_listens(refused_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, errors = ask(capsys, "--base-url", refused_url, "--model", "m", "hello")
    assert code == 1
    assert "Nothing answers at this address (in the network)." in errors
    assert report(capsys, "--base-url", refused_url, "--model", "m", "hello")["kind"] == "network"


def test_name_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    code, errors = ask(capsys, "--base-url", "http://no-such-host.invalid/v1", "--model", "m", "hello")
    assert code == 1
    assert "(in the network)" in errors


@pytest.mark.parametrize(
    "url",
    ["no url", "example.com/v1", "ftp://example.com/v1", "http://", "http://host:99999/v1", "http://a?b=c"],
)
def test_base_url_that_is_no_url(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, errors = ask(capsys, "--base-url", url, "--model", "m", "hello")
    assert code == 1
    assert "URL" in errors
    assert "Correct --base-url" in errors
    assert report(capsys, "--base-url", url, "--model", "m", "hello")["kind"] == "configuration"


def test_base_url_that_lacks_its_version(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, errors = ask(capsys, "--base-url", demo.removesuffix("/v1"), "--model", "demo-fast", "hello")
    assert code == 1
    assert f"try {demo}" in errors


def test_base_url_that_serves_web_pages(web_site: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, errors = ask(capsys, "--base-url", f"{web_site}/app/v1", "--model", "m", "hello")
    assert code == 1
    assert "web page" in errors
    assert "<!DOCTYPE" not in errors
    assert ask(capsys, "--base-url", f"{web_site}/v1", "--model", "m", "hello")[0] == 1


def test_unknown_model(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, errors = ask(capsys, "--base-url", demo, "--model", "demo-none", "hello")
    assert code == 1
    assert "demo-none" in errors


def test_key_variable_that_is_not_set(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, errors = ask(
        capsys, "--base-url", demo, "--model", "demo-fast", "--api-key-env", "NO_SUCH_KEY", "hello"
    )
    assert code == 1
    assert "The environment variable NO_SUCH_KEY is not set" in errors


def test_wrong_key(demo: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_TEST", "wrong-key")
    arguments = ("--base-url", demo, "--model", "demo-fast", "--api-key-env", "KEY_OF_TEST", "hello")
    code, errors = ask(capsys, *arguments)
    assert code == 1
    assert "did not accept the API key (on your side; HTTP 401)" in errors
    assert "--api-key-env" in errors
    assert "wrong-key" not in errors


@pytest.mark.parametrize(
    ("option", "prompt", "words"),
    [
        ("--timeout-first", "/slow 30", "did not begin to answer within 0.3 s"),
        ("--timeout-idle", "/stall 30", "sent nothing for 0.3 s"),
    ],
)
def test_time_limits(
    demo: str, capsys: pytest.CaptureFixture[str], option: str, prompt: str, words: str
) -> None:
    arguments = [
        "ask",
        "--no-store",
        "--retries",
        "0",
        "--base-url",
        demo,
        "--model",
        "demo-fast",
        option,
        "0.3",
    ]
    assert main([*arguments, prompt]) == (1 if "first" in option else 3)
    assert words in capsys.readouterr().err


# --- prompts --------------------------------------------------------------------------------------------


def run(arguments: list[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "desktop_chat", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t\n"])
def test_empty_prompt_is_wrong_use(prompt: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, prompt) == (2, "desktop-chat: the prompt is empty. Try: desktop-chat --help\n")


def test_empty_standard_input_is_wrong_use() -> None:
    done = run(["ask", "--no-store", "-"], b" \n")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [b"desktop-chat: the prompt is empty. Try: desktop-chat --help"]


def test_megabyte_from_standard_input_arrives_whole(demo: str) -> None:
    paste = ("The quick brown fox. " * 50_000).encode()
    done = run(["ask", "--no-store", "--json", "--base-url", demo, "--model", "demo-fast", "-"], paste)
    result = json.loads(done.stdout)
    assert result["outcome"] == "complete", result["error"]
    assert result["usage"]["prompt_tokens"] > 200_000


def test_odd_bytes_are_made_fit_to_send(demo: str, tmp_path: Path) -> None:
    """NUL, invalid UTF-8, a byte-order mark, CR LF; and a lone surrogate among the arguments."""
    options = ["--json", "--data-dir", str(tmp_path), "--base-url", demo, "--model", "demo-fast"]
    done = run(["ask", *options, "-"], b"\xef\xbb\xbfhel\x00lo\r\n\xff\xfe")
    assert json.loads(done.stdout)["outcome"] == "complete"
    if os.name == "posix":
        done = run(["ask", *options, b"hello \xed\xa0\x80".decode("utf-8", "surrogateescape")])
        assert json.loads(done.stdout)["outcome"] == "complete"


# --- data folder ----------------------------------------------------------------------------------------


def test_missing_data_folder_is_made(demo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "not" / "yet" / "there"
    assert main(["ask", "--data-dir", str(folder), "--base-url", demo, "--model", "demo-fast", "hello"]) == 0
    assert (folder / "conversations.db").exists()
    assert capsys.readouterr().out.startswith("Hello")


def test_data_folder_that_is_a_file_costs_the_saving_only(
    demo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], expect_log: Callable[[str], None]
) -> None:
    expect_log(r"settings.json cannot be kept aside")
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x", encoding="utf-8")
    arguments = ["ask", "--data-dir", str(in_the_way), "--base-url", demo, "--model", "demo-fast"]
    assert main([*arguments, "hello"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("Hello")
    assert "Nothing of this is saved: The data folder" in captured.err
    assert main([*arguments, "--conversation", "1", "hello"]) == 1, (
        "a history that cannot be read is an error"
    )
    assert "cannot be used" in capsys.readouterr().err


def test_damaged_database_is_said_and_kept(
    demo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    database = tmp_path / "conversations.db"
    database.write_bytes(b"This is no database." * 100)
    assert (
        main(["ask", "--data-dir", str(tmp_path), "--base-url", demo, "--model", "demo-fast", "hello"]) == 0
    )
    captured = capsys.readouterr()
    assert captured.out.startswith("Hello")
    assert "damaged" in captured.err
    assert database.read_bytes() == b"This is no database." * 100


def test_broken_settings_are_kept_aside_and_said(
    demo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.json").write_text("{broken", encoding="utf-8")
    arguments = ["ask", "--data-dir", str(tmp_path), "--base-url", demo, "--model", "demo-fast", "hello"]
    assert main(arguments) == 0
    assert "The settings file could not be read" in capsys.readouterr().err
    assert main(arguments) == 0
    assert "settings" not in capsys.readouterr().err
    assert any(
        "{broken" in path.read_text("utf-8", "replace") for path in tmp_path.iterdir() if path.is_file()
    )
