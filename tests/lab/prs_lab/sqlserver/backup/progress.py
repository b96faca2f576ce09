"""How a long statement tells of itself, and how it can be given up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..context import InstanceContext, SessionContext
from ..wire.items import Done, Flush, Info, Item

__all__ = ["Pace", "finished", "processed"]

_SLICE = 0.05


class Pace:
    """Progress of one statement over `total` bytes.

    stats: the step of STATS in percent, 0 for no messages. The instance's `io_seconds` (0 unless somebody sets it) is
    how long the whole takes at least, so that progress, cancelling and dropped clients can be watched; changed
    meanwhile, it holds for what is left.
    """

    def __init__(
        self, instance: InstanceContext, session: SessionContext, *, command: str, total: int, stats: Any = None
    ) -> None:
        self._session = session
        self._instance = instance
        self._total = max(total, 1)
        self._step = max(0, min(100, int(stats))) if stats is not None else 0
        self._done = 0.0
        self._said = 0
        session.progress.command = command
        session.progress.percent = 0.0

    def advance(self, count: int) -> Iterator[Item]:
        """`count` more bytes are done: waits as long as they take, and yields the messages that are due. Raises
        Cancelled.
        """
        goal = min(self._done + count, self._total)
        self._session.check()
        while (left := goal - self._done) > 0:
            seconds = self._instance.io_seconds
            part = min(left, self._total * _SLICE / seconds) if seconds > 0 else left
            if seconds > 0:
                self._session.pause(seconds * part / self._total)
            self._done = goal if part == left else self._done + part
            yield from self._tell()

    def complete(self) -> Iterator[Item]:
        """Everything is done."""
        self._done = float(self._total)
        yield from self._tell()

    def _tell(self) -> Iterator[Item]:
        percent = 100.0 * self._done / self._total
        self._session.progress.percent = percent
        while self._step and self._said + self._step <= percent + 1e-9 and self._said < 100:
            self._said = min(100, self._said + self._step)
            # A real server ends every progress message with a DONE of its own: clients see a result per message.
            yield Info(3211, f"{self._said} percent processed.")
            yield Done()
            yield Flush()


def processed(pages: int, *, database: str, file: str, position: int) -> Info:
    """4035, for one file of the database."""
    return Info(4035, f"Processed {pages} pages for database '{database}', file '{file}' on file {position}.")


def finished(what: str, pages: int, seconds: float) -> Info:
    """3014, at the very end."""
    seconds = max(seconds, 0.001)
    speed = pages * 8192 / seconds / (1 << 20)
    return Info(3014, f"{what} successfully processed {pages} pages in {seconds:.3f} seconds ({speed:.3f} MB/sec).")
