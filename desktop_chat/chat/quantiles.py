"""Streaming quantiles in constant memory: a histogram with logarithmic buckets, as HdrHistogram has them."""

from __future__ import annotations

import math
from bisect import bisect_left
from itertools import accumulate
from typing import Final

_SMALLEST: Final = 1e-6
_LARGEST: Final = 3600.0
_GROWTH: Final = 1.04
_LOG_GROWTH: Final = math.log(_GROWTH)
_BUCKETS: Final = math.ceil(math.log(_LARGEST / _SMALLEST) / _LOG_GROWTH) + 2


class LogHistogram:
    """Counts of durations in seconds; a quantile is exact to within 2 percent between 1 µs and 1 hour."""

    __slots__ = ("_counts", "count", "maximum")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self.maximum = 0.0

    def add(self, seconds: float, times: int = 1) -> None:
        """Count a duration ``times`` times; negative ones (a clock that stepped back) count as zero."""
        if seconds <= _SMALLEST:
            bucket = 0
        else:
            bucket = min(_BUCKETS - 1, 1 + int(math.log(seconds / _SMALLEST) / _LOG_GROWTH))
        self._counts[bucket] += times
        self.count += times
        self.maximum = max(self.maximum, seconds)

    def quantile(self, fraction: float) -> float | None:
        """The duration below which ``fraction`` (0..1) of all counted ones lie; ``None`` without any."""
        if not self.count:
            return None
        rank = max(1, math.ceil(fraction * self.count))
        bucket = bisect_left(list(accumulate(self._counts)), rank)
        if bucket == 0:
            return 0.0
        return min(self.maximum, _SMALLEST * math.exp(_LOG_GROWTH * (bucket - 0.5)))
