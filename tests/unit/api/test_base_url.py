from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_chat.api.base_url import clear_text_warning, is_loopback, normalized_base_url, version_hint
from desktop_chat.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.mistral.ai/v1", "https://api.mistral.ai/v1"),
        ("  https://API.Mistral.ai/v1/ \n", "https://api.mistral.ai/v1"),
        ("HTTP://localhost:8080/v1/chat/completions", "http://localhost:8080/v1"),
        ("https://h/v1/models/", "https://h/v1"),
        ("http://127.0.0.1:1234", "http://127.0.0.1:1234"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("https://bücher.example/v1", "https://bücher.example/v1"),
    ],
)
def test_what_people_type(text: str, url: str) -> None:
    assert normalized_base_url(text) == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("localhost:8080/v1", "must begin with https:// or http://"),
        ("api.mistral.ai", "must begin with"),
        ("ftp://h/v1", "begins with ftp://"),
        ("https://", "malformed"),
        ("https:///v1", "malformed"),
        ("http://h:99999/v1", "malformed"),
        ("http://h:port/v1", "malformed"),
        ("http://h:0", "malformed"),
        ("http://[::1/v1", "malformed"),
        ("http://a b/v1", "space"),
        ("http://a\x00b/v1", "control character"),
        ("https://key@h/v1", "key has a field of its own"),
        ("https://h/v1?key=1", "“?” or “#”"),
        ("sk-abcdef", "not a URL"),
    ],
)
def test_what_cannot_work_is_said_in_words(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        normalized_base_url(text)
    assert words in caught.value.sentence
    assert caught.value.advice


@given(st.text())
def test_any_text_is_a_url_or_a_clear_refusal(text: str) -> None:
    try:
        url = normalized_base_url(text)
    except ConfigurationError:
        return
    assert normalized_base_url(url) == url


def test_a_hint_where_the_version_is_missing() -> None:
    assert version_hint("http://localhost:8080") == (
        "Most servers want a base URL that ends in /v1: http://localhost:8080/v1"
    )
    assert version_hint("https://api.mistral.ai/v1") is None
    assert version_hint("https://h/openai/v1") is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "x.localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(f"http://{host}:1/v1")


def test_a_warning_where_others_can_listen() -> None:
    assert clear_text_warning("http://192.168.1.5:8080/v1", "sk") is not None
    assert "the key" in (clear_text_warning("http://server.example/v1", "sk") or "")
    assert "the key" not in (clear_text_warning("http://server.example/v1", None) or "")
    assert clear_text_warning("http://localhost/v1", "sk") is None
    assert clear_text_warning("https://server.example/v1", "sk") is None
