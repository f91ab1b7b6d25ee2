"""Client-side pacing: a request waits when the provider's own headers say that it would be refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from desktop_chat.api.retry import RateLimitWindow

LONGEST_WAIT_S: Final = 60.0
"""A longer wait is not waited for: the request goes out, and the server's refusal is shown."""


class Pacer:
    """What one provider's last answer said about its rate limit.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._fresh_at = 0.0

    def note(self, window: RateLimitWindow | None) -> None:
        """Take in the headers of a response; ``None`` when they said nothing."""
        if window is not None:
            self._fresh_at = self._clock() + window.wait_s

    def delay_s(self) -> float:
        """Seconds the next request had better wait; 0 when it may go, or when the wait would be too long."""
        delay = self._fresh_at - self._clock()
        return delay if 0 < delay <= LONGEST_WAIT_S else 0.0
