"""From the command line to the window and to the self-test, which live in ``ui``."""

from __future__ import annotations

import argparse

from desktop_chat.chat.launch import WindowOptions


def open_window(options: argparse.Namespace) -> int:
    """Open the window, or run the self-test; returns the exit status."""
    launch = WindowOptions(
        data_dir=options.data_dir,
        base_url=options.base_url,
        model=options.model,
        api_key_env=options.api_key_env,
        send=options.send,
        screenshot=options.screenshot,
        exit=options.exit,
    )
    from desktop_chat.ui import application

    return application.run_self_test(launch) if options.self_test else application.run_window(launch)
