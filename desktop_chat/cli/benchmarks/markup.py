"""Markdown while it streams: the incremental parser, beside parsing the whole text again at each token."""

from __future__ import annotations

import time
from typing import Final

from desktop_chat import resources
from desktop_chat.demo.tokens import pieces
from desktop_chat.domain.measurements import Measurement
from desktop_chat.markup.incremental import IncrementalParser
from desktop_chat.markup.parser import parse

_LENGTHS: Final = (2_000, 8_000, 32_000)
_SAMPLES: Final = 5
"""Whole parses measured, spread over the stream; measuring all of them would take minutes."""


def measure() -> list[Measurement]:
    text = resources.read_text("demo/long.md")
    tokens = pieces(text)
    _streaming_seconds(tokens[:500])  # imports and caches
    measurements = []
    for length in _LENGTHS:
        answer = [tokens[index % len(tokens)] for index in range(length)]
        measurements.append(
            Measurement(
                what=f"CPU a token, {length:,} tokens",
                value=_streaming_seconds(answer) / length * 1000,
                unit="ms",
                baseline=_whole_seconds(answer) * 1000,
                baseline_name="parsing the whole text again at each token",
                target="no more for a long answer than for a short one",
            )
        )
    return measurements


def _streaming_seconds(tokens: list[str]) -> float:
    parser = IncrementalParser()
    begun = time.thread_time()
    for token in tokens:
        parser.append(token)
        parser.update()
    parser.finish()
    return time.thread_time() - begun


def _whole_seconds(tokens: list[str]) -> float:
    """The mean cost of parsing what has come, over the stream."""
    spent = 0.0
    for sample in range(1, _SAMPLES + 1):
        text = "".join(tokens[: len(tokens) * sample // _SAMPLES - len(tokens) // (2 * _SAMPLES)])
        begun = time.thread_time()
        parse(text)
        spent += time.thread_time() - begun
    return spent / _SAMPLES
