from __future__ import annotations

import asyncio
import json

import pytest
from fault_server.server import STALL, FaultServer
from fault_server.wire import response

from desktop_chat.api.discovery import find_local_servers
from desktop_chat.domain.profiles import Dialect


@pytest.mark.parametrize(
    ("owner", "name", "dialect"),
    [
        ("library", "Ollama", Dialect.OLLAMA),
        ("llamacpp", "llama.cpp", Dialect.LLAMACPP),
        ("organization_owner", "LM Studio", Dialect.LMSTUDIO),
        ("vllm", "vLLM", Dialect.VLLM),
    ],
)
async def test_a_server_is_known_by_what_it_says(owner: str, name: str, dialect: Dialect) -> None:
    body = json.dumps({"data": [{"id": "tiny", "owned_by": owner}]})
    async with FaultServer([response("200 OK", body)]) as server:
        (found,) = await find_local_servers([server.port])
        assert (found.name, found.dialect, found.base_url) == (name, dialect, server.base_url)
        assert [model.id for model in found.models] == ["tiny"]


async def test_whoever_does_not_list_models_is_none(unused_tcp_port: int) -> None:
    async with (
        asyncio.timeout(20),
        FaultServer([response("200 OK", "<html>", "text/html")]) as page,
        FaultServer([STALL]) as silent,
        FaultServer([response("200 OK", '{"data": []}')]) as empty,
    ):
        ports = [unused_tcp_port, page.port, silent.port, empty.port]
        (found,) = await find_local_servers(ports)
        assert (found.name, found.models) == (f"Server on port {empty.port}", ())
