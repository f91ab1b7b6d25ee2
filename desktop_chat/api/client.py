"""The chat-completions client: one httpx connection pool, answers as async iterators of deltas.

Works on any asyncio loop. Every wait has its own limit and none is on the whole answer; leaving an answer, or
cancelling the task that reads it, closes its socket at once, which is how servers learn to stop generating.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
import msgspec

from desktop_chat import __version__
from desktop_chat.api.answer import AnswerStream
from desktop_chat.api.base_url import is_loopback, normalized_base_url
from desktop_chat.api.continuation import continuation_base_url, echo_stripper
from desktop_chat.api.dialects import encode_request
from desktop_chat.api.exchange import Exchange, StreamObserver, read_limited
from desktop_chat.api.models import models_from
from desktop_chat.api.refusals import KnownRefusals, NegotiatedBody
from desktop_chat.api.transport import StreamTransport
from desktop_chat.domain.errors import ConfigurationError, NotFoundError, ProtocolError
from desktop_chat.domain.profiles import Dialect, ModelInfo
from desktop_chat.domain.requests import ChatRequest, Timeouts

if TYPE_CHECKING:
    from desktop_chat.api.recording import StreamRecorder

DEFAULT_TIMEOUTS: Final = Timeouts()
_MODELS_LIMIT_S: Final = 30.0


class ChatClient:
    """One provider. Use it as an async context manager, or call `aclose`.

    Args:
        base_url: ends in ``/v1`` usually; see `normalized_base_url` for what is accepted.
        key: sent as a bearer token to this host only, and never logged.
        split_think_tags: take ``<think>`` at the start of an answer for reasoning.
        transport: replaces the network, for replaying a recording.

    Raises:
        ConfigurationError: the base URL or the key cannot work as written.
    """

    def __init__(
        self,
        base_url: str,
        dialect: Dialect,
        key: str | None = None,
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        split_think_tags: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = normalized_base_url(base_url)
        self.dialect = dialect
        self.timeouts = timeouts
        self._split_think_tags = split_think_tags
        self._transport = transport
        self._key = _clean_key(key)
        self._refusals = KnownRefusals()
        self._http: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; running answers end with an error. Idempotent."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def stream(
        self,
        request: ChatRequest,
        observer: StreamObserver | None = None,
        *,
        recorder: StreamRecorder | None = None,
    ) -> AnswerStream:
        """One answer, to be used as ``async with client.stream(request) as answer: async for deltas in answer``.

        Entering sends the request and waits for the response headers; each item is the non-empty list of deltas
        of one read from the network. With ``continue_from`` the deltas are what follows that text.

        Args:
            recorder: gets the raw bytes of this answer; the key is blotted out.

        Raises:
            ChatError: on entering or while iterating; what arrived before has been yielded.
        """
        body = NegotiatedBody(encode_request(request, self.dialect, self.base_url), self._refusals)
        base_url = self.base_url
        echo = None
        if request.continue_from:
            base_url = continuation_base_url(self.dialect, base_url)
            echo = echo_stripper(request.continue_from, self.dialect)
        if recorder is not None:
            recorder.redact(self._key)
        url = f"{base_url}/chat/completions"
        return AnswerStream(
            lambda data: self._exchange("POST", url, data, observer),
            body,
            self.timeouts,
            # The answer has begun: a tag where it goes on is not at its start, it is text.
            split_think_tags=self._split_think_tags and echo is None,
            echo=echo,
            recorder=recorder,
            observer=observer,
        )

    async def models(self) -> list[ModelInfo]:
        """The chat models of the server, in its order.

        Raises:
            ChatError: the list could not be had.
        """
        timeouts = msgspec.structs.replace(
            self.timeouts, first_payload=min(self.timeouts.first_payload, _MODELS_LIMIT_S)
        )
        exchange = self._exchange("GET", f"{self.base_url}/models", None, None)
        try:
            response = await exchange.open(timeouts)
            body = await read_limited(response, exchange.first_payload_deadline)
        except NotFoundError as error:
            if not self.base_url.endswith("/v1"):
                raise
            error.sentence = "The server answers, but does not list its models."
            error.advice = "Name the model to use: in Settings, Providers, or with --model."
            raise
        finally:
            await exchange.aclose()
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            what = "a web page" if body.lstrip()[:1] == b"<" else "something else"
            raise ProtocolError(sentence=f"The server sent {what} instead of its list of models.") from None
        return models_from(payload)

    def _exchange(
        self, method: str, url: str, body: bytes | None, observer: StreamObserver | None
    ) -> Exchange:
        headers = {"accept": "text/event-stream, application/json", "accept-encoding": "identity"}
        if body is not None:
            headers["content-type"] = "application/json"
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        return Exchange(self._connection_pool, method, url, headers, body, observer)

    async def _connection_pool(self) -> httpx.AsyncClient:
        """The httpx client, made when it is first needed: loading the trusted certificates takes a while."""
        async with self._opening:
            if self._http is None:
                tls = await tls_context(self.base_url)
                transport = self._transport
                if transport is None and not has_proxy(self.base_url):
                    transport = StreamTransport(tls)
                self._http = httpx.AsyncClient(
                    transport=transport,  # None: httpx's own, which knows proxies
                    verify=tls,
                    timeout=None,  # noqa: S113 - every wait has its own limit, see `AnswerStream`
                    follow_redirects=False,  # see `Exchange`: the key must not travel
                    headers={"user-agent": f"desktop-chat/{__version__}"},
                )
            return self._http


def has_proxy(base_url: str) -> bool:
    """Whether the environment or the system sends requests to this server through a proxy."""
    if is_loopback(base_url):
        return False  # proxies are for the world outside
    url = urlsplit(base_url)
    proxies = getproxies()
    return bool(proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.hostname or "")


async def tls_context(base_url: str) -> ssl.SSLContext:
    """A verifying context. One that trusts nobody, where TLS is not in use, costs no loading of certificates."""
    if not base_url.startswith("https"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return await asyncio.to_thread(_trusting_context)


def _trusting_context() -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    context.load_default_certs()  # the system's own too: companies install theirs there
    return context


def _clean_key(key: str | None) -> str | None:
    key = (key or "").strip()
    if not key.isascii() or not key.isprintable():
        raise ConfigurationError(
            sentence="The API key contains characters that no key has.",
            advice="Copy the key again and enter it in Settings, Providers.",
        )
    return key or None
