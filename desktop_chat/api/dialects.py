"""What each kind of server accepts: request bodies, and a guess of the dialect from the address.

Mistral refuses unknown fields (422 ``extra_forbidden``); the others ignore most of them.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from desktop_chat.api.base_url import is_loopback
from desktop_chat.api.continuation import continuation_fields, continuation_message
from desktop_chat.domain.messages import Role
from desktop_chat.domain.profiles import Dialect
from desktop_chat.domain.requests import ChatRequest, RequestMessage
from desktop_chat.domain.text import without_lone_surrogates


class RequestFields(msgspec.Struct, frozen=True, kw_only=True):
    """How a dialect names the fields that differ.

    Attributes:
        seed: OpenAI says ``seed``, Mistral ``random_seed``.
        stream_options: whether usage has to be asked for; Mistral sends it unasked and refuses the field.
    """

    seed: str = "seed"
    max_tokens: str = "max_tokens"
    stream_options: bool = True


_FIELDS: Final = {Dialect.MISTRAL: RequestFields(seed="random_seed", stream_options=False)}
_DEFAULT_FIELDS: Final = RequestFields()
_OPENAI_ITSELF: Final = RequestFields(max_tokens="max_completion_tokens")
"""OpenAI's reasoning models refuse ``max_tokens``; compatible servers often know nothing else."""

_HOSTS: Final = (
    ("mistral.ai", Dialect.MISTRAL),
    ("openai.com", Dialect.OPENAI),
    ("openrouter.ai", Dialect.OPENROUTER),
    ("groq.com", Dialect.GROQ),
    ("deepseek.com", Dialect.DEEPSEEK),
    ("aliyuncs.com", Dialect.QWEN),
)
LOCAL_PORTS: Final = {11434: Dialect.OLLAMA, 8080: Dialect.LLAMACPP, 1234: Dialect.LMSTUDIO}
"""Default ports that belong to one server. vLLM's 8000 is everybody's."""


def dialect_for(base_url: str) -> Dialect:
    """The dialect that the address suggests; OPENAI where it suggests nothing."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    for domain, dialect in _HOSTS:
        if host == domain or host.endswith("." + domain):
            return dialect
    try:
        port = parts.port
    except ValueError:
        return Dialect.OPENAI
    if port == 11434 or (port is not None and is_loopback(base_url)):
        return LOCAL_PORTS.get(port, Dialect.OPENAI)
    return Dialect.OPENAI


def fields_for(dialect: Dialect, base_url: str = "") -> RequestFields:
    host = urlsplit(base_url).hostname or ""
    if dialect is Dialect.OPENAI and host.endswith((".openai.com", ".openai.azure.com")):
        return _OPENAI_ITSELF
    return _FIELDS.get(dialect, _DEFAULT_FIELDS)


def encode_request(request: ChatRequest, dialect: Dialect, base_url: str = "") -> dict[str, Any]:
    """The JSON object to send: only fields that the dialect accepts, only parameters that are set.

    Assistant messages with neither text nor tool calls (turns that were stopped at once) are left out, as
    servers refuse them.
    """
    fields = fields_for(dialect, base_url)
    messages = [
        _message(message)
        for message in request.messages
        if message.role is not Role.ASSISTANT or message.text or message.tool_calls
    ]
    body: dict[str, Any] = {"model": request.model, "messages": messages, "stream": True}
    if fields.stream_options:
        body["stream_options"] = {"include_usage": True}
    parameters = request.parameters
    if parameters.temperature is not None:
        body["temperature"] = parameters.temperature
    if parameters.top_p is not None:
        body["top_p"] = parameters.top_p
    if parameters.max_tokens is not None:
        body[fields.max_tokens] = parameters.max_tokens
    if parameters.stop:
        body["stop"] = [without_lone_surrogates(text) for text in parameters.stop]
    if parameters.seed is not None:
        body[fields.seed] = parameters.seed
    if request.continue_from:
        messages.append(continuation_message(request.continue_from, dialect, base_url))
        body.update(continuation_fields(dialect))
    return body


def _message(message: RequestMessage) -> dict[str, Any]:
    encoded: dict[str, Any] = {"role": message.role.value, "content": without_lone_surrogates(message.text)}
    if message.tool_calls:
        encoded["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        encoded["tool_call_id"] = message.tool_call_id
    return encoded
