"""From the command line to the window and to the self-test, which live in ``ui``."""

from __future__ import annotations

import argparse
import os
import sys

from desktop_chat.chat.launch import ExitStatus, WindowOptions


def open_window(options: argparse.Namespace) -> int:
    """Open the window, or run the self-test; returns the exit status."""
    if _lacks_display():
        if not (options.self_test or options.exit):
            sys.stderr.write(
                "desktop-chat: there is no display to open a window on. Start it from a desktop session, or use "
                "desktop-chat ask, which needs none.\n"
            )
            return ExitStatus.ERROR
        sys.stderr.write("desktop-chat: no display, so the window is painted off screen.\n")
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
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


def _lacks_display() -> bool:
    """Whether Qt would end the program for want of a display; it does so with a crash, not with words."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return False
    return not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
