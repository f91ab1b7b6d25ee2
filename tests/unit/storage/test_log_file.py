"""The log holds what happened, and never a key."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop_chat.storage.log_file import LogFileHandler, Redactor, redactor, set_up_logging

FULL = Path("/dev/full")
"""A device without room, where there is one."""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "desktop-chat.log"
    root = logging.getLogger()
    level, httpx_level = root.level, logging.getLogger("httpx").level
    handler = set_up_logging(path)
    yield path
    root.removeHandler(handler)
    handler.close()
    root.setLevel(level)
    logging.getLogger("httpx").setLevel(httpx_level)


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer KEYKEYKEY1",
        "authorization=KEYKEYKEY1",
        "headers {'Authorization': 'Bearer KEYKEYKEY1', 'Accept': '*/*'}",
        "[(b'Authorization', b'Bearer KEYKEYKEY1'), (b'accept', b'*/*')]",
        '{"api_key": "KEYKEYKEY1"}',
        "X-Api-Key: KEYKEYKEY1",
        "https://host.example/v1?api-key=KEYKEYKEY1&x=1",
        "token bearer KEYKEYKEY1.with-more_parts/of+it=",
        "the key sk-KEYKEYKEY1-and-so-on was refused",
        "Proxy-Authorization: Basic KEYKEYKEY1",
    ],
)
def test_what_stands_where_keys_stand_is_removed(line: str) -> None:
    redacted = Redactor().redacted(line)
    assert "KEYKEYKEY1" not in redacted
    assert "[removed]" in redacted
    assert redacted[:3] == line[:3]


@pytest.mark.parametrize(
    "line",
    [
        "the bearer of good news",
        "authorization failed",
        "task-oriented ask-me desk-lamp risk-averse",
        "GET https://host.example/v1/models 200 in 0.31 s",
    ],
)
def test_ordinary_words_stay(line: str) -> None:
    assert Redactor().redacted(line) == line


def test_a_known_key_is_removed_wherever_it_stands() -> None:
    own = Redactor()
    for secret in ("abcdef", "abcdefghij", "", "abc"):
        own.protect(secret)
    assert own.redacted("x=abcdefghijk abcdef abc") == "x=[removed]k [removed] abc"


def test_lines_arguments_and_tracebacks_are_redacted(log: Path) -> None:
    redactor.protect("s3cr3t-of-the-test")
    logger = logging.getLogger("desktop_chat.test")
    logger.info("sent %s with %s", "Authorization: Bearer zzzzzzzzzz", {"k": "s3cr3t-of-the-test"})
    try:
        int("s3cr3t-of-the-test")
    except ValueError:
        logger.info("failed", exc_info=True)
    text = log.read_text(encoding="utf-8")
    assert "desktop_chat.test: sent" in text
    assert "invalid literal for int() with base 10: '[removed]'" in text
    assert "s3cr3t" not in text
    assert "zzzz" not in text


def test_odd_text_is_written(log: Path) -> None:
    logging.getLogger("desktop_chat.test").info("lone \ud800 and NUL \x00 and 🙂")
    assert "lone \\ud800" in log.read_text(encoding="utf-8")


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_files_rotate_and_stay_private(log: Path) -> None:
    logger = logging.getLogger("desktop_chat.test")
    for number in range(300):
        logger.info("%d %s", number, "x" * 20_000)
    files = sorted(log.parent.iterdir())
    assert [file.name for file in files] == [log.name, *(f"{log.name}.{n}" for n in (1, 2, 3))]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert sum(file.stat().st_size for file in files) < 4_100_000


def test_requests_of_the_http_library_are_not_logged(log: Path) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST https://host.example/v1/chat/completions")
    assert "host.example" not in log.read_text(encoding="utf-8")


def test_without_a_log_file_the_program_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    root = logging.getLogger()
    level = root.level
    handler = set_up_logging(tmp_path / "nowhere" / "desktop-chat.log")
    root.removeHandler(handler)
    root.setLevel(level)
    assert not isinstance(handler, LogFileHandler)
    assert "no log file" in capsys.readouterr().err


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_silences_the_log_only(capsys: pytest.CaptureFixture[str]) -> None:
    handler = LogFileHandler(Path("/dev/full"))
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "lost", None, None))
    handler.close()  # which tries once more to write
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_the_log_goes_on_after_a_full_disk_at_a_change_of_files(tmp_path: Path) -> None:
    path = tmp_path / "log"
    handler = LogFileHandler(path)
    usual = handler.setStream(FULL.open("w", encoding="utf-8"))
    assert usual is not None
    usual.close()
    handler.handle(logging.makeLogRecord({"msg": "lost"}))
    with contextlib.suppress(OSError):
        handler.doRollover()
    for line in ("may be lost", "heard"):
        handler.handle(logging.makeLogRecord({"msg": line}))
    handler.close()
    assert "heard" in path.read_text(encoding="utf-8")
