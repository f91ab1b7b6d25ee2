"""How soon the window is painted, beside a bare window of the same toolkit: from process start, in one run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from desktop_chat.domain.measurements import Measurement

_PASSES: Final = 7

_BARE: Final = """
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication([])
window = QMainWindow()
window.resize(1120, 760)
window.show()
while not window.windowHandle().isExposed():
    application.processEvents()
application.processEvents()
print("painted", flush=True)
"""

_OURS: Final = """
import sys
from pathlib import Path
from desktop_chat.ui import application
window, *_ = application.open_main_window(application.make_application(), Path(sys.argv[1]))
application.paint_now(window)
print("painted", flush=True)
"""


def measure() -> list[Measurement]:
    """The window's first picture as `application.run_window` makes it; nothing where the program is frozen."""
    if getattr(sys, "frozen", False):
        return []
    with tempfile.TemporaryDirectory() as folder:
        # In turn, so that what else the machine does meets both alike.
        passes = [(_until_painted(_OURS, folder), _until_painted(_BARE, folder)) for _ in range(_PASSES)]
    ours, bare = (min(times) for times in zip(*passes, strict=True))
    return [
        Measurement(
            what="window: process started to painted",
            value=ours * 1000,
            unit="ms",
            baseline=bare * 1000,
            baseline_name="a bare PySide6 window",
            target="at most twice the bare window",
        )
    ]


def _until_painted(code: str, folder: str) -> float:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: the first pass compiles, the others load
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, folder], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        elapsed = time.perf_counter() - begun
        process.kill()
    return elapsed
