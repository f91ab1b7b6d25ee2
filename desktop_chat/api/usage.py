"""Token counts, cost and the server's own timings, out of the shapes that providers use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from desktop_chat.domain.deltas import ServerTimings, Usage

_XAI_TICKS_PER_DOLLAR: Final = 1e10
"""xAI bills in ticks: ``usage.cost_in_usd_ticks``."""


def usage_from(raw: Mapping[str, Any]) -> Usage:
    """`Usage` from a ``usage`` object of any dialect; what is absent or of the wrong type stays None."""
    prompt_details = _object(raw.get("prompt_tokens_details"))
    completion_details = _object(raw.get("completion_tokens_details"))
    return Usage(
        prompt_tokens=_first(raw, "prompt_tokens", "input_tokens"),
        completion_tokens=_first(raw, "completion_tokens", "output_tokens"),
        total_tokens=_count(raw.get("total_tokens")),
        reasoning_tokens=_first(completion_details, "reasoning_tokens")
        or _count(raw.get("reasoning_tokens")),
        cached_tokens=_first(prompt_details, "cached_tokens") or _count(raw.get("prompt_cache_hit_tokens")),
        cost=_cost(raw),
        raw=dict(raw),
    )


def timings_from_llamacpp(raw: Mapping[str, Any]) -> ServerTimings:
    """From llama.cpp's ``timings``, whose times are in milliseconds."""
    prompt = _number(raw.get("prompt_ms"))
    completion = _number(raw.get("predicted_ms"))
    return ServerTimings(
        prompt_seconds=None if prompt is None else prompt / 1000,
        completion_seconds=None if completion is None else completion / 1000,
        tokens_per_second=_number(raw.get("predicted_per_second")),
        completion_tokens=_count(raw.get("predicted_n")),
    )


def timings_from_groq(raw: Mapping[str, Any]) -> ServerTimings | None:
    """From the times in seconds that Groq puts into its usage object; None where there are none."""
    completion = _number(raw.get("completion_time"))
    if completion is None:
        return None
    tokens = _count(raw.get("completion_tokens"))
    return ServerTimings(
        prompt_seconds=_number(raw.get("prompt_time")),
        completion_seconds=completion,
        tokens_per_second=tokens / completion if tokens and completion > 0 else None,
        completion_tokens=tokens,
    )


def _cost(raw: Mapping[str, Any]) -> float | None:
    cost = _number(raw.get("cost"))
    if cost is None and isinstance(raw.get("cost"), dict):  # Perplexity itemises it
        cost = _number(raw["cost"].get("total_cost"))
    if cost is None:
        ticks = _number(raw.get("cost_in_usd_ticks"))
        cost = None if ticks is None else ticks / _XAI_TICKS_PER_DOLLAR
    return cost


def _first(raw: Mapping[str, Any], *names: str) -> int | None:
    return next((count for name in names if (count := _count(raw.get(name))) is not None), None)


def _count(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number >= 0 else None


def _number(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return value
    return None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
