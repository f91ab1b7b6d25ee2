"""``desktop-chat bench``: figures of this machine beside naive ways to do the same, as tables or as JSON."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence

import msgspec

from desktop_chat import __version__
from desktop_chat.chat.launch import ExitStatus
from desktop_chat.cli.arguments import UsageError
from desktop_chat.cli.benchmarks import BENCHMARKS, Benchmark, calibration_s
from desktop_chat.domain.measurements import Measurement


def run_bench(options: argparse.Namespace) -> int:
    """Run the benchmarks; returns the exit status. Raises UsageError for an unknown name."""
    chosen = _chosen(options.only)
    calibration = calibration_s()
    if not options.json:
        print(
            f"Calibration loop: {calibration * 1000:.1f} ms (Python {platform.python_version()})", flush=True
        )
    found: dict[str, list[Measurement]] = {}
    for benchmark in chosen:
        found[benchmark.name] = benchmark.run()
        if not options.json:
            print(f"\n{benchmark.title}\n{table(found[benchmark.name])}", flush=True)
    if options.json:
        document = {
            "version": __version__,
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
            "calibration_s": calibration,
            "benchmarks": {
                name: [{**msgspec.to_builtins(row), "ratio": row.ratio} for row in rows]
                for name, rows in found.items()
            },
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return ExitStatus.COMPLETE


def _chosen(names: Sequence[str]) -> Sequence[Benchmark]:
    known = [benchmark.name for benchmark in BENCHMARKS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"there is no benchmark {unknown[0]!r}; choose from {', '.join(known)}")
    return [benchmark for benchmark in BENCHMARKS if not names or benchmark.name in names]


def table(rows: Sequence[Measurement]) -> str:
    """The figures of one benchmark, one a line, columns aligned."""
    lines = [("", "here", "naive", "ratio", "")]
    for row in rows:
        naive = f"{_figure(row.baseline)} {row.unit}" if row.baseline is not None else "–"
        ratio = f"{row.ratio:.3g}" if row.ratio is not None else "–"
        notes = "; ".join(
            note for note in (row.baseline_name and f"naive: {row.baseline_name}", row.target) if note
        )
        lines.append((row.what, f"{_figure(row.value)} {row.unit}", naive, ratio, notes))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        f"  {what:<{widths[0]}}  {here:>{widths[1]}}  {naive:>{widths[2]}}  {ratio:>{widths[3]}}  {notes}".rstrip()
        for what, here, naive, ratio, notes in lines
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
