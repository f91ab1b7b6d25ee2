"""`bench`: the table of benchmarks is sound, and its output can be read by people and programs."""

from __future__ import annotations

import json

import pytest

from desktop_chat.chat import stop_benchmark, stream_benchmark
from desktop_chat.cli import bench, main
from desktop_chat.cli.bench import table
from desktop_chat.cli.benchmarks import BENCHMARKS, Benchmark, markup, start
from desktop_chat.domain.measurements import Measurement


def quick() -> list[Measurement]:
    return [
        Measurement(
            what="CPU a token", value=0.05, unit="ms", baseline=5.0, baseline_name="each time", target="less"
        ),
        Measurement(what="events", value=123456.0, unit="/s"),
    ]


@pytest.fixture
def only_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "BENCHMARKS", (Benchmark("quick", "Quick ones", f"{__name__}:quick"),))
    monkeypatch.setitem(__import__("sys").modules, __name__, __import__("types").SimpleNamespace(quick=quick))


def test_table_has_aligned_columns() -> None:
    lines = table(quick()).splitlines()
    assert lines[0].split() == ["here", "naive", "ratio"]
    assert lines[1].split()[:8] == ["CPU", "a", "token", "0.05", "ms", "5", "ms", "0.01"]
    assert "naive: each time; less" in lines[1]
    assert lines[2].split() == ["events", "123,456", "/s", "–", "–"]
    assert len({line.rindex("ms") for line in lines[1:2]}) == 1


def test_json_is_one_document(only_quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    row = document["benchmarks"]["quick"][0]
    assert (row["value"], row["baseline"], row["unit"]) == (0.05, 5.0, "ms")
    assert row["ratio"] == pytest.approx(0.01)
    assert document["calibration_s"] > 0


def test_tables_name_the_machine(only_quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("Calibration loop: ")
    assert "\nQuick ones\n" in output


def test_unknown_benchmark_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "nothing"]) == 2
    assert "there is no benchmark 'nothing'; choose from start," in capsys.readouterr().err


def test_names_are_unique() -> None:
    assert len({benchmark.name for benchmark in BENCHMARKS}) == len(BENCHMARKS)


def test_stream_benchmark_measures_whole_turns() -> None:
    assert stream_benchmark.session_seconds(50) > 0
    assert stream_benchmark.json_seconds() > 0


def test_stop_benchmark_stops_in_every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_benchmark, "_STOPS", 2)
    rows = stop_benchmark.measure()
    assert len(rows) == 12
    assert all(row.value >= 0 for row in rows)


def test_start_benchmark_sees_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_PASSES", 1)
    (row,) = start.measure()
    assert row.value > 0
    assert row.baseline is not None


def test_markup_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "_LENGTHS", (200,))
    (row,) = markup.measure()
    assert row.baseline is not None
    assert row.value > 0
