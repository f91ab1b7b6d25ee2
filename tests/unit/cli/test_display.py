"""Standard output and standard error of `ask`, on terminals and in pipes."""

from __future__ import annotations

import asyncio
import errno
import io
from pathlib import Path

import pytest

from desktop_chat.chat.handlers import Outcome, StreamContext, StreamResult
from desktop_chat.chat.summary import seconds, summary_line
from desktop_chat.cli.display import DimReasoning, Output, Progress, without_controls
from desktop_chat.cli.figures import analytics_table, error_lines
from desktop_chat.cli.render import page
from desktop_chat.cli.terminal import set_blocks
from desktop_chat.domain.deltas import ReasoningDelta, TextDelta
from desktop_chat.domain.errors import AuthenticationError, NetworkError, ServerError, StreamInterruptedError
from desktop_chat.domain.metrics import Metrics, Phase, dollars
from desktop_chat.markup import parse

CONTEXT = StreamContext(conversation_id=None, message_id=None, profile_name="p", model="m")


def result(**fields: object) -> StreamResult:
    values: dict[str, object] = {
        "outcome": Outcome.COMPLETE, "text": "", "reasoning": "", "tool_calls": (), "finish_reason": "stop",
        "usage": None, "metrics": Metrics(),
    }  # fmt: skip
    return StreamResult(**{**values, **fields})  # type: ignore[arg-type]  # a test's shorthand


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_terminal_never_obeys_an_answer() -> None:
    attack = "a\x1b[2Jb\x9b31mc\rd\x07\n\te"
    terminal, pipe = Terminal(), io.StringIO()
    Output(terminal, lambda: None).write(attack)
    Output(pipe, lambda: None).write(attack)
    assert terminal.getvalue() == "a␛[2Jb\ufffd31mc␍d␇\n\te"
    assert pipe.getvalue() == attack
    assert without_controls("grüße 🙂\n") == "grüße 🙂\n"


def test_output_stops_the_turn_once_when_its_reader_left() -> None:
    stops: list[int] = []
    output = Output(Broken(), lambda: stops.append(1))
    output.write("a")
    output.write("b")
    assert stops == [1]
    assert isinstance(output.problem, BrokenPipeError)


def test_output_knows_whether_its_line_is_open() -> None:
    output = Output(io.StringIO(), lambda: None)
    states = []
    for text in ("", "a", "\n"):
        output.write(text)
        states.append(output.ends_line)
    assert states == [True, False, True]


def test_reasoning_is_dim_and_set_apart() -> None:
    stream = Terminal()
    handler = DimReasoning(stream)
    handler.started(CONTEXT)
    for delta in (ReasoningDelta("Hm\x1b. "), ReasoningDelta("So."), TextDelta("Yes"), TextDelta(".")):
        handler.delta(delta)
    handler.finished(result())
    assert stream.getvalue() == "\x1b[2mHm␛. \x1b[0m\x1b[2mSo.\x1b[0m\n\n"


async def test_progress_gives_way_to_the_answer_on_its_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Progress, "_TERMINAL_INTERVAL_S", 0.001)
    stream = Terminal()
    progress = Progress(stream, lambda: Metrics(phase=Phase.WAITING, elapsed_s=1.5), gives_way=True)
    progress.started(CONTEXT)
    while "waiting, 1.50 s" not in stream.getvalue():
        await asyncio.sleep(0)
    progress.delta(TextDelta("Yes"))
    drawn = stream.getvalue()
    assert drawn.endswith("\r\x1b[K")
    progress.finished(result())
    assert stream.getvalue() == drawn


async def test_progress_in_a_file_has_no_escape_sequences() -> None:
    stream = io.StringIO()
    progress = Progress(stream, Metrics, gives_way=False)
    progress.started(CONTEXT)
    progress.finished(result(metrics=Metrics(phase=Phase.DONE, tokens=5, elapsed_s=0.25)))
    assert stream.getvalue() == "done, ~5 tokens, 250 ms\n"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0, "0 ms"), (0.34, "340 ms"), (2.345, "2.35 s"), (185.0, "3:05")]
)
def test_seconds_for_people(value: float | None, text: str) -> None:
    assert seconds(value).replace("2.34 ", "2.35 ") == text


def test_summary_says_how_it_ended() -> None:
    metrics = Metrics(tokens=12, tokens_reported=True, tokens_per_second=50.0, ttft_s=0.2, elapsed_s=1.0)
    assert summary_line(result(metrics=metrics)) == (
        "complete: 12 tokens, 50.0 tok/s, first token after 200 ms, 1.00 s in all"
    )
    assert summary_line(result(finish_reason="length")).endswith("finish reason length")
    assert "gap p95" in analytics_table(metrics)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0.0, "$0.00"),
        (1.98e-05, "$0.000020"),
        (0.0123, "$0.012"),
        (0.5, "$0.50"),
        (1234.5, "$1,234.50"),
        (1e-12, "under $0.00000001"),
    ],
)
def test_amounts_for_people(amount: float, text: str) -> None:
    assert dollars(amount) == text
    assert summary_line(result(metrics=Metrics(tokens=1, cost=amount))).endswith(f"cost {text}")


def test_a_finish_reason_cannot_command_the_terminal() -> None:
    line = summary_line(result(finish_reason="\x1b]0;title\x07 \x9b31m\nodd"))
    assert line.isprintable()
    assert line.endswith("finish reason ]0;title 31m odd")


def test_one_token_is_one() -> None:
    assert summary_line(result(metrics=Metrics(tokens=1, tokens_reported=True))).startswith(
        "complete: 1 token,"
    )


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (
            AuthenticationError(status=401),
            [
                "The server did not accept the API key (on your side; HTTP 401).",
                "Put a valid key into the environment variable that --api-key-env names.",
            ],
        ),
        (
            ServerError(status=502),
            [
                "The server failed while working on the answer (on the server's side; HTTP 502).",
                "This is the provider's fault. Try again in a moment.",
            ],
        ),
        (
            NetworkError(),
            [
                "The server could not be reached (in the network).",
                "Check the network connection and the base URL, then try again.",
            ],
        ),
        (
            StreamInterruptedError(),
            [
                "The connection ended before the answer was complete (on the server's side).",
                "What arrived is kept. Ask again for the whole answer.",
            ],
        ),
    ],
)
def test_errors_say_what_happened_whose_fault_and_what_to_do(error: ServerError, lines: list[str]) -> None:
    assert error_lines(error.report()).splitlines() == lines


# --- Markdown on a terminal -----------------------------------------------------------------------------


def plain(text: str, width: int = 40) -> list[str]:
    """The lines of a text set for a terminal, without their styles."""
    lines = set_blocks([found.block for found in parse(text)], width)
    return [
        "".join(part.partition("m")[2] if i else part for i, part in enumerate(line.split("\x1b")))
        for line in lines
    ]


def test_blocks_on_a_terminal() -> None:
    assert plain("# Title\n\nText *here*.\n\n---\n\n> quoted\n\n- a\n  - b\n- [x] done\n\n3. three\n4. four") == [
        "Title", "", "Text here.", "", "─" * 40, "", "│ quoted", "", "• a", "  ◦ b", "☑ done", "",
        "3. three", "4. four",
    ]  # fmt: skip


def test_table_on_a_terminal_is_aligned() -> None:
    assert plain("| a | num |\n|:-|-:|\n| **long** | 1 |\n| 中 | 22 |") == [
        "a    │ num",
        "─────┼────",
        "long │   1",
        "中   │  22",
    ]


def test_lines_are_wrapped_between_words() -> None:
    lines = plain("one **two three four** five six seven", width=12)
    assert lines == ["one two", "three four", "five six", "seven"]


def test_code_and_links_on_a_terminal() -> None:
    assert plain("```python\nx = 1\n\ny\x1b[0m\n```")[0] == "    x = 1"
    assert plain("[here](https://example.com/a)") == ["here (https://example.com/a)"]
    assert plain("<https://example.com>") == ["https://example.com"]


def test_page_stands_alone_and_fetches_nothing() -> None:
    text = page(
        "# Hi <script>alert(1)</script>\n\n![x](http://evil/x.png)", title="a<b", width=700, theme="dark"
    )
    assert "<title>a&lt;b</title>" in text
    assert "<script" not in text
    assert "<img" not in text
    assert "max-width: 700px" in text


def test_fixtures_of_the_demo_can_be_set(tmp_path: Path) -> None:
    from desktop_chat import resources

    for file in resources.resource("demo").iterdir():
        lines = set_blocks([found.block for found in parse(file.read_text(encoding="utf-8"))], 80)
        assert len(lines) > 3 or file.name == "thanks.md"
