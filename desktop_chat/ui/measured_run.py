"""One streamed answer in the real window, with the figures of the whole process.

``python -m desktop_chat.ui.measured_run URL`` runs the program off screen on one processor, has it ask the server at
URL, and prints a `RunFigures` as JSON when the end of the answer is painted.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtGui import QPaintEvent

from desktop_chat.chat.launch import WindowOptions
from desktop_chat.ui import application, event_loop
from desktop_chat.ui.program import Program
from desktop_chat.ui.transcript.view import TranscriptView

_SETTLED_S: Final = 1.0


class RunFigures(msgspec.Struct, frozen=True):
    """Attributes:
    cpu_s: of the process, from sending to the end's painting.
    paints: of the transcript, in seconds of `time.monotonic`, from the first token on.
    memory_mb: proportional set size at the end; ``None`` where the system does not tell.
    """

    cpu_s: float
    paints: list[float]
    memory_mb: float | None


async def _run(program: Program, paints: list[float]) -> RunFigures:
    while program.controller is None or not program.window.composer.is_ready:  # noqa: ASYNC110 - a benchmark
        await asyncio.sleep(0.05)
    await asyncio.sleep(_SETTLED_S)  # the rest of the start is not the answer's doing
    spent = time.process_time()
    turn = await program.controller.send("Go")
    assert turn is not None
    while not turn.text and turn.result is None:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.001)
    paints.clear()
    await turn.wait()
    shown = 0
    while shown != len(paints):  # until a whole tenth of a second painted nothing
        shown = len(paints)
        await asyncio.sleep(0.1)
    spent = time.process_time() - spent
    program.window.close()
    return RunFigures(spent, list(paints), _memory_mb())


def _memory_mb() -> float | None:
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def main(url: str) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    paints: list[float] = []
    painted = TranscriptView.paintEvent

    def paint(view: TranscriptView, event: QPaintEvent) -> None:
        painted(view, event)
        paints.append(time.monotonic())

    TranscriptView.paintEvent = paint  # type: ignore[method-assign, assignment]  # only in this process
    with tempfile.TemporaryDirectory() as folder:
        options = WindowOptions(data_dir=Path(folder), base_url=url, model="m")
        qt = application.make_application()
        window, appearance, conversations, state = application.open_main_window(qt, options.data_dir)
        window.resize(1120, 760)
        program = Program(options, window, appearance, conversations, state)

        async def both() -> RunFigures:
            ended = asyncio.ensure_future(program.main())
            figures = await _run(program, paints)
            await ended
            return figures

        figures = event_loop.run(qt, both)
    sys.stdout.buffer.write(msgspec.json.encode(figures) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
