"""Stop in every state of a turn: from the call to the end of the turn and, where there is one, of the connection."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from desktop_chat.api.client import ChatClient
from desktop_chat.api.retry import RetryPolicy
from desktop_chat.chat.handlers import Outcome, StreamContext
from desktop_chat.chat.session import ChatSession
from desktop_chat.domain.measurements import Measurement
from desktop_chat.domain.messages import Role
from desktop_chat.domain.metrics import Phase
from desktop_chat.domain.profiles import Dialect
from desktop_chat.domain.requests import ChatRequest, RequestMessage

_STOPS: Final = 40
"""In every state."""
_MEDIAN_TARGET: Final = "at most 50 ms"
_WORST_TARGET: Final = "at most 200 ms"

_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
_CHUNK: Final = b'data: {"choices":[{"delta":{"content":"word "}}]}\n\n'
_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 30\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
_REQUEST: Final = ChatRequest(model="m", messages=(RequestMessage(role=Role.USER, text="Hello"),))


class _State(msgspec.Struct, frozen=True):
    """Where a turn is stopped.

    Attributes:
        answer: what the server sends once it has the request.
        reached: whether the turn is there, given what the server has seen.
        flows: the server goes on sending text.
        accepts: there is a connection whose end the server sees.
        tls: the client waits for a handshake that never comes.
    """

    name: str
    answer: bytes
    reached: Callable[[ChatSession, _Peer], bool]
    flows: bool = False
    accepts: bool = True
    tls: bool = False


class _Peer:
    """The other end: takes connections in threads, answers them as told, and notes when the client has left.

    Attributes:
        seen: connections of which a byte has arrived.
        left_at: ``time.perf_counter`` at which the latest client was gone; None while one is there.
    """

    def __init__(self, state: _State) -> None:
        self.seen = 0
        self.left_at: float | None = None
        self._state = state
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64 if state.accepts else 0)
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._callers: list[socket.socket] = []

    def begin(self) -> None:
        """Another client comes."""
        self.seen, self.left_at = 0, None

    async def client_left(self) -> float:
        """When the client's connection ended."""
        while self.left_at is None:  # noqa: ASYNC110 - told by a thread
            await asyncio.sleep(0.001)
        return self.left_at

    @contextlib.contextmanager
    def running(self) -> Iterator[_Peer]:
        if self._state.accepts:
            self._run(self._accept)
        else:
            self._fill_backlog()
        try:
            yield self
        finally:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            for caller in self._callers:
                caller.close()
            for thread in self._threads:
                thread.join()

    def _fill_backlog(self) -> None:
        """So that whoever connects next is not even accepted by the kernel, and waits."""
        for _ in range(8):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", self.port))
            self._callers.append(caller)

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="stop-benchmark")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed: the measurement is over
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            self.seen += 1
            connection.sendall(self._state.answer)
            while not self._state.flows or not select.select([connection], [], [], 0.001)[0]:
                if not self._state.flows:
                    break
                connection.sendall(_CHUNK)
            while connection.recv(65536):
                pass
        self.left_at = time.perf_counter()


_STATES: Final = (
    _State("connecting", b"", lambda turn, _peer: turn.phase is Phase.CONNECTING, accepts=False),
    _State("in the TLS handshake", b"", lambda _turn, peer: peer.seen > 0, tls=True),
    _State("waiting for headers", b"", lambda turn, peer: turn.phase is Phase.WAITING and peer.seen > 0),
    _State(
        "waiting for the first token",
        _HEAD + b": wait\n\n",
        lambda turn, peer: turn.phase is Phase.WAITING and peer.seen > 0,
    ),
    _State("streaming", _HEAD + _CHUNK, lambda turn, _peer: turn.phase is Phase.STREAMING, flows=True),
    _State("in a retry countdown", _BUSY, lambda turn, _peer: turn.phase is Phase.RETRYING),
)


def measure() -> list[Measurement]:
    """Median and worst of every state."""
    rows = []
    for state in _STATES:
        with _Peer(state).running() as peer:
            times = asyncio.run(_stops(state, peer))
        for what, value, target in (
            ("median", statistics.median(times), _MEDIAN_TARGET),
            (f"worst of {_STOPS}", max(times), _WORST_TARGET),
        ):
            rows.append(
                Measurement(what=f"{state.name}, {what}", value=value * 1000, unit="ms", target=target)
            )
    return rows


async def _stops(state: _State, peer: _Peer) -> list[float]:
    scheme = "https" if state.tls else "http"
    async with ChatClient(f"{scheme}://127.0.0.1:{peer.port}/v1", Dialect.OPENAI) as client:
        return [await _stop_seconds(client, state, peer) for _ in range(_STOPS)]


async def _stop_seconds(client: ChatClient, state: _State, peer: _Peer) -> float:
    async def prepare() -> tuple[ChatClient, ChatRequest]:
        return client, _REQUEST

    peer.begin()
    context = StreamContext(conversation_id=None, message_id=None, profile_name="", model="m")
    turn = ChatSession(context, prepare, retry_policy=RetryPolicy(max_retries=1))
    turn.start()
    while not state.reached(turn, peer):  # noqa: ASYNC110 - the state is the turn's and the peer's together
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.003)  # into the wait that belongs to the state
    begun = time.perf_counter()
    turn.stop()
    result = await turn.wait()
    ended = time.perf_counter()
    if result.outcome is not Outcome.STOPPED:
        raise RuntimeError(f"the turn ended as {result.outcome} instead: {result.error}")
    return max(ended, await peer.client_left() if state.accepts else ended) - begun
