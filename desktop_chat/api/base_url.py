"""Base URLs as people type them."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from desktop_chat.domain.errors import ConfigurationError

_ENDPOINTS: Final = ("/chat/completions", "/completions", "/models")
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+(%\w+)?", re.IGNORECASE)


def normalized_base_url(text: str) -> str:
    """The base URL without trailing slash, space or endpoint path.

    Raises:
        ConfigurationError: it is no URL that a chat server can have; the sentence says why.
    """
    text = text.strip()
    if not text:
        raise _refusal("The base URL is empty.")
    if re.search(r"[\s\x00-\x1f\x7f\ud800-\udfff]", text):
        raise _refusal("The base URL contains a space or a control character.")
    scheme, separator, _ = text.partition("://")
    if not separator:
        raise _refusal(f"“{_short(text)}” is not a URL: it must begin with https:// or http://.")
    if scheme.lower() not in ("http", "https"):
        raise _refusal(f"The base URL begins with {_short(scheme)}://; it must be https:// or http://.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _refusal(f"“{_short(text)}” is not a URL: its host or port is malformed.") from None
    if not parts.hostname or not _HOST.fullmatch(parts.hostname) or port == 0:
        raise _refusal(f"“{_short(text)}” is not a URL: its host or port is malformed.")
    if parts.username is not None or parts.password is not None:
        raise _refusal("The base URL contains a user name or a key; the key has a field of its own.")
    if parts.query or parts.fragment:
        raise _refusal("The base URL must not contain “?” or “#”.")
    path = parts.path.rstrip("/")
    for endpoint in _ENDPOINTS:
        path = path.removesuffix(endpoint)
    return SplitResult(scheme.lower(), parts.netloc.lower(), path.rstrip("/"), "", "").geturl()


def version_hint(base_url: str) -> str | None:
    """A sentence when the URL lacks the version that nearly all servers have in their path."""
    path = urlsplit(base_url).path
    if re.search(r"/(v\d|beta|openai|api)(/|$|[\w.]*$)", path):
        return None
    return f"Most servers want a base URL that ends in /v1: {base_url.rstrip('/')}/v1"


def is_loopback(base_url: str) -> bool:
    """Whether requests stay on this computer."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def clear_text_warning(base_url: str, key: str | None) -> str | None:
    """A sentence when the key and the conversation would travel unencrypted over a network."""
    if urlsplit(base_url).scheme != "http" or is_loopback(base_url):
        return None
    what = "the key and the conversation" if key else "the conversation"
    return f"This address begins with http://, so everybody on the way can read {what}. Use https:// if the server can."


def _refusal(sentence: str) -> ConfigurationError:
    return ConfigurationError(sentence=sentence)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
