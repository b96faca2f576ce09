# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of a database, 8192 bytes each, judged by what protects them: a checksum, or bits against torn writes.

The checksum (PAGE_VERIFY CHECKSUM): each sector's 128 words are xor-ed, turned left by 15 - number of the sector, and
xor-ed together, the field itself counting as zero. Right for 6,420 of 6,420 pages of real backups.
"""

from __future__ import annotations

import sys
from array import array
from typing import NamedTuple

__all__ = ["PAGE", "PageCounts", "judge_pages"]

PAGE = 8192
SECTOR, SECTORS = 512, 16

VERSION = 0x00  # u8: 1 (proven)
TYPE = 0x01  # u8: 1 to 20 (proven)
FLAGS = 0x04  # u16: see the next two; others occur (proven)
NUMBER, FILE = 0x20, 0x24  # u32, u16: its own number and its file's (proven)
CHECKSUM = 0x3C  # u32: of the page, or its torn bits (proven)

HAS_CHECKSUM, HAS_TORN_BITS = 0x200, 0x100
LAST_TYPE = 20


class PageCounts(NamedTuple):
    """judged: pages that are protected; unjudged: others, which are zeros, unprotected or none of SQL Server's.

    damaged: (file, page) of those that are not what was written.
    """

    judged: int
    unjudged: int
    damaged: list[tuple[int, int]]


def judge_pages(data: bytes) -> PageCounts:
    """Whole pages, one behind the other."""
    judged, unjudged, damaged = 0, 0, []
    sums: array[int] | list[int] | None = None
    for index, at in enumerate(range(0, len(data), PAGE)):
        flags = data[at + FLAGS] | data[at + FLAGS + 1] << 8
        if data[at + VERSION] != 1 or not 1 <= data[at + TYPE] <= LAST_TYPE:
            unjudged += 1
            continue
        if flags & HAS_CHECKSUM:
            sums = _remainders(data) if sums is None else sums
            bad = sums[index] != 0
        elif flags & HAS_TORN_BITS:
            bad = _is_torn(data, at)
        else:
            unjudged += 1
            continue
        judged += 1
        if bad:
            file = int.from_bytes(data[at + FILE : at + FILE + 2], "little")
            damaged.append((file, int.from_bytes(data[at + NUMBER : at + NUMBER + 4], "little")))
    return PageCounts(judged, unjudged, damaged)


def _is_torn(data: bytes, at: int) -> bool:
    """The last two bits of each sector but the first are those that the write of the page gave to all of them."""
    pattern = data[at + CHECKSUM] & 3
    ends = range(at + SECTOR + SECTOR - 1, at + PAGE, SECTOR)
    return pattern not in (1, 2) or any(data[end] & 3 != pattern for end in ends)


def _remainders(data: bytes) -> array[int] | list[int]:
    """For each page 0 if its checksum is right. All at once: 64 columns of 8 bytes, one lane for each sector."""
    pages = len(data) // PAGE
    if sys.byteorder != "little" or array("I").itemsize != 4:
        return [_remainder(data[at : at + PAGE]) for at in range(0, pages * PAGE, PAGE)]
    columns, folded = array("Q", data), 0
    for column in range(64):
        folded ^= int.from_bytes(columns[column::64].tobytes(), "little")
    folded ^= folded >> 32
    sectors = array("I", folded.to_bytes(pages * SECTORS * 8, "little"))[::2]
    stored = int.from_bytes(array("I", data)[CHECKSUM // 4 :: PAGE // 4].tobytes(), "little")
    total = stored ^ _turned(stored, 15, pages)  # the field is part of the first sector's sum
    for sector in range(SECTORS):
        total ^= _turned(int.from_bytes(sectors[sector::SECTORS].tobytes(), "little"), 15 - sector, pages)
    return array("I", total.to_bytes(pages * 4, "little"))


def _turned(words: int, bits: int, count: int) -> int:
    """Each of the words of 32 bits turned left."""
    low = int.from_bytes(((1 << bits) - 1).to_bytes(4, "little") * count, "little")
    high = int.from_bytes((0xFFFFFFFF ^ (1 << bits) - 1).to_bytes(4, "little") * count, "little")
    return words << bits & high | words >> 32 - bits & low


def _remainder(page: bytes) -> int:
    """The same for one page, whatever the order of bytes of this machine."""
    total = stored = int.from_bytes(page[CHECKSUM : CHECKSUM + 4], "little")
    for sector in range(SECTORS):
        value = stored if sector == 0 else 0
        for at in range(sector * SECTOR, (sector + 1) * SECTOR, 4):
            value ^= int.from_bytes(page[at : at + 4], "little")
        total ^= _turned(value, 15 - sector, 1)
    return total
