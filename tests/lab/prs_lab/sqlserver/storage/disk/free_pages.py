"""Numbers of pages that nothing lies on yet, single or as whole extents."""

from __future__ import annotations

__all__ = ["FreePages"]

_EXTENT = 8


class FreePages:
    """From a page on. without_multiples_of: pages that are never given. left: those that were passed over."""

    def __init__(self, first: int, *, without_multiples_of: int) -> None:
        self._next, self._span = first, without_multiples_of
        self.left: list[int] = []

    def one(self) -> int:
        if self.left:
            return self.left.pop(0)
        while self._next % self._span == 0:
            self._next += 1
        self._next += 1
        return self._next - 1

    def extent(self) -> list[int]:
        """Eight pages from a multiple of eight on."""
        while self._next % _EXTENT or self._next % self._span == 0:
            if self._next % self._span:
                self.left.append(self._next)
            self._next += 1
        self._next += _EXTENT
        return list(range(self._next - _EXTENT, self._next))
