from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_chat.api.retry import RateLimitWindow, RetryPolicy, reset_seconds
from desktop_chat.domain.errors import (
    AuthenticationError,
    InvalidRequestError,
    NetworkError,
    OverloadedError,
    QuotaError,
    RateLimitError,
    ServerError,
)


def least() -> float:
    return 0.0


@pytest.mark.parametrize("error", [ServerError(), OverloadedError(), RateLimitError(), NetworkError()])
def test_the_delay_doubles_and_two_retries_are_all(error: ServerError) -> None:
    policy = RetryPolicy()
    assert [policy.delay_before(attempt, error, least) for attempt in (1, 2, 3)] == [0.5, 1.0, None]


def test_the_delay_has_a_ceiling() -> None:
    assert RetryPolicy(max_retries=20).delay_before(20, ServerError(), least) == 8.0


@given(st.integers(1, 10), st.floats(0, 1, exclude_max=True))
def test_jitter_takes_off_up_to_a_quarter(attempt: int, random: float) -> None:
    policy = RetryPolicy(max_retries=10)
    full = policy.delay_before(attempt, ServerError(), least)
    delay = policy.delay_before(attempt, ServerError(), lambda: random)
    assert full is not None
    assert delay is not None
    assert 0.75 * full <= delay <= full


@pytest.mark.parametrize("error", [AuthenticationError(), QuotaError(), InvalidRequestError()])
def test_what_will_not_mend_is_not_repeated(error: AuthenticationError) -> None:
    assert RetryPolicy().delay_before(1, error, least) is None


@pytest.mark.parametrize(("wait", "delay"), [(0.0, 0.0), (3.0, 3.0), (60.0, 60.0), (60.5, None)])
def test_retry_after_is_obeyed_up_to_a_minute(wait: float, delay: float | None) -> None:
    assert RetryPolicy().delay_before(1, RateLimitError(retry_after_s=wait), lambda: 0.9) == delay


def test_retries_can_be_turned_off() -> None:
    assert RetryPolicy(max_retries=0).delay_before(1, ServerError(), least) is None


class TestRateLimitWindow:
    def test_openai(self) -> None:
        window = RateLimitWindow.from_headers(
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-remaining-tokens": "149984",
                "x-ratelimit-reset-requests": "1m30s",
                "x-ratelimit-reset-tokens": "6ms",
            }
        )
        assert window == RateLimitWindow(remaining_requests=0, remaining_tokens=149984, reset_s=90.0)
        assert window is not None
        assert window.wait_s == 90.0

    def test_mistral(self) -> None:
        window = RateLimitWindow.from_headers(
            {"ratelimitbysize-remaining": "0", "ratelimitbysize-reset": "12"}
        )
        assert window is not None
        assert window.wait_s == 12.0

    def test_something_left_means_no_wait(self) -> None:
        window = RateLimitWindow.from_headers(
            {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "60s"}
        )
        assert window is not None
        assert window.wait_s == 0.0

    @pytest.mark.parametrize("headers", [{}, {"x-ratelimit-remaining-requests": "many"}])
    def test_no_header_no_window(self, headers: dict[str, str]) -> None:
        assert RateLimitWindow.from_headers(headers) is None

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("12", 12.0),
            ("1.5", 1.5),
            ("6m0s", 360.0),
            ("120ms", 0.12),
            ("1h2m3s", 3723.0),
            ("x", None),
            ("", None),
            ("1795336554000", None),
            ("5 s", None),
            ("-4", None),
        ],
    )
    def test_reset(self, value: str, seconds: float | None) -> None:
        assert reset_seconds(value) == seconds
