"""The grammar of the command line; what it promises is listed in the README.

Ranges and descriptions of parameters come from the settings table, so that the dialog and ``--help`` agree.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

from desktop_chat import __version__
from desktop_chat.chat.launch import ExitStatus
from desktop_chat.domain.settings import PARAMETER_BY_NAME, SPEC_BY_NAME

PROGRAM: Final = "desktop-chat"
HANDLERS: Final = ("display", "words", "characters")
_STATUSES: Final = "exit status: 0 complete, 1 error, 2 wrong use, 3 interrupted, 130 stopped"
_UNSET: Final = argparse.SUPPRESS
"""Default of options that may stand before or after the command: the later one wins, none erases the other."""


class UsageError(Exception):
    """Wrong use of the command line; the message is one sentence without a full stop."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message.removesuffix("."))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The parsed command line. Raises UsageError; exits after ``--help`` and ``--version``."""
    namespace = _parser().parse_args(arguments)
    problem = _contradiction(namespace)
    if problem:
        raise UsageError(problem)
    return namespace


def complain(error: UsageError) -> int:
    """Print the one line that wrong use gets; returns the exit status."""
    sys.stderr.write(f"{PROGRAM}: {error}. Try: {PROGRAM} --help\n")
    return ExitStatus.USAGE


def _contradiction(namespace: argparse.Namespace) -> str | None:
    """What the parser itself cannot see: options that need or exclude each other."""
    if namespace.command is None:
        if namespace.send is None and (namespace.screenshot or namespace.exit):
            return "--screenshot and --exit need --send TEXT"
        if namespace.self_test and namespace.send is not None:
            return "--self-test and --send exclude each other"
        if namespace.send is not None and not namespace.send.strip():
            return "the text after --send is empty"
    if namespace.command == "ask":
        if namespace.conversation is not None and namespace.no_store:
            return "--conversation and --no-store exclude each other"
        if namespace.replay and (namespace.record or namespace.base_url):
            return "--replay excludes --record and --base-url"
        if namespace.replay_speed != 1.0 and not namespace.replay:
            return "--replay-speed needs --replay FILE"
    if namespace.command == "render" and namespace.html and namespace.image:
        return "--html and --image exclude each other"
    if namespace.api_key_env and not namespace.base_url:
        return "--api-key-env needs --base-url URL"
    return None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="A native desktop chat client for large language models. Without a command, it opens the window.",
        epilog=f"{PROGRAM} COMMAND --help tells more about a command.",
        allow_abbrev=False,
    )
    parser.set_defaults(data_dir=None, base_url="", model="", api_key_env="")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    _add_shared(parser)
    window = parser.add_argument_group("window")
    window.add_argument("--send", metavar="TEXT", help="send TEXT in a new conversation")
    window.add_argument(
        "--screenshot",
        metavar="FILE.png",
        type=_image_file,
        help="after the answer, save a picture of the window",
    )
    window.add_argument("--exit", action="store_true", help=f"leave after the answer; {_STATUSES}")
    window.add_argument(
        "--self-test",
        action="store_true",
        help="check window, streaming, database and keychain, one line a check",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, summary, add_options in (
        ("ask", "stream an answer to standard output", _add_ask),
        ("render", "set a Markdown file as HTML or as an image", _add_render),
        ("bench", "measure this machine, beside the naive ways", _add_bench),
    ):
        description = summary[0].upper() + summary[1:] + "."
        add_options(commands.add_parser(name, help=summary, description=description, allow_abbrev=False))
    return parser


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=_path,
        default=_UNSET,
        help="keep database, settings, logs and secrets under DIR",
    )
    endpoint = parser.add_argument_group("endpoint, for this run only")
    endpoint.add_argument(
        "--base-url",
        metavar="URL",
        type=_not_empty,
        default=_UNSET,
        help="chat-completions server; ends in /v1",
    )
    endpoint.add_argument("--model", metavar="M", type=_not_empty, default=_UNSET, help="the model to ask")
    endpoint.add_argument(
        "--api-key-env",
        metavar="NAME",
        type=_not_empty,
        default=_UNSET,
        help="environment variable that holds the key; the key itself is never an argument",
    )


def _add_ask(ask: argparse.ArgumentParser) -> None:
    ask.epilog = _STATUSES
    ask.add_argument(
        "prompt", nargs="+", metavar="PROMPT", help="the question; - reads it from standard input"
    )
    _add_shared(ask)
    request = ask.add_argument_group("request")
    request.add_argument("--system", metavar="TEXT", default="", help="system prompt")
    for name in ("temperature", "top_p", "max_tokens", "seed"):
        spec = PARAMETER_BY_NAME[name]
        option = f"--{name.replace('_', '-')}"
        request.add_argument(option, metavar="N", type=_parsed(spec.value_from), help=spec.description)
    request.add_argument(
        "--stop", metavar="TEXT", action="append", default=[], type=_not_empty,
        help=f"{PARAMETER_BY_NAME['stop'].description.partition(', one')[0]}; may be repeated",
    )  # fmt: skip
    request.add_argument(
        "--timeout-first", metavar="S", type=_seconds, help="wait for the first token at most"
    )
    request.add_argument("--timeout-idle", metavar="S", type=_seconds, help="wait between two tokens at most")
    request.add_argument(
        "--retries", metavar="N", type=_retries, help="repeat a failed request, before anything was received"
    )
    history = ask.add_argument_group("history")
    history.add_argument("--conversation", metavar="ID", type=_count, help="go on in a saved conversation")
    history.add_argument("--no-store", action="store_true", help="save nothing")
    output = ask.add_argument_group("output")
    output.add_argument(
        "--json", action="store_true", help="print one JSON object at the end, and nothing else"
    )
    output.add_argument(
        "--format",
        choices=("text", "terminal", "html"),
        default="text",
        help="text as it comes (default), or Markdown set for the terminal or as HTML, block by block",
    )
    output.add_argument(
        "--buffer", metavar="N|line|word", type=_buffer, help="write N characters, lines or words at a time"
    )
    output.add_argument(
        "--handlers",
        metavar="NAMES",
        type=_handlers,
        default=("display",),
        help=f"what consumes the answer, with commas between: {', '.join(HANDLERS)}, or an installed one",
    )
    output.add_argument("--progress", action="store_true", help="show progress on standard error")
    output.add_argument("--analytics", action="store_true", help="show where the time went on standard error")
    output.add_argument("--stop-after", metavar="N", type=_count, help="stop after N tokens")
    output.add_argument(
        "--think-tags",
        choices=("keep", "split"),
        default="keep",
        help="leave <think> tags in the text (default), or take what they hold as reasoning",
    )
    wire = ask.add_argument_group("recording")
    wire.add_argument(
        "--record", metavar="FILE", type=_path, help="record the raw stream to FILE, without the key"
    )
    wire.add_argument(
        "--replay", metavar="FILE", type=_path, help="answer from a recording instead of a server"
    )
    wire.add_argument(
        "--replay-speed",
        metavar="X|max",
        type=_speed,
        default=1.0,
        help="X times as fast as recorded, or at once",
    )


def _add_render(render: argparse.ArgumentParser) -> None:
    render.add_argument("file", metavar="FILE.md", type=_path, help="the Markdown file; - for standard input")
    render.add_argument("--html", action="store_true", help="print a standalone HTML page (default)")
    render.add_argument("--image", metavar="OUT.png", type=_image_file, help="paint it as the window would")
    render.add_argument("--width", metavar="N", type=_width, default=800, help="width of the image in pixels")
    render.add_argument(
        "--theme", choices=("light", "dark"), default="light", help="colours (default: light)"
    )


def _add_bench(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    bench.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        default=[],
        type=_not_empty,
        help="this benchmark; may be repeated",
    )


def _parsed(parse_text: Callable[[str], object]) -> Callable[[str], object]:
    """``parse_text`` with its sentence as the parser's message."""

    def value(text: str) -> object:
        try:
            parsed = parse_text(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).removesuffix(".")) from None
        if parsed is None:
            raise argparse.ArgumentTypeError("the value is empty")
        return parsed

    return value


def _not_empty(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the value is empty")
    return text


def _path(text: str) -> Path:
    if "\0" in text or not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text).expanduser()


def _image_file(text: str) -> Path:
    path = _path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"the picture must be a .png file, not {path.name!r}")
    return path


def _whole(text: str, low: int, high: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"{number} is not between {low} and {high}")
    return number


def _count(text: str) -> int:
    return _whole(text, 1, 2**63 - 1)


def _width(text: str) -> int:
    return _whole(text, 200, 10_000)


def _retries(text: str) -> int:
    spec = SPEC_BY_NAME["network.retries"]
    return _whole(text, int(spec.minimum or 0), int(spec.maximum or 0))


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def _seconds(text: str) -> float:
    return _positive(text)


def _speed(text: str) -> float:
    """0 stands for "at once"."""
    return 0.0 if text == "max" else _positive(text)


def _buffer(text: str) -> int | str:
    return text if text in {"line", "word"} else _count(text)


def _handlers(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} has an empty name in it")
    return names
