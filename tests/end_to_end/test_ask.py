"""`ask` against the demo server: what comes out where, what is kept, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_chat.cli import main
from desktop_chat.demo.server import DemoServer
from desktop_chat.storage.conversations import ConversationStore

Run = tuple[int, str, str]
"""Exit status, standard output, standard error."""


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    demo = DemoServer(tokens_per_second=0)
    asyncio.run(demo.start())
    yield demo
    asyncio.run(demo.stop())


@pytest.fixture
def arguments(server: DemoServer, tmp_path: Path) -> list[str]:
    """What nearly every run needs: the endpoint and a data folder of its own."""
    return [
        "ask",
        "--base-url",
        server.base_url,
        "--model",
        "demo-fast",
        "--data-dir",
        str(tmp_path / "data"),
    ]


@pytest.fixture
def ask(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def run(*more: str) -> Run:
        status = main([*arguments, *more])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def ask_json(ask: Callable[..., Run]) -> Callable[..., dict[str, Any]]:
    def run(*more: str) -> dict[str, Any]:
        status, output, _ = ask("--json", *more)
        assert output.count("\n") == 1, "one line and nothing else"
        result: dict[str, Any] = json.loads(output)
        assert status == {"complete": 0, "error": 1, "interrupted": 3, "stopped": 130}[result["outcome"]]
        return result

    return run


def process(arguments: list[str], **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "desktop_chat", *arguments]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="surrogateescape",
        **options,
    )


def kept(data: Path) -> list[tuple[str, str, str]]:
    """Role, state and text of all messages in the database, oldest first."""

    async def read() -> list[tuple[str, str, str]]:
        store = await ConversationStore.open(data / "conversations.db")
        try:
            branches = [await store.branch(found.id) for found in reversed(await store.conversations())]
            return [(row.role.value, row.state.value, row.text) for branch in branches for row in branch]
        finally:
            await store.close()

    return asyncio.run(read())


# --- output ---------------------------------------------------------------------------------------------


def test_text_goes_to_stdout_and_figures_to_stderr(ask: Callable[..., Run]) -> None:
    status, output, errors = ask("hello")
    assert status == 0
    assert output.startswith("Hello! This is Desktop Chat's **demo server**")
    assert "complete: " in errors
    assert " tokens, " in errors
    assert "Hello" not in errors


def test_json_is_one_object_with_the_promised_keys(ask_json: Callable[..., dict[str, Any]]) -> None:
    result = ask_json("hello")
    assert list(result) == [
        "outcome", "text", "reasoning", "tool_calls", "finish_reason", "usage", "metrics", "error", "warnings",
    ]  # fmt: skip
    assert {"ttft_s", "tokens", "tokens_per_second", "elapsed_s"} <= result["metrics"].keys()
    assert result["outcome"] == "complete"
    assert result["finish_reason"] == "stop"
    assert result["error"] is None
    assert result["warnings"] == []
    assert result["usage"]["completion_tokens"] == result["metrics"]["tokens"]
    assert result["metrics"]["tokens_reported"] is True


def test_json_error_has_the_promised_keys(ask_json: Callable[..., dict[str, Any]]) -> None:
    error = ask_json("--retries", "0", "/error 429")["error"]
    assert error == {
        "kind": "rate_limit",
        "status": 429,
        "message": "Requests rate limit exceeded",
        "retry_after_s": 2.0,
    }


def test_reasoning_and_tool_calls(ask_json: Callable[..., dict[str, Any]]) -> None:
    assert "demo server" in ask_json("/think")["reasoning"]
    result = ask_json("/tool")
    assert result["finish_reason"] == "tool_calls"
    (call,) = result["tool_calls"]
    assert call["name"] == "get_weather"
    assert json.loads(call["arguments"])["city"] == "Paris"


def test_a_tool_call_is_told_of(ask: Callable[..., Run]) -> None:
    status, _, remarks = ask("/tool")
    assert status == 0
    assert "calls get_weather" in remarks


@pytest.mark.parametrize("buffer", ["line", "word", "1", "64", "1000000"])
def test_buffered_output_is_the_whole_text(
    ask: Callable[..., Run], ask_json: Callable[..., dict[str, Any]], buffer: str
) -> None:
    assert ask("--buffer", buffer, "hello")[1] == ask_json("hello")["text"]


def test_several_handlers(ask: Callable[..., Run], ask_json: Callable[..., dict[str, Any]]) -> None:
    text = ask_json("hello")["text"]
    _, output, errors = ask("--handlers", "display,words,characters", "hello")
    assert output == text
    assert f"words: {len(text.split())}\n" in errors
    assert f"characters: {len(text)}\n" in errors
    assert ask("--handlers", "words", "hello")[1] == ""


def test_analytics_and_progress(ask: Callable[..., Run]) -> None:
    _, _, errors = ask("--analytics", "--progress", "hello")
    assert "first token" in errors
    assert "gap p95" in errors
    assert "done, " in errors


def test_terminal_and_html_formats(ask: Callable[..., Run]) -> None:
    _, output, _ = ask("--format", "html", "tables")
    assert "<h1>Tables</h1>" in output
    assert output.count("<table>") == output.count("</table>") == 3
    _, output, _ = ask("--format", "terminal", "tables")
    assert "\x1b[1;4mTables" in output
    assert "\x1b[1mstrong\x1b[0m" in output
    assert "─┼─" in output


# --- ends -----------------------------------------------------------------------------------------------


def test_stop_after_counts_tokens(ask_json: Callable[..., dict[str, Any]]) -> None:
    result = ask_json("--stop-after", "12", "write 5000 tokens")
    assert result["outcome"] == "stopped"
    assert result["metrics"]["tokens"] == 12
    assert result["text"].startswith("# A short history")


def test_interrupted_keeps_what_arrived(ask: Callable[..., Run], tmp_path: Path) -> None:
    status, output, errors = ask("/cut 20")
    assert status == 3
    assert output.startswith("# Stopping")
    assert "The connection ended before the answer was complete (on the server's side)." in errors
    assert kept(tmp_path / "data")[-1] == ("assistant", "interrupted", output)


def test_length_limit_and_stop_sequence(ask_json: Callable[..., dict[str, Any]]) -> None:
    assert ask_json("--max-tokens", "5", "hello")["finish_reason"] == "length"
    assert ask_json("--stop", "Desktop", "hello")["text"] == "Hello! This is "


def test_all_parameters_are_accepted_by_a_strict_server(ask_json: Callable[..., dict[str, Any]]) -> None:
    options = [
        "--temperature",
        "0.2",
        "--top-p",
        "0.9",
        "--max-tokens",
        "50",
        "--seed",
        "7",
        "--stop",
        "zzz",
        "--system",
        "Briefly.",
    ]
    assert ask_json(*options, "hello")["outcome"] == "complete"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("prompt", ["write 100000 tokens", "/slow 60"])
def test_interrupt_key_stops_and_keeps(
    server: DemoServer, arguments: list[str], tmp_path: Path, prompt: str
) -> None:
    server.tokens_per_second = 50
    arguments[arguments.index("demo-fast")] = "demo-tour"
    child = process([*arguments, prompt], bufsize=1)
    try:
        assert child.stderr is not None
        assert child.stderr.readline().startswith("desktop-chat: Saved as")
        if "slow" not in prompt:
            assert child.stdout is not None
            assert child.stdout.read(20)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=30)
    finally:
        server.tokens_per_second = 0
        child.kill()
    assert child.returncode == 130
    assert "Traceback" not in errors
    assert kept(tmp_path / "data")[-1][:2] == ("assistant", "stopped")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no broken pipes of this kind")
def test_reader_that_leaves_ends_the_turn_quietly(arguments: list[str]) -> None:
    child = process([*arguments, "write 200000 tokens"])
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.read(10)
    child.stdout.close()
    errors = child.stderr.read()
    child.stderr.close()
    assert child.wait(30) == 130
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_full_disk_behind_stdout_is_said(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "desktop_chat", *arguments, "hello"]
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    assert run.returncode == 1
    assert "could not be written to standard output: No space left on device" in run.stderr
    assert "Traceback" not in run.stderr


# --- history --------------------------------------------------------------------------------------------


def test_conversation_goes_on_with_its_history(
    ask: Callable[..., Run], ask_json: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    _, first, errors = ask("--system", "Be brief.", "hello")
    assert "Saved as conversation 1." in errors
    alone = ask_json("--no-store", "thanks")["usage"]["prompt_tokens"]
    together = ask_json("--conversation", "1", "thanks")
    assert together["usage"]["prompt_tokens"] > alone + 100, (
        "the first question and its answer were sent again"
    )
    assert [row[:2] for row in kept(tmp_path / "data")] == [
        ("user", "complete"),
        ("assistant", "complete"),
        ("user", "complete"),
        ("assistant", "complete"),
    ]
    assert kept(tmp_path / "data")[1][2] == first


def test_no_store_writes_nothing(ask: Callable[..., Run], tmp_path: Path) -> None:
    assert ask("--no-store", "hello")[0] == 0
    assert not (tmp_path / "data").exists()


def test_unknown_conversation(ask: Callable[..., Run]) -> None:
    status, output, errors = ask("--conversation", "77", "hello")
    assert (status, output) == (1, "")
    assert "There is no conversation 77" in errors


# --- recording ------------------------------------------------------------------------------------------


def test_record_and_replay(
    ask: Callable[..., Run],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recording = tmp_path / "answer.sse"
    monkeypatch.setenv("SECRET_OF_TEST", "key-0123456789")
    status, recorded, _ = ask("--api-key-env", "SECRET_OF_TEST", "--record", str(recording), "tables")
    assert status == 0
    assert b"data: [DONE]" in recording.read_bytes()
    assert b"key-0123456789" not in recording.read_bytes()
    for speed in ("max", "50"):
        assert main(["ask", "--no-store", "--replay", str(recording), "--replay-speed", speed, "tables"]) == 0
        assert capsys.readouterr().out == recorded


def test_recording_that_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--no-store", "--replay", str(tmp_path / "none.sse"), "x"]) == 1
    assert "The recording none.sse cannot be read" in capsys.readouterr().err


def test_recording_that_cannot_be_written_costs_a_warning(
    ask_json: Callable[..., dict[str, Any]], tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("recording")
    result = ask_json("--record", str(tmp_path), "hello")
    assert result["outcome"] == "complete"
    assert "recording" in result["warnings"][0]


def test_think_tags_are_the_answers_own_words_unless_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chunk = {"choices": [{"delta": {"content": "<think>Hm.</think>Yes."}, "finish_reason": "stop"}]}
    recording = tmp_path / "think.sse"
    recording.write_text(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")
    results = []
    for mode in ("keep", "split"):
        main(["ask", "--no-store", "--json", "--replay", str(recording), "--think-tags", mode, "x"])
        results.append(json.loads(capsys.readouterr().out))
    assert (results[0]["text"], results[0]["reasoning"]) == ("<think>Hm.</think>Yes.", "")
    assert (results[1]["text"], results[1]["reasoning"]) == ("Yes.", "Hm.")


# --- who answers ----------------------------------------------------------------------------------------


def test_without_an_endpoint_the_demo_answers_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data-dir", str(tmp_path), "ask", "--stop-after", "3", "hello"]) == 130
    captured = capsys.readouterr()
    assert captured.out.startswith("Hello")
    assert "the demo server on this computer answers; it is no model" in captured.err


def test_saved_default_profile_is_used(
    server: DemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = {
        "id": "mine", "name": "Mine", "base_url": server.base_url, "dialect": "mistral",
        "default_model": "demo-fast", "needs_key": False,
    }  # fmt: skip
    settings = {"profiles": [profile], "default_profile_id": "mine"}
    (tmp_path / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    assert main(["ask", "--data-dir", str(tmp_path), "hello"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("Hello")
    assert "demo server on this computer" not in captured.err


def test_first_listed_model_is_used_when_none_is_named(
    server: DemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["ask", "--base-url", server.base_url, "--no-store", "--json", "hello"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["text"].startswith("Hello"), (
        "the dialect is unknown without a model, and a refused field costs nothing"
    )


# --- what it loads --------------------------------------------------------------------------------------


def test_ask_loads_no_qt(arguments: list[str]) -> None:
    code = (
        "import sys; from desktop_chat.cli import main; status = main(sys.argv[1:]);"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in"
        " {'PySide6', 'shiboken6', 'qasync', 'qtawesome', 'qtpy'}), file=sys.stderr); sys.exit(status)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments, "hello"], capture_output=True, encoding="utf-8", check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr.splitlines()[-1] == "[]"
