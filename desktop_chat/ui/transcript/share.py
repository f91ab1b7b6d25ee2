"""How much of a text that came faster than it is shown one frame shows."""

from __future__ import annotations

from typing import Final

_SMALLEST: Final = 256
_FIRST: Final = 1024
_COSTLY_S: Final = 0.003
"""CPU time of a frame's share from which on a smaller one is tried. Painting takes as much again, and input and the
network want their part of the 16 ms."""

_LONGEST_S: Final = 0.007
"""CPU time after which the next share is smaller, whatever a smaller one has cost."""

_HARDLY_MORE: Final = 1.25
_NEWEST: Final = 0.3
_FORGOTTEN: Final = 0.99


class Share:
    """A number of characters, chosen by what as many, half and twice as many have cost lately.

    Most of a frame costs the same whatever it shows: that is no reason to show less in each.
    """

    def __init__(self) -> None:
        self.characters = _FIRST
        self._costs: dict[int, float] = {}  # seconds, a mean in which the newest count most

    def note(self, seconds: float, most: int) -> None:
        """So much CPU time it took to show the last share; the next one is at most ``most``."""
        share, costs = self.characters, self._costs
        for other in costs:
            costs[other] *= _FORGOTTEN
        cost = costs[share] = seconds * _NEWEST + costs.get(share, seconds) * (1 - _NEWEST)
        less, more = costs.get(share // 2, 0.0), costs.get(2 * share)
        if seconds > _LONGEST_S or (cost > _COSTLY_S and cost > _HARDLY_MORE * less):
            costs[share] = max(cost, seconds)
            self.characters = max(_SMALLEST, share // 2)
        elif cost <= _COSTLY_S if more is None else more <= max(_COSTLY_S, _HARDLY_MORE * cost):
            self.characters = min(most, 2 * share)
