"""A process on a Windows host as the remote shell sees it: standard input that arrives in pieces, output that is
fetched in pieces.
"""

from __future__ import annotations

import threading
import time

__all__ = ["InputPipe", "Killed", "Process"]


class Killed(Exception):
    """The process was ended by somebody else while it waited for its input."""


class InputPipe:
    """Standard input: written by requests of the client, read by the thread of the process."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ended = False
        self._killed = False
        self._changed = threading.Condition()

    def write(self, data: bytes, *, end: bool) -> None:
        with self._changed:
            self._data += data
            self._ended = self._ended or end
            self._changed.notify_all()

    def kill(self) -> None:
        """Whoever reads, now or later, is ended."""
        with self._changed:
            self._killed = True
            self._changed.notify_all()

    def read_all(self) -> bytes:
        """Everything until the end of input. Raises Killed."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._killed)
            self._go_on()
            return self._take(len(self._data))

    def read_until(self, marker: bytes) -> tuple[bytes, bool]:
        """What comes before `marker` and whether it came (else everything until the end); the marker itself is dropped.
        Raises Killed.
        """
        with self._changed:
            searched = 0
            while True:
                self._go_on()
                found = self._data.find(marker, max(0, searched - len(marker)))
                if found >= 0:
                    before = self._take(found)
                    self._take(len(marker))
                    return before, True
                if self._ended:
                    return self._take(len(self._data)), False
                searched = len(self._data)
                self._changed.wait()

    def _go_on(self) -> None:
        if self._killed:
            raise Killed

    def _take(self, count: int) -> bytes:
        taken = bytes(self._data[:count])
        del self._data[:count]
        return taken


class Process:
    """One command in a shell. `main` runs in a thread of its own once there is input, or at once where none will come."""

    def __init__(self, *, command_line: str, reads_input: bool) -> None:
        self.command_line = command_line
        self.reads_input = reads_input
        self.stdin = InputPipe()
        self._streams = {"stdout": bytearray(), "stderr": bytearray()}
        self._exit_code: int | None = None
        self._changed = threading.Condition()
        if not reads_input:
            self.stdin.write(b"", end=True)

    def emit(self, stdout: bytes = b"", stderr: bytes = b"") -> None:
        with self._changed:
            self._streams["stdout"] += stdout
            self._streams["stderr"] += stderr
            self._changed.notify_all()

    def finish(self, exit_code: int) -> None:
        with self._changed:
            self._exit_code = exit_code
            self._changed.notify_all()

    def collect(self, *, timeout: float, limit: int) -> tuple[dict[str, bytes], int | None] | None:
        """(bytes of each stream, exit code once all was fetched), waiting for something to come; None when nothing came
        in time.

        At most `limit` bytes altogether.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while not any(self._streams.values()) and self._exit_code is None:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None
            taken: dict[str, bytes] = {}
            for name, data in self._streams.items():
                taken[name] = bytes(data[:limit])
                del data[: len(taken[name])]
                limit -= len(taken[name])
            return taken, None if any(self._streams.values()) else self._exit_code
