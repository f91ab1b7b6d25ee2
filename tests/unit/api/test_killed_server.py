"""``kill -9`` of the server at every tenth byte of a stream: what had arrived is kept, and nothing is guessed."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from fault_server.reading import Answer, question
from fault_server.wire import chunk

from desktop_chat.api.client import ChatClient
from desktop_chat.domain.errors import StreamInterruptedError
from desktop_chat.domain.profiles import Dialect

STREAM = b"".join(chunk(word) for word in ("Hello", ", ", "wörld", " 👩‍👧", "!"))
MORTAL = Path(__file__).parents[2] / "fault_server" / "mortal.py"


def text_of_whole_events(stream: bytes) -> str:
    blocks = stream.split(b"\n\n")[:-1]
    return "".join(json.loads(block[6:])["choices"][0]["delta"]["content"] for block in blocks)


async def read_until_killed(sent: bytes) -> Answer:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-SEI", str(MORTAL), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(sent)
    server.stdin.close()
    port = int(await server.stdout.readline())
    answer = Answer()

    async def kill_when_all_has_come() -> None:
        while stream.bytes_received < len(sent):
            await asyncio.sleep(0)
        server.kill()
        await server.wait()

    async with (
        ChatClient(f"http://127.0.0.1:{port}/v1", Dialect.OPENAI) as client,
        client.stream(question()) as stream,
    ):
        killing = asyncio.ensure_future(kill_when_all_has_come())
        try:
            async for deltas in stream:
                answer.add_all(deltas)
        except StreamInterruptedError as error:
            answer.error = error
        await killing
    return answer


async def test_what_had_arrived_is_kept_at_every_tenth_byte() -> None:
    async with asyncio.timeout(60):
        for at in range(0, len(STREAM), 10):
            answer = await read_until_killed(STREAM[:at])
            assert isinstance(answer.error, StreamInterruptedError)
            assert answer.text == text_of_whole_events(STREAM[:at])
