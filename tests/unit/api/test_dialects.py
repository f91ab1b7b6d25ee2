from __future__ import annotations

from typing import Any

import pytest
from fault_server.reading import question

from desktop_chat.api.dialects import dialect_for, encode_request
from desktop_chat.domain.messages import Role, ToolCall
from desktop_chat.domain.profiles import Dialect
from desktop_chat.domain.requests import ChatRequest, RequestMessage

REFUSED_BY_MISTRAL = {"stream_options", "max_completion_tokens", "store", "seed", "reasoning_content"}
FULL = question(temperature=0.5, top_p=0.9, max_tokens=7, stop=("a", "b"), seed=3)


def body(dialect: Dialect, base_url: str = "", request: ChatRequest = FULL) -> dict[str, Any]:
    return encode_request(request, dialect, base_url)


def test_mistral_gets_nothing_that_it_refuses() -> None:
    encoded = body(Dialect.MISTRAL)
    assert not REFUSED_BY_MISTRAL & encoded.keys()
    assert encoded["random_seed"] == 3
    assert encoded["max_tokens"] == 7
    assert encoded["stop"] == ["a", "b"]


@pytest.mark.parametrize("dialect", [each for each in Dialect if each is not Dialect.MISTRAL])
def test_the_others_are_asked_for_usage(dialect: Dialect) -> None:
    encoded = body(dialect)
    assert encoded["stream_options"] == {"include_usage": True}
    assert encoded["seed"] == 3
    assert encoded["stream"] is True


def test_only_openai_itself_has_its_own_name_for_the_token_limit() -> None:
    assert "max_completion_tokens" in body(Dialect.OPENAI, "https://api.openai.com/v1")
    assert "max_completion_tokens" not in body(Dialect.OPENAI, "http://localhost:8000/v1")


def test_parameters_that_are_not_set_are_not_sent() -> None:
    assert set(body(Dialect.MISTRAL, request=question())) == {"model", "messages", "stream"}


def test_messages() -> None:
    request = ChatRequest(
        model="m",
        messages=(
            RequestMessage(role=Role.SYSTEM, text="Be kind."),
            RequestMessage(role=Role.USER, text="a\ud83db"),
            RequestMessage(
                role=Role.ASSISTANT, text="", tool_calls=(ToolCall(id="c", name="f", arguments="{}"),)
            ),
            RequestMessage(role=Role.TOOL, text="42", tool_call_id="c"),
            RequestMessage(role=Role.ASSISTANT, text=""),
            RequestMessage(role=Role.USER, text="And?"),
        ),
    )
    assert body(Dialect.MISTRAL, request=request)["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "a\ufffdb"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "content": "42", "tool_call_id": "c"},
        {"role": "user", "content": "And?"},
    ]


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("https://api.mistral.ai/v1", Dialect.MISTRAL),
        ("https://codestral.mistral.ai/v1", Dialect.MISTRAL),
        ("https://api.openai.com/v1", Dialect.OPENAI),
        ("https://openrouter.ai/api/v1", Dialect.OPENROUTER),
        ("https://api.groq.com/openai/v1", Dialect.GROQ),
        ("https://api.deepseek.com/v1", Dialect.DEEPSEEK),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", Dialect.QWEN),
        ("http://localhost:11434/v1", Dialect.OLLAMA),
        ("http://192.168.0.2:11434/v1", Dialect.OLLAMA),
        ("http://127.0.0.1:8080/v1", Dialect.LLAMACPP),
        ("http://127.0.0.1:1234/v1", Dialect.LMSTUDIO),
        ("http://127.0.0.1:8000/v1", Dialect.OPENAI),
        ("https://notmistral.ai/v1", Dialect.OPENAI),
        ("http://server.example:8080/v1", Dialect.OPENAI),
        ("nonsense", Dialect.OPENAI),
    ],
)
def test_dialect_from_the_address(url: str, dialect: Dialect) -> None:
    assert dialect_for(url) is dialect
