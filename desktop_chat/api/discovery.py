"""Finding model servers that run on this computer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec

from desktop_chat.api.client import ChatClient
from desktop_chat.api.dialects import LOCAL_PORTS
from desktop_chat.domain.errors import ChatError
from desktop_chat.domain.profiles import Dialect, ModelInfo
from desktop_chat.domain.requests import Timeouts

DEFAULT_PORTS: Final = (11434, 8080, 1234, 8000)
"""Ollama, llama.cpp, LM Studio, vLLM."""

_PATIENCE: Final = Timeouts(connect=0.5, first_payload=1.5, idle=1.5)
_NAMES: Final = {
    Dialect.OLLAMA: "Ollama",
    Dialect.LLAMACPP: "llama.cpp",
    Dialect.LMSTUDIO: "LM Studio",
    Dialect.VLLM: "vLLM",
}
_OWNERS: Final = {
    "library": Dialect.OLLAMA,
    "llamacpp": Dialect.LLAMACPP,
    "organization_owner": Dialect.LMSTUDIO,
    "vllm": Dialect.VLLM,
}
"""What each server says in ``owned_by``: surer than the port."""


class LocalServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that answered; ``base_url`` ends in ``/v1``, ``models`` is what it offers, maybe nothing yet."""

    name: str
    base_url: str
    dialect: Dialect
    models: tuple[ModelInfo, ...] = ()


async def find_local_servers(ports: Iterable[int] = DEFAULT_PORTS) -> list[LocalServer]:
    """Ask all ``ports`` of the loopback interface at once; those that list models, in the order of the ports.

    Never raises, and takes two seconds at most: a port that is silent, or speaks something else, is none.
    """
    found = await asyncio.gather(*(_probe(port) for port in ports))
    return [server for server in found if server is not None]


async def _probe(port: int) -> LocalServer | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        async with ChatClient(base_url, Dialect.OPENAI, timeouts=_PATIENCE) as client:
            models = await client.models()
    except ChatError:
        return None  # nobody there, or not a model server: the normal case
    owners = (_OWNERS.get(model.owned_by) for model in models)
    dialect = next((owner for owner in owners if owner), None) or LOCAL_PORTS.get(port, Dialect.OPENAI)
    name = _NAMES.get(dialect, f"Server on port {port}")
    return LocalServer(name=name, base_url=base_url, dialect=dialect, models=tuple(models))
