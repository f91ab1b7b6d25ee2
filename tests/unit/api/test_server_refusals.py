"""Refusals as llama.cpp and LiteLLM word them."""

from __future__ import annotations

import json

import pytest

from desktop_chat.api.errors import error_from_response
from desktop_chat.domain.errors import ContextOverflowError, InvalidRequestError, NotFoundError


def _error(status: int, message: str, **more: object) -> Exception:
    body = json.dumps({"error": {"message": message, "type": "invalid_request_error", **more}})
    return error_from_response(status, {}, body.encode(), base_url="http://127.0.0.1:8080/v1")


def test_llamacpp_names_the_field_in_its_words() -> None:
    error = _error(400, "Field 'n': Value must be between 1 <= value <= 1, but got 0", code=400)
    assert isinstance(error, InvalidRequestError)
    assert error.param == "n"
    assert error.sentence == "The server refused “n”: Value must be between 1 <= value <= 1, but got 0."


@pytest.mark.parametrize(
    "message",
    [
        "/chat/completions: Invalid model name passed in model=no-such-model. Call `/v1/models` to view them.",
        "The model `no-such-model` does not exist or you do not have access to it.",
    ],
)
def test_an_unknown_model_is_told_from_other_refusals(message: str) -> None:
    assert isinstance(_error(400, message, code="400"), NotFoundError)


def test_a_proxys_overflow_keeps_both_numbers() -> None:
    error = _error(
        400,
        "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException"
        " - request (904 tokens) exceeds the available context size (512 tokens), try increasing it model=llama.",
    )
    assert isinstance(error, ContextOverflowError)
    assert error.sentence == "This conversation has 904 tokens; the model can read 512."


def test_the_hint_at_v1_drops_what_follows_it() -> None:
    error = error_from_response(404, {}, b'{"detail": "Not Found"}', base_url="http://127.0.0.1:8080/v1/chat")
    assert error.advice.endswith("try http://127.0.0.1:8080/v1.")
