"""What a benchmark found: figures beside the baselines they are to be judged by."""

from __future__ import annotations

import msgspec


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; the least of several passes, so that other programs' work does not count.

    Attributes:
        what: the thing measured, as a row's title.
        value: in ``unit``.
        baseline: the same for the naive way, in the same unit; ``None`` where there is none.
        baseline_name: what the naive way is.
        target: what is promised, for people ("at most 5 times json.loads").
    """

    what: str
    value: float
    unit: str
    baseline: float | None = None
    baseline_name: str = ""
    target: str = ""

    @property
    def ratio(self) -> float | None:
        """``value`` over ``baseline``."""
        return self.value / self.baseline if self.baseline else None
