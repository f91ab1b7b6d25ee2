"""What an error body says, in any of the shapes that servers use.

``{"error": {...}}`` and ``{"error": "text"}`` (OpenAI and most others), ``{"detail": "text"}`` and
``{"detail": [{loc, msg, type}]}`` (FastAPI: Mistral, vLLM), ``{"object": "error", "message": ...}`` with a
string, an object or a list as message (Mistral), ``{"message", "request_id"}``, lists, HTML, plain text, nothing.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from desktop_chat.domain.text import printable

MAX_MESSAGE_LENGTH: Final = 1000

_TITLE = re.compile(r"<title[^>]{0,200}>(.{0,500}?)</title", re.IGNORECASE | re.DOTALL)
_HEADING = re.compile(r"<h[12][^>]{0,200}>(.{0,500}?)</h[12]", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]{0,500}>")
_LIMIT_NUMBERS = (
    re.compile(r"context (?:length|size|window)[^\d]{0,40}?(?P<limit>\d{3,9})", re.IGNORECASE),
    re.compile(
        r"(?P<limit>\d{3,9})[^\d]{0,30}?(?:maximum context|context (?:length|window|size))", re.IGNORECASE
    ),
    re.compile(r"> ?(?P<limit>\d{3,9}) maximum", re.IGNORECASE),
)
_OVERFLOW = re.compile(
    r"context[ _](?:length|window|size)|maximum context|prompt is too long|too many tokens|exceed_context"
    r"|too large for model|input is too long",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient[ _](?:quota|balance|credits?|funds)|billing|out of credits?|no credits? left"
    r"|credit balance is too low|requires more credits|exceeded_current_quota",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"\binvalid model name\b|\bmodel\b[^.;]{0,100}\b(?:not found|does not exist)\b", re.IGNORECASE
)
_FIELD = re.compile(r"Field '(?P<name>[\w.]{1,60})': ")
"""How llama.cpp names the refused field."""


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The facts found in an error body.

    Attributes:
        message: the server's own words, one printable paragraph, at most `MAX_MESSAGE_LENGTH` characters.
        codes: ``code`` and ``type`` values, lower case.
        status: an HTTP status the body names; inside a stream there is no other.
        param: the refused field, without FastAPI's leading ``body``.
        is_html: the body is a web page.
        prompt_tokens / context_tokens: the two numbers of a context overflow.
    """

    message: str = ""
    codes: tuple[str, ...] = ()
    status: int | None = None
    param: str | None = None
    request_id: str | None = None
    retry_after_s: float | None = None
    is_html: bool = False
    prompt_tokens: int | None = None
    context_tokens: int | None = None

    @property
    def is_context_overflow(self) -> bool:
        return (
            self.context_tokens is not None
            or any("context_length" in code or "exceed_context" in code for code in self.codes)
            or bool(_OVERFLOW.search(self.message))
        )

    @property
    def is_unknown_model(self) -> bool:
        return any(code in ("model_not_found", "invalid_model") for code in self.codes) or bool(
            _UNKNOWN_MODEL.search(self.message)
        )

    @property
    def is_quota(self) -> bool:
        return any(_QUOTA.search(code) for code in self.codes) or bool(_QUOTA.search(self.message))


def parse_error_body(body: bytes) -> ErrorBody:
    """Read an HTTP error body; never raises."""
    text = body.decode("utf-8", "replace").strip()
    if text[:1] in ("{", "[", '"') or text == "null":
        try:
            return error_body_from(json.loads(text))
        except (ValueError, RecursionError):
            pass  # a truncated body: its words are better than nothing
    if text[:1] == "<":
        found = _TITLE.search(text) or _HEADING.search(text)
        return ErrorBody(
            message=_sentence(_TAG.sub(" ", html.unescape(found[1])) if found else ""), is_html=True
        )
    return error_body_from(text)


def error_body_from(payload: object) -> ErrorBody:
    """Read a decoded error payload; never raises."""
    reader = _Reader()
    reader.read(payload, depth=0)
    message = _sentence("; ".join(dict.fromkeys(reader.words)))
    param = reader.param
    if param is None and (named := _FIELD.match(message)):
        param = named["name"]
        message = f"{param}: {message[named.end() :]}"
    prompt, limit = reader.prompt_tokens, reader.context_tokens
    if limit is None and _OVERFLOW.search(message):
        prompt, limit = _overflow_numbers(message)
    return ErrorBody(
        message=message,
        codes=tuple(dict.fromkeys(reader.codes)),
        status=reader.status,
        param=param,
        request_id=reader.request_id,
        retry_after_s=reader.retry_after_s,
        prompt_tokens=prompt,
        context_tokens=limit,
    )


class _Reader:
    """Walks a payload and collects what is known under any of its names."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.codes: list[str] = []
        self.status: int | None = None
        self.param: str | None = None
        self.request_id: str | None = None
        self.retry_after_s: float | None = None
        self.prompt_tokens: int | None = None
        self.context_tokens: int | None = None

    def read(self, value: object, depth: int) -> None:
        if depth > 6:
            return
        if isinstance(value, str):
            self._read_text(value, depth)
        elif isinstance(value, list):
            for item in value[:20]:
                self.read(item, depth + 1)
        elif isinstance(value, dict):
            self._read_object(value, depth)

    def _read_text(self, text: str, depth: int) -> None:
        stripped = text.strip()
        if stripped[:1] == "{":  # proxies pass the upstream's JSON on as a string
            try:
                self.read(json.loads(stripped), depth + 1)
                return
            except (ValueError, RecursionError):
                pass  # it only looks like JSON: words like any other
        if stripped:
            self.words.append(stripped)

    def _read_object(self, value: Mapping[str, Any], depth: int) -> None:
        location = value.get("loc")
        if isinstance(location, (list, tuple)) and isinstance(value.get("msg"), str):
            self._read_fastapi(location, value["msg"])
            return
        self._read_codes(value)
        for name in ("error", "message", "detail", "msg", "errors", "error_description"):
            if value.get(name):
                self.read(value[name], depth + 1)
        metadata = value.get("metadata")  # OpenRouter: the upstream's own words
        if isinstance(metadata, dict) and metadata.get("raw"):
            self.read(metadata["raw"], depth + 1)

    def _read_fastapi(self, location: list[Any] | tuple[Any, ...], message: str) -> None:
        path = [str(part) for part in location]
        if len(path) > 1 and path[0] in ("body", "query", "path", "header"):
            del path[0]
        field = ".".join(path)
        self.param = self.param or field or None
        self.words.append(f"{field}: {message}" if field else message)

    def _read_codes(self, value: Mapping[str, Any]) -> None:
        for name in ("code", "type", "status", "status_code"):
            code = value.get(name)
            if isinstance(code, str) and code.isdecimal() and len(code) == 3:
                code = int(code)
            if isinstance(code, int) and 400 <= code <= 599:
                self.status = self.status or code
            elif isinstance(code, (str, int)) and not isinstance(code, bool):
                self.codes.append(str(code).lower())
        param = value.get("param")
        if isinstance(param, str) and param:
            self.param = self.param or param
        for name in ("request_id", "requestId"):
            if isinstance(value.get(name), str):
                self.request_id = self.request_id or value[name]
        wait = value.get("retry_after", value.get("retry_after_s"))
        if isinstance(wait, (int, float)) and not isinstance(wait, bool) and wait >= 0:
            self.retry_after_s = float(wait)
        prompt, limit = value.get("n_prompt_tokens"), value.get("n_ctx")
        if isinstance(prompt, int) and isinstance(limit, int):  # llama.cpp
            self.prompt_tokens, self.context_tokens = prompt, limit


def _overflow_numbers(message: str) -> tuple[int | None, int | None]:
    """Tokens of the prompt and of the context, from a sentence such as "maximum context length is 8192 tokens.
    However, your messages resulted in 9000 tokens"."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", message)
    found = next((match for pattern in _LIMIT_NUMBERS if (match := pattern.search(plain))), None)
    if found is None:
        return None, None
    limit = int(found["limit"])
    longer = [number for text in re.findall(r"\d{2,9}", plain) if (number := int(text)) > limit]
    return (max(longer) if longer else None), limit


def _sentence(text: str) -> str:
    text = printable(text)
    return text if len(text) <= MAX_MESSAGE_LENGTH else text[:MAX_MESSAGE_LENGTH] + "…"
