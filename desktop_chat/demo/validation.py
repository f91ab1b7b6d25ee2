"""Checks a chat-completions body as Mistral's server does, and says what is wrong in the same words.

Sans-IO. The shapes of the errors (422 with ``detail: [{type, loc, msg, input}]``, 400 with ``object: error``)
and the ranges are those of Mistral's API description; nothing unknown is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

import msgspec

Json = dict[str, object]
Problem = tuple[str, str]
"""Type and message of one refusal, in the words of Mistral's validator."""
Check = Callable[[object], Problem | None]


class Refused(Exception):  # noqa: N818 - an answer, not a defect
    """The request is answered with an HTTP error.

    Attributes:
        status: HTTP status code.
        body: the JSON body of the answer.
        headers: additional response headers.
    """

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def error_body(message: str, kind: str, code: str) -> Json:
    """The error object of Mistral's API."""
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code}


class ChatCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request that passed.

    Attributes:
        texts: the text of each message, in order; what the prompt's tokens are counted from.
        question: the text of the last user message.
        prefix: the text of a last assistant message with ``prefix: true``, which the answer continues.
    """

    model: str
    texts: tuple[str, ...]
    question: str
    prefix: str = ""
    stream: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    wants_json: bool = False


def _number(low: float | None, high: float | None, *, whole: bool = False, nullable: bool = False) -> Check:
    kind = "integer" if whole else "number"
    accepted = (int,) if whole else (int, float)

    def check(value: object) -> Problem | None:
        if value is None and nullable:
            return None
        if isinstance(value, bool) or not isinstance(value, accepted):
            return (f"{'int' if whole else 'float'}_type", f"Input should be a valid {kind}")
        if low is not None and value < low:
            return ("greater_than_equal", f"Input should be greater than or equal to {low:g}")
        if high is not None and value > high:
            return ("less_than_equal", f"Input should be less than or equal to {high:g}")
        return None

    return check


def _kind(of: type, name: str, *, nullable: bool = True) -> Check:
    def check(value: object) -> Problem | None:
        if (value is None and nullable) or isinstance(value, of):
            return None
        return (f"{name}_type", f"Input should be a valid {name}")

    return check


def _stop(value: object) -> Problem | None:
    texts = value if isinstance(value, list) else [value]
    if value is None or all(isinstance(text, str) for text in texts):
        return None
    return ("string_type", "Input should be a valid string or a list of strings")


def _anything(_value: object) -> Problem | None:
    return None


_OBJECT = _kind(dict, "dict")
_FIELDS: Final[Mapping[str, Check]] = {
    "model": _kind(str, "string", nullable=False),
    "messages": _kind(list, "list", nullable=False),
    "stream": _kind(bool, "bool", nullable=False),
    "temperature": _number(0, 1.5, nullable=True),
    "top_p": _number(0, 1),
    "max_tokens": _number(0, None, whole=True, nullable=True),
    "n": _number(1, 1, whole=True, nullable=True),
    "presence_penalty": _number(-2, 2),
    "frequency_penalty": _number(-2, 2),
    "random_seed": _number(0, None, whole=True, nullable=True),
    "stop": _stop,
    "response_format": _OBJECT,
    "tools": _kind(list, "list"),
    "tool_choice": _anything,
    "parallel_tool_calls": _kind(bool, "bool", nullable=False),
    "safe_prompt": _kind(bool, "bool", nullable=False),
    "prompt_mode": _kind(str, "string"),
    "reasoning_effort": _kind(str, "string"),
    "prediction": _OBJECT,
    "metadata": _OBJECT,
    "prompt_cache_key": _kind(str, "string"),
}
"""What the body may hold. ``n`` is 1 at most: there is no model here that could answer twice."""

_MESSAGE_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "tool_calls", "prefix"}),
    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
}


def checked(body: object) -> ChatCall:
    """The request in ``body`` (decoded JSON). Raises Refused with status 422 or 400."""
    if not isinstance(body, dict):
        raise Refused(422, {"detail": [_detail(["body"], ("dict_type", "Input should be an object"), body)]})
    problems = [
        _detail(["body", name], ("missing", "Field required"), body)
        for name in ("model", "messages")
        if name not in body
    ]
    for name, value in body.items():
        check = _FIELDS.get(name)
        problem = check(value) if check else ("extra_forbidden", "Extra inputs are not permitted")
        if problem:
            problems.append(_detail(["body", name], problem, value))
    messages = body.get("messages")
    if isinstance(messages, list):
        for index, message in enumerate(messages):
            problems += _message_problems(index, message)
    if problems:
        raise Refused(422, {"detail": problems})
    return _call_from(body)


def _detail(loc: list[str | int], problem: Problem, value: object) -> Json:
    kind, message = problem
    return {"type": kind, "loc": loc, "msg": message, "input": value}


def _message_problems(index: int, message: object) -> list[Json]:
    loc: list[str | int] = ["body", "messages", index]
    if not isinstance(message, dict):
        return [_detail(loc, ("dict_type", "Input should be an object"), message)]
    role = message.get("role")
    if not isinstance(role, str) or role not in _MESSAGE_FIELDS:
        expected = ", ".join(f"'{name}'" for name in _MESSAGE_FIELDS)
        return [_detail([*loc, "role"], ("union_tag_invalid", f"Input should be one of {expected}"), role)]
    problems = [
        _detail([*loc, role, name], ("extra_forbidden", "Extra inputs are not permitted"), value)
        for name, value in message.items()
        if name not in _MESSAGE_FIELDS[role]
    ]
    content = message.get("content")
    if not (isinstance(content, (str, list)) or (content is None and role == "assistant")):
        problem = ("string_type", "Input should be a valid string")
        problems.append(_detail([*loc, role, "content"], problem, content))
    return problems


def _call_from(body: Json) -> ChatCall:
    messages = msgspec.convert(body["messages"], list[Json])
    if not messages:
        message = "Conversation must have at least one message"
        raise Refused(400, error_body(message, "invalid_request_message_order", "3230"))
    texts = tuple(_text_of(message.get("content")) for message in messages)
    roles = [str(message["role"]) for message in messages]
    continues = roles[-1] == "assistant" and messages[-1].get("prefix") is True
    if roles[-1] not in {"user", "tool"} and not continues:
        expected = "Expected last role User or Tool (or Assistant with prefix True) for serving"
        raise Refused(
            400, error_body(f"{expected} but got {roles[-1]}", "invalid_request_message_order", "3230")
        )
    for before, role in pairwise(roles):
        if (before, role) == ("tool", "user"):
            message = "Unexpected role 'user' after role 'tool'"
            raise Refused(400, error_body(message, "invalid_request_message_order", "3230"))
    questions = [text for role, text in zip(roles, texts, strict=True) if role == "user"]
    stop = body.get("stop") or []
    response_format = msgspec.convert(body.get("response_format") or {}, Json)
    return ChatCall(
        model=str(body["model"]),
        texts=texts,
        question=questions[-1] if questions else "",
        prefix=texts[-1] if continues else "",
        stream=body.get("stream") is True,
        max_tokens=msgspec.convert(body.get("max_tokens"), int | None),
        stop=tuple(msgspec.convert([stop] if isinstance(stop, str) else stop, list[str])),
        wants_json=str(response_format.get("type", "text")).startswith("json"),
    )


def _text_of(content: object) -> str:
    """The text in a message's content, which is a string or a list of typed parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
