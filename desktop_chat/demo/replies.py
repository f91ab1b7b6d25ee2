"""What the demo server answers: written pages chosen by keywords, and faults on request.

There is no model behind it. A message may begin with a directive (``/slow 3``, ``/error 429``, ...) that makes
the answer misbehave in a chosen way; the rest chooses the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import cycle
from typing import Final

import msgspec

from desktop_chat import resources
from desktop_chat.demo import prompts
from desktop_chat.demo.tokens import cut, pieces
from desktop_chat.demo.validation import ChatCall, Refused, error_body

LONGEST_ANSWER: Final = 1_000_000
"""Tokens; a request for more gets this many."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer and how it is to misbehave.

    Attributes:
        tokens: the answer in full; joined they are its Markdown text.
        echo: the text being continued, which Mistral repeats at the start of its reply; not counted.
        reasoning: tokens sent before the answer as ``thinking`` chunks.
        tool_call: name and JSON arguments of a call sent after the text.
        paced: whether the server's speed applies; otherwise as fast as the connection takes it.
        delay_s: seconds before the first token.
        stall_s: seconds of silence in the middle.
        cut_after: the connection breaks after this many tokens, in the middle of the next one.
        fails_after: an error object takes the place of the token at this index.
    """

    tokens: list[str]
    echo: str = ""
    reasoning: list[str] = []
    tool_call: tuple[str, str] | None = None
    paced: bool = True
    delay_s: float = 0.0
    stall_s: float = 0.0
    cut_after: int | None = None
    fails_after: int | None = None


class DemoModel(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the model list; the other attributes are as in `Reply`."""

    id: str
    name: str
    description: str
    thinks: bool = False
    paced: bool = True
    delay_s: float = 0.0
    cut_after: int | None = None


MODELS: Final = (
    DemoModel(id="demo-tour", name="Guided tour", description="Shows what Desktop Chat can do."),
    DemoModel(
        id="demo-reasoner",
        name="Guided tour, thinking",
        description="Thinks aloud before it answers.",
        thinks=True,
    ),
    DemoModel(id="demo-fast", name="No speed limit", description="As fast as the connection.", paced=False),
    DemoModel(id="demo-slow", name="Late first token", description="Thinks for 3 s in silence.", delay_s=3.0),
    DemoModel(id="demo-flaky", name="Breaks off", description="Breaks off after 60 tokens.", cut_after=60),
)
MODEL_BY_ID: Final[Mapping[str, DemoModel]] = {model.id: model for model in MODELS}

_EXAMPLES: Final[Mapping[str, str]] = {
    prompts.TOUR: "tour",
    prompts.STREAMING: "streaming",
    prompts.PYTHON: "python",
}

_TOPICS: Final[Mapping[str, re.Pattern[str]]] = {
    topic: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for topic, words in {
        "tour": r"tour|features?|what (?:can|could) (?:you|it|this)|demo(?:nstrate)?|overview"
        r"|welcome",
        "streaming": r"stream(?:s|ed|ing)?|server|screen|sse|socket|wire|protocol|pixels?|architecture",
        "python": r"python|function|pytest|tests?|algorithm|complexity|merge",
        "code": r"code|program(?:ming)?|snippets?|highlight(?:s|ed|ing)?|rust|javascript|typescript|sql"
        r"|bash|json|languages?",
        "math": r"math(?:s|ematics)?|formulas?|equations?|latex|tex|integrals?|matrix|euler|gauss",
        "tables": r"tables?|columns?|csv|spreadsheet|compare|comparison",
        "markdown": r"markdown|formatt?(?:ed|ing)?|lists?|headings?|quotes?|footnotes?|gfm|bold|italic"
        r"|checklist",
        "metrics": r"metrics?|tokens?|speed|tok/s|ttft|latency|how fast|statistics|numbers|costs?",
        "stopping": r"stop(?:s|ped)?|cancel|continue|interrupt(?:ed|ion)?|retry|regenerate|errors?|network"
        r"|offline",
        "conversations": r"conversations?|history|search|find|save[ds]?|database|branch(?:es)?|edit|export"
        r"|rename",
        "privacy": r"privacy|private|secur(?:e|ity)|safe|keychain|keys?|password|telemetry|cloud",
        "commandline": r"command[ -]?line|cli|terminal|shell|script(?:s|ing)?|ask|stdin|pipe|automat\w+",
        "providers": r"mistral|openai|ollama|llama(?:\.cpp)?|lm studio|vllm|provider|api|endpoint"
        r"|local models?|real model|connect",
        "thinking": r"think(?:s|ing)?|reason(?:s|ing)?|chain of thought",
        "shortcuts": r"shortcuts?|keyboard|hotkeys?|key bindings?|keystrokes?",
        "identity": r"who are you|what are you|your name|are you (?:an?|the|real|human|alive|gpt|mistral)\b.*"
        r"|which model|what model|chatgpt|sentient",
        "hello": r"hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|greetings|bonjour|salut|hallo"
        r"|guten tag|hola|ciao|ol[aá]|how are you",
        "thanks": r"thanks?|thank you|thx|merci|danke|gracias|great|awesome|nice|cool|wonderful|beautiful|bye"
        r"|goodbye",
        "help": r"help|commands?|directives?|what can i (?:ask|say|type)|options",
    }.items()
}
_LENGTH = re.compile(r"\b(\d[\d,._ ]*)\s*(k\b)?\s*-?(tokens?|words?)\b", re.IGNORECASE)
_LONG = re.compile(r"\b(?:long|essay|story|novel|article|lorem)\b", re.IGNORECASE)
_DIRECTIVE = re.compile(r"\s*/([a-z]+)\b[ \t]*(\d+(?:\.\d+)?|stream\b)?\s*(.*)", re.IGNORECASE | re.DOTALL)

_ERRORS_HAD = re.compile(r"\A(?:\s*/error[ \t]+\d+[ \t]*\n\n+(?=\s*\S))+", re.IGNORECASE)

_DIRECTIVE_TOPICS: Final[Mapping[str, str]] = {
    "slow": "metrics",
    "stall": "metrics",
    "cut": "stopping",
    "think": "thinking",
    "tool": "tools",
    "error": "stopping",
    "help": "help",
}

_ERRORS: Final[Mapping[int, tuple[dict[str, object], Mapping[str, str]]]] = {
    400: (error_body("The demo was asked to refuse this request.", "invalid_request_error", "3001"), {}),
    401: ({"message": "Unauthorized", "request_id": "demo-401"}, {}),
    402: (error_body("The demo account has no credit left.", "payment_required", "1402"), {}),
    403: (error_body("This key may not use the model.", "forbidden", "1403"), {}),
    404: (error_body("Invalid model: demo-missing", "invalid_model", "1500"), {}),
    422: (
        {
            "detail": [
                {
                    "type": "less_than_equal",
                    "loc": ["body", "temperature"],
                    "msg": "Input should be less than or equal to 1.5",
                    "input": 7,
                    "ctx": {"le": 1.5},
                }
            ]
        },
        {},
    ),
    429: (error_body("Requests rate limit exceeded", "rate_limited", "1300"), {"Retry-After": "2"}),
    500: (error_body("Service unavailable.", "internal_server_error", "1000"), {}),
    503: (error_body("Service tier capacity exceeded for this model.", "service_unavailable", "3505"), {}),
}


def reply_to(call: ChatCall) -> Reply:
    """The answer to a checked request. Raises Refused where the request asks for an HTTP error."""
    model = MODEL_BY_ID.get(call.model)
    if model is None:
        raise Refused(404, error_body(f"Invalid model: {call.model}", "invalid_model", "1500"))
    directive, argument, question = _split(call.question)
    if directive == "error" and argument != "stream":
        status = int(float(argument or 500))
        body, headers = _ERRORS.get(status, _ERRORS[500])
        raise Refused(status if status in _ERRORS else 500, body, headers)
    seconds = float(argument) if argument and argument != "stream" else None
    topic = _topic_of(question) if question else _DIRECTIVE_TOPICS.get(directive, "hello")
    if directive == "tokens" and seconds:
        tokens = _long_answer(int(seconds))
    else:
        tokens = _page_tokens(topic, question)
    if call.wants_json:
        tokens = pieces(msgspec.json.encode({"topic": topic, "answer": "".join(tokens)}).decode())
    continues = bool(call.prefix)
    thinks = (model.thinks or directive == "think") and not continues
    cut_at = int(seconds or 40) if directive == "cut" else model.cut_after
    return Reply(
        tokens=_continuation(tokens, call.prefix) if continues else tokens,
        echo=call.prefix,
        reasoning=pieces(_reasoning_about(topic, question)) if thinks else [],
        tool_call=("get_weather", '{"city": "Paris", "unit": "celsius"}') if directive == "tool" else None,
        paced=model.paced,
        delay_s=(seconds or 5.0) if directive == "slow" else model.delay_s,
        stall_s=(seconds or 3.0) if directive == "stall" else 0.0,
        cut_after=None if continues or cut_at is None else _long_word(tokens, cut_at),
        fails_after=min(30, len(tokens) // 2) if directive == "error" and not continues else None,
    )


def _split(message: str) -> tuple[str, str, str]:
    """Directive, its argument and the rest; the first two are empty for an ordinary message.

    A client joins a question that was never answered with the next one: the error asked for there has been had.
    """
    message = _ERRORS_HAD.sub("", message)
    match = _DIRECTIVE.match(message)
    if not match or match[1].lower() not in {*_DIRECTIVE_TOPICS, "tokens"}:
        return "", "", message.strip()
    return match[1].lower(), (match[2] or "").lower(), match[3].strip()


def _topic_of(question: str) -> str:
    """The page for a question: an example prompt's own, or the one most of whose keywords occur."""
    plain = " ".join(question.split()).rstrip(".!? ").casefold()
    for prompt, topic in _EXAMPLES.items():
        if plain == prompt.casefold():
            return topic
    if _LENGTH.search(question) or _LONG.search(question):
        return "long"
    scores = {topic: len(set(pattern.findall(question.casefold()))) for topic, pattern in _TOPICS.items()}
    best = max(scores, key=lambda topic: scores[topic])
    return best if scores[best] else "fallback"


def _page_tokens(topic: str, question: str) -> list[str]:
    if topic != "long":
        return list(_tokens_of(topic))
    match = _LENGTH.search(question)
    if match is None:
        return _long_answer(1200)
    count = int(re.sub(r"\D", "", match[1])) * (1000 if match[2] else 1)
    return _long_answer(count * 4 // 3 if match[3].lower().startswith("word") else count)


@cache
def _tokens_of(page: str) -> tuple[str, ...]:
    return tuple(pieces(resources.read_text(f"demo/{page}.md").strip()))


def _long_answer(count: int) -> list[str]:
    """Exactly ``count`` tokens of the long text, from its beginning again when it is used up."""
    wanted = max(1, min(count, LONGEST_ANSWER))
    tokens: list[str] = []
    for part in cycle((_tokens_of("long"), ("\n\n", "---", "\n\n"))):
        tokens += part[: wanted - len(tokens)]
        if len(tokens) == wanted:
            return tokens
    raise AssertionError("cycle() does not end")


def _continuation(tokens: list[str], prefix: str) -> list[str]:
    """What follows ``prefix`` in the answer."""
    text = "".join(tokens)
    if text.startswith(prefix):
        return pieces(text[len(prefix) :])
    return pieces(" … (The demo server continues only what it has written itself.)")


def _long_word(tokens: list[str], start: int) -> int:
    """Index of a token that can be broken in its middle, at or after ``start`` (or the middle of the answer)."""
    first = min(start, len(tokens) // 2)
    return next((index for index in range(first, len(tokens)) if len(tokens[index].strip()) > 3), first)


def _reasoning_about(topic: str, question: str) -> str:
    """Honest reasoning: how this server really chose its page."""
    shown = question if len(question) <= 80 else question[:79] + "…"
    words = sorted({match[0] for match in _TOPICS[topic].finditer(shown)}) if topic in _TOPICS else []
    reason = f"The words that decide: {', '.join(words)}." if words else "No single word decides."
    return (
        f"The message reads: “{shown or '(nothing but a directive)'}”.\n\n"
        "A model would now weigh what is meant. I am a demo server, so I compare the words with my list of "
        f"{len(_TOPICS)} topics. {reason} The page “{topic}” fits best.\n\n"
        "Is there anything to be careful about? Yes: not to sound as if I had understood it. "
        "I will send the page as it was written, one piece of a word at a time."
    )


def limited(reply: Reply, stop: tuple[str, ...], max_tokens: int | None) -> tuple[Reply, str]:
    """The reply as far as the request lets it go, and the finish reason."""
    text = "".join(reply.tokens)
    ends = [found for sequence in stop if sequence and (found := text.find(sequence)) >= 0]
    tokens = cut(reply.tokens, min(ends)) if ends else reply.tokens
    reason = "tool_calls" if reply.tool_call else "stop"
    if max_tokens is not None and max_tokens < len(reply.reasoning) + len(tokens):
        reasoning = reply.reasoning[:max_tokens]
        tokens = tokens[: max_tokens - len(reasoning)]
        return msgspec.structs.replace(reply, reasoning=reasoning, tokens=tokens, tool_call=None), "length"
    return msgspec.structs.replace(reply, tokens=tokens), reason
