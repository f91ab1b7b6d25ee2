"""Fetching one image that a person asked to see: without cookies, key or referrer, and with limits on everything.

Nothing here runs by itself. The address was written by a model, which may have been told what to write, so it is not
trusted: no address of this computer or its network is called, and no other host than the one that was shown, unless
the person was asked (see `Question`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import enum
import ipaddress
import ssl
from typing import Final
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

import httpx
import msgspec

from desktop_chat import __version__
from desktop_chat.api.client import has_proxy, tls_context
from desktop_chat.api.connection import AddressRefusedError
from desktop_chat.api.errors import network_error
from desktop_chat.api.transport import StreamTransport
from desktop_chat.domain.errors import (
    ConfigurationError,
    LimitError,
    NetworkCause,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    ServerError,
    StreamTimeoutError,
)

_MAX_REDIRECTS: Final = 5
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
)


class ImageLimits(msgspec.Struct, frozen=True):
    """What one image may cost.

    Attributes:
        seconds: from the request to the last byte.
        size: bytes.
    """

    connect_s: float = 10.0
    seconds: float = 45.0
    size: int = 10 * 1024 * 1024


class FetchedImage(msgspec.Struct, frozen=True):
    """An image as it was received; ``kind`` is png, jpeg, gif, bmp or webp, as its first bytes say."""

    data: bytes
    kind: str


class Concern(enum.StrEnum):
    """Why the person has to be asked first."""

    PRIVATE = "private"
    OTHER_HOST = "other_host"


class Question(msgspec.Struct, frozen=True):
    """Whether ``address`` may be called after all; if so, fetch it with ``host`` among the ones allowed."""

    concern: Concern
    address: str
    host: str


class ImageFetcher:
    """Fetches images, each over a connection of its own that is closed afterwards."""

    def __init__(self, limits: ImageLimits | None = None) -> None:
        self._limits = limits or ImageLimits()

    async def fetch(
        self, address: str, *, private_hosts: frozenset[str] = frozenset()
    ) -> FetchedImage | Question:
        """The image at an ``http``, ``https`` or ``data`` address.

        Args:
            private_hosts: hosts of this computer and its network that the person allowed.

        Raises:
            ChatError: there is none to be had; its sentence is short.
        """
        if address[:5].lower() == "data:":
            return image_of(_from_data(address, self._limits.size))
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._follow(address, private_hosts)
        except TimeoutError:
            raise StreamTimeoutError(
                cause=NetworkCause.IDLE_TIMEOUT, sentence="The host was too slow"
            ) from None
        except httpx.InvalidURL as error:
            raise ConfigurationError(str(error), sentence="The address is no URL") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            failure = network_error(error)
            failure.sentence = "The host could not be reached"
            raise failure from error

    async def _follow(self, address: str, private_hosts: frozenset[str]) -> FetchedImage | Question:
        first = _checked(address)
        url = first
        for _ in range(_MAX_REDIRECTS + 1):
            host = url.hostname or ""
            received = await self._get(url, is_private_allowed=host in private_hosts)
            if received is None:
                return Question(Concern.PRIVATE, url.geturl(), host)
            if isinstance(received, bytes):
                return image_of(received)
            url = _checked(received)
            if url.hostname != first.hostname or (first.scheme, url.scheme) == ("https", "http"):
                return Question(Concern.OTHER_HOST, url.geturl(), url.hostname or "")
        raise ProtocolError(sentence="The host redirects in circles")

    async def _get(self, url: SplitResult, *, is_private_allowed: bool) -> bytes | str | None:
        """The body, or where it redirects to, or ``None`` where the address is one of this computer or network."""
        address = url.geturl()
        tls = await tls_context(address)
        if has_proxy(address):  # which looks names up by itself, so only the name can be judged
            if not is_private_allowed and _names_private(url.hostname or ""):
                return None
            transport = None
        else:
            transport = _transport(tls, is_private_allowed=is_private_allowed)
        headers = {
            "user-agent": f"desktop-chat/{__version__}",
            "accept": "image/png, image/jpeg, image/webp, image/gif, image/bmp",
            "accept-encoding": "identity",
        }
        async with httpx.AsyncClient(
            transport=transport,
            verify=tls,
            timeout=httpx.Timeout(None, connect=self._limits.connect_s),  # the whole has its own limit
            follow_redirects=False,
        ) as http:
            try:
                async with http.stream("GET", address, headers=headers) as response:
                    if response.has_redirect_location:
                        return str(response.request.url.join(response.headers["location"]))
                    _check_status(response.status_code)
                    return await self._body(response)
            except AddressRefusedError:
                return None

    async def _body(self, response: httpx.Response) -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for data in response.aiter_raw():  # never unpacked, so it cannot grow
            pieces.append(data)
            size += len(data)
            if size > self._limits.size:
                raise LimitError(
                    sentence=f"The image is larger than {self._limits.size / 1024 / 1024:.0f} MB"
                )
        return b"".join(pieces)


def image_of(data: bytes) -> FetchedImage:
    """``data`` with its kind. Raises ProtocolError for all that is no raster image; SVG is a program's text."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return FetchedImage(data, kind)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return FetchedImage(data, "webp")
    if not data:
        raise ProtocolError(sentence="The host sent nothing")
    start = data[:400].lstrip().lower()
    if b"<svg" in data[:2000].lower():
        raise ProtocolError(sentence="SVG images are not shown")
    if start.startswith((b"<!doctype", b"<html")):
        raise ProtocolError(sentence="There is a web page, not an image")
    raise ProtocolError(sentence="It is no PNG, JPEG, WebP, GIF or BMP image")


def is_private(address: str) -> bool:
    """Whether a numeric IP address is of this computer, its network, or nobody."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    return not ip.is_global or ip.is_multicast


def _transport(tls: ssl.SSLContext, *, is_private_allowed: bool) -> StreamTransport:
    if is_private_allowed:
        return StreamTransport(tls)
    return StreamTransport(tls, allows=lambda address: not is_private(address))


def _names_private(host: str) -> bool:
    if "." not in host or host.endswith((".local", ".localhost", ".internal", ".lan", ".home.arpa")):
        return ":" not in host or is_private(host)
    try:
        return is_private(host)
    except ValueError:
        return False


def _checked(address: str) -> SplitResult:
    """The parts of an address that may be called at all."""
    try:
        url = urlsplit(address)
        usable = bool(url.hostname) and url.port != 0 and address.isprintable()
    except ValueError:
        raise ConfigurationError(sentence="The address is no URL") from None
    if not usable:
        raise ConfigurationError(sentence="The address is no URL")
    if url.scheme not in {"http", "https"}:
        raise ConfigurationError(sentence="Only addresses with https and http are called")
    if url.username is not None or url.password is not None:
        raise ConfigurationError(sentence="The address holds a password")
    return url._replace(fragment="")


def _check_status(status: int) -> None:
    if status == 200:
        return
    if status in {404, 410}:
        raise NotFoundError(sentence="The host has no such image", status=status)
    if status in {401, 403}:
        raise PermissionDeniedError(sentence="The host does not give this image out", status=status)
    raise ServerError(sentence=f"The host answered with error {status}", status=status)


def _from_data(address: str, limit: int) -> bytes:
    """What a ``data:`` address holds (RFC 2397)."""
    head, comma, body = address[5:].partition(",")
    if not comma:
        raise ConfigurationError(sentence="The image's data is damaged")
    if len(body) > limit * 2:
        raise LimitError(sentence="The image is too large")
    data = unquote_to_bytes(body)
    if head.lower().replace(" ", "").endswith(";base64"):
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ConfigurationError(sentence="The image's data is damaged") from None
    return data
