"""From what servers and sockets say to errors a person understands. Whole responses: `test_fault_scenarios`."""

from __future__ import annotations

import json
import socket
import ssl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_chat.api.error_body import MAX_MESSAGE_LENGTH, error_body_from, parse_error_body
from desktop_chat.api.errors import (
    error_from_response,
    error_in_stream,
    network_error,
    retry_after_seconds,
    timeout_error,
)
from desktop_chat.domain.errors import ContextOverflowError, NetworkCause, NotFoundError, RateLimitError


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Unauthorized"}, "Unauthorized"),
        ({"detail": [{"loc": ["body", "n"], "msg": "too small", "type": "x"}]}, "n: too small"),
        ({"message": "no", "request_id": "r"}, "no"),
        ({"object": "error", "message": {"detail": [{"loc": ["body", "a"], "msg": "b"}]}, "type": "t"}, "a: b"),
        ({"object": "error", "message": ["one", "two"], "code": None}, "one; two"),
        ({"error": {"message": "no", "type": "x", "code": 5}}, "no"),
        ({"error": "text"}, "text"),
        ({"error": {"message": '{"error": {"message": "inner"}}'}}, "inner"),
        ({"error": {"message": "Provider error", "metadata": {"raw": "upstream"}}}, "Provider error; upstream"),
        ([{"error": {"message": "no"}}], "no"),
        ("words", "words"),
        (None, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_servers_words_in_any_shape(body: object, message: str) -> None:
    assert parse_error_body(json.dumps(body).encode()).message == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", ""),
        (b"   ", ""),
        (b"plain words", "plain words"),
        (b"<html><head><title>Bad &amp; sad</title></head>", "Bad & sad"),
        (b"<html><body><h1>Nope</h1>", "Nope"),
        (b"<html>", ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b'{"error": "cut', '{"error": "cut'),
    ],
)
def test_bodies_that_are_not_json(body: bytes, message: str) -> None:
    assert parse_error_body(body).message == message


def test_words_cannot_command_a_terminal() -> None:
    body = json.dumps({"error": {"message": "Bad\x1b[31m \x07\x9bwords\u202e\n\ud800"}})
    error = error_from_response(500, {}, body.encode())
    assert error.report().sentence == "The server failed: Bad[31m words \ufffd."
    assert error.report().message.isprintable()


def test_words_are_kept_within_bounds() -> None:
    assert len(parse_error_body(b"x" * 100_000).message) <= MAX_MESSAGE_LENGTH + 1


NAMES = st.sampled_from(
    [
        "error",
        "message",
        "detail",
        "code",
        "type",
        "loc",
        "msg",
        "metadata",
        "raw",
        "n_ctx",
        "param",
        "status",
    ]
)
PAYLOADS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(PAYLOADS)
def test_no_shape_makes_it_raise(payload: object) -> None:
    error = error_in_stream(payload)
    assert error.report().sentence
    error.report().message.encode()


@given(st.binary(max_size=200), st.integers(300, 599))
def test_no_body_makes_it_raise(body: bytes, status: int) -> None:
    report = error_from_response(status, {}, body).report()
    assert report.sentence.endswith((".", "!", "?", "…"))
    assert report.advice


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("The model's maximum context length is 8192 tokens. You requested 9000 tokens (8500 + 500).", (9000, 8192)),
        ("Prompt contains 40000 tokens, too large for model with 32768 maximum context length", (40000, 32768)),
        ("prompt is too long: 210000 tokens > 200000 maximum", (210000, 200000)),
        ("The maximum context length is 131,072 tokens, you have 140,001", (140001, 131072)),
        ("the request exceeds the available context size. try increasing the context size", (None, None)),
        ("input is too long", (None, None)),
    ],
)  # fmt: skip
def test_both_numbers_of_an_overflow(words: str, numbers: tuple[int | None, int | None]) -> None:
    error = error_from_response(400, {}, json.dumps({"error": {"message": words}}).encode())
    assert isinstance(error, ContextOverflowError)
    found = error_body_from(words)
    assert (found.prompt_tokens, found.context_tokens) == numbers
    assert all(str(number) in error.sentence for number in numbers if number)


def test_a_missing_key_is_said_so() -> None:
    assert "none is set" in error_from_response(401, {}, b"", has_key=False).sentence


def test_a_base_url_without_version_gets_a_hint() -> None:
    error = error_from_response(404, {}, b'{"detail": "Not Found"}', base_url="http://h:1")
    assert isinstance(error, NotFoundError)
    assert "http://h:1/v1" in error.advice


def test_request_id_from_header_or_body() -> None:
    assert error_from_response(500, {"x-request-id": "h"}, b'{"request_id": "b"}').request_id == "h"
    assert error_from_response(500, {}, b'{"request_id": "b"}').request_id == "b"


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("3", 3.0),
            ("0.5", 0.5),
            ("-3", 0.0),
            ("", None),
            (None, None),
            ("soon", None),
            ("nan", None),
            ("inf", None),
        ],
    )
    def test_seconds(self, value: str | None, seconds: float | None) -> None:
        assert retry_after_seconds(value) == seconds

    def test_a_date(self) -> None:
        at = 784111777.0  # the date of RFC 9110's own example
        date = "Sun, 06 Nov 1994 08:49:37 GMT"
        assert retry_after_seconds(date, now=lambda: at - 30) == 30
        assert retry_after_seconds(date, now=lambda: at + 30) == 0

    def test_it_reaches_the_sentence(self) -> None:
        error = error_from_response(429, {"retry-after": "90"}, b"")
        assert isinstance(error, RateLimitError)
        assert "90 s" in error.sentence
        assert "2 hours" in error_from_response(429, {"retry-after": "7200"}, b"").sentence


def caused(cause: BaseException) -> httpx.ConnectError:
    error = httpx.ConnectError("failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (
            caused(socket.gaierror(-2, "Name or service not known")),
            NetworkCause.DNS,
            "name could not be found",
        ),
        (caused(ConnectionRefusedError(111, "refused")), NetworkCause.REFUSED, "Nothing answers"),
        (caused(ssl.SSLCertVerificationError("self-signed certificate")), NetworkCause.TLS, "not trusted"),
        (caused(ssl.SSLError("wrong version number")), NetworkCause.TLS, "secure connection"),
        (caused(ConnectionResetError(104, "reset")), NetworkCause.RESET, "closed the connection"),
        (
            caused(ExceptionGroup("all", [OSError("a"), ConnectionRefusedError("b")])),
            NetworkCause.REFUSED,
            "Nothing",
        ),
        (httpx.ReadError("gone"), NetworkCause.RESET, "closed the connection"),
        (httpx.ProxyError("407"), NetworkCause.OTHER, "proxy"),
        (caused(OSError(113, "No route to host")), NetworkCause.OTHER, "could not be reached"),
    ],
)
def test_how_a_connection_failed(error: Exception, cause: NetworkCause, words: str) -> None:
    found = network_error(error)
    assert found.cause is cause
    assert words in found.sentence
    assert found.message
    assert found.retryable is (cause is not NetworkCause.TLS)


@pytest.mark.parametrize(
    ("cause", "seconds", "words"),
    [
        (NetworkCause.CONNECT_TIMEOUT, 10, "within 10 s"),
        (NetworkCause.FIRST_PAYLOAD_TIMEOUT, 300, "within 5 minutes"),
        (NetworkCause.IDLE_TIMEOUT, 60, "for 60 s"),
    ],
)
def test_which_wait_was_too_long(cause: NetworkCause, seconds: float, words: str) -> None:
    assert words in timeout_error(cause, seconds).sentence
