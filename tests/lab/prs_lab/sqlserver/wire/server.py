"""The one loop, in one thread, that serves all instances of a lab; each listens at its host's own address."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from .connection import Connection, Service

__all__ = ["Listener", "WireLoop"]


class Listener:
    """An open port. Made by `WireLoop.listen`."""

    def __init__(self, loop: WireLoop, server: asyncio.Server, connections: set[Connection]) -> None:
        self._loop = loop
        self._server = server
        self._connections = connections
        self.port: int = server.sockets[0].getsockname()[1]

    def close(self, *, patience: float = 5.0) -> None:
        """Close the port, cut every connection, and wait (seconds) until their sessions are closed."""
        workers = self._loop.run(self._close())
        for worker in workers:
            if worker is not threading.current_thread():
                worker.join(patience)

    async def _close(self) -> list[threading.Thread]:
        self._server.close()
        workers = [connection.worker for connection in self._connections if connection.worker]
        for connection in list(self._connections):
            connection.abort()
        return workers


class WireLoop:
    """An event loop in a daemon thread."""

    _shared: WireLoop | None = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sql wire", daemon=True)
        self._thread.start()

    @classmethod
    def shared(cls) -> WireLoop:
        """The loop of this process, started when first asked for."""
        with cls._lock:
            if cls._shared is None:
                cls._shared = cls()
            return cls._shared

    def run(self, work: Coroutine[Any, Any, Any], *, timeout: float = 30.0) -> Any:
        """Run a coroutine in the loop, from any other thread, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def listen(self, service: Service, address: str, port: int) -> Listener:
        """Open a port (0: any). Raises OSError when it cannot be had."""
        connections: set[Connection] = set()

        async def start() -> asyncio.Server:
            return await self._loop.create_server(lambda: Connection(service, connections), address, port, backlog=256)

        return Listener(self, self.run(start()), connections)

    def call_soon(self, function: Any, *arguments: Any) -> None:
        """Have the loop call a function soon, from any thread."""
        self._loop.call_soon_threadsafe(function, *arguments)
