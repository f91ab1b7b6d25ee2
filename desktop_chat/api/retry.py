"""Whether and when to try again, and what the rate-limit headers leave; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from desktop_chat.domain.errors import ChatError

_RESET_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Automatic repetition, to be used only before the first payload of an answer has arrived.

    Attributes:
        max_retries: tries after the first one.
        first_delay_s / max_delay_s: the delay doubles from the one to the other.
        max_retry_after_s: a longer ``Retry-After`` is shown to the person instead of being waited for.
    """

    max_retries: int = 2
    first_delay_s: float = 0.5
    max_delay_s: float = 8.0
    max_retry_after_s: float = 60.0

    def delay_before(self, attempt: int, error: ChatError, random: Callable[[], float]) -> float | None:
        """Seconds to wait before retry number ``attempt`` (1 is the first), or None to give up.

        Args:
            random: uniform over [0, 1). Up to a quarter of the delay is taken off, so that many clients that
                failed together do not return together; a ``Retry-After`` is never undercut.
        """
        if attempt > self.max_retries or not error.retryable:
            return None
        if error.retry_after_s is not None:
            return error.retry_after_s if error.retry_after_s <= self.max_retry_after_s else None
        delay = min(self.first_delay_s * 2.0 ** (attempt - 1), self.max_delay_s)
        return delay * (1 - 0.25 * random())


class RateLimitWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of the provider's limits, from optional headers.

    ``x-ratelimit-remaining-requests``, ``-tokens`` and ``x-ratelimit-reset-*`` (OpenAI, Groq), or Mistral's
    ``x-ratelimit-remaining-req-minute`` and ``ratelimitbysize-remaining``, whose windows are a minute.

    Attributes:
        remaining_requests / remaining_tokens: None where the headers say nothing.
        reset_s: seconds until the exhausted limit is fresh again.
    """

    remaining_requests: int | None = None
    remaining_tokens: int | None = None
    reset_s: float | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> RateLimitWindow | None:
        """None when no header speaks of limits."""
        requests = _count(
            headers,
            "x-ratelimit-remaining-requests",
            "x-ratelimit-remaining-req-minute",
            "x-ratelimit-remaining",
        )
        tokens = _count(
            headers,
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-remaining-tokens-minute",
            "ratelimitbysize-remaining",
        )
        if requests is None and tokens is None:
            return None
        names = []
        if requests == 0:
            names += ["x-ratelimit-reset-requests", "x-ratelimit-reset"]
        if tokens == 0:
            names += ["x-ratelimit-reset-tokens", "ratelimitbysize-reset"]
        resets = [seconds for name in names if (seconds := reset_seconds(headers.get(name))) is not None]
        return cls(
            remaining_requests=requests, remaining_tokens=tokens, reset_s=max(resets) if resets else None
        )

    @property
    def wait_s(self) -> float:
        """How long the next request had better wait; 0 while something is left or the reset is unknown."""
        exhausted = self.remaining_requests == 0 or self.remaining_tokens == 0
        return self.reset_s or 0.0 if exhausted else 0.0


def reset_seconds(value: str | None) -> float | None:
    """Seconds from ``12``, ``1.5``, ``6m0s``, ``120ms`` or ``1h2m3s``."""
    if not value:
        return None
    value = value.strip().lower()
    try:
        seconds = float(value)
    except ValueError:
        parts = _RESET_PART.findall(value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            return None
        return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    return seconds if 0 <= seconds < 86_400 else None


def _count(headers: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        value = headers.get(name, "").strip()
        if value.isascii() and value.isdigit() and len(value) < 16:
            return int(value)
    return None
