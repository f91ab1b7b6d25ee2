"""``GET /v1/models``: an OpenAI list, a bare list, or only ids; everything but the id is optional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop_chat.domain.errors import ProtocolError
from desktop_chat.domain.profiles import ModelInfo

_CONTEXT_FIELDS = ("max_context_length", "context_length", "context_window", "max_model_len")


def models_from(payload: object) -> list[ModelInfo]:
    """Chat models in the server's order, each once.

    Raises:
        ProtocolError: the payload is no list of models.
    """
    entries = payload
    if isinstance(payload, dict):
        entries = payload.get("data")
        if entries is None:
            entries = payload.get("models")  # Ollama's own list, and llama.cpp beside ``data``
    if not isinstance(entries, list):
        raise ProtocolError(sentence="The server's list of models could not be read.")
    models: dict[str, ModelInfo] = {}
    for entry in entries:
        if isinstance(entry, str):
            entry = {"id": entry}
        if isinstance(entry, dict) and (model := _model_from(entry)):
            models.setdefault(model.id, model)
    return list(models.values())


def _model_from(entry: Mapping[str, Any]) -> ModelInfo | None:
    model_id = entry.get("id") or entry.get("name") or entry.get("model")
    if not isinstance(model_id, str):
        return None
    capabilities = entry.get("capabilities")
    if isinstance(capabilities, dict) and capabilities.get("completion_chat") is False:
        return None  # Mistral lists embedding and OCR models too
    aliases = entry.get("aliases")
    return ModelInfo(
        id=model_id,
        context_length=_context_length(entry),
        aliases=tuple(alias for alias in aliases if isinstance(alias, str))
        if isinstance(aliases, list)
        else (),
        deprecated=bool(entry.get("deprecation")),
        owned_by=entry["owned_by"] if isinstance(entry.get("owned_by"), str) else "",
    )


def _context_length(entry: Mapping[str, Any]) -> int | None:
    meta = entry.get("meta")
    values = [entry.get(name) for name in _CONTEXT_FIELDS]
    if isinstance(meta, dict):  # llama.cpp
        values += [meta.get("n_ctx"), meta.get("n_ctx_train")]
    return next((value for value in values if isinstance(value, int) and value > 0), None)
