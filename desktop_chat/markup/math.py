"""TeX to pictures by ziamath, in a process of its own that is ended when a formula takes too long.

ziamath is exponential in nesting, hence the caps; what lies beyond them, fails, or takes over a second has no picture
and is shown as its source. Nothing here is imported at start-up. The worker is a *spawned* process: a frozen
executable must call ``multiprocessing.freeze_support()`` first thing, before it parses its arguments.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import msgspec

MAX_LENGTH = 1_000
"""Characters of one formula."""

MAX_DEPTH = 6
"""Nested groups."""

LIMIT_S = 1.0
"""Seconds a formula may take; loading ziamath is not counted."""

START_LIMIT_S = 30.0
"""Seconds the worker may take to start on a busy machine."""

_CACHED = 500

logger = logging.getLogger(__name__)


class MathImage(msgspec.Struct, frozen=True):
    """A formula's picture.

    Attributes:
        svg: without fonts or references; black unless a colour was asked for.
        width / height: in pixels at the size asked for.
        baseline: pixels from the top of the picture down to the line of writing.
    """

    svg: bytes
    width: float
    height: float
    baseline: float


class MathRenderer:
    """Renders formulas one after another in a worker process that starts with the first one.

    `render` may be called from any thread and returns at once; with asyncio, ``asyncio.wrap_future`` its result.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="math")
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[str, float, str, bool], MathImage | None] = OrderedDict()

    def cached(
        self, tex: str, size: float, color: str = "#000000", *, display: bool = False
    ) -> MathImage | None:
        """The picture if it was rendered before."""
        with self._lock:
            return self._cache.get((tex, size, color, display))

    def render(
        self, tex: str, size: float, color: str = "#000000", *, display: bool = False
    ) -> Future[MathImage | None]:
        """The picture of ``tex`` at ``size`` pixels an em, ``None`` where only its source can be shown."""
        key = (tex, size, color, display)
        with self._lock:
            if key in self._cache or not is_renderable(tex):
                done: Future[MathImage | None] = Future()
                done.set_result(self._cache.get(key))
                return done
        return self._thread.submit(self._render, key)

    def close(self) -> None:
        """End the worker; formulas that wait get no picture."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        process = self._process
        if process is not None:
            process.kill()
        self._thread.shutdown(wait=True)
        self._end_worker()

    def _render(self, key: tuple[str, float, str, bool]) -> MathImage | None:
        with self._lock:
            if key in self._cache:
                return self._cache[key]
        try:
            image = self._ask(key)
        except (OSError, EOFError) as error:
            logger.info("The formula worker ended: %r", error)
            self._end_worker()
            image = None
        with self._lock:
            self._cache[key] = image
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return image

    def _ask(self, key: tuple[str, float, str, bool]) -> MathImage | None:
        connection = self._connection or self._start_worker()
        connection.send(key)
        if not connection.poll(LIMIT_S):
            logger.info("A formula of %d characters took too long", len(key[0]))
            self._end_worker()
            return None
        answer = connection.recv()
        return None if answer is None else MathImage(*answer)

    def _start_worker(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        connection, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs,), name="math", daemon=True)
        process.start()
        theirs.close()
        self._process, self._connection = process, connection
        if not connection.poll(START_LIMIT_S):
            raise EOFError("no sign of life")
        connection.recv()
        return connection

    def _end_worker(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None


def is_renderable(tex: str) -> bool:
    """Whether a formula is within the caps on length and nesting."""
    depth = deepest = 0
    for character in tex:
        if character == "{":
            depth += 1
            deepest = max(deepest, depth)
        elif character == "}":
            depth -= 1
    return bool(tex.strip()) and len(tex) <= MAX_LENGTH and max(deepest, tex.count("\\left")) <= MAX_DEPTH


def _work(connection: Connection) -> None:
    """The worker: formulas in, pictures out, until the other end closes."""
    import ziamath

    # QtSvg draws SVG 2 as blanks.
    ziamath.config.svg2 = False  # type: ignore[attr-defined]
    connection.send("ready")
    while True:
        try:
            tex, size, color, display = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            answer = _picture(ziamath, tex, size, color, display=display)
        except Exception as error:  # noqa: BLE001 - whatever it cannot draw is shown as source
            logger.debug("No picture of a formula: %r", error)
            answer = None
        connection.send(answer)


def _picture(
    ziamath: object, tex: str, size: float, color: str, *, display: bool
) -> tuple[bytes, float, float, float]:
    latex = ziamath.Latex(tex, size=size, color=color, inline=not display)  # type: ignore[attr-defined]
    root = latex.svgxml()
    _left, top, width, height = (float(number) for number in root.get("viewBox").split())
    return latex.svg().encode(), width, height, -top
