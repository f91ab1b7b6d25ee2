"""Tool calls, which come whole or in pieces and are numbered in several ways."""

from __future__ import annotations

import json

from desktop_chat.api.channels import SurrogateJoiner
from desktop_chat.api.wire import WireFunction
from desktop_chat.domain.deltas import ToolCallDelta
from desktop_chat.domain.text import without_lone_surrogates


class _OpenCall:
    """One call so far: what has been told of it already."""

    __slots__ = ("arguments", "id", "name", "slot")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.id = ""
        self.name = ""
        self.arguments = SurrogateJoiner()


class ToolCallAssembler:
    """Finds the call that a piece belongs to.

    Servers number pieces by ``index``, by ``id``, or not at all (then a piece without an id continues the last
    call); Mistral sends calls whole and without an index, others number every whole call 0. Ids and names are
    passed on once, whether the server repeats them or not.
    """

    def __init__(self) -> None:
        self._calls: list[_OpenCall] = []
        self._by_index: dict[int, _OpenCall] = {}
        self._by_id: dict[str, _OpenCall] = {}

    def feed(
        self, index: int | None, call_id: str | None, function: WireFunction | None
    ) -> list[ToolCallDelta]:
        name = (function.name if function else None) or ""
        arguments = (function.arguments if function else None) or ""
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        call_id = "" if call_id in (None, "null") else call_id or ""
        call = self._call_for(index, call_id, name)
        new_id = without_lone_surrogates(call_id) if not call.id else ""
        new_name = without_lone_surrogates(name) if not call.name else ""
        call.id = call.id or new_id
        call.name = call.name or new_name
        text = call.arguments.feed(arguments)
        if not (new_id or new_name or text):
            return []
        return [ToolCallDelta(call.slot, new_id, new_name, text)]

    def flush(self) -> list[ToolCallDelta]:
        """Half characters that stayed alone come out as U+FFFD."""
        return [
            ToolCallDelta(call.slot, arguments=call.arguments.flush())
            for call in self._calls
            if call.arguments.held
        ]

    def _call_for(self, index: int | None, call_id: str, name: str) -> _OpenCall:
        if call_id and call_id in self._by_id:
            return self._by_id[call_id]
        call = self._by_index.get(index) if index is not None else (self._calls[-1] if self._calls else None)
        is_other_call = call is not None and bool(call_id) and bool(call.id)
        if index is None and name and call is not None and call.name:
            is_other_call = True  # whole calls with neither index nor id
        if call is None or is_other_call:
            call = _OpenCall(len(self._calls))
            self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        if call_id:
            self._by_id[call_id] = call
        return call
