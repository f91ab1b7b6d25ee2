"""What every test relies on: nothing of the user's is touched, and nothing a test starts outlives it.

A test fails when it leaves a task, a thread, a window or a running timer behind, and says where that began; and when
the program logs a warning that the test did not announce with ``expect_log`` (or look at with ``caplog``).
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

REPOSITORY: Final = Path(__file__).resolve().parent.parent
SHARED: Final = REPOSITORY.parent / "shared"
"""Reference data kept beside the checkout; may be absent. Use the marker ``shared_data``."""

JOIN_LIMIT_S: Final = 5.0
"""How long a thread that was told to end may take; waited for, not asserted."""

_EXECUTOR_THREADS: Final = "asyncio_"
"""Prefix of the default executor's threads, which live as long as their event loop."""

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not SHARED.is_dir():
        absent = pytest.mark.skip(reason=f"the reference data is not beside the checkout ({SHARED.name}/)")
        for item in items:
            if item.get_closest_marker("shared_data"):
                item.add_marker(absent)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what was logged fit for another process: lone surrogates would end the one that runs the tests."""
    report = yield
    report.sections = [
        (name, content.encode("utf-8", "backslashreplace").decode()) for name, content in report.sections
    ]
    return report


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of reference data."""
    if not SHARED.is_dir():
        pytest.skip(f"the reference data is not beside the checkout ({SHARED.name}/)")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests away from the user's files, keychain, keys and proxies; subprocesses inherit it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
            patch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        for name in list(os.environ):
            if name.endswith("_API_KEY") or name.upper() in {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}:
                patch.delenv(name)
        yield


# --- nothing outlives its test --------------------------------------------------------------------------


def _began(stack: traceback.StackSummary) -> str:
    """Where something was started: the innermost frames of this repository."""
    ours = [frame for frame in stack if str(REPOSITORY) in frame.filename and ".venv" not in frame.filename]
    return "".join(traceback.format_list([frame for frame in ours if frame.name != "_record"][-4:]))


@pytest.fixture(autouse=True)
def _no_leaked_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = set(threading.enumerate())
    began: dict[threading.Thread, traceback.StackSummary] = {}
    start = threading.Thread.start

    def _record(thread: threading.Thread) -> None:
        began[thread] = traceback.extract_stack(limit=14)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", _record)
    yield
    leaked = []
    for thread in began.keys() - before:
        if not thread.name.startswith(_EXECUTOR_THREADS):
            thread.join(JOIN_LIMIT_S)
            if thread.is_alive():
                leaked.append(f"{thread!r} began at\n{_began(began[thread])}")
    if leaked:
        pytest.fail("Threads outlive the test:\n" + "\n".join(leaked), pytrace=False)


@pytest_asyncio.fixture
async def _task_watch() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    before = asyncio.all_tasks()
    began: dict[asyncio.Task[Any], traceback.StackSummary] = {}

    def _record(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        began[task] = traceback.extract_stack(limit=14)
        task.add_done_callback(lambda done: began.pop(done, None))
        return task

    loop.set_task_factory(_record)  # type: ignore[arg-type]  # the stub knows the old, narrower protocol
    yield
    loop.set_task_factory(None)
    for _ in range(3):  # what was just cancelled needs a turn of the loop to end
        await asyncio.sleep(0)
    own = asyncio.current_task()
    leaked = [
        f"{task.get_name()} ({task.get_coro()!r}) began at\n{_began(stack)}"
        for task, stack in began.items()
        if task is not own and task not in before
    ]
    if leaked:
        pytest.fail("Tasks outlive the test:\n" + "\n".join(leaked), pytrace=False)


@pytest.fixture(autouse=True)
def _no_leaked_tasks(request: pytest.FixtureRequest) -> None:
    if isinstance(request.node, pytest.Function) and iscoroutinefunction(request.node.function):
        request.getfixturevalue("_task_watch")


# --- the log is part of the behaviour -------------------------------------------------------------------


class _Expected(logging.Handler):
    """Collects warnings and worse that no pattern announced."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.patterns: list[re.Pattern[str]] = []
        self.unexpected: list[str] = []
        self.seen: set[re.Pattern[str]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.name}: {record.getMessage()}"
        matching = [pattern for pattern in self.patterns if pattern.search(text)]
        self.seen.update(matching)
        if not matching:
            self.unexpected.append(f"{record.levelname} {text} ({record.pathname}:{record.lineno})")


@pytest.fixture(autouse=True)
def _log_watch(request: pytest.FixtureRequest) -> Iterator[_Expected]:
    handler = _Expected()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)
    if handler.unexpected and "caplog" not in request.fixturenames:
        pytest.fail("Unexpected in the log:\n" + "\n".join(handler.unexpected), pytrace=False)
    never = [pattern.pattern for pattern in handler.patterns if pattern not in handler.seen]
    if never:
        pytest.fail(f"Expected in the log, but never written: {', '.join(never)}", pytrace=False)


@pytest.fixture
def expect_log(_log_watch: _Expected) -> Callable[[str], None]:
    """Announce a warning or error: ``expect_log(r"storage.*read-only")``, a pattern for ``logger: message``.

    A pattern that nothing matches fails the test as well.
    """

    def expect(pattern: str) -> None:
        _log_watch.patterns.append(re.compile(pattern))

    return expect
