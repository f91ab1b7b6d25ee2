"""The grammar of the command line: what is accepted, and the one line that wrong use gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop_chat import __version__
from desktop_chat.cli import main
from desktop_chat.cli.arguments import UsageError, parse
from desktop_chat.domain.settings import PARAMETERS


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("frobnicate", "invalid choice: 'frobnicate'"),
        ("--frobnicate", "unrecognized arguments: --frobnicate"),
        ("ask", "required: PROMPT"),
        ("ask --frobnicate hello", "unrecognized arguments: --frobnicate"),
        ("ask --temp 1 hello", "unrecognized arguments: --temp"),
        ("ask --temperature warm hello", "Temperature must be a number"),
        ("ask --temperature 2.1 hello", "Temperature must be between 0 and 2"),
        ("ask --temperature nan hello", "must be a finite number"),
        ("ask --top-p -1 hello", "Top-p must be between 0 and 1"),
        ("ask --max-tokens 0 hello", "Max tokens must be between 1"),
        ("ask --max-tokens 1.5 hello", "Max tokens must be a whole number"),
        ("ask --seed -1 hello", "Seed must be between 0"),
        ("ask --timeout-first 0 hello", "not a number above 0"),
        ("ask --timeout-idle soon hello", "'soon' is not a number"),
        ("ask --retries 9 hello", "9 is not between 0 and 5"),
        ("ask --stop-after 0 hello", "0 is not between 1"),
        ("ask --buffer half hello", "'half' is not a whole number"),
        ("ask --handlers display,,words hello", "has an empty name"),
        ("ask --replay-speed -1 --replay f hello", "not a number above 0"),
        ("ask --replay-speed 2 hello", "--replay-speed needs --replay"),
        ("ask --replay f --record g hello", "--replay excludes"),
        ("ask --conversation 1 --no-store hello", "exclude each other"),
        ("ask --format pdf hello", "invalid choice: 'pdf'"),
        ("ask --api-key-env K hello", "--api-key-env needs --base-url"),
        ("--api-key-env K", "--api-key-env needs --base-url"),
        ("--exit", "need --send"),
        ("--screenshot shot.png", "need --send"),
        ("--send hello --screenshot shot.jpg", "must be a .png file"),
        ("--self-test --send hello", "exclude each other"),
        ("render", "required: FILE.md"),
        ("render --html --image o.png f.md", "exclude each other"),
        ("render --width 20 f.md", "20 is not between 200 and 10000"),
        ("render --theme blue f.md", "invalid choice: 'blue'"),
        ("bench --only", "expected one argument"),
    ],
)
def test_wrong_use_gets_one_line_and_status_2(
    line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("desktop-chat: ")
    assert captured.err.endswith("Try: desktop-chat --help\n")
    assert words in captured.err


def test_nothing_to_send_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--send", "  "]) == 2
    assert "the text after --send is empty" in capsys.readouterr().err


def test_unknown_handler_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--no-store", "--handlers", "nobody", "hello"]) == 2
    assert capsys.readouterr().err.startswith(
        "desktop-chat: there is no handler 'nobody'; choose from display,"
    )


def test_shared_options_stand_before_or_after_the_command() -> None:
    for line in ("--data-dir d --model m ask hello", "ask --data-dir d --model m hello"):
        options = parse(line.split())
        assert (options.data_dir, options.model) == (Path("d"), "m")
    assert parse(["--model", "a", "ask", "--model", "b", "hello"]).model == "b"


def test_defaults() -> None:
    options = parse(["ask", "hello"])
    assert (options.data_dir, options.base_url, options.model, options.api_key_env) == (None, "", "", "")
    assert (options.temperature, options.max_tokens, options.stop) == (None, None, [])
    assert options.think_tags == "keep"
    window = parse([])
    assert (window.command, window.send, window.exit, window.self_test) == (None, None, False, False)


def test_values_arrive_typed() -> None:
    numbers = (
        "--temperature 0.5 --top-p 1 --max-tokens 7 --seed 3 --timeout-first 1.5 --retries 0 --stop-after 4"
    )
    words = "--stop a --stop b --buffer line --handlers words,characters --replay-speed max --replay f"
    options = parse(["ask", *numbers.split(), *words.split(), "one", "two"])
    assert (options.temperature, options.top_p, options.max_tokens, options.seed) == (0.5, 1.0, 7, 3)
    assert options.stop == ["a", "b"]
    assert (options.timeout_first, options.retries, options.stop_after) == (1.5, 0, 4)
    assert (options.buffer, options.handlers) == ("line", ("words", "characters"))
    assert options.replay_speed == 0
    assert options.prompt == ["one", "two"]


def test_every_generation_parameter_has_an_option() -> None:
    options = vars(parse(["ask", "hello"]))
    assert {spec.name for spec in PARAMETERS} <= options.keys()


def test_prompt_may_begin_with_a_dash_after_two() -> None:
    assert parse(["ask", "--", "-5 + 3"]).prompt == ["-5 + 3"]
    with pytest.raises(UsageError):
        parse(["ask", "--5"])


@pytest.mark.parametrize(
    "arguments", [["--help"], ["ask", "--help"], ["render", "--help"], ["bench", "--help"]]
)
def test_help_names_every_option(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    output = capsys.readouterr().out
    assert "usage: desktop-chat" in output
    if arguments[0] == "ask":
        promised = "base-url api-key-env model system temperature top-p max-tokens stop seed timeout-first"
        for option in f"{promised} timeout-idle retries no-store json data-dir conversation".split():
            assert f"--{option}" in output


def test_version_of_the_process() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "desktop_chat", "--version"], capture_output=True, encoding="utf-8", check=True
    )
    assert run.stdout == f"desktop-chat {__version__}\n"
