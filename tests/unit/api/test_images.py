"""Fetching an image for somebody who asked: only that, only from there, and never more than a little."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
from image_server import SVG, ImageServer, png

from desktop_chat.api.images import (
    Concern,
    FetchedImage,
    ImageFetcher,
    ImageLimits,
    Question,
    image_of,
    is_private,
)
from desktop_chat.domain.errors import ChatError

HERE = frozenset({"127.0.0.1"})


@pytest.fixture
async def server() -> AsyncIterator[ImageServer]:
    async with ImageServer() as running:
        yield running


async def refusal(address: str, limits: ImageLimits | None = None) -> str:
    with pytest.raises(ChatError) as caught:
        await ImageFetcher(limits).fetch(address, private_hosts=HERE)
    return caught.value.sentence


async def test_an_image_is_fetched_without_cookies_key_or_referrer(server: ImageServer) -> None:
    found = await ImageFetcher().fetch(f"{server.address}/moved", private_hosts=HERE)
    assert found == FetchedImage(png(200, 100), "png")
    assert [head.split(" ")[1] for head in server.requests] == ["/moved", "/a.png"]
    for head in server.requests:
        names = {line.partition(":")[0].lower() for line in head.split("\r\n")[1:] if line}
        assert names == {"host", "connection", "user-agent", "accept", "accept-encoding"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1", "2130706433", "0x7f.0.0.1"])
async def test_this_computer_is_not_called_without_a_question(server: ImageServer, host: str) -> None:
    found = await ImageFetcher().fetch(f"http://{host}:{server.port}/a.png")
    assert isinstance(found, Question)
    assert found.concern is Concern.PRIVATE
    assert server.requests == []


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("10.0.0.1", True),
        ("172.16.3.4", True),
        ("192.168.1.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("::1", True),
        ("::", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:192.168.1.1", True),
        ("64:ff9b::a00:1", True),
        ("2002:a00:1::", True),
        ("93.184.216.34", False),
        ("2606:2800:220:1:248:1893:25c8:1946", False),
    ],
)
def test_which_addresses_are_private(address: str, private: bool) -> None:
    assert is_private(address) is private


async def test_another_host_is_a_question(server: ImageServer) -> None:
    found = await ImageFetcher().fetch(f"{server.address}/elsewhere", private_hosts=HERE)
    assert found == Question(Concern.OTHER_HOST, f"http://localhost:{server.port}/a.png", "localhost")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/none.png", "no such image"),
        ("/svg.png", "SVG"),
        ("/page.png", "web page"),
        ("/text.png", "no PNG"),
        ("/circle", "in circles"),
        ("/to-file", "is no URL"),
    ],
)
async def test_what_is_no_image_is_refused_in_words(server: ImageServer, path: str, words: str) -> None:
    assert words in await refusal(server.address + path)


async def test_an_endless_image_is_left(server: ImageServer) -> None:
    assert "larger than 1 MB" in await refusal(f"{server.address}/endless", ImageLimits(size=1024 * 1024))


async def test_a_silent_host_is_left(server: ImageServer) -> None:
    assert "too slow" in await refusal(f"{server.address}/silent", ImageLimits(seconds=0.2))


async def test_cancelling_closes_the_connection(server: ImageServer) -> None:
    task = asyncio.create_task(ImageFetcher().fetch(f"{server.address}/endless", private_hosts=HERE))
    while not server.requests:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "//host/share",
        "x.png",
        "ftp://a/b.png",
        "http://",
        "https://me:secret@example.org/a",
    ],
)
async def test_other_addresses_are_not_called(address: str) -> None:
    assert await refusal(address)


async def test_an_image_within_the_answer_needs_no_network() -> None:
    encoded = base64.b64encode(png(2, 2)).decode()
    assert await ImageFetcher().fetch(f"data:image/png;base64,{encoded}") == FetchedImage(png(2, 2), "png")
    assert "damaged" in await refusal("data:image/png;base64,!!!")
    assert "SVG" in await refusal("data:image/svg+xml;base64," + base64.b64encode(SVG).decode())


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"BM", "bmp"),
    ],
)
def test_the_kind_is_what_the_first_bytes_say(start: bytes, kind: str) -> None:
    assert image_of(start + b"rest").kind == kind
