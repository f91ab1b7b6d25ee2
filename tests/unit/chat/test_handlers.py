import asyncio
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_chat.chat.buffering import AtCharacters, AtLines, AtWords, BufferedText, FlushPolicy
from desktop_chat.chat.counters import (
    CharacterCounter,
    StopAfterCost,
    StopAfterSeconds,
    StopAfterTokens,
    StopAtPattern,
    WordCounter,
)
from desktop_chat.chat.handlers import (
    HandlerChain,
    Outcome,
    StreamContext,
    StreamResult,
    installed_handler_classes,
    installed_handlers,
)
from desktop_chat.domain.deltas import ReasoningDelta, StreamDelta, TextDelta, Usage, UsageReport
from desktop_chat.domain.metrics import Metrics

CONTEXT = StreamContext(conversation_id=None, message_id=None, profile_name="p", model="m")
RESULT = StreamResult(
    outcome=Outcome.COMPLETE,
    text="",
    reasoning="",
    tool_calls=(),
    finish_reason="stop",
    usage=None,
    metrics=Metrics(),
)
pieces = st.lists(st.text(alphabet="ab \n\té", min_size=1), max_size=20)


class Recorder:
    def __init__(self) -> None:
        self.calls: list[object] = []

    def started(self, context: StreamContext) -> None:
        self.calls.append("started")

    def delta(self, delta: StreamDelta) -> None:
        self.calls.append(delta)

    def finished(self, result: StreamResult) -> None:
        self.calls.append("finished")


class Failing(Recorder):
    def delta(self, delta: StreamDelta) -> None:
        super().delta(delta)
        raise RuntimeError("a defect")


def test_a_failing_handler_is_named_disabled_and_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    failing, recorder = Failing(), Recorder()
    chain = HandlerChain([failing, recorder])
    with caplog.at_level(logging.CRITICAL, logger="desktop_chat.chat.handlers"):
        chain.started(CONTEXT)
        chain.delta(TextDelta("a"))
        chain.delta(TextDelta("b"))
        chain.finished(RESULT)
    assert recorder.calls == ["started", TextDelta("a"), TextDelta("b"), "finished"]
    assert failing.calls == ["started", TextDelta("a")]
    assert "Failing" in chain.failures[0]


def test_installed_handlers_are_made_anew_and_a_broken_one_is_only_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package = tmp_path / "plugin-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    entries = (
        "[desktop_chat.handlers]\nwords = desktop_chat.chat.counters:WordCounter\nbroken = nowhere:Nothing\n"
    )
    (package / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(str(tmp_path))
    installed_handler_classes.cache_clear()
    try:
        with caplog.at_level(logging.CRITICAL, logger="desktop_chat.chat.handlers"):
            first, second = installed_handlers(), installed_handlers()
    finally:
        installed_handler_classes.cache_clear()
    assert [type(handler) for handler in first] == [WordCounter]
    assert first[0] is not second[0]


def test_a_handler_that_joins_late_is_started_and_gets_the_rest() -> None:
    chain, recorder = HandlerChain(), Recorder()
    chain.started(CONTEXT)
    chain.delta(TextDelta("missed"))
    chain.attach(recorder)
    chain.delta(TextDelta("seen"))
    chain.detach(recorder)
    chain.delta(TextDelta("gone"))
    assert recorder.calls == ["started", TextDelta("seen")]


@given(pieces)
def test_words_and_characters_do_not_depend_on_the_cuts(parts: list[str]) -> None:
    words, characters = WordCounter(), CharacterCounter()
    for part in parts:
        words.delta(TextDelta(part))
        characters.delta(TextDelta(part))
    whole = "".join(parts)
    assert words.words == len(whole.split())
    assert characters.characters == len(whole)


@given(pieces, st.sampled_from([AtCharacters(5), AtLines(), AtWords(), None]))
def test_buffered_output_loses_nothing(parts: list[str], policy: FlushPolicy | None) -> None:
    written: list[str] = []
    handler = BufferedText(written.append, policy)
    for part in parts:
        handler.delta(TextDelta(part))
    handler.finished(RESULT)
    assert "".join(written) == "".join(parts)
    assert "" not in written


def test_lines_leave_whole() -> None:
    written: list[str] = []
    handler = BufferedText(written.append, AtLines())
    for part in ("one\ntw", "o\n", "rest"):
        handler.delta(TextDelta(part))
    assert written == ["one\n", "two\n"]


async def test_pending_text_leaves_after_the_interval() -> None:
    """Nothing more arrives, and no policy asks for it: a frame later it is seen all the same."""
    written: list[str] = []
    seen = asyncio.Event()

    def write(piece: str) -> None:
        written.append(piece)
        seen.set()

    handler = BufferedText(write, interval_s=0.016)
    handler.delta(TextDelta("a"))
    handler.delta(TextDelta("b"))
    assert written == []
    await asyncio.wait_for(seen.wait(), 20)
    assert written == ["ab"]
    handler.delta(TextDelta("c"))
    handler.finished(RESULT)
    assert written == ["ab", "c"]


async def test_the_time_is_up_though_nothing_arrives() -> None:
    stopped = asyncio.Event()
    rule = StopAfterSeconds(0.001, stopped.set)
    rule.started(CONTEXT)
    await asyncio.wait_for(stopped.wait(), 20)


async def test_an_answer_that_is_faster_than_its_time_is_not_stopped() -> None:
    rule = StopAfterSeconds(0.0, lambda: pytest.fail("stopped"))
    rule.started(CONTEXT)
    rule.finished(RESULT)
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("rule", "deltas", "stops_at"),
    [
        (lambda stop: StopAfterTokens(3, stop), [TextDelta("a"), ReasoningDelta("b"), TextDelta("c")], 3),
        (lambda stop: StopAtPattern("END", stop), [TextDelta("E"), TextDelta("N"), TextDelta("D")], 3),
        (
            lambda stop: StopAfterCost(0.2, stop),
            [UsageReport(usage=Usage(cost=0.1)), UsageReport(usage=Usage(cost=0.2))],
            2,
        ),
    ],
)
def test_stop_rules_stop_exactly_there(rule, deltas, stops_at) -> None:  # type: ignore[no-untyped-def]
    stopped: list[int] = []
    seen = 0
    handler = rule(lambda: stopped.append(seen))
    handler.started(CONTEXT)
    for seen, delta in enumerate(deltas, start=1):  # noqa: B007 - read by the rule's callback
        handler.delta(delta)
    assert stopped[0] == stops_at
