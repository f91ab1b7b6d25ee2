"""Optional fields that a server will not have: sent again without them, and remembered for the run.

What a server of unknown kind accepts is found out by asking. When it refuses a request because of the mere presence
of an optional field, the same request goes out again at once without that field; ``max_tokens`` goes out under its
other name. A refused *value* is the user's to correct, and stays an error.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from desktop_chat.domain.errors import ContextOverflowError, InvalidRequestError

_OTHER_NAME: Final = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_OPTIONAL: Final = frozenset(
    {"stream_options", "seed", "random_seed", "temperature", "top_p", "stop", *_OTHER_NAME}
)
_OURS: Final = frozenset({"stream_options"})
"""Sent on this program's own account: leaving them out changes nothing that the user asked for."""

_THING: Final = r"(?:name|field|param|parameter|argument|property|properties|key|option|input)s?\b"
_UNWANTED: Final = re.compile(
    rf"extra_forbidden|extra (?:inputs?|fields?|keys?)\b|additional propert|\bunrecogni[sz]ed\b"
    rf"|\b(?:unknown|unsupported|unexpected|invalid|disallowed)(?: \w+){{0,2}} {_THING}"
    rf"|{_THING}(?: \w+)? (?:is |are )?not (?:supported|permitted|allowed|recogni[sz]ed|known)"
    r"|\b(?:is|are|was|were) (?:unsupported|unexpected|unknown)\b"
    r"|\b(?:is|are) not (?:supported|permitted|recogni[sz]ed|available)\b"
    r"|\b(?:is|are) not an? (?:valid|known|supported|recogni[sz]ed) "
    rf"|does(?: not|n't) support(?: the| these)?(?: \w+)? ?{_THING}|\bcannot find field\b",
    re.IGNORECASE,
)
_WRONG_VALUE: Final = re.compile(
    r"\bvalues?\b|\bmust be\b|\b(?:at most|at least|maximum|minimum|exceeds?|too (?:large|small|high|low|long))\b"
    r"|\b(?:less|greater) than\b|\bbetween\b|\brange\b",
    re.IGNORECASE,
)
_WHAT_IS_ALLOWED: Final = re.compile(
    rf"\bexpected\b|\b(?:allowed|accepted|supported|permitted|valid|known) {_THING}(?: are\b| ?:)",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[A-Za-z_]+")
_QUOTED_STOP: Final = re.compile(r"['\"`‘“]stop['\"`’”]|: stop\b|^stop\b")


class Refused(msgspec.Struct, frozen=True):
    """What one model of one server refuses: fields to leave out, and names to use instead."""

    left_out: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()


class KnownRefusals:
    """What a client's server has refused so far, by model: one server may serve models of different makers."""

    def __init__(self) -> None:
        self._by_model: dict[str, Refused] = {}

    def of(self, model: str) -> Refused:
        return self._by_model.get(model, Refused())

    def learn(self, model: str, refused: Refused) -> None:
        self._by_model[model] = refused


class NegotiatedBody:
    """The body of one request, in the form that the server will have.

    Attributes:
        warnings: what the user set and the server did not get as it was set.

    Args:
        body: with every field that is wanted.
        known: what is left out from the start; learns once the server has accepted the request.
    """

    def __init__(self, body: dict[str, Any], known: KnownRefusals) -> None:
        self.warnings: list[str] = []
        self._body = body
        self._known = known
        self._model = str(body["model"])
        self._refused = known.of(self._model)
        self._given_up: set[str] = set()
        for name in sorted(self._refused.left_out & body.keys()):
            self._leave_out(name)
        for name in sorted(self._refused.renamed & body.keys()):
            self._rename(name)

    def encoded(self) -> bytes:
        return msgspec.json.encode(self._body)

    def concede(self, error: InvalidRequestError) -> bool:
        """Give up the field that the server refuses; ``False`` when there is none, or none that may go.

        Each field is given up once at most, hence the number of requests is bounded.
        """
        name = refused_field(error, self._body.keys() - self._given_up)
        if name is None:
            return False
        refused = self._refused
        if name in _OTHER_NAME:
            self._rename(name)
            self.warnings.append(
                f"The server does not know “{name}”; it got the limit as “{_OTHER_NAME[name]}”."
            )
            self._refused = msgspec.structs.replace(refused, renamed=refused.renamed | {name})
        else:
            self._leave_out(name)
            self._refused = msgspec.structs.replace(refused, left_out=refused.left_out | {name})
        return True

    def accepted(self) -> None:
        """The server took the request as it is now."""
        if self._refused != self._known.of(self._model):
            self._known.learn(self._model, self._refused)

    def _leave_out(self, name: str) -> None:
        self._given_up.add(name)
        del self._body[name]
        if name not in _OURS:
            self.warnings.append(f"The server does not accept “{name}”; the request went without it.")

    def _rename(self, name: str) -> None:
        other = _OTHER_NAME[name]
        self._given_up |= {name, other}
        self._body[other] = self._body.pop(name)


def refused_field(error: InvalidRequestError, sent: set[str]) -> str | None:
    """The one of the ``sent`` optional fields whose presence the server refuses; ``None`` for any other error."""
    if isinstance(error, ContextOverflowError) or error.status not in (400, 422):
        return None
    words = _WHAT_IS_ALLOWED.split(error.message, maxsplit=1)[0]
    if not _UNWANTED.search(words) or _WRONG_VALUE.search(words):
        return None
    optional = {_plain(name): name for name in _OPTIONAL & sent}
    mentioned = error.param.split(".") if error.param else _WORD.findall(words)
    for word in mentioned:
        name = optional.get(_plain(word))
        if name is not None and (name != "stop" or error.param or _QUOTED_STOP.search(words)):
            return name
    return None


def _plain(name: str) -> str:
    """xAI's errors name ``stream_options`` ``streamOptions``."""
    return name.replace("_", "").lower()
