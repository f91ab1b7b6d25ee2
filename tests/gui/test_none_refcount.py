"""Guards the pin of Qt's bindings: 6.12.0 on Python 3.11 loses a reference to None in each void call."""

from __future__ import annotations

import subprocess
import sys

CALLS = 200_000

SCRIPT = f"""
import sys
from PySide6.QtCore import QObject
thing = QObject()
before = sys.getrefcount(None)
for _ in range({CALLS}):
    thing.blockSignals(False)
    thing.setObjectName("")
print(before - sys.getrefcount(None))
"""


def test_void_calls_keep_the_references_to_none() -> None:
    """In a process of its own, because losing them all aborts it. From 3.12 on None is immortal."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < CALLS / 100
