"""The demo server refuses what Mistral refuses, in the same shapes."""

from __future__ import annotations

from typing import Any

import pytest

from desktop_chat.demo.validation import Refused, checked

HELLO = {"role": "user", "content": "Hello"}


def refusal(**fields: object) -> Refused:
    with pytest.raises(Refused) as caught:
        checked({"model": "demo-tour", "messages": [HELLO], **fields})
    return caught.value


def detail(refused: Refused) -> dict[str, Any]:
    assert refused.status == 422
    found = refused.body["detail"]
    assert isinstance(found, list)
    first: dict[str, Any] = found[0]
    return first


@pytest.mark.parametrize("field", ["stream_options", "max_completion_tokens", "store", "seed", "user"])
def test_unknown_fields_are_forbidden(field: str) -> None:
    found = detail(refusal(**{field: 1}))
    assert found["type"] == "extra_forbidden"
    assert found["loc"] == ["body", field]


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("temperature", 1.6, "less_than_equal"),
        ("temperature", -0.1, "greater_than_equal"),
        ("temperature", "warm", "float_type"),
        ("top_p", 1.01, "less_than_equal"),
        ("max_tokens", -1, "greater_than_equal"),
        ("max_tokens", 1.5, "int_type"),
        ("max_tokens", True, "int_type"),
        ("n", 0, "greater_than_equal"),
        ("presence_penalty", 2.1, "less_than_equal"),
        ("random_seed", "7", "int_type"),
        ("stop", 5, "string_type"),
        ("stream", "yes", "bool_type"),
        ("messages", "Hello", "list_type"),
        ("model", None, "string_type"),
        ("tools", {}, "list_type"),
    ],
)
def test_ranges_and_types(field: str, value: object, kind: str) -> None:
    found = detail(refusal(**{field: value}))
    assert (found["type"], found["loc"], found["input"]) == (kind, ["body", field], value)


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": None},
        {"temperature": 1.5, "top_p": 1, "max_tokens": 0, "random_seed": 3},
        {"stop": "a"},
        {"stop": ["a", "b"]},
        {"presence_penalty": -2, "frequency_penalty": 2, "safe_prompt": True},
        {"tools": [], "tool_choice": "auto", "metadata": {}, "prompt_mode": "reasoning"},
    ],
)
def test_accepted_fields(fields: dict[str, object]) -> None:
    assert checked({"model": "m", "messages": [HELLO], **fields}).question == "Hello"


def test_missing_fields_are_all_named() -> None:
    with pytest.raises(Refused) as caught:
        checked({})
    found: Any = caught.value.body["detail"]
    assert [problem["loc"][-1] for problem in found] == ["model", "messages"]


@pytest.mark.parametrize("body", [[], None, "text", 3])
def test_a_body_that_is_no_object(body: object) -> None:
    with pytest.raises(Refused) as caught:
        checked(body)
    assert caught.value.status == 422


@pytest.mark.parametrize(
    ("message", "loc"),
    [
        ({"role": "user", "content": "x", "name": "Ann"}, ["user", "name"]),
        ({"role": "assistant", "content": "x", "reasoning_content": "y"}, ["assistant", "reasoning_content"]),
        ({"role": "robot", "content": "x"}, ["role"]),
        ({"role": "user", "content": 5}, ["user", "content"]),
        ({"role": "user", "content": None}, ["user", "content"]),
        ("Hello", []),
    ],
)
def test_messages_are_checked_with_their_place(message: object, loc: list[str]) -> None:
    assert detail(refusal(messages=[message]))["loc"] == ["body", "messages", 0, *loc]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [HELLO, {"role": "assistant", "content": "Hi"}],
        [{"role": "system", "content": "Be brief."}],
        [HELLO, {"role": "tool", "content": "5"}, HELLO],
    ],
)
def test_order_of_messages(messages: list[object]) -> None:
    refused = refusal(messages=messages)
    assert refused.status == 400
    assert refused.body["code"] == "3230"


def test_parts_of_content_are_joined() -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    assert checked({"model": "m", "messages": [{"role": "user", "content": parts}]}).question == "Hello"


def test_prefix_is_what_is_continued() -> None:
    call = checked(
        {"model": "m", "messages": [HELLO, {"role": "assistant", "content": "Good mor", "prefix": True}]}
    )
    assert (call.prefix, call.question) == ("Good mor", "Hello")
