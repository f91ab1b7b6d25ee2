import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_chat.chat.quantiles import LogHistogram

durations = st.lists(st.floats(1e-5, 1000), min_size=1, max_size=200)


@given(durations, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_within_its_error_of_the_sorted_list(values: list[float], fraction: float) -> None:
    histogram = LogHistogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(0, math.ceil(fraction * len(values)) - 1)]
    assert histogram.quantile(fraction) == pytest.approx(exact, rel=0.03)


def test_nothing_counted_has_no_quantile() -> None:
    assert LogHistogram().quantile(0.5) is None


def test_odd_durations_are_counted_and_harm_nothing() -> None:
    histogram = LogHistogram()
    for value in (-1.0, 0.0, 1e9):
        histogram.add(value)
    assert histogram.count == 3
    assert histogram.quantile(0.5) == 0.0
    assert histogram.maximum == 1e9
