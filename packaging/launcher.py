"""Entry point of the standalone program."""

from __future__ import annotations

import multiprocessing
import sys

from desktop_chat.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a child process starts the same executable again
    sys.exit(main())
