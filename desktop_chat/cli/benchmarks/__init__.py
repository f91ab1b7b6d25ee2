"""The table of benchmarks. Each is a function without parameters that returns a list of `Measurement`.

To add one, write its function beside the code it measures, or here, and name it in `BENCHMARKS`; it is imported only
when it runs, so that one without Qt loads none.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Final

import msgspec

from desktop_chat.domain.measurements import Measurement


class Benchmark(msgspec.Struct, frozen=True):
    """A benchmark by its name on the command line, its title, and where its function is (``module:function``)."""

    name: str
    title: str
    function: str

    def run(self) -> list[Measurement]:
        module, _, function = self.function.partition(":")
        measure: Callable[[], list[Measurement]] = getattr(importlib.import_module(module), function)
        return measure()


BENCHMARKS: Final = (
    Benchmark("start", "Start-up", "desktop_chat.cli.benchmarks.start:measure"),
    Benchmark("window", "First picture of the window", "desktop_chat.ui.start_benchmark:measure"),
    Benchmark("stream", "Streaming engine", "desktop_chat.chat.stream_benchmark:measure"),
    Benchmark(
        "loop", "Streaming engine on the window's event loop", "desktop_chat.ui.loop_benchmark:measure"
    ),
    Benchmark("stop", "Stop", "desktop_chat.chat.stop_benchmark:measure"),
    Benchmark("markup", "Markdown of a streamed answer", "desktop_chat.cli.benchmarks.markup:measure"),
    Benchmark("transcript", "Transcript", "desktop_chat.ui.transcript.benchmark:measure"),
    Benchmark("opening", "Opening and reading", "desktop_chat.ui.transcript.opening_benchmark:measure"),
    Benchmark("program", "The whole program", "desktop_chat.ui.program_benchmark:measure"),
    Benchmark(
        "shapes", "Hostile Markdown", "desktop_chat.ui.transcript.hostile_shapes_benchmark:measure_hostile"
    ),
    Benchmark("hostile", "The window under attack", "desktop_chat.ui.hostile_benchmark:measure"),
)


def calibration_s() -> float:
    """Seconds of a fixed loop of plain Python: what a figure from another machine must be scaled by."""

    def once() -> float:
        begun = time.perf_counter()
        total = 0
        for number in range(1_000_000):
            total += number & 7
        return time.perf_counter() - begun

    return min(once() for _ in range(5))
