"""A file in memory, for fuzzers: whoever reads it without an end, or without a bound, fails."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["BoundedReads"]


class BoundedReads:
    """most: how often may be read, of all contents together."""

    def __init__(self, most: int) -> None:
        self._left = most

    def of(self, content: bytes) -> Callable[[int, int], bytes]:
        """read(offset, length)."""

        def read(offset: int, length: int) -> bytes:
            self._left -= 1
            assert 0 <= length <= 64 << 20 and offset >= 0
            assert self._left > 0, "it reads without end"
            return content[offset : offset + length]

        return read
