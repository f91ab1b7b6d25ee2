"""From what a server or a socket says to the domain's error tree, with a sentence for people."""

from __future__ import annotations

import email.utils
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping

import httpx

from desktop_chat.api.error_body import ErrorBody, error_body_from, parse_error_body
from desktop_chat.domain.errors import (
    AuthenticationError,
    ChatError,
    ContextOverflowError,
    InvalidRequestError,
    NetworkCause,
    NetworkError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProtocolError,
    QuotaError,
    RateLimitError,
    ServerError,
    StreamTimeoutError,
)

_REQUEST_ID_HEADERS = (
    "x-request-id",
    "request-id",
    "mistral-correlation-id",
    "x-correlation-id",
    "apim-request-id",
    "cf-ray",
)

_STATUS_OF_CODE = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "invalid_request_error": 400,
}
"""What a code says of an error that came without a status."""

_MAX_QUOTE_LENGTH = 240
"""Of the server's words in a sentence; the report has them at greater length."""


def error_from_response(
    status: int, headers: Mapping[str, str], body: bytes, *, has_key: bool = True, base_url: str = ""
) -> ChatError:
    """The error an HTTP status of 300 or more stands for, whatever the shape of its body."""
    found = parse_error_body(body)
    error = _error_for(status, found, has_key=has_key, base_url=base_url)
    error.status = status
    error.param = error.param or found.param
    error.request_id = request_id_from(headers) or found.request_id
    if status in (408, 409, 429) or status >= 500:
        wait = retry_after_seconds(headers.get("retry-after"))
        error.retry_after_s = found.retry_after_s if wait is None else wait
        if isinstance(error, RateLimitError) and error.retry_after_s is not None:
            error.sentence = (
                f"The provider's rate limit is reached; it asks to wait {_duration(error.retry_after_s)}."
            )
    return error


def error_in_stream(payload: object) -> ChatError:
    """The error that an object inside a stream stands for. The request was accepted, so unless the body says
    otherwise it is the server's fault."""
    found = error_body_from(payload)
    status = found.status or next(filter(None, map(_STATUS_OF_CODE.get, found.codes)), None)
    if (
        status in (400, 401, 402, 403, 404, 408, 422, 429)
        or (status or 0) >= 500
        or found.is_context_overflow
        or found.is_quota
    ):
        error = _error_for(status or 400, found, has_key=True, base_url="")
    elif any("rate_limit" in code for code in found.codes):
        error = RateLimitError(found.message)
    elif any("overloaded" in code for code in found.codes):
        error = OverloadedError(found.message)
    else:
        error = ServerError(found.message, sentence=_quoted("The server broke off the answer", found.message))
        error.retryable = status is None
    error.status = found.status
    error.param = found.param
    error.request_id = found.request_id
    error.retry_after_s = found.retry_after_s
    return error


def request_id_from(headers: Mapping[str, str]) -> str | None:
    """What the provider's support asks for."""
    return next((value for name in _REQUEST_ID_HEADERS if (value := headers.get(name))), None)


def retry_after_seconds(value: str | None, *, now: Callable[[], float] = time.time) -> float | None:
    """Seconds from ``Retry-After``, which is a number or an HTTP date (RFC 9110, 10.2.3); never negative."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value.strip()).timestamp() - now()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def network_error(error: BaseException) -> NetworkError:
    """How a connection failed, from what httpx raised and what lies beneath it."""
    root = _root_causes(error)
    words = next((str(cause) for cause in reversed(root) if str(cause)), "")
    for cause in root:
        if isinstance(cause, socket.gaierror):
            return NetworkError(
                words, cause=NetworkCause.DNS, sentence="The server's name could not be found.",
                advice="Check the network connection and the spelling of the base URL.",
            )  # fmt: skip
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = getattr(cause, "verify_message", "") or words
            return NetworkError(
                words, cause=NetworkCause.TLS, retryable=False,
                sentence=f"The server's certificate is not trusted: {_ended(reason)}",
                advice="Check the address and this computer's clock; behind a company proxy, install its certificate.",
            )  # fmt: skip
        if isinstance(cause, ssl.SSLError):
            return NetworkError(
                words, cause=NetworkCause.TLS, retryable=False,
                sentence="No secure connection could be made to the server.",
                advice="Check whether the base URL should begin with http:// instead of https://.",
            )  # fmt: skip
        if isinstance(cause, ConnectionRefusedError):
            return NetworkError(
                words, cause=NetworkCause.REFUSED, sentence="Nothing answers at this address.",
                advice="Start the server, or correct the port in the base URL.",
            )  # fmt: skip
        if isinstance(cause, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
            return NetworkError(words, cause=NetworkCause.RESET, sentence="The server closed the connection.")
    if isinstance(error, (httpx.ReadError, httpx.WriteError, httpx.CloseError)) or (
        isinstance(error, httpx.RemoteProtocolError) and "disconnected" in words
    ):
        return NetworkError(words, cause=NetworkCause.RESET, sentence="The server closed the connection.")
    if isinstance(error, httpx.ProxyError):
        return NetworkError(
            words, sentence="The proxy refused the connection.", advice="Check the proxy settings."
        )
    return NetworkError(words)


def timeout_error(cause: NetworkCause, seconds: float) -> StreamTimeoutError:
    """Nothing came within the limit of a phase; ``cause`` is one of the ``*_TIMEOUT`` members."""
    limit = _duration(seconds)
    sentence = {
        NetworkCause.CONNECT_TIMEOUT: f"No connection could be made within {limit}.",
        NetworkCause.FIRST_PAYLOAD_TIMEOUT: f"The server did not begin to answer within {limit}.",
        NetworkCause.IDLE_TIMEOUT: f"The server sent nothing for {limit}.",
    }[cause]
    return StreamTimeoutError(sentence=sentence, cause=cause)


def _error_for(status: int, found: ErrorBody, *, has_key: bool, base_url: str) -> ChatError:
    words = found.message
    # LiteLLM without a database answers 400 with this code to any key but its master key.
    if status == 401 or "no_db_connection" in found.codes:
        return AuthenticationError(
            words, sentence=None if has_key else "The server wants an API key, and none is set."
        )
    if status == 402 or (status in (400, 403, 429) and found.is_quota):
        return QuotaError(words)
    if status == 403:
        return PermissionDeniedError(
            words, sentence="The server refuses this address." if found.is_html else None
        )
    if status == 429:
        return RateLimitError(words)
    if status in (404, 405, 410):
        return _not_found(found, base_url)
    if status == 408:
        return ServerError(words, sentence="The server gave up waiting for the request.")
    if status == 409:
        return ServerError(words, sentence="The server is busy with a conflicting request.")
    if status in (503, 529):
        if "loading" in words.lower():
            return OverloadedError(words, sentence="The server is still loading the model.")
        return OverloadedError(
            words, sentence=_quoted("The server is busy or still loading the model", words)
        )
    if status >= 500:
        return _server_failure(status, found)
    if status >= 400:
        return _refused(status, found)
    return ProtocolError(
        words, sentence=f"The server answered with status {status} instead of a chat answer."
    )


def _not_found(found: ErrorBody, base_url: str) -> NotFoundError:
    if found.is_unknown_model:
        return NotFoundError(
            found.message, sentence=_quoted("The server does not know this model", found.message)
        )
    if base_url and not base_url.endswith("/v1") and "model" not in found.message.lower():
        return NotFoundError(
            found.message,
            sentence="Nothing is found at this address.",
            advice=f"The base URL usually ends in /v1: try {base_url.partition('/v1/')[0]}/v1.",
        )
    return NotFoundError(
        found.message, sentence=_quoted("The server does not know this model or address", found.message)
    )


def _server_failure(status: int, found: ErrorBody) -> ServerError:
    if found.is_context_overflow:  # some local servers answer 500
        return ServerError(found.message, sentence=_overflow_sentence(found), retryable=False)
    if status in (502, 504):
        return ServerError(
            found.message, sentence="The provider's gateway got no answer from the model's server."
        )
    return ServerError(found.message, sentence=_quoted("The server failed", found.message))


def _refused(status: int, found: ErrorBody) -> ChatError:
    words = found.message
    if found.is_context_overflow:
        return ContextOverflowError(words, sentence=_overflow_sentence(found))
    if found.is_unknown_model:
        return NotFoundError(words, sentence=_quoted("The server does not know this model", words))
    if status == 413:
        return InvalidRequestError(words, sentence="The message is larger than the server accepts.",
                                   advice="Send less text, or start a new conversation.")  # fmt: skip
    if found.param:
        reason = words.removeprefix(f"{found.param}: ")
        return InvalidRequestError(words, sentence=_quoted(f"The server refused “{found.param}”", reason))
    return InvalidRequestError(words, sentence=_quoted("The server refused the request", words))


def _overflow_sentence(found: ErrorBody) -> str | None:
    if found.context_tokens is None:
        return None
    if found.prompt_tokens is None:
        return f"This conversation is longer than the {found.context_tokens} tokens that the model can read."
    return f"This conversation has {found.prompt_tokens} tokens; the model can read {found.context_tokens}."


def _quoted(what: str, words: str) -> str:
    words = words if len(words) <= _MAX_QUOTE_LENGTH else words[:_MAX_QUOTE_LENGTH].rstrip() + "…"
    return _ended(f"{what}: {words}" if words else what)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else sentence + "."


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"


def _root_causes(error: BaseException) -> list[BaseException]:
    return list(_walk(error, set()))


def _walk(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _walk(inner, seen)
    yield from _walk(error.__cause__, seen)
    yield from _walk(error.__context__, seen)
