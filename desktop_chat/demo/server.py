"""The demo server's life: a free loopback port, uvicorn in a daemon thread, and a clean end.

Why a thread: in the window's own loop each token would wait for the frame being painted, and importing the web
stack would hold up the first one. This module stays cheap; starlette and uvicorn are imported in that thread.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


def _loopback_listener() -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it on, each write waits up
    # to 40 ms for the acknowledgement of the one before. `socket.create_server` does not name it.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener


class DemoServer:
    """A real HTTP server on 127.0.0.1 that speaks Mistral's wire format, with no model behind it.

    Attributes:
        tokens_per_second: speed of the answers; may be changed at any time, 0 means no limit.
    """

    def __init__(self, tokens_per_second: float = 60.0) -> None:
        self.tokens_per_second = tokens_per_second
        self._port = 0
        self._thread: threading.Thread | None = None
        self._request_stop: Callable[[], None] | None = None
        self._stop_requested = threading.Event()

    @property
    def base_url(self) -> str:
        """``http://127.0.0.1:PORT/v1`` once started; empty before."""
        return f"http://127.0.0.1:{self._port}/v1" if self._port else ""

    async def start(self) -> str:
        """Listen and return the base URL at once; requests wait until the web stack is imported.

        Raises OSError when there is no loopback interface or no free port.
        """
        if self._thread is None:
            listener = _loopback_listener()
            self._port = int(listener.getsockname()[1])
            self._stop_requested.clear()
            self._thread = threading.Thread(
                target=self._run, args=(listener,), name="demo-server", daemon=True
            )
            self._thread.start()
        return self.base_url

    async def stop(self) -> None:
        """Close the port and all connections; answers under way break off. Idempotent."""
        thread, self._thread, self._port = self._thread, None, 0
        if thread is None:
            return
        self._stop_requested.set()
        if self._request_stop is not None:
            self._request_stop()
        await asyncio.get_running_loop().run_in_executor(None, thread.join)

    def _run(self, listener: socket.socket) -> None:
        try:
            asyncio.run(self._serve(listener))
        except Exception:  # noqa: BLE001 - the thread's outermost frame; clients see a refused connection
            _log.exception("The demo server ended unexpectedly")
        finally:
            self._request_stop = None
            listener.close()

    async def _serve(self, listener: socket.socket) -> None:
        import uvicorn

        from desktop_chat.demo.application import application

        loop = asyncio.get_running_loop()
        stop = asyncio.Event()

        class Server(uvicorn.Server):
            """Waits for the stop event; uvicorn's own main loop would wake up ten times a second."""

            async def main_loop(self) -> None:
                await stop.wait()

        def request_stop() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(stop.set)

        self._request_stop = request_stop
        if self._stop_requested.is_set():
            return
        config = uvicorn.Config(
            application(lambda: self.tokens_per_second),
            loop="none",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # answers that break off on request are no errors
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=0,
        )
        await Server(config).serve(sockets=[listener])
