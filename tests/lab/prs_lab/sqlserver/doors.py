"""The doors of databases: who comes in, and who closes a database to others or takes it away, does so alone.

A server locks the database for that. Without it a client that comes back at once is inside again before the last one
has gone.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Protocol

__all__ = ["Doors"]


class Waiting(Protocol):
    def check(self) -> None:
        """Raises when the session was killed or its statement given up."""


class Doors:
    """Those of one instance. Nobody waits for a client while he holds one."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.RLock] = {}

    @contextlib.contextmanager
    def at(self, database: str, *, session: Waiting | None = None) -> Iterator[None]:
        """Be the only one at a database's door. session: whose statement waits for it, and may be ended meanwhile."""
        lock = self._locks.setdefault(database.lower(), threading.RLock())
        while not lock.acquire(timeout=0.1):
            if session is not None:
                session.check()
        try:
            yield
        finally:
            lock.release()
