# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a file that were fetched from elsewhere, for a reader that does not know beforehand which it needs."""

from __future__ import annotations

__all__ = ["FetchedRanges", "RangeMissing"]


class RangeMissing(Exception):
    """The reader needs ranges that were not fetched yet: fetch them, and read again from the start.

    ranges: offset and length of each.
    """

    def __init__(self, *ranges: tuple[int, int]) -> None:
        super().__init__(", ".join(f"{length} bytes at {offset}" for offset, length in ranges))
        self.ranges = list(ranges)


class FetchedRanges:
    """size: of the file in bytes."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._ranges: list[tuple[int, bytes]] = []

    def add(self, offset: int, data: bytes) -> None:
        """offset: below zero, counted from the file's end."""
        self._ranges.append((max(0, self.size + offset) if offset < 0 else offset, data))

    def read(self, offset: int, length: int) -> bytes:
        """All the bytes asked for, fewer only where the file ends. Raises :class:`RangeMissing`."""
        length = max(0, min(length, self.size - offset))
        if not length:
            return b""
        for start, data in self._ranges:
            if start <= offset and offset + length <= start + len(data):
                return data[offset - start : offset - start + length]
        raise RangeMissing((offset, length))
