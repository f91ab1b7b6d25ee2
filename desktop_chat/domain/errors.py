"""Everything that can go wrong in a turn, as one small tree.

ChatError                      a turn did not end well; every class below says whose fault and what to do
├── ConfigurationError         the profile or its base URL cannot work as written            (user)
├── AuthenticationError        401: the key is missing or wrong                              (user)
├── PermissionDeniedError      403: the key is right but may not do this                     (user)
├── NotFoundError              404: no such model or path                                    (user)
├── InvalidRequestError        400, 422: a parameter was refused; ``param`` names it         (user)
│   └── ContextOverflowError   the conversation is longer than the model's context           (user)
├── RateLimitError             429: too many requests; ``retry_after_s`` when known          (user)
├── QuotaError                 402, 429 with a quota code: the account has no credit left    (user)
├── ServerError                5xx, or an error inside the stream                            (server)
│   └── OverloadedError        503, 529: busy, or a local model still loading                (server)
├── NetworkError               the connection failed; ``cause`` says how                     (network)
│   └── StreamTimeoutError     nothing came in time; ``cause`` names the phase               (network)
├── ProtocolError              the answer is not a chat-completions stream                   (server)
├── LimitError                 the answer broke one of this program's safety limits          (server)
├── StreamInterruptedError     the stream ended before the answer did                        (server)
├── StorageError               the answer could not be kept on disk                          (us)
│   └── DatabaseError          the database of the conversations refused                     (us)
└── InternalError              a defect in this program                                      (us)
"""

from __future__ import annotations

import enum
from typing import ClassVar, Final

import msgspec


class Fault(enum.StrEnum):
    """Whose fault a failure is; the sentence for people follows from it."""

    USER = "user"
    SERVER = "server"
    NETWORK = "network"
    PROGRAM = "program"


class ErrorReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A failure as it is shown, stored with its message, and printed by ``ask --json``.

    Attributes:
        kind: stable identifier, the ``kind`` of the error class.
        sentence: what happened, for people, without jargon.
        advice: what to do next.
        message: the server's own words (or the system's), as received; may be empty.
        status: HTTP status, or ``None`` when there was no response.
        param: the request field that was refused.
        retry_after_s: seconds the server asked to wait.
        request_id: what the provider's support asks for.
        cause: for network errors, the `NetworkCause`; `DATABASE` when the conversations could not be kept.
    """

    kind: str
    fault: Fault
    sentence: str
    advice: str = ""
    message: str = ""
    status: int | None = None
    param: str | None = None
    retry_after_s: float | None = None
    request_id: str | None = None
    cause: str | None = None


class ChatError(Exception):
    """A turn did not end well.

    Args:
        message: the server's or the system's own words; may be empty.
        status, param, retry_after_s, request_id: see `ErrorReport`.
        sentence, advice: override the class's words where more is known.
        retryable: whether another try may succeed without the user changing anything.
    """

    kind: ClassVar[str] = "error"
    fault: ClassVar[Fault] = Fault.SERVER
    default_sentence: ClassVar[str] = "The answer could not be completed."
    default_advice: ClassVar[str] = "Try again."
    default_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
        sentence: str | None = None,
        advice: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message or sentence or self.default_sentence)
        self.message = message
        self.status = status
        self.param = param
        self.retry_after_s = retry_after_s
        self.request_id = request_id
        self.sentence = sentence or self.default_sentence
        self.advice = self.default_advice if advice is None else advice
        self.retryable = self.default_retryable if retryable is None else retryable

    def report(self) -> ErrorReport:
        return ErrorReport(
            kind=self.kind,
            fault=self.fault,
            sentence=self.sentence,
            advice=self.advice,
            message=self.message,
            status=self.status,
            param=self.param,
            retry_after_s=self.retry_after_s,
            request_id=self.request_id,
        )


class ConfigurationError(ChatError):
    """The profile cannot work as written, for example a base URL that is no URL."""

    kind = "configuration"
    fault = Fault.USER
    default_sentence = "This provider's settings cannot work as they are."
    default_advice = "Open Settings, Providers, and correct the address."


class AuthenticationError(ChatError):
    """401: the key is missing, wrong or revoked."""

    kind = "authentication"
    fault = Fault.USER
    default_sentence = "The server did not accept the API key."
    default_advice = "Open Settings, Providers, and enter a valid key."


class PermissionDeniedError(ChatError):
    """403: the key is known but may not use this model or service."""

    kind = "permission"
    fault = Fault.USER
    default_sentence = "Your API key is not allowed to do this."
    default_advice = "Choose another model, or ask the provider to allow this one for your key."


class NotFoundError(ChatError):
    """404: the server knows no such model, or nothing lives at this path."""

    kind = "not_found"
    fault = Fault.USER
    default_sentence = "The server does not know this model or address."
    default_advice = "Choose another model, and check that the base URL ends in /v1."


class InvalidRequestError(ChatError):
    """400 or 422: the server refused a parameter; ``param`` names it when the server did."""

    kind = "invalid_request"
    fault = Fault.USER
    default_sentence = "The server refused the request."
    default_advice = "Correct the setting the server names, then send again."


class ContextOverflowError(InvalidRequestError):
    """The conversation does not fit the model's context window."""

    kind = "context_overflow"
    default_sentence = "This conversation is longer than the model can read."
    default_advice = "Start a new conversation, or choose a model with a larger context."


class RateLimitError(ChatError):
    """429: too many requests in too short a time."""

    kind = "rate_limit"
    fault = Fault.USER
    default_sentence = "The provider's rate limit is reached."
    default_advice = "Wait a moment, then try again."
    default_retryable = True


class QuotaError(ChatError):
    """402, or 429 with a quota code: the account's credit is used up."""

    kind = "quota"
    fault = Fault.USER
    default_sentence = "The account with this provider has no credit left."
    default_advice = "Add credit at the provider, or choose another one."


class ServerError(ChatError):
    """5xx, or an error object inside a stream that began well."""

    kind = "server"
    default_sentence = "The server failed while working on the answer."
    default_advice = "This is the provider's fault. Try again in a moment."
    default_retryable = True


class OverloadedError(ServerError):
    """503, 529 and alike: no capacity, or a local model that is still loading."""

    kind = "overloaded"
    default_sentence = "The server is busy or still loading the model."
    default_advice = "Try again in a moment."


class NetworkCause(enum.StrEnum):
    """How a connection failed, or in which phase the time ran out."""

    DNS = "dns"
    REFUSED = "refused"
    TLS = "tls"
    RESET = "reset"
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_PAYLOAD_TIMEOUT = "first_payload_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    OTHER = "other"


class NetworkError(ChatError):
    """The connection could not be made or broke; ``cause`` says how."""

    kind = "network"
    fault = Fault.NETWORK
    default_sentence = "The server could not be reached."
    default_advice = "Check the network connection and the base URL, then try again."
    default_retryable = True

    def __init__(
        self,
        message: str = "",
        *,
        cause: NetworkCause = NetworkCause.OTHER,
        sentence: str | None = None,
        advice: str | None = None,
        request_id: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(
            message, sentence=sentence, advice=advice, request_id=request_id, retryable=retryable
        )
        self.cause = cause

    def report(self) -> ErrorReport:
        return msgspec.structs.replace(super().report(), cause=self.cause.value)


class StreamTimeoutError(NetworkError):
    """Nothing came in time; ``cause`` is one of the ``*_TIMEOUT`` members."""

    kind = "timeout"
    default_sentence = "The server did not answer in time."
    default_advice = "Try again, or raise the limit in Settings, Network."


class ProtocolError(ChatError):
    """The response is not a chat-completions stream (HTML, an empty body, broken JSON)."""

    kind = "protocol"
    default_sentence = "The server's reply is not a chat answer."
    default_advice = "Check that the base URL is an OpenAI-compatible one; it usually ends in /v1."


class LimitError(ChatError):
    """The server broke one of this program's safety limits, for example a line of more than 16 MB."""

    kind = "limit"
    default_sentence = "The server sent more than this program accepts."
    default_advice = "The text received so far is kept. Try again, or use another server."


class StreamInterruptedError(ChatError):
    """The stream ended with neither a finish reason nor ``[DONE]``, or the connection broke midway."""

    kind = "interrupted"
    default_sentence = "The connection ended before the answer was complete."
    default_advice = "What arrived is kept. Ask again for the whole answer."


class StorageError(ChatError):
    """The disk refused: full, read-only, or the database is locked or damaged."""

    kind = "storage"
    fault = Fault.PROGRAM
    default_sentence = "The conversation could not be saved on this computer."
    default_advice = "Check the free space and the permissions of the data folder."


DATABASE: Final = "database"


class DatabaseError(StorageError):
    """The database of the conversations refused."""

    def report(self) -> ErrorReport:
        return msgspec.structs.replace(super().report(), cause=DATABASE)


class InternalError(ChatError):
    """A defect in this program; the traceback is in the log."""

    kind = "internal"
    fault = Fault.PROGRAM
    default_sentence = "Desktop Chat made a mistake."
    default_advice = "The details are in the log. What arrived is kept; try again."
