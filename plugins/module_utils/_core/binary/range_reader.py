# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random access to a file in few reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

__all__ = ["RangeReader", "Read"]

Read = Callable[[int, int], bytes]
"""read(offset, length) -> all the bytes asked for, fewer only where the file ends."""

REMEMBERED = 16
"""Windows that are kept: memory does not grow with the file."""


class RangeReader:
    """Keeps the last windows that it has fetched, so that what lies close together is read once.

    size: of the file in bytes.
    """

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self.size = size
        self._windows: deque[tuple[int, bytes]] = deque(maxlen=REMEMBERED)

    def get(self, offset: int, length: int, *, ahead: int = 0) -> bytes:
        """The bytes at an offset; fewer than length only where the file ends.

        ahead: how many bytes are worth reading along with them.
        """
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        for start, data in self._windows:
            if start <= offset and offset + length <= start + len(data):
                return data[offset - start : offset - start + length]
        data = self._read(offset, min(max(length, ahead), self.size - offset))
        self._windows.appendleft((offset, data))
        return data[:length]

    def pass_by(self, offset: int, length: int) -> bytes:
        """The bytes at an offset, read once and not kept: for reading a file from its beginning to its end."""
        return self._read(offset, min(length, self.size - offset))
