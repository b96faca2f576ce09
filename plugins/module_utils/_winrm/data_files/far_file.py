# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A data file of a Windows host, read over WinRM as far as the rows that are asked for need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..._core.binary.range_reader import Read
from ..._core.binary.values import Damaged
from ..._core.table_rows.columns import NotRead
from ..host.files import WindowsFiles

__all__ = ["MOST_BLOCKS", "far_file"]

BLOCK = 1 << 20
"""Bytes that are fetched at once, from a multiple of them on: the next pages of a table mostly lie beside it."""

GOES_ON = 4
"""Blocks that are fetched at once where the one before was needed, too."""

MOST_BLOCKS = 64
"""Of one file. WinRM brings some MB in a second, and what was fetched is kept."""


@contextmanager
def far_file(files: WindowsFiles, path: str, size: int) -> Iterator[tuple[Read, int]]:
    """read(offset, length) of a file, and its size in bytes.

    Reading raises :class:`NotRead` where it would take too much, and :class:`Damaged` where the file is gone meanwhile.
    """
    blocks: dict[int, bytes] = {}

    def fetch(number: int) -> None:
        count = GOES_ON if number - 1 in blocks else 1
        if len(blocks) + count > MOST_BLOCKS:
            raise NotRead(
                f"with it more than {MOST_BLOCKS * BLOCK >> 20} MB of the file would have to come over WinRM. Copy the "
                "file to the control node, and read it there"
            )
        [answer] = files.read_ranges([(path, [(number * BLOCK, count * BLOCK)])])
        if answer.fault is not None or answer.size != size:
            raise Damaged(f"the file cannot be read any more: {answer.fault or 'it is another one by now'}")
        [data] = answer.ranges
        blocks.update({number + place: data[place * BLOCK : (place + 1) * BLOCK] for place in range(count)})

    def read(offset: int, length: int) -> bytes:
        first, last = offset // BLOCK, max(offset, min(offset + length, size) - 1) // BLOCK
        for number in range(first, last + 1):
            if number not in blocks:
                fetch(number)
        start = offset - first * BLOCK
        return b"".join(blocks[number] for number in range(first, last + 1))[start : start + length]

    yield read, size
