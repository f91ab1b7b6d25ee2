"""The command line: `main` is the entry point of ``desktop-chat``.

Every command imports what it needs when it runs: ``ask`` loads no Qt and has its request on the wire early.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from desktop_chat.chat.launch import ExitStatus
from desktop_chat.cli.arguments import UsageError, complain, parse

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A window started from a desktop has no streams; a test's are not always real ones.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    try:
        return _run(parse(sys.argv[1:] if arguments is None else arguments))
    except UsageError as error:
        return complain(error)
    except KeyboardInterrupt:
        return ExitStatus.STOPPED


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "ask":
            from desktop_chat.cli.ask import run_ask

            return run_ask(options)
        case "render":
            from desktop_chat.cli.render import run_render

            return run_render(options)
        case "bench":
            from desktop_chat.cli.bench import run_bench

            return run_bench(options)
        case _:
            from desktop_chat.cli.window import open_window

            return open_window(options)
