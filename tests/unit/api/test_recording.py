from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest
from fault_server.reading import Answer, read_answer
from fault_server.server import FaultServer
from fault_server.wire import ANSWER, ANSWER_TEXT, DONE, chunk, event, finish, head

from desktop_chat.api.client import ChatClient
from desktop_chat.api.recording import Recording, ReplayTransport, StreamRecorder
from desktop_chat.api.sse import SSEDecoder
from desktop_chat.domain.errors import ConfigurationError, StreamInterruptedError
from desktop_chat.domain.profiles import Dialect

KEY = "sk-secret-0123456789"


async def record(path: Path, *script: bytes) -> Answer:
    async with asyncio.timeout(20), FaultServer(script) as server:
        recorder = StreamRecorder(path)
        async with ChatClient(server.base_url, Dialect.OPENAI, KEY) as client:
            answer = await read_answer(client, recorder=recorder)
        await recorder.finished()
        return answer


async def replay(path: Path, speed: float | None = None) -> Answer:
    transport = ReplayTransport(Recording.load(path), speed=speed)
    async with (
        asyncio.timeout(20),
        ChatClient("http://replay.invalid/v1", Dialect.OPENAI, transport=transport) as client,
    ):
        return await read_answer(client)


@pytest.mark.parametrize("speed", [1.0, 10.0, None])
async def test_what_was_recorded_replays(tmp_path: Path, speed: float | None) -> None:
    path = tmp_path / "a.sse"
    recorded = await record(path, head(), ANSWER)
    replayed = await replay(path, speed)
    assert (
        (replayed.text, replayed.finish_reason)
        == (recorded.text, recorded.finish_reason)
        == (ANSWER_TEXT, "stop")
    )


async def test_the_bytes_are_kept_as_they_came_and_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    await record(path, head(), ANSWER)
    recording = Recording.load(path)
    assert recording.body == ANSWER
    assert sum(recording.sizes) == len(ANSWER)
    assert recording.times_s == sorted(recording.times_s)
    assert path.read_bytes().startswith(ANSWER)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_any_event_stream_reader_can_read_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    await record(path, head(), ANSWER[:-20])
    assert SSEDecoder().feed(path.read_bytes()) == SSEDecoder().feed(ANSWER[:-20])


async def test_an_interruption_replays_as_one(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    await record(path, head(), chunk("Hel"))
    replayed = await replay(path)
    assert replayed.text == "Hel"
    assert isinstance(replayed.error, StreamInterruptedError)


async def test_a_plain_stream_replays_at_once(tmp_path: Path) -> None:
    path = tmp_path / "plain.sse"
    path.write_bytes(ANSWER)
    assert (await replay(path, 1.0)).text == ANSWER_TEXT


async def test_a_key_that_a_server_repeats_is_blotted_out(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    echo = event({"echo": f"Bearer {KEY}"})
    middle = echo.index(KEY.encode()) + 7
    recorded = await record(path, head(), echo[:middle], echo[middle:] + ANSWER)
    assert recorded.text == ANSWER_TEXT
    assert KEY.encode() not in path.read_bytes()
    assert (await replay(path)).text == ANSWER_TEXT


def test_a_key_cut_by_the_reads_is_blotted_out(tmp_path: Path) -> None:
    async def write() -> None:
        recorder = StreamRecorder(tmp_path / "a.sse")
        recorder.redact(KEY)
        recorder.begin({})
        for byte in f"a {KEY} b {KEY[:5]}".encode():
            recorder.write(bytes([byte]))
        await recorder.finished()

    asyncio.run(write())
    assert Recording.load(tmp_path / "a.sse").body == f"a {'*' * len(KEY)} b {KEY[:5]}".encode()


async def test_a_disk_that_refuses_costs_the_recording_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "missing" / "a.sse"
    recorded = await record(path, head(), ANSWER)
    assert recorded.text == ANSWER_TEXT
    assert "ends early" in caplog.text


async def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    os.mkfifo(path)  # opening it waits for a reader that does not come
    recorder = StreamRecorder(path)
    async with (
        asyncio.timeout(20),
        FaultServer([head(), ANSWER]) as server,
        ChatClient(server.base_url, Dialect.OPENAI, KEY) as client,
    ):
        answer = await read_answer(client, recorder=recorder)
        await recorder.finished(0.01)
    assert answer.text == ANSWER_TEXT
    assert recorder.problem is not None
    assert "does not answer" in recorder.problem
    assert await asyncio.to_thread(path.read_bytes)  # now there is a reader, and the thread can end


async def test_a_recorder_belongs_to_one_stream(tmp_path: Path) -> None:
    scripts = [[head(), chunk(text), finish(), DONE] for text in ("one", "two", "three")]
    recorders = [StreamRecorder(tmp_path / f"{number}.sse") for number in range(2)]
    async with (
        asyncio.timeout(20),
        FaultServer(*scripts) as server,
        ChatClient(server.base_url, Dialect.OPENAI, KEY) as client,
    ):
        for recorder in (*recorders, None):
            await read_answer(client, recorder=recorder)
    for recorder, text in zip(recorders, ("one", "two"), strict=True):
        await recorder.finished()
        assert (await replay(recorder.path)).text == text
    assert len(await asyncio.to_thread(os.listdir, tmp_path)) == 2


async def test_a_retry_begins_the_file_anew(tmp_path: Path) -> None:
    """Also where no file of that name may be written over."""
    path = tmp_path / "a.sse"
    path.write_bytes(b"somebody else's")
    recorder = StreamRecorder(path, replace=False)
    async with (
        asyncio.timeout(20),
        FaultServer([head(), chunk("a longer first try")], [head(), ANSWER]) as server,
        ChatClient(server.base_url, Dialect.OPENAI, KEY) as client,
    ):
        await read_answer(client, recorder=recorder)
        await read_answer(client, recorder=recorder)
    await recorder.finished()
    assert recorder.path == tmp_path / "a-2.sse"
    assert Recording.load(recorder.path).body == ANSWER
    assert path.read_bytes() == b"somebody else's"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Recording.load(tmp_path / "none.sse")
    assert caught.value.sentence == "The recording none.sse cannot be read."
