"""The log: a few rotating files for their owner only, in which no key ever stands."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

_BYTES_PER_FILE: Final = 1_000_000
_OLD_FILES: Final = 3
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_REMOVED: Final = "[removed]"
_SHORTEST_SECRET: Final = 6  # a shorter "key" would also be found inside ordinary words

_BETWEEN: Final = r"[\"']?\s*[:=,]\s*(?:b?[\"'])?"  # header: value, 'header': 'value', (b'header', b'value')
_PATTERNS: Final = (
    re.compile(rf"(?i)(\b(?:proxy-)?authorization{_BETWEEN}(?:(?:bearer|basic)\s+)?)[^\s\"',;)}}]+"),
    re.compile(rf"(?i)(\b(?:x-)?api[-_]?key{_BETWEEN})[^\s\"',;&)}}]+"),
    re.compile(r"(?i)(\bbearer\s+)[\w.~+/=-]{8,}"),
    re.compile(r"()\bsk-[\w-]{8,}"),
)


class Redactor:
    """Takes keys out of text: those it was told of, and whatever stands where keys stand."""

    def __init__(self) -> None:
        self._secrets: tuple[str, ...] = ()

    def protect(self, secret: str) -> None:
        """Remove this secret, too, from now on. May be called from any thread."""
        if len(secret) >= _SHORTEST_SECRET and secret not in self._secrets:
            # Longest first: one key may begin with another.
            self._secrets = tuple(sorted((*self._secrets, secret), key=len, reverse=True))

    def redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _REMOVED)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<1>{_REMOVED}", text)
        return text


redactor: Final = Redactor()
"""The process's one redactor; `SecretStore` tells it every key it hands out."""


class RedactingFormatter(logging.Formatter):
    """Redacts the finished line, so that tracebacks and arguments are covered as well."""

    def format(self, record: logging.LogRecord) -> str:
        return redactor.redacted(super().format(record))


class LogFileHandler(RotatingFileHandler):
    """A rotating file, made readable by its owner only. A full disk silences it; it disturbs nothing else."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            maxBytes=_BYTES_PER_FILE,
            backupCount=_OLD_FILES,
            encoding="utf-8",
            errors="backslashreplace",
        )

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), self.encoding, self.errors, line_buffering=True)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """The log cannot be written, and there is no other place to say so without alarming a person."""
        if (
            self.stream is not None and self.stream.closed
        ):  # at a change of files; the next line opens it again
            self.stream = None

    def close(self) -> None:
        """Close the file; what a full disk refused until now is given up."""
        with contextlib.suppress(OSError):
            super().close()


def set_up_logging(path: Path, level: int = logging.INFO) -> logging.Handler:
    """Send the program's log to ``path``, or to standard error where that cannot be written.

    Returns:
        the handler on the root logger, for its removal at the end.
    """
    handler: logging.Handler
    problem: OSError | None = None
    try:
        handler = LogFileHandler(path)
    except OSError as error:
        handler, problem = logging.StreamHandler(sys.stderr), error
        handler.setLevel(logging.WARNING)
    handler.setFormatter(RedactingFormatter(_FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    # httpx logs each request's address at INFO: what is asked of whom is nobody's business.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if problem is not None:
        logging.getLogger(__name__).warning("no log file: %s", problem)
    return handler
