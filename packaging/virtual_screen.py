"""A virtual X11 screen for tests and for checking a bundle."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import Iterator


@contextlib.contextmanager
def virtual_screen(size: str = "1280x900x24") -> Iterator[dict[str, str]]:
    """Run Xvfb on a display it finds free; gives the environment of a program that shall appear on it.

    Raises FileNotFoundError where Xvfb is not installed, and RuntimeError when it does not start.
    """
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    try:
        server = subprocess.Popen(
            command,
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        with os.fdopen(reading, encoding="ascii") as answer:
            number = answer.readline().strip()  # written once the screen accepts connections
        if not number:
            raise RuntimeError("Xvfb ended before its screen was ready.")
        environment = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"}
        yield dict(environment, DISPLAY=f":{number}", QT_QPA_PLATFORM="xcb")
    finally:
        server.terminate()
        server.wait()
